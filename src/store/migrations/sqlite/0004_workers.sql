-- The processes that work on this store. `seen_at`: when one last said that it lives.
CREATE TABLE worker (
  name TEXT PRIMARY KEY,
  -- which process of which machine it is, so that those beside it can see whether it has died
  process TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
);

-- Who watches a mailbox, and until when. `fence` is higher with each taking.
CREATE TABLE mailbox_lease (
  mailbox TEXT PRIMARY KEY,
  leased_by TEXT,
  leased_until INTEGER,
  fence INTEGER NOT NULL
);
