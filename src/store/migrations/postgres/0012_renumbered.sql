-- The UIDs of a mailbox's folder came to mean other messages, so that all of it was read again.
CREATE TABLE renumbered (
  mailbox TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  -- reused: its server gave UIDs out again; validity: it has another UIDVALIDITY
  cause TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (mailbox, at)
);
