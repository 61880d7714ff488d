-- Writes of videos. `{rows}` stands for as many rows of parameters as are written at once.

-- name: add_jobs
-- New videos and their takes, a whole batch in one statement: each statement hands the interpreter's lock over once.
INSERT INTO jobs (
  id, tenant, key_id, parent, take, state, owner, epoch, version, created_at, updated_at, due_at, deadline_at, model,
  end_user, client_reference, mode, account, operation_key, completed_at, expires_at, expired, cancel_requested_at, record
)
VALUES {rows}

-- name: add_events
-- The next line of each of these videos' stories.
INSERT INTO events (job_id, seq, at, state, name, detail)
VALUES {rows}

-- name: add_entries
-- Ledger lines that stand on their own: money set aside. A second reservation of one video breaks the primary key.
INSERT INTO entries (job_id, kind, tenant, key_id, amount, at)
VALUES {rows}

-- name: close_reservations
-- Ledger lines that end a reservation, where there is one; a second end of one video breaks `entries_one_end`.
WITH ending (job_id, kind, tenant, key_id, amount, at) AS (VALUES {rows})
INSERT INTO entries (job_id, kind, tenant, key_id, amount, at)
SELECT ending.job_id, ending.kind, ending.tenant, ending.key_id, ending.amount, ending.at
FROM ending
JOIN entries AS reserved ON reserved.job_id = ending.job_id AND reserved.kind = 'reserve'

-- name: claim_idempotency_keys
-- Take the keys that are free, or whose time was over when the new video was made; those that are held are left alone.
-- A key that stands for a body (`sending` is set) is taken by a first sending too, unless a repetition that came after it
-- has taken it already, and by anyone when its video was deleted.
INSERT INTO idempotency (key_id, key, body_hash, job_id, created_at, expires_at, sending)
VALUES {rows}
ON CONFLICT (key_id, key) DO UPDATE
SET body_hash = excluded.body_hash, job_id = excluded.job_id,
    created_at = excluded.created_at, expires_at = excluded.expires_at, sending = excluded.sending
WHERE idempotency.expires_at <= excluded.created_at
  OR (excluded.sending = 0 AND NOT (idempotency.sending > 0 AND idempotency.created_at >= excluded.created_at))
  OR (excluded.sending >= 0 AND EXISTS (SELECT 1 FROM tombstones WHERE tombstones.job_id = idempotency.job_id))

-- name: forget_idempotency_keys
-- Sweep a few keys whose time is over, so that the table stays as small as a day is busy.
DELETE FROM idempotency
WHERE (key_id, key) IN (
  SELECT key_id, key FROM idempotency WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
)

-- name: apply_changes
-- The one way a job changes. A row is written only if it still has the version that was seen, and either is held under this
-- epoch by a node whose lease was not ended, or (no epoch) is final and held by nobody. Whoever counts fewer rows than it
-- sent has lost a lease.
WITH new (
  id, node, epoch, seen, final, state, version, updated_at, due_at, deadline_at, account, operation_key, completed_at,
  expires_at, expired, cancel_requested_at, record
) AS (VALUES {rows})
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
      AND EXISTS (
        SELECT 1 FROM nodes WHERE nodes.epoch = jobs.epoch AND nodes.node = jobs.owner AND nodes.lease_until > 0
      )
    )
    OR (new.epoch IS NULL AND new.final = 1 AND jobs.owner IS NULL AND jobs.state IN ('completed', 'failed', 'cancelled'))
  )

-- name: request_cancel
-- A wish, not a change: no version is counted, and only the first wish is noted.
UPDATE jobs SET cancel_requested_at = :now
WHERE id = :id AND cancel_requested_at IS NULL AND state IN ('queued', 'submitting', 'running', 'collecting')

-- name: unfinished_of
-- Which of a video and its takes are still under way, and so forbid its deletion.
SELECT id FROM jobs
WHERE (id = :id OR parent = :id) AND state IN ('queued', 'submitting', 'running', 'collecting')
LIMIT 1

-- name: bury
-- Keep of a video and its takes whose they were and which work of a vendor they had.
INSERT INTO tombstones (job_id, tenant, deleted_at, account, operation_key)
SELECT id, tenant, CAST(:now AS DOUBLE PRECISION), account, operation_key FROM jobs WHERE id = :id OR parent = :id

-- name: delete_takes
-- The takes go before their video; their events go with them.
DELETE FROM jobs WHERE parent = :id

-- name: delete_job
-- The video itself; its events go with it, its ledger lines stay.
DELETE FROM jobs WHERE id = :id
