-- Reads of videos. What a row says about owner, epoch, version and cancel wish outranks the record beside it.

-- name: job
-- The read behind every status request: one row by its key.
SELECT record, owner, epoch, version, cancel_requested_at FROM jobs WHERE id = :id

-- name: jobs_by_id
-- Several rows by their keys, in no order.
SELECT id, record, owner, epoch, version, cancel_requested_at FROM jobs WHERE id IN (VALUES {rows})

-- name: page
-- One page of videos, by id, which is by time. `{conditions}` and `{direction}` come from a closed list in `reads`.
SELECT record, owner, epoch, version, cancel_requested_at FROM jobs
WHERE parent IS NULL {conditions}
ORDER BY id {direction}
LIMIT :limit OFFSET :skip

-- name: count
-- How many videos such pages have in all.
SELECT count(*) FROM jobs WHERE parent IS NULL {conditions}

-- name: events
-- A video's story from a line on.
SELECT seq, at, state, name, detail FROM events WHERE job_id = :id AND seq > :after_seq ORDER BY seq

-- name: entries
-- A video's ledger lines, the reservation first.
SELECT kind, amount, at FROM entries WHERE job_id = :id ORDER BY CASE kind WHEN 'reserve' THEN 0 WHEN 'doubt' THEN 2 WHEN 'loss' THEN 3 ELSE 1 END

-- name: idempotent_answer
-- What an idempotency key was used for.
SELECT body_hash, job_id, expires_at FROM idempotency WHERE key_id = :key_id AND key = :key

-- name: tombstone_tenant
-- Whose video it was.
SELECT tenant FROM tombstones WHERE job_id = :id

-- name: holders
-- Which of these works of a vendor belong to a job of ours, also to a deleted one.
WITH asked (operation_key) AS (VALUES {rows})
SELECT asked.operation_key, jobs.id
FROM asked JOIN jobs ON jobs.account = :account AND jobs.operation_key = asked.operation_key
UNION ALL
SELECT asked.operation_key, tombstones.job_id
FROM asked JOIN tombstones ON tombstones.account = :account AND tombstones.operation_key = asked.operation_key

-- name: expiring
-- Final jobs whose bytes should go, the longest overdue first.
SELECT record, owner, epoch, version, cancel_requested_at FROM jobs
WHERE expires_at IS NOT NULL AND expired = 0 AND expires_at <= :now AND state IN ('completed', 'failed', 'cancelled')
ORDER BY expires_at
LIMIT :limit

-- name: queue_position
-- How many queued videos, not counting takes, came before this one.
SELECT count(*) FROM jobs
WHERE state = 'queued' AND state IN ('queued', 'submitting', 'running', 'collecting')
  AND (created_at, id) < (:created_at, :id) AND parent IS NULL

-- name: count_unfinished
-- How many jobs are in each unfinished state.
SELECT state, count(*) FROM jobs WHERE state IN ('queued', 'submitting', 'running', 'collecting') GROUP BY state

-- name: completed_models
-- The models that have completed jobs, by hopping along the index instead of reading all of it.
WITH RECURSIVE known (model) AS (
  SELECT min(model) FROM jobs WHERE state = 'completed'
  UNION ALL
  SELECT (SELECT min(jobs.model) FROM jobs WHERE jobs.state = 'completed' AND jobs.model > known.model)
  FROM known WHERE known.model IS NOT NULL
)
SELECT model FROM known WHERE model IS NOT NULL

-- name: newest_completed
-- The newest completed jobs of one model.
SELECT record FROM jobs WHERE state = 'completed' AND model = :model ORDER BY completed_at DESC LIMIT :limit

-- name: unfinished_of_key
-- How many videos of an API key are under way, counted no further than anybody wants to know.
SELECT count(*) FROM (
  SELECT 1 FROM jobs
  WHERE tenant = :tenant AND key_id = :name AND parent IS NULL AND state IN ('queued', 'submitting', 'running', 'collecting')
  LIMIT :most
) AS counted

-- name: unfinished_of_user
-- The same of an end user.
SELECT count(*) FROM (
  SELECT 1 FROM jobs
  WHERE tenant = :tenant AND end_user = :name AND parent IS NULL AND state IN ('queued', 'submitting', 'running', 'collecting')
  LIMIT :most
) AS counted
