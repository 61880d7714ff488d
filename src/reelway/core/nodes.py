"""Nodes of a fleet: what each says of itself, and what processes let each other know."""

from typing import Literal

from reelway.core.record import Record

__all__ = ["Node", "NodeFacts", "Role", "Signal", "SignalKind"]

Role = Literal["all", "api", "worker"]
"""What a node does: answers callers and performs jobs, answers alone, performs alone."""

SignalKind = Literal["queued", "changed", "cancel", "called", "drain"]


class Signal(Record):
    """What one process lets the others know at once. A hint: it may be lost or come twice, and nothing depends on it."""

    kind: SignalKind
    """`queued`: there are jobs nobody owns. `changed`: a job's row has, or its progress, which is then the detail. `cancel`:
    somebody wants it cancelled. `called`: its vendor called; the detail says about what. `drain`: the node named in the
    detail is asked to drain, every node where it names none."""
    job_id: str = ""
    """Empty where it is about no single job."""
    detail: str = ""


class NodeFacts(Record):
    """What a node says of itself when it joins, for operators to read."""

    host: str = ""
    process_id: int = 0
    version: str = ""
    role: Role = "all"
    started_at: float = 0.0
    """By its own clock."""


class Node(Record):
    """A node that has a lease."""

    name: str
    epoch: int
    seconds_left: float
    """Of its lease, by the store's clock; negative when it has been silent for too long and nobody has needed its jobs yet."""
    draining: bool
    jobs: int
    """How many unfinished jobs it holds."""
    facts: NodeFacts
