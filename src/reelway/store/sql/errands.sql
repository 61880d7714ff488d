-- What is still to be done after a record was written. `due_at` is empty for what was given up; what is done is removed.

-- name: add_errands
-- Errands beside the change they follow from; one that is on record already stays as it is.
INSERT INTO errands (id, job_id, work, created_at, due_at, tries, last_answer)
VALUES {rows}
ON CONFLICT (id) DO NOTHING

-- name: any_due
-- Whether there is anything to do, asked far more often than there is.
SELECT 1 FROM errands WHERE due_at <= :now LIMIT 1

-- name: hold_due
-- Take the errands that are due first, and put them off for whoever else looks while they are being run.
UPDATE errands SET due_at = :hold_until
WHERE id IN (SELECT id FROM errands WHERE due_at <= :now ORDER BY due_at, id LIMIT :limit)
RETURNING id, job_id, work, created_at, due_at, tries, last_answer

-- name: done
-- Nothing is left to do.
DELETE FROM errands WHERE id = :id

-- name: put_off
-- It comes round again, or is given up; `tries` starts anew for one that succeeded and comes round.
UPDATE errands SET due_at = :due_at, tries = :tries, last_answer = :answer WHERE id = :id

-- name: errands
-- What is left to do about a video.
SELECT id, job_id, work, created_at, due_at, tries, last_answer FROM errands WHERE job_id = :job_id ORDER BY id

-- name: given_up
-- What only an operator can mend, the oldest first.
SELECT id, job_id, work, created_at, due_at, tries, last_answer FROM errands
WHERE due_at IS NULL ORDER BY created_at LIMIT :limit
