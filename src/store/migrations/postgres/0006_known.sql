-- What a ticket knows of its messages (M-91, M-26): hashes of their lines and images, 8 bytes each.
-- Null for what was added before, and for mail of ours about no ticket.
ALTER TABLE ticket_message ADD COLUMN known BYTEA;
ALTER TABLE outbox ADD COLUMN known BYTEA;
CREATE INDEX outbox_known ON outbox (ticket, id) WHERE known IS NOT NULL;
