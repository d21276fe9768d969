-- The UIDs of a mailbox's folder came to mean other messages, so that all of it was read again.
CREATE TABLE renumbered (
  mailbox TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- reused: its server gave UIDs out again; validity: it has another UIDVALIDITY
  cause TEXT NOT NULL,
  PRIMARY KEY (mailbox, at)
);
