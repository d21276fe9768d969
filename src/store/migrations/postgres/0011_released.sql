-- Who let a message go that was held, until it is decided anew and its story says so: the address of
-- an agent, or `operator`.
ALTER TABLE message ADD COLUMN released_by TEXT COLLATE "C";
