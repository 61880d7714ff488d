-- Messages to callers. `due_at` is empty for one that is delivered or given up, so `messages_due` holds what is left to send.

-- name: add_messages
-- The messages of changes, written beside them.
INSERT INTO messages (
  id, video_id, seq, tenant, type, url, body, created_at, due_at, tries, delivered_at, last_answer
)
VALUES {rows}

-- name: any_due
-- Whether there is anything to send, asked far more often than there is.
SELECT 1 FROM messages AS due
WHERE due_at <= :now
  AND NOT EXISTS (
    SELECT 1 FROM messages AS earlier
    WHERE earlier.video_id = due.video_id AND earlier.seq < due.seq AND earlier.due_at IS NOT NULL
  )
LIMIT 1

-- name: hold_due
-- Take the messages that are due first, and put them off for whoever else looks while they are being sent. One that tells of
-- a later change of a video waits until the earlier ones are delivered or given up.
UPDATE messages SET due_at = :hold_until
WHERE id IN (
  SELECT id FROM messages AS due
  WHERE due_at <= :now
    AND NOT EXISTS (
      SELECT 1 FROM messages AS earlier
      WHERE earlier.video_id = due.video_id AND earlier.seq < due.seq AND earlier.due_at IS NOT NULL
    )
  ORDER BY due_at, id
  LIMIT :limit
)
RETURNING id, video_id, seq, tenant, type, url, body, created_at, due_at, tries, delivered_at, last_answer

-- name: delivered
-- It arrived; the first time counts.
UPDATE messages
SET delivered_at = coalesce(delivered_at, :now), due_at = NULL, tries = tries + 1, last_answer = :answer
WHERE id = :id

-- name: failed
-- It did not arrive, and is tried again or given up; not so one that arrived after all.
UPDATE messages SET due_at = :due_at, tries = :tries, last_answer = :answer WHERE id = :id AND delivered_at IS NULL

-- name: messages
-- A video's messages, the oldest first.
SELECT id, video_id, seq, tenant, type, url, body, created_at, due_at, tries, delivered_at, last_answer
FROM messages WHERE video_id = :video_id ORDER BY seq

-- name: drop_undelivered
-- What was not told about a video that is being deleted is not told any more.
DELETE FROM messages WHERE video_id = :video_id AND delivered_at IS NULL

-- name: empty_delivered
-- That something was told of a deleted video stays on record; what it was does not.
UPDATE messages SET body = '' WHERE video_id = :video_id
