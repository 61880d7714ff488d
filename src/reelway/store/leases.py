"""What is written about nodes and their leases, inside a transaction that the committer opens and ends.

The one rule: a node owns a job while the job's row names it under its epoch and its lease was not ended. To take a node's
lease is therefore one row, however many jobs it holds.
"""

import heapq
import sqlite3
from collections.abc import Sequence

from reelway.core.errors import LeaseLost
from reelway.core.jobs import Job
from reelway.core.record import Record
from reelway.store.queries import load, write_rows
from reelway.store.reads import find_jobs

__all__ = ["Adoption", "Lease", "adopt_jobs", "join_nodes", "leave_nodes", "renew_leases"]

_SQL = load("nodes")


class Lease(Record):
    """A node and until when it may work; `epoch` is 0 while it has none yet."""

    node: str
    epoch: int = 0
    lease_until: float = 0.0


class Adoption(Record):
    """A node that has room for more jobs."""

    node: str
    epoch: int
    now: float
    limit: int


def join_nodes(connection: sqlite3.Connection, leases: Sequence[Lease]) -> Sequence[int]:
    """Give each node a new epoch."""
    epochs = []
    for lease in leases:
        [(epoch,)] = connection.execute(_SQL["join"], {"node": lease.node, "lease_until": lease.lease_until}).fetchall()
        epochs.append(int(epoch))
    connection.execute(_SQL["forget_nodes"])
    return epochs


def renew_leases(connection: sqlite3.Connection, leases: Sequence[Lease]) -> Sequence[None]:
    for lease in leases:
        names = {"node": lease.node, "epoch": lease.epoch, "lease_until": lease.lease_until}
        if connection.execute(_SQL["renew"], names).rowcount != 1:
            raise _lost(lease.node, lease.epoch)
    return [None] * len(leases)


def leave_nodes(connection: sqlite3.Connection, leases: Sequence[Lease]) -> Sequence[None]:
    """End these leases; what was held under them can be claimed at once."""
    for lease in leases:
        connection.execute(_SQL["leave"], {"node": lease.node, "epoch": lease.epoch})
    return [None] * len(leases)


def adopt_jobs(connection: sqlite3.Connection, adoptions: Sequence[Adoption]) -> Sequence[tuple[Job, ...]]:
    return [_adopt(connection, adoption) for adoption in adoptions]


def _adopt(connection: sqlite3.Connection, adoption: Adoption) -> tuple[Job, ...]:
    holder = {"node": adoption.node, "epoch": adoption.epoch}
    if connection.execute(_SQL["has_lease"], holder).fetchone() is None:
        raise _lost(adoption.node, adoption.epoch)
    connection.execute(_SQL["end_leases"], {"now": adoption.now, "epoch": adoption.epoch})
    epochs = connection.execute(_SQL["orphaned_epochs"]).fetchall()
    queues = [
        connection.execute(_SQL["orphans"], {"epoch": epoch, "limit": adoption.limit}).fetchall() for (epoch,) in epochs
    ]
    chosen = tuple(job_id for _, job_id in heapq.nsmallest(adoption.limit, heapq.merge(*queues)))
    write_rows(connection, _SQL["adopt"], [(job_id,) for job_id in chosen], before=(adoption.node, adoption.epoch))
    return find_jobs(connection, chosen)


def _lost(node: str, epoch: int) -> LeaseLost:
    return LeaseLost(
        f"node {node!r} has no lease under epoch {epoch} any more: it stops its work and joins again under a new one"
    )
