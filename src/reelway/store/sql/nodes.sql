-- Nodes and their leases. A lease that was ended, by leaving or because it ran out and another node needed the jobs, says 0.

-- name: join
-- Give a node a lease under an epoch greater than any before; an older lease of the same node is thereby over.
INSERT INTO nodes (node, epoch, lease_until, host, process_id, version, role, started_at)
SELECT :node, coalesce(max(epoch), 0) + 1, :now + :lease_seconds, :host, :process_id, :version, :role, :started_at
FROM nodes WHERE true
ON CONFLICT (node) DO UPDATE
SET epoch = excluded.epoch, lease_until = excluded.lease_until, host = excluded.host, process_id = excluded.process_id,
    version = excluded.version, role = excluded.role, started_at = excluded.started_at, draining_at = NULL
RETURNING epoch

-- name: forget_nodes
-- Ended leases are needed no longer, except the newest, from which the next epoch is counted.
DELETE FROM nodes WHERE lease_until = 0 AND epoch < (SELECT max(epoch) FROM nodes)

-- name: renew
-- The one write that keeps any number of jobs; it also tells whether the node is asked to drain.
-- (`IS NOT NULL` is true of every column there in SQLite 3.40, so the column itself is returned.)
UPDATE nodes SET lease_until = :now + :lease_seconds WHERE node = :node AND epoch = :epoch AND lease_until > 0
RETURNING draining_at

-- name: leave
-- The one write that gives any number of jobs back: what a node without lease holds may be claimed.
UPDATE nodes SET lease_until = 0 WHERE node = :node AND epoch = :epoch

-- name: has_lease
-- Whether this lease was not ended.
SELECT 1 FROM nodes WHERE node = :node AND epoch = :epoch AND lease_until > 0

-- name: end_leases
-- End the other nodes' leases that ran out, so that a node that was merely asleep learns of it at its next write.
UPDATE nodes SET lease_until = 0 WHERE lease_until > 0 AND lease_until <= :now AND epoch <> :epoch

-- name: orphaned_epochs
-- Epochs (0 stands for nobody) under which unfinished jobs are held without a lease, by hopping along the index.
WITH RECURSIVE held (epoch) AS (
  SELECT min(epoch) FROM jobs WHERE state IN ('queued', 'submitting', 'running', 'collecting')
  UNION ALL
  SELECT (
    SELECT min(jobs.epoch) FROM jobs
    WHERE jobs.state IN ('queued', 'submitting', 'running', 'collecting') AND jobs.epoch > held.epoch
  )
  FROM held WHERE held.epoch IS NOT NULL
)
SELECT epoch FROM held
WHERE epoch IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.epoch = held.epoch AND nodes.lease_until > 0)

-- name: orphans
-- The jobs that are due first of those held under one epoch.
SELECT due_at, id FROM jobs
WHERE epoch = :epoch AND state IN ('queued', 'submitting', 'running', 'collecting')
ORDER BY due_at, id
LIMIT :limit

-- name: adopt
-- Make the caller their owner; their version stays, the epoch fences the former owner.
UPDATE jobs SET owner = :node, epoch = :epoch WHERE id IN (VALUES {rows})

-- name: hand_back
-- Single jobs are given back while the lease goes on for others; the version stays.
UPDATE jobs SET owner = NULL, epoch = 0
WHERE owner = :node AND epoch = :epoch AND state IN ('queued', 'submitting', 'running', 'collecting') AND id IN (VALUES {rows})

-- name: cancel_wishes
-- Read at every renewal, so it has an index of its own, in which there is next to nothing.
SELECT id, cancel_requested_at FROM jobs
WHERE epoch = :epoch AND owner = :node AND cancel_requested_at IS NOT NULL
  AND state IN ('queued', 'submitting', 'running', 'collecting')
ORDER BY id

-- name: live_nodes
-- Among whom the work is shared.
SELECT node FROM nodes
WHERE lease_until > 0 AND lease_until > :now AND role <> 'api' AND draining_at IS NULL ORDER BY node

-- name: all_nodes
-- For operators.
SELECT node, epoch, lease_until - :now, draining_at IS NOT NULL, host, process_id, version, role, started_at,
  (
    SELECT count(*) FROM jobs
    WHERE jobs.epoch = nodes.epoch AND state IN ('queued', 'submitting', 'running', 'collecting')
  )
FROM nodes WHERE lease_until > 0 ORDER BY node

-- name: drain
-- A wish, which the node finds when it renews its lease; a node without lease cannot be asked.
UPDATE nodes SET draining_at = coalesce(draining_at, :now)
WHERE lease_until > 0 AND node = coalesce(:node, node)
RETURNING node
