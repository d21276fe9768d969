-- Times are unix milliseconds, booleans 0 or 1, ids UUIDv7 as text. JSON is text.

-- A mailbox that was seen once. `started_at`: what had arrived before belongs to `start`.
CREATE TABLE mailbox (
  name TEXT COLLATE "C" PRIMARY KEY,
  address TEXT COLLATE "C" NOT NULL,
  started_at BIGINT NOT NULL,
  -- where the source stands, in its own words (a network source: UIDVALIDITY, low-water UID, owed UIDs)
  position TEXT COLLATE "C"
);

-- The ledger: one row for each message that was ever brought in, and where it stands.
CREATE TABLE message (
  id TEXT COLLATE "C" PRIMARY KEY,
  mailbox TEXT COLLATE "C" NOT NULL,
  -- unique within the mailbox: a maildir file's base name, or UIDVALIDITY and UID
  origin TEXT COLLATE "C" NOT NULL,
  intake TEXT COLLATE "C" NOT NULL,
  arrived_at BIGINT NOT NULL,
  spooled_at BIGINT NOT NULL,
  size BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  leased_by TEXT COLLATE "C",
  leased_until BIGINT,
  fence BIGINT NOT NULL DEFAULT 0,
  -- its arrival, or the end of the deferral: the order of claims, and when it counts against
  -- [limits]; null once nothing waits for it
  due_at BIGINT,
  -- whether the mailbox must be told: pending (once decided), owed, done, never
  acknowledgement TEXT COLLATE "C" NOT NULL,
  UNIQUE (mailbox, origin)
);
CREATE INDEX message_waiting ON message (state, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX message_held ON message (id) WHERE state = 'held';
CREATE INDEX message_owed ON message (mailbox, id) WHERE acknowledgement = 'owed';

-- The raw bytes, in frames of 1 MiB, each compressed (zstd) for itself.
CREATE TABLE raw_chunk (
  message TEXT COLLATE "C" NOT NULL REFERENCES message (id),
  n BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (message, n)
);
-- They are compressed already.
ALTER TABLE raw_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Which message a content is (M-07, M-09); kept for ever.
CREATE TABLE content_key (
  hash BYTEA PRIMARY KEY,
  message_id TEXT COLLATE "C" NOT NULL,
  message TEXT COLLATE "C" NOT NULL
);
CREATE INDEX content_key_message_id ON content_key (message_id);

-- The one valid decision about each message.
CREATE TABLE decision (
  message TEXT COLLATE "C" PRIMARY KEY REFERENCES message (id),
  mailbox TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C",
  from_address TEXT COLLATE "C",
  subject TEXT COLLATE "C",
  ticket BIGINT,
  duplicate_of TEXT COLLATE "C",
  decided_at BIGINT NOT NULL,
  -- who it counts against in [limits], and when
  sender_key TEXT COLLATE "C",
  sender_domain TEXT COLLATE "C",
  counted_at BIGINT,
  story TEXT COLLATE "C" NOT NULL
);
CREATE INDEX decision_duplicate ON decision (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX decision_ticket ON decision (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX decision_decided ON decision (decided_at, message);
CREATE INDEX decision_sender ON decision (sender_key, counted_at) WHERE sender_key IS NOT NULL;
CREATE INDEX decision_domain ON decision (sender_domain, counted_at) WHERE sender_domain IS NOT NULL;

-- A message decided, whose sender's user or credentials mail must wait for room.
CREATE TABLE owed (
  message TEXT COLLATE "C" PRIMARY KEY REFERENCES message (id),
  due_at BIGINT NOT NULL
);
CREATE INDEX owed_due ON owed (due_at);

CREATE TABLE site (
  id TEXT COLLATE "C" PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL UNIQUE,
  -- declared in the configuration: read-only elsewhere
  declared BIGINT NOT NULL,
  -- taken out of the configuration: users and tickets stay, it matches no more
  retired BIGINT NOT NULL DEFAULT 0,
  is_default BIGINT NOT NULL DEFAULT 0,
  locale TEXT COLLATE "C",
  phone TEXT COLLATE "C",
  credentials BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL
);
CREATE TABLE site_domain (
  domain TEXT COLLATE "C" PRIMARY KEY,
  site TEXT COLLATE "C" NOT NULL REFERENCES site (id)
);
CREATE TABLE site_address (
  address_key TEXT COLLATE "C" PRIMARY KEY,
  site TEXT COLLATE "C" NOT NULL REFERENCES site (id)
);
CREATE INDEX site_domain_site ON site_domain (site);
CREATE INDEX site_address_site ON site_address (site);
CREATE TABLE site_primary (
  site TEXT COLLATE "C" NOT NULL REFERENCES site (id),
  address_key TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (site, address_key)
);

CREATE TABLE person (
  id TEXT COLLATE "C" PRIMARY KEY,
  first_name TEXT COLLATE "C" NOT NULL,
  last_name TEXT COLLATE "C" NOT NULL,
  derived BIGINT NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  access TEXT COLLATE "C" NOT NULL,
  site TEXT COLLATE "C" NOT NULL REFERENCES site (id),
  -- placed there by a person: never matched again (M-110)
  site_placed BIGINT NOT NULL DEFAULT 0,
  phone TEXT COLLATE "C",
  mobile TEXT COLLATE "C",
  department TEXT COLLATE "C",
  job_title TEXT COLLATE "C",
  agent TEXT COLLATE "C",
  locale TEXT COLLATE "C",
  -- mail, hand, import
  made_by TEXT COLLATE "C" NOT NULL,
  no_tickets BIGINT NOT NULL DEFAULT 0,
  -- due, not_due, sent; why it waits
  credentials TEXT COLLATE "C" NOT NULL,
  credentials_withheld TEXT COLLATE "C",
  credentials_bounced BIGINT NOT NULL DEFAULT 0,
  -- when it counts against `limits.new_users`: only what mail made counts
  counted_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE INDEX person_site ON person (site);
CREATE INDEX person_counted ON person (counted_at) WHERE counted_at IS NOT NULL;
CREATE TABLE person_address (
  address_key TEXT COLLATE "C" PRIMARY KEY,
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  address TEXT COLLATE "C" NOT NULL,
  -- 0 is where mail of ours goes
  n BIGINT NOT NULL,
  undeliverable BIGINT NOT NULL DEFAULT 0,
  UNIQUE (person, n)
);

CREATE TABLE ticket (
  number BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  subject TEXT COLLATE "C" NOT NULL,
  requester_address TEXT COLLATE "C" NOT NULL,
  requester_key TEXT COLLATE "C" NOT NULL,
  requester_name TEXT COLLATE "C",
  person TEXT COLLATE "C" REFERENCES person (id),
  site TEXT COLLATE "C" NOT NULL REFERENCES site (id),
  mailbox TEXT COLLATE "C" NOT NULL,
  department TEXT COLLATE "C",
  status TEXT COLLATE "C" NOT NULL,
  staff_only BIGINT NOT NULL,
  assignee TEXT COLLATE "C",
  linked_to BIGINT,
  merged_into BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_message_at BIGINT NOT NULL,
  closed_at BIGINT,
  deleted_at BIGINT
);
CREATE INDEX ticket_person ON ticket (person);
CREATE INDEX ticket_site ON ticket (site);
CREATE INDEX ticket_requester ON ticket (requester_key);
CREATE INDEX ticket_linked ON ticket (linked_to) WHERE linked_to IS NOT NULL;

-- The messages of a ticket, in the order they were added.
CREATE TABLE ticket_message (
  ticket BIGINT NOT NULL REFERENCES ticket (number),
  n BIGINT NOT NULL,
  message TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES message (id),
  -- person or machine
  author TEXT COLLATE "C" NOT NULL,
  from_address TEXT COLLATE "C" NOT NULL,
  from_name TEXT COLLATE "C",
  person TEXT COLLATE "C",
  written_at BIGINT NOT NULL,
  added_at BIGINT NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  -- the whole text; the part to show, when that is less
  body TEXT COLLATE "C" NOT NULL,
  visible TEXT COLLATE "C",
  flags TEXT COLLATE "C" NOT NULL,
  -- a list in JSON: name, type, size, SHA-256, inline, locked, where in the raw message
  attachments TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (ticket, n)
);

-- Who is what to a ticket (M-80): requester, participant, correspondent.
CREATE TABLE ticket_role (
  ticket BIGINT NOT NULL REFERENCES ticket (number),
  address_key TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (ticket, address_key)
);

-- The message ids of a ticket (M-87). `seen`: received or sent, not only named.
CREATE TABLE thread_id (
  id TEXT COLLATE "C" NOT NULL,
  ticket BIGINT NOT NULL REFERENCES ticket (number),
  seen BIGINT NOT NULL,
  PRIMARY KEY (id, ticket)
);

-- Mail of ours, queued with its cause. Never holds a secret.
CREATE TABLE outbox (
  id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  template TEXT COLLATE "C" NOT NULL,
  to_address TEXT COLLATE "C" NOT NULL,
  to_key TEXT COLLATE "C" NOT NULL,
  to_domain TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C",
  ticket BIGINT,
  site TEXT COLLATE "C",
  mailbox TEXT COLLATE "C" NOT NULL,
  locale TEXT COLLATE "C" NOT NULL,
  message_id TEXT COLLATE "C" NOT NULL UNIQUE,
  -- answer or notice
  cause TEXT COLLATE "C" NOT NULL,
  in_reply_to TEXT COLLATE "C",
  reply_references TEXT COLLATE "C",
  -- the message that caused it
  message TEXT COLLATE "C",
  automatic BIGINT NOT NULL,
  -- queued, sending, sent, failed, parked, cancelled
  state TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  -- attempts whose end nobody knows: the connection, or guichet, died after the data
  unsure BIGINT NOT NULL DEFAULT 0,
  leased_by TEXT COLLATE "C",
  leased_until BIGINT,
  fence BIGINT NOT NULL DEFAULT 0,
  -- while it is being sent: when its lease ends
  due_at BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  sent_at BIGINT,
  -- the other side's last words
  response TEXT COLLATE "C",
  -- what was sent, with secrets redacted
  subject TEXT COLLATE "C",
  body TEXT COLLATE "C",
  bounced_at BIGINT,
  bounce TEXT COLLATE "C",
  -- temporary bounces so far (M-65)
  bounces BIGINT NOT NULL DEFAULT 0
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
  id TEXT COLLATE "C" PRIMARY KEY,
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  -- link: SHA-256 of the token, in hex; password: an Argon2id string
  kind TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL UNIQUE,
  outbox BIGINT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX credential_person ON credential (person, created_at);

-- PostgreSQL only: the number of the last transaction that each writer committed. A connection that
-- is lost on a COMMIT is made again, and finds here whether that was carried out. Rows change in
-- place.
CREATE TABLE last_commit (
  writer TEXT COLLATE "C" PRIMARY KEY,
  n BIGINT NOT NULL,
  at BIGINT NOT NULL
) WITH (fillfactor = 20);
