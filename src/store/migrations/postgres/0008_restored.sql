-- When the store was put back from a backup. Messages that arrived before were perhaps answered
-- already, by what was then: what they cause waits for somebody to say so.
CREATE TABLE restored (
  at BIGINT PRIMARY KEY
);
