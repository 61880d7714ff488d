-- Where PostgreSQL, with several nodes at once, needs other words.

-- name: hold_due
-- What another node is taking just now is passed over: waiting for it would end in taking it a second time.
WITH taken AS MATERIALIZED (
  SELECT id FROM messages AS due
  WHERE due_at <= :now
    AND NOT EXISTS (
      SELECT 1 FROM messages AS earlier
      WHERE earlier.video_id = due.video_id AND earlier.seq < due.seq AND earlier.due_at IS NOT NULL
    )
  ORDER BY due_at, id
  LIMIT :limit
  FOR UPDATE SKIP LOCKED
)
UPDATE messages SET due_at = :hold_until FROM taken WHERE messages.id = taken.id
RETURNING messages.id, video_id, seq, tenant, type, url, body, created_at, due_at, tries, delivered_at, last_answer
