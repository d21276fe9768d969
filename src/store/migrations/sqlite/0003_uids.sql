-- A message on a server, below the low-water UID of its mailbox, that could not be fetched yet. The
-- rows are of the UIDVALIDITY that the mailbox's position names.
CREATE TABLE owed_uid (
  mailbox TEXT NOT NULL,
  uid INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  -- why not, in words
  said TEXT NOT NULL,
  PRIMARY KEY (mailbox, uid)
);
