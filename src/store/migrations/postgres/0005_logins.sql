-- A login that the server of a mailbox refused: so few are tried in a quarter of an hour, whichever
-- process tries.
CREATE TABLE refused_login (
  mailbox TEXT COLLATE "C" NOT NULL,
  refused_at BIGINT NOT NULL,
  -- a byte that tells one username and password from another
  login BIGINT NOT NULL,
  PRIMARY KEY (mailbox, refused_at)
);
