"""What somebody else than a job's owner says became of its submit: an operator, or a node that lost its lease with the answer."""

from typing import Any, Literal

from reelway.core.money import Micros
from reelway.core.record import Record

__all__ = ["Settlement", "Testimony", "Verdict"]

Verdict = Literal["made", "not_made", "charged"]
"""`made`: the vendor did the work. `not_made`: it never began. `charged`: it cost something, and there is nothing to have."""


class Testimony(Record):
    """One word about one attempt, left for the owner of its job to act upon; a later word takes its place."""

    job_id: str
    attempt: int
    verdict: Verdict
    by: str
    """Who says so: a key, a user of this machine, or a node."""
    at: float
    key: str = ""
    """The vendor's id of what was made."""
    operation: dict[str, Any] | None = None
    """What leads to it, where more is known than the id."""
    amount: Micros | None = None
    """What it cost the operator; None: as it was quoted, where it was made."""


class Settlement(Record):
    """How an attempt was settled that nobody knew the outcome of."""

    verdict: Verdict
    by: str
    at: float
    key: str = ""
    amount: Micros = 0
