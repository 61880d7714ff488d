-- What `reelway db check` asks about the whole file, once in a while and by hand.

-- name: counts
-- How much there is, by kind.
SELECT 'jobs', count(*) FROM jobs
UNION ALL SELECT 'unfinished jobs', count(*) FROM jobs WHERE state IN ('queued', 'submitting', 'running', 'collecting')
UNION ALL SELECT 'events', count(*) FROM events
UNION ALL SELECT 'ledger lines', count(*) FROM entries
UNION ALL SELECT 'idempotency keys', count(*) FROM idempotency
UNION ALL SELECT 'API keys', count(*) FROM api_keys
UNION ALL SELECT 'deleted videos', count(*) FROM tombstones
UNION ALL SELECT 'messages to send', count(*) FROM messages WHERE due_at IS NOT NULL

-- name: ended_without_reservation
-- Money was settled or released that was never set aside.
SELECT ending.job_id FROM entries AS ending
WHERE ending.kind IN ('settle', 'release')
  AND NOT EXISTS (SELECT 1 FROM entries AS start WHERE start.job_id = ending.job_id AND start.kind = 'reserve')

-- name: still_reserved
-- The video is final or gone, and its money is still set aside.
SELECT reserved.job_id FROM entries AS reserved
WHERE reserved.kind = 'reserve'
  AND NOT EXISTS (SELECT 1 FROM entries AS ending WHERE ending.job_id = reserved.job_id AND ending.kind IN ('settle', 'release'))
  AND NOT EXISTS (
    SELECT 1 FROM jobs
    WHERE jobs.id = reserved.job_id AND jobs.state IN ('queued', 'submitting', 'running', 'collecting')
  )

-- name: ended_too_early
-- The video is still being made, and its money was settled or released.
SELECT jobs.id FROM jobs JOIN entries AS ending ON ending.job_id = jobs.id AND ending.kind IN ('settle', 'release')
WHERE jobs.state IN ('queued', 'submitting', 'running', 'collecting')

-- name: unfinished_accounts
-- How many videos are being made at each account.
SELECT account, count(*) FROM jobs
WHERE account IS NOT NULL AND state IN ('queued', 'submitting', 'running', 'collecting')
GROUP BY account ORDER BY account
