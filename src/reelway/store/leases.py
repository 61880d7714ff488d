"""What is written about nodes and their leases, inside a transaction that the committer opens and ends.

The one rule: a node owns a job while the job's row names it under its epoch and its lease was not ended. To take a node's
lease is therefore one row, however many jobs it holds.
"""

import heapq
import sqlite3
from collections.abc import Sequence
from typing import Any

from reelway.core.errors import LeaseLost
from reelway.core.jobs import Job
from reelway.core.record import Record
from reelway.store.queries import load, write_rows
from reelway.store.reads import find_jobs
from reelway.store.spec import Node, NodeFacts

__all__ = [
    "Adoption",
    "Drain",
    "HandBack",
    "Lease",
    "adopt_jobs",
    "all_nodes",
    "ask_to_drain",
    "cancel_wishes",
    "hand_back_jobs",
    "join_nodes",
    "leave_nodes",
    "renew_leases",
    "working_nodes",
]

_SQL = load("nodes")
_FACTS = ("host", "process_id", "version", "role", "started_at")
"""The fields of `NodeFacts`, in the order of the columns."""


class Lease(Record):
    """A node and until when it may work; `epoch` is 0 while it has none yet."""

    node: str
    epoch: int = 0
    lease_until: float = 0.0
    facts: NodeFacts = NodeFacts()


class Adoption(Record):
    """A node that has room for more jobs."""

    node: str
    epoch: int
    now: float
    limit: int


class HandBack(Record):
    """A node that gives some of its jobs back."""

    node: str
    epoch: int
    job_ids: tuple[str, ...]


class Drain(Record):
    """The node that is asked to drain, None for all."""

    node: str | None
    now: float


def join_nodes(connection: sqlite3.Connection, leases: Sequence[Lease]) -> Sequence[int]:
    """Give each node a new epoch."""
    epochs = []
    for lease in leases:
        facts = {field: getattr(lease.facts, field) for field in _FACTS}
        names = {"node": lease.node, "lease_until": lease.lease_until, **facts}
        [(epoch,)] = connection.execute(_SQL["join"], names).fetchall()
        epochs.append(int(epoch))
    connection.execute(_SQL["forget_nodes"])
    return epochs


def renew_leases(connection: sqlite3.Connection, leases: Sequence[Lease]) -> Sequence[bool]:
    """Extend these leases; tell of each whether its node was asked to drain."""
    draining = []
    for lease in leases:
        names = {"node": lease.node, "epoch": lease.epoch, "lease_until": lease.lease_until}
        found = connection.execute(_SQL["renew"], names).fetchall()
        if not found:
            raise _lost(lease.node, lease.epoch)
        draining.append(found[0][0] is not None)
    return draining


def leave_nodes(connection: sqlite3.Connection, leases: Sequence[Lease]) -> Sequence[None]:
    """End these leases; what was held under them can be claimed at once."""
    for lease in leases:
        connection.execute(_SQL["leave"], {"node": lease.node, "epoch": lease.epoch})
    return [None] * len(leases)


def hand_back_jobs(connection: sqlite3.Connection, given: Sequence[HandBack]) -> Sequence[None]:
    """Give single jobs back; what is not held under the lease any more stays as it is."""
    for back in given:
        rows = [(job_id,) for job_id in back.job_ids]
        write_rows(connection, _SQL["hand_back"], rows, before=(back.node, back.epoch))
    return [None] * len(given)


def ask_to_drain(connection: sqlite3.Connection, wishes: Sequence[Drain]) -> Sequence[tuple[str, ...]]:
    """Note who is to drain; return the names of each wish."""
    return [
        tuple(sorted(name for (name,) in connection.execute(_SQL["drain"], {"node": wish.node, "now": wish.now})))
        for wish in wishes
    ]


def cancel_wishes(connection: sqlite3.Connection, node: str, epoch: int) -> tuple[tuple[str, float], ...]:
    return tuple(connection.execute(_SQL["cancel_wishes"], {"node": node, "epoch": epoch}).fetchall())


def working_nodes(connection: sqlite3.Connection, now: float) -> tuple[str, ...]:
    return tuple(name for (name,) in connection.execute(_SQL["live_nodes"], {"now": now}))


def all_nodes(connection: sqlite3.Connection, now: float) -> tuple[Node, ...]:
    return tuple(_node(row) for row in connection.execute(_SQL["all_nodes"], {"now": now}))


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


def _node(row: tuple[Any, ...]) -> Node:
    name, epoch, seconds_left, draining, *facts, jobs = row
    return Node(
        name=name,
        epoch=epoch,
        seconds_left=seconds_left,
        draining=bool(draining),
        jobs=jobs,
        facts=NodeFacts(**dict(zip(_FACTS, facts, strict=True))),
    )


def _lost(node: str, epoch: int) -> LeaseLost:
    return LeaseLost(
        f"node {node!r} has no lease under epoch {epoch} any more: it stops its work and joins again under a new one"
    )
