-- A message on a server, below the low-water UID of its mailbox, that could not be fetched yet. The
-- rows are of the UIDVALIDITY that the mailbox's position names.
CREATE TABLE owed_uid (
  mailbox TEXT COLLATE "C" NOT NULL,
  uid BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  -- why not, in words
  said TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (mailbox, uid)
);
