-- The password a person chose, as an Argon2id string; null until then.
ALTER TABLE person ADD COLUMN password TEXT;
ALTER TABLE person ADD COLUMN password_set_at INTEGER;
ALTER TABLE person ADD COLUMN last_login_at INTEGER;
-- Whom they are the same as: they keep nothing of their own.
ALTER TABLE person ADD COLUMN merged_into TEXT;

-- The new address that a link is to confirm.
ALTER TABLE credential ADD COLUMN address TEXT;

CREATE TABLE session (
  -- SHA-256 of the token, in hex
  hash TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- what it may do: all, or password (after a temporary one: only choose another)
  scope TEXT NOT NULL,
  -- the browser's own words, to tell one session from another
  browser TEXT
);
CREATE INDEX session_person ON session (person, created_at);
CREATE INDEX session_expires ON session (expires_at);

-- What counts against the limits of logins and resets (T-27), until nobody asks any more.
CREATE TABLE portal_attempt (
  id TEXT PRIMARY KEY,
  -- what was tried, and by whom: `login/account/KEY`, `login/source/ADDRESS`
  counted TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX portal_attempt_counted ON portal_attempt (counted, at);

ALTER TABLE ticket ADD COLUMN priority TEXT;
CREATE TABLE ticket_tag (
  ticket INTEGER NOT NULL REFERENCES ticket (number),
  tag TEXT NOT NULL,
  PRIMARY KEY (ticket, tag)
);
CREATE INDEX ticket_tag_tag ON ticket_tag (tag);

-- What people changed about a ticket, in order.
CREATE TABLE ticket_event (
  ticket INTEGER NOT NULL REFERENCES ticket (number),
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- agent, operator, user
  by_kind TEXT NOT NULL,
  -- the address of an agent, the id of a user; null for an operator
  by_whom TEXT,
  -- assignee, closed, merged, opened, priority, reopened, requester, site, status, tags
  kind TEXT NOT NULL,
  before TEXT,
  after TEXT,
  PRIMARY KEY (ticket, n)
);

-- What a mail about a ticket tells: the message on the ticket, or the change, by its number there.
ALTER TABLE outbox ADD COLUMN about_message TEXT;
ALTER TABLE outbox ADD COLUMN about_event INTEGER;
-- The agent it is to, or whose words it brings.
ALTER TABLE outbox ADD COLUMN agent TEXT;
CREATE INDEX outbox_about ON outbox (about_message) WHERE about_message IS NOT NULL;
CREATE INDEX ticket_requester_activity ON ticket (person, last_message_at);
CREATE INDEX ticket_site_activity ON ticket (site, last_message_at);
-- Whose part in tickets is asked for by their address.
CREATE INDEX ticket_role_address ON ticket_role (address_key);
