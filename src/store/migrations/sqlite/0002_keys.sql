-- The keys behind the ids of our mail (M-73): the newest signs, all of them verify. `id` is the one
-- character that an id names its key by; after 36 keys the names come again.
CREATE TABLE signing_key (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  secret BLOB NOT NULL,
  made_at INTEGER NOT NULL
);

-- Whether mail to `+tags` of its address arrives: unknown, arrive; since when that is known, and by
-- what it was seen: bounce_address, probe, reply_address.
ALTER TABLE mailbox ADD COLUMN tags TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE mailbox ADD COLUMN tags_since INTEGER;
ALTER TABLE mailbox ADD COLUMN tags_seen TEXT;

-- The id that the relay gave the mail, as its answer names it (M-82).
ALTER TABLE outbox ADD COLUMN relay_id TEXT;
CREATE INDEX outbox_relay_id ON outbox (relay_id) WHERE relay_id IS NOT NULL;
