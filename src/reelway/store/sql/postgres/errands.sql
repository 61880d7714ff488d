-- Where PostgreSQL, with several nodes at once, needs other words.

-- name: hold_due
-- What another node is taking just now is passed over: waiting for it would end in taking it a second time.
WITH taken AS MATERIALIZED (
  SELECT id FROM errands WHERE due_at <= :now ORDER BY due_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE errands SET due_at = :hold_until FROM taken WHERE errands.id = taken.id
RETURNING errands.id, job_id, work, created_at, due_at, tries, last_answer
