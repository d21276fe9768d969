-- Times are unix milliseconds, booleans 0 or 1, ids UUIDv7 as text. JSON is text.

-- A mailbox that was seen once. `started_at`: what had arrived before belongs to `start`.
CREATE TABLE mailbox (
  name TEXT PRIMARY KEY,
  address TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  -- where the source stands, in its own words (a network source: UIDVALIDITY, low-water UID, owed UIDs)
  position TEXT
);

-- The ledger: one row for each message that was ever brought in, and where it stands.
CREATE TABLE message (
  id TEXT PRIMARY KEY,
  mailbox TEXT NOT NULL,
  -- unique within the mailbox: a maildir file's base name, or UIDVALIDITY and UID
  origin TEXT NOT NULL,
  intake TEXT NOT NULL,
  arrived_at INTEGER NOT NULL,
  spooled_at INTEGER NOT NULL,
  size INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  leased_by TEXT,
  leased_until INTEGER,
  fence INTEGER NOT NULL DEFAULT 0,
  -- its arrival, or the end of the deferral: the order of claims, and when it counts against
  -- [limits]; null once nothing waits for it
  due_at INTEGER,
  -- whether the mailbox must be told: pending (once decided), owed, done, never
  acknowledgement TEXT NOT NULL,
  UNIQUE (mailbox, origin)
);
CREATE INDEX message_waiting ON message (state, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX message_held ON message (id) WHERE state = 'held';
CREATE INDEX message_owed ON message (mailbox, id) WHERE acknowledgement = 'owed';

-- The raw bytes, in frames of 1 MiB, each compressed (zstd) for itself.
CREATE TABLE raw_chunk (
  message TEXT NOT NULL REFERENCES message (id),
  n INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (message, n)
);

-- Which message a content is (M-07, M-09); kept for ever.
CREATE TABLE content_key (
  hash BLOB PRIMARY KEY,
  message_id TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX content_key_message_id ON content_key (message_id);

-- The one valid decision about each message.
CREATE TABLE decision (
  message TEXT PRIMARY KEY REFERENCES message (id),
  mailbox TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  kind TEXT,
  from_address TEXT,
  subject TEXT,
  ticket INTEGER,
  duplicate_of TEXT,
  decided_at INTEGER NOT NULL,
  -- who it counts against in [limits], and when
  sender_key TEXT,
  sender_domain TEXT,
  counted_at INTEGER,
  story TEXT NOT NULL
);
CREATE INDEX decision_duplicate ON decision (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX decision_ticket ON decision (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX decision_decided ON decision (decided_at, message);
CREATE INDEX decision_sender ON decision (sender_key, counted_at) WHERE sender_key IS NOT NULL;
CREATE INDEX decision_domain ON decision (sender_domain, counted_at) WHERE sender_domain IS NOT NULL;

-- A message decided, whose sender's user or credentials mail must wait for room.
CREATE TABLE owed (
  message TEXT PRIMARY KEY REFERENCES message (id),
  due_at INTEGER NOT NULL
);
CREATE INDEX owed_due ON owed (due_at);

CREATE TABLE site (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  -- declared in the configuration: read-only elsewhere
  declared INTEGER NOT NULL,
  -- taken out of the configuration: users and tickets stay, it matches no more
  retired INTEGER NOT NULL DEFAULT 0,
  is_default INTEGER NOT NULL DEFAULT 0,
  locale TEXT,
  phone TEXT,
  credentials INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL
);
CREATE TABLE site_domain (
  domain TEXT PRIMARY KEY,
  site TEXT NOT NULL REFERENCES site (id)
);
CREATE TABLE site_address (
  address_key TEXT PRIMARY KEY,
  site TEXT NOT NULL REFERENCES site (id)
);
CREATE INDEX site_domain_site ON site_domain (site);
CREATE INDEX site_address_site ON site_address (site);
CREATE TABLE site_primary (
  site TEXT NOT NULL REFERENCES site (id),
  address_key TEXT NOT NULL,
  PRIMARY KEY (site, address_key)
);

CREATE TABLE person (
  id TEXT PRIMARY KEY,
  first_name TEXT NOT NULL,
  last_name TEXT NOT NULL,
  derived INTEGER NOT NULL,
  status TEXT NOT NULL,
  access TEXT NOT NULL,
  site TEXT NOT NULL REFERENCES site (id),
  -- placed there by a person: never matched again (M-110)
  site_placed INTEGER NOT NULL DEFAULT 0,
  phone TEXT,
  mobile TEXT,
  department TEXT,
  job_title TEXT,
  agent TEXT,
  locale TEXT,
  -- mail, hand, import
  made_by TEXT NOT NULL,
  no_tickets INTEGER NOT NULL DEFAULT 0,
  -- due, not_due, sent; why it waits
  credentials TEXT NOT NULL,
  credentials_withheld TEXT,
  credentials_bounced INTEGER NOT NULL DEFAULT 0,
  -- when it counts against `limits.new_users`: only what mail made counts
  counted_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
);
CREATE INDEX person_site ON person (site);
CREATE INDEX person_counted ON person (counted_at) WHERE counted_at IS NOT NULL;
CREATE TABLE person_address (
  address_key TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  address TEXT NOT NULL,
  -- 0 is where mail of ours goes
  n INTEGER NOT NULL,
  undeliverable INTEGER NOT NULL DEFAULT 0,
  UNIQUE (person, n)
);

CREATE TABLE ticket (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  subject TEXT NOT NULL,
  requester_address TEXT NOT NULL,
  requester_key TEXT NOT NULL,
  requester_name TEXT,
  person TEXT REFERENCES person (id),
  site TEXT NOT NULL REFERENCES site (id),
  mailbox TEXT NOT NULL,
  department TEXT,
  status TEXT NOT NULL,
  staff_only INTEGER NOT NULL,
  assignee TEXT,
  linked_to INTEGER,
  merged_into INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_message_at INTEGER NOT NULL,
  closed_at INTEGER,
  deleted_at INTEGER
);
CREATE INDEX ticket_person ON ticket (person);
CREATE INDEX ticket_site ON ticket (site);
CREATE INDEX ticket_requester ON ticket (requester_key);
CREATE INDEX ticket_linked ON ticket (linked_to) WHERE linked_to IS NOT NULL;

-- The messages of a ticket, in the order they were added.
CREATE TABLE ticket_message (
  ticket INTEGER NOT NULL REFERENCES ticket (number),
  n INTEGER NOT NULL,
  message TEXT NOT NULL UNIQUE REFERENCES message (id),
  -- person or machine
  author TEXT NOT NULL,
  from_address TEXT NOT NULL,
  from_name TEXT,
  person TEXT,
  written_at INTEGER NOT NULL,
  added_at INTEGER NOT NULL,
  subject TEXT NOT NULL,
  -- the whole text; the part to show, when that is less
  body TEXT NOT NULL,
  visible TEXT,
  flags TEXT NOT NULL,
  -- a list in JSON: name, type, size, SHA-256, inline, locked, where in the raw message
  attachments TEXT NOT NULL,
  PRIMARY KEY (ticket, n)
);

-- Who is what to a ticket (M-80): requester, participant, correspondent.
CREATE TABLE ticket_role (
  ticket INTEGER NOT NULL REFERENCES ticket (number),
  address_key TEXT NOT NULL,
  role TEXT NOT NULL,
  PRIMARY KEY (ticket, address_key)
);

-- The message ids of a ticket (M-87). `seen`: received or sent, not only named.
CREATE TABLE thread_id (
  id TEXT NOT NULL,
  ticket INTEGER NOT NULL REFERENCES ticket (number),
  seen INTEGER NOT NULL,
  PRIMARY KEY (id, ticket)
);

-- Mail of ours, queued with its cause. Never holds a secret.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  template TEXT NOT NULL,
  to_address TEXT NOT NULL,
  to_key TEXT NOT NULL,
  to_domain TEXT NOT NULL,
  person TEXT,
  ticket INTEGER,
  site TEXT,
  mailbox TEXT NOT NULL,
  locale TEXT NOT NULL,
  message_id TEXT NOT NULL UNIQUE,
  -- answer or notice
  cause TEXT NOT NULL,
  in_reply_to TEXT,
  reply_references TEXT,
  -- the message that caused it
  message TEXT,
  automatic INTEGER NOT NULL,
  -- queued, sending, sent, failed, parked, cancelled
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  -- attempts whose end nobody knows: the connection, or guichet, died after the data
  unsure INTEGER NOT NULL DEFAULT 0,
  leased_by TEXT,
  leased_until INTEGER,
  fence INTEGER NOT NULL DEFAULT 0,
  -- while it is being sent: when its lease ends
  due_at INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  sent_at INTEGER,
  -- the other side's last words
  response TEXT,
  -- what was sent, with secrets redacted
  subject TEXT,
  body TEXT,
  bounced_at INTEGER,
  bounce TEXT,
  -- temporary bounces so far (M-65)
  bounces INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_to ON outbox (to_key, queued_at);
CREATE INDEX outbox_template ON outbox (template, queued_at);
-- what the budgets of credentials mail count (C-10)
CREATE INDEX outbox_notice ON outbox (queued_at, state, person) WHERE cause = 'notice';
CREATE INDEX outbox_notice_domain ON outbox (to_domain, queued_at, state, person) WHERE cause = 'notice';
CREATE INDEX outbox_notice_person ON outbox (person, queued_at, state) WHERE cause = 'notice';
CREATE INDEX outbox_notice_recipient ON outbox (to_key, queued_at, state, person) WHERE cause = 'notice';
CREATE INDEX outbox_notice_site ON outbox (site, queued_at, state, person) WHERE cause = 'notice';
CREATE INDEX outbox_ticket ON outbox (ticket, template);

-- Links and temporary passwords: only their hashes.
CREATE TABLE credential (
  id TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  -- link: SHA-256 of the token, in hex; password: an Argon2id string
  kind TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  outbox INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER
);
CREATE INDEX credential_person ON credential (person, created_at);
