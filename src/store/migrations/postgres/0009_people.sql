-- The password a person chose, as an Argon2id string; null until then.
ALTER TABLE person ADD COLUMN password TEXT COLLATE "C";
ALTER TABLE person ADD COLUMN password_set_at BIGINT;
ALTER TABLE person ADD COLUMN last_login_at BIGINT;
-- Whom they are the same as: they keep nothing of their own.
ALTER TABLE person ADD COLUMN merged_into TEXT COLLATE "C";

-- The new address that a link is to confirm.
ALTER TABLE credential ADD COLUMN address TEXT COLLATE "C";

CREATE TABLE session (
  -- SHA-256 of the token, in hex
  hash TEXT COLLATE "C" PRIMARY KEY,
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  -- what it may do: all, or password (after a temporary one: only choose another)
  scope TEXT COLLATE "C" NOT NULL,
  -- the browser's own words, to tell one session from another
  browser TEXT COLLATE "C"
);
CREATE INDEX session_person ON session (person, created_at);
CREATE INDEX session_expires ON session (expires_at);

-- What counts against the limits of logins and resets (T-27), until nobody asks any more.
CREATE TABLE portal_attempt (
  id TEXT COLLATE "C" PRIMARY KEY,
  -- what was tried, and by whom: `login/account/KEY`, `login/source/ADDRESS`
  counted TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX portal_attempt_counted ON portal_attempt (counted, at);

ALTER TABLE ticket ADD COLUMN priority TEXT COLLATE "C";
CREATE TABLE ticket_tag (
  ticket BIGINT NOT NULL REFERENCES ticket (number),
  tag TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (ticket, tag)
);
CREATE INDEX ticket_tag_tag ON ticket_tag (tag);

-- What people changed about a ticket, in order.
CREATE TABLE ticket_event (
  ticket BIGINT NOT NULL REFERENCES ticket (number),
  n BIGINT NOT NULL,
  at BIGINT NOT NULL,
  -- agent, operator, user
  by_kind TEXT COLLATE "C" NOT NULL,
  -- the address of an agent, the id of a user; null for an operator
  by_whom TEXT COLLATE "C",
  -- assignee, closed, merged, opened, priority, reopened, requester, site, status, tags
  kind TEXT COLLATE "C" NOT NULL,
  before TEXT COLLATE "C",
  after TEXT COLLATE "C",
  PRIMARY KEY (ticket, n)
);

-- What a mail about a ticket tells: the message on the ticket, or the change, by its number there.
ALTER TABLE outbox ADD COLUMN about_message TEXT COLLATE "C";
ALTER TABLE outbox ADD COLUMN about_event BIGINT;
-- The agent it is to, or whose words it brings.
ALTER TABLE outbox ADD COLUMN agent TEXT COLLATE "C";
CREATE INDEX outbox_about ON outbox (about_message) WHERE about_message IS NOT NULL;
CREATE INDEX ticket_requester_activity ON ticket (person, last_message_at);
CREATE INDEX ticket_site_activity ON ticket (site, last_message_at);
-- Whose part in tickets is asked for by their address.
CREATE INDEX ticket_role_address ON ticket_role (address_key);
