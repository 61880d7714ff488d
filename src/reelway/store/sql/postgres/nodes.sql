-- Where PostgreSQL, with several nodes at once, needs other words. Times of leases are by its own clock, which all nodes share;
-- `:now` is empty except in tests that stand in for it.

-- name: join
-- Those who join take turns, so that no two count the same epoch.
INSERT INTO nodes (node, epoch, lease_until, host, process_id, version, role, started_at)
SELECT
  CAST(:node AS text), coalesce(max(epoch), 0) + 1,
  coalesce(CAST(:now AS float8), CAST(extract(epoch FROM clock_timestamp()) AS float8)) + :lease_seconds,
  CAST(:host AS text), CAST(:process_id AS int4), CAST(:version AS text), CAST(:role AS text), CAST(:started_at AS float8)
FROM nodes
ON CONFLICT (node) DO UPDATE
SET epoch = excluded.epoch, lease_until = excluded.lease_until, host = excluded.host, process_id = excluded.process_id,
    version = excluded.version, role = excluded.role, started_at = excluded.started_at, draining_at = NULL
RETURNING epoch

-- name: renew
-- The one write that keeps any number of jobs; it also tells whether the node is asked to drain.
UPDATE nodes
SET lease_until = coalesce(CAST(:now AS float8), CAST(extract(epoch FROM clock_timestamp()) AS float8)) + :lease_seconds
WHERE node = :node AND epoch = :epoch AND lease_until > 0
RETURNING draining_at

-- name: has_lease
-- Whether this lease was not ended; nobody ends it until the transaction is over.
SELECT 1 FROM nodes WHERE node = :node AND epoch = :epoch AND lease_until > 0 FOR SHARE

-- name: end_leases
-- End the other nodes' leases that ran out. One that is in use at this very moment is left for the next time: its node may
-- be frozen in the middle of a transaction, and whoever waited for it would be frozen too.
WITH over AS MATERIALIZED (
  SELECT node FROM nodes
  WHERE lease_until > 0 AND epoch <> :epoch
    AND lease_until <= coalesce(CAST(:now AS float8), CAST(extract(epoch FROM clock_timestamp()) AS float8))
  FOR UPDATE SKIP LOCKED
)
UPDATE nodes SET lease_until = 0 FROM over WHERE nodes.node = over.node

-- name: orphans
-- The jobs that are due first of those held under one epoch, except those that another node is taking just now.
SELECT due_at, id FROM jobs
WHERE epoch = :epoch AND state IN ('queued', 'submitting', 'running', 'collecting')
ORDER BY due_at, id
LIMIT :limit
FOR UPDATE SKIP LOCKED

-- name: live_nodes
-- Among whom the work is shared.
SELECT node FROM nodes
WHERE lease_until > 0 AND role <> 'api' AND draining_at IS NULL
  AND lease_until > coalesce(CAST(:now AS float8), CAST(extract(epoch FROM clock_timestamp()) AS float8))
ORDER BY node

-- name: all_nodes
-- For operators.
SELECT node, epoch,
  lease_until - coalesce(CAST(:now AS float8), CAST(extract(epoch FROM clock_timestamp()) AS float8)),
  draining_at IS NOT NULL, host, process_id, version, role, started_at,
  (
    SELECT count(*) FROM jobs
    WHERE jobs.epoch = nodes.epoch AND state IN ('queued', 'submitting', 'running', 'collecting')
  )
FROM nodes WHERE lease_until > 0 ORDER BY node
