-- Submits whose outcome nobody knows.

-- name: testify
-- Leave word about an attempt for whoever owns its job; what was said before is replaced.
INSERT INTO testimonies (job_id, attempt, record)
VALUES (:job_id, :attempt, :record)
ON CONFLICT (job_id, attempt) DO UPDATE SET record = excluded.record

-- name: is_submitting
-- Whether there is anything to say about it still.
SELECT 1 FROM jobs WHERE id = :job_id AND state = 'submitting'

-- name: testimony
-- What was said about one attempt.
SELECT record FROM testimonies WHERE job_id = :job_id AND attempt = :attempt

-- name: submitting
-- Jobs whose submit has no outcome yet, takes among them, the oldest first.
SELECT record, owner, epoch, version, cancel_requested_at FROM jobs
WHERE id IN (
  SELECT id FROM jobs
  WHERE state IN ('queued', 'submitting', 'running', 'collecting') AND state = 'submitting'
  ORDER BY created_at, id
  LIMIT :limit
)
ORDER BY created_at, id

-- name: doubts
-- Videos that ended in doubt and were not settled, deleted ones among them, the oldest first.
SELECT job_id FROM entries AS doubt
WHERE doubt.kind = 'doubt' AND doubt.job_id > :after
  AND NOT EXISTS (SELECT 1 FROM entries AS loss WHERE loss.job_id = doubt.job_id AND loss.kind = 'loss')
ORDER BY doubt.job_id
LIMIT :limit

-- name: write_loss
-- Settle the doubt about a video, whose record may be gone.
INSERT INTO entries (job_id, kind, tenant, key_id, amount, at)
SELECT job_id, 'loss', tenant, key_id, CAST(:amount AS BIGINT), CAST(:at AS DOUBLE PRECISION) FROM entries
WHERE job_id = :job_id AND kind = 'doubt'
ON CONFLICT (job_id, kind) DO NOTHING
