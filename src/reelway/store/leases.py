"""What is written about nodes and their leases, inside a transaction that the committer opens and ends.

The one rule: a node owns a job while the job's row names it under its epoch and its lease was not ended. To take a node's
lease is therefore one row, however many jobs it holds.
"""

import heapq
from collections.abc import Sequence
from typing import Any

from reelway.core.errors import LeaseLost
from reelway.core.jobs import Job
from reelway.core.nodes import Node, NodeFacts
from reelway.core.record import Record
from reelway.store.queries import Work, execute, fetch, load, take_turns, write_rows
from reelway.store.reads import find_jobs

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
    "shared_time",
    "working_nodes",
]

_SQL = load("nodes")
_FLEET = load("fleet")
_FACTS = ("host", "process_id", "version", "role", "started_at")
"""The fields of `NodeFacts`, in the order of the columns."""


class Lease(Record):
    """A node and how long it may work; `epoch` is 0 while it has none yet."""

    node: str
    epoch: int = 0
    now: float | None = None
    """None: by the database's own clock, where it has one."""
    lease_seconds: float = 0.0
    facts: NodeFacts = NodeFacts()


class Adoption(Record):
    """A node that has room for more jobs."""

    node: str
    epoch: int
    now: float | None
    """None: by the database's own clock, where it has one."""
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


def join_nodes(leases: Sequence[Lease]) -> Work[Sequence[int]]:
    """Give each node a new epoch."""
    yield from take_turns("join")
    epochs = []
    for lease in leases:
        facts = {field: getattr(lease.facts, field) for field in _FACTS}
        names = {"node": lease.node, "now": lease.now, "lease_seconds": lease.lease_seconds, **facts}
        [(epoch,)] = yield from fetch(_SQL["join"], **names)
        epochs.append(int(epoch))
    yield from execute(_SQL["forget_nodes"])
    return epochs


def renew_leases(leases: Sequence[Lease]) -> Work[Sequence[bool]]:
    """Extend these leases; tell of each whether its node was asked to drain."""
    draining = []
    for lease in leases:
        names = {"node": lease.node, "epoch": lease.epoch, "now": lease.now, "lease_seconds": lease.lease_seconds}
        found = yield from fetch(_SQL["renew"], **names)
        if not found:
            raise _lost(lease.node, lease.epoch)
        draining.append(found[0][0] is not None)
    return draining


def leave_nodes(leases: Sequence[Lease]) -> Work[Sequence[None]]:
    """End these leases; what was held under them can be claimed at once."""
    for lease in leases:
        yield from execute(_SQL["leave"], node=lease.node, epoch=lease.epoch)
    return [None] * len(leases)


def hand_back_jobs(given: Sequence[HandBack]) -> Work[Sequence[None]]:
    """Give single jobs back; what is not held under the lease any more stays as it is."""
    for back in given:
        rows = [(job_id,) for job_id in sorted(back.job_ids)]
        yield from write_rows(_SQL["hand_back"], rows, node=back.node, epoch=back.epoch)
    return [None] * len(given)


def ask_to_drain(wishes: Sequence[Drain]) -> Work[Sequence[tuple[str, ...]]]:
    """Note who is to drain; return the names of each wish."""
    asked = []
    for wish in wishes:
        rows = yield from fetch(_SQL["drain"], node=wish.node, now=wish.now)
        asked.append(tuple(sorted(name for (name,) in rows)))
    return asked


def cancel_wishes(node: str, epoch: int) -> Work[tuple[tuple[str, float], ...]]:
    rows = yield from fetch(_SQL["cancel_wishes"], node=node, epoch=epoch)
    return tuple((job_id, wished_at) for job_id, wished_at in rows)


def working_nodes(now: float | None) -> Work[tuple[str, ...]]:
    """Return the names; `now` is None for the database's own clock, where it has one."""
    rows = yield from fetch(_SQL["live_nodes"], now=now)
    return tuple(name for (name,) in rows)


def shared_time() -> Work[float]:
    """Return the time by the clock of the database; for one that has a clock."""
    [(now,)] = yield from fetch(_FLEET["shared_time"])
    return float(now)


def all_nodes(now: float | None) -> Work[tuple[Node, ...]]:
    """Return the nodes; `now` is None for the database's own clock, where it has one."""
    rows = yield from fetch(_SQL["all_nodes"], now=now)
    return tuple(_node(row) for row in rows)


def adopt_jobs(adoptions: Sequence[Adoption]) -> Work[Sequence[tuple[Job, ...]]]:
    slices: list[tuple[Job, ...]] = []
    for adoption in adoptions:
        adopted = yield from _adopt(adoption)
        slices.append(adopted)
    return slices


def _adopt(adoption: Adoption) -> Work[tuple[Job, ...]]:
    holder = {"node": adoption.node, "epoch": adoption.epoch}
    if not (yield from fetch(_SQL["has_lease"], **holder)):
        raise _lost(adoption.node, adoption.epoch)
    yield from execute(_SQL["end_leases"], now=adoption.now, epoch=adoption.epoch)
    epochs = yield from fetch(_SQL["orphaned_epochs"])
    queues = []
    for (epoch,) in epochs:
        rows = yield from fetch(_SQL["orphans"], epoch=epoch, limit=adoption.limit)
        queues.append([(due_at, job_id) for due_at, job_id in rows])
    chosen = tuple(job_id for _, job_id in heapq.nsmallest(adoption.limit, heapq.merge(*queues)))
    yield from write_rows(_SQL["adopt"], [(job_id,) for job_id in chosen], **holder)
    return (yield from find_jobs(chosen))


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
