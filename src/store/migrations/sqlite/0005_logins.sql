-- A login that the server of a mailbox refused: so few are tried in a quarter of an hour, whichever
-- process tries.
CREATE TABLE refused_login (
  mailbox TEXT NOT NULL,
  refused_at INTEGER NOT NULL,
  -- a byte that tells one username and password from another
  login INTEGER NOT NULL,
  PRIMARY KEY (mailbox, refused_at)
);
