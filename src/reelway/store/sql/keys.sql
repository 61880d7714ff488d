-- API keys, and small facts about this installation.

-- name: add_key
-- Keep a key; of its text only the hash.
INSERT INTO api_keys (id, tenant, name, hash, hint, scopes, created_at, expires_at, revoked_at)
VALUES (:id, :tenant, :name, :hash, :hint, :scopes, :created_at, :expires_at, :revoked_at)

-- name: key_by_hash
-- The read behind every authentication: one row by its unique hash.
SELECT id, tenant, name, hash, hint, scopes, created_at, expires_at, revoked_at FROM api_keys WHERE hash = :hash

-- name: keys
-- All keys, the oldest first.
SELECT id, tenant, name, hash, hint, scopes, created_at, expires_at, revoked_at FROM api_keys ORDER BY created_at, id

-- name: revoke_key
-- Revoke a key; the first time counts.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id

-- name: fact
-- One fact.
SELECT value FROM facts WHERE name = :name

-- name: set_fact
-- Set a fact unless it is set.
INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING
