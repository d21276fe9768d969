-- Of a temporary password the SHA-256 besides, in hex, by which one that comes back is found. It has
-- 80 random bits: nobody finds it by trying.
ALTER TABLE credential ADD COLUMN sha256 TEXT;
CREATE INDEX credential_sha256 ON credential (sha256) WHERE sha256 IS NOT NULL;
