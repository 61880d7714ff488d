-- Where PostgreSQL, with several nodes at once, needs other words.

-- name: forget_idempotency_keys
-- Sweep a few keys whose time is over; those that another node is sweeping are left to it.
WITH old AS MATERIALIZED (
  SELECT key_id, key FROM idempotency WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency USING old WHERE idempotency.key_id = old.key_id AND idempotency.key = old.key

-- name: apply_changes
-- The one way a job changes. The leases are looked at under a lock: whoever ends one waits until the changes made under it
-- are committed, and a change that comes while one is being ended waits, and then finds it ended. A row that another node
-- changed meanwhile is looked at again as it is then.
WITH new (
  id, node, epoch, seen, final, state, version, updated_at, due_at, deadline_at, account, operation_key, completed_at,
  expires_at, expired, cancel_requested_at, record
) AS (VALUES {rows}),
held AS MATERIALIZED (
  SELECT nodes.node, nodes.epoch FROM nodes
  WHERE nodes.epoch IN (SELECT new.epoch FROM new) AND nodes.lease_until > 0
  FOR SHARE
)
UPDATE jobs
SET state = new.state, owner = CASE new.final WHEN 1 THEN NULL ELSE jobs.owner END, version = new.version,
    updated_at = new.updated_at, due_at = new.due_at, deadline_at = new.deadline_at, account = new.account,
    operation_key = new.operation_key, completed_at = new.completed_at, expires_at = new.expires_at,
    expired = new.expired, cancel_requested_at = coalesce(jobs.cancel_requested_at, new.cancel_requested_at),
    record = new.record
FROM new
WHERE jobs.id = new.id AND jobs.version = new.seen
  AND (
    (
      jobs.epoch = new.epoch AND jobs.owner = coalesce(new.node, jobs.owner)
      AND EXISTS (SELECT 1 FROM held WHERE held.epoch = jobs.epoch AND held.node = jobs.owner)
    )
    OR (new.epoch IS NULL AND new.final = 1 AND jobs.owner IS NULL AND jobs.state IN ('completed', 'failed', 'cancelled'))
  )

-- name: unfinished_of
-- Which of a video and its takes are still under way, and so forbid its deletion; nobody changes any of them meanwhile.
WITH locked AS MATERIALIZED (SELECT id, state FROM jobs WHERE id = :id OR parent = :id ORDER BY id FOR UPDATE)
SELECT id FROM locked WHERE state IN ('queued', 'submitting', 'running', 'collecting') LIMIT 1
