-- The processes that work on this store. `seen_at`: when one last said that it lives.
CREATE TABLE worker (
  name TEXT COLLATE "C" PRIMARY KEY,
  -- which process of which machine it is, so that those beside it can see whether it has died
  process TEXT COLLATE "C" NOT NULL,
  started_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);

-- Who watches a mailbox, and until when. `fence` is higher with each taking.
CREATE TABLE mailbox_lease (
  mailbox TEXT COLLATE "C" PRIMARY KEY,
  leased_by TEXT COLLATE "C",
  leased_until BIGINT,
  fence BIGINT NOT NULL
);
