-- What only PostgreSQL is asked, where several nodes share the records and a connection can be lost.

-- name: shared_time
-- The clock by which leases go.
SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)

-- name: notify
-- Many letters to the other nodes in one statement.
WITH letters (text) AS (VALUES {rows})
SELECT pg_notify(:channel, letters.text) FROM letters

-- name: note_batch
-- The number of a batch, in its own transaction, by which a writer that loses the connection finds out about it.
INSERT INTO batches (writer, number, at)
VALUES (:writer, :number, CAST(extract(epoch FROM clock_timestamp()) AS float8))
ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at

-- name: last_batch
-- The number that was committed last. The lock waits for a transaction of the former session that is still being ended.
SELECT number FROM batches WHERE writer = :writer FOR UPDATE

-- name: end_former_sessions
-- End what a lost connection left at the server: its locks would be in the way, and its last commit in doubt.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = :purpose AND pid <> pg_backend_pid() AND datname = current_database()

-- name: forget_writer
-- It has ended in good order.
DELETE FROM batches WHERE writer = :writer

-- name: forget_batches
-- Writers that were killed a week ago will not ask any more.
DELETE FROM batches WHERE at < CAST(extract(epoch FROM clock_timestamp()) AS float8) - 604800
