"""What is still to be done after a record was written: an errand is written beside the record, and so outlives any crash.

Every errand may be run twice: whoever took it may die, or be slow while another takes it again.
"""

from typing import Any, Literal, TypeAlias

from reelway.core.record import Record

__all__ = ["Errand", "ErrandWork", "ExpireInputs", "ForgetWork", "RemoveBytes", "SweepOrphans", "errand_for"]


class RemoveBytes(Record, tag="remove_bytes"):
    """Remove files that no record names any more."""

    prefixes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


class ForgetWork(Record, tag="forget_work"):
    """Have the vendor delete its copy."""

    account: str
    operation: dict[str, Any]
    key: str = ""
    """Which of the account's keys the work was begun with (`Account.key_mark`)."""


class ExpireInputs(Record, tag="expire_inputs"):
    """Remove the inputs whose time is over; comes round again."""


class SweepOrphans(Record, tag="sweep_orphans"):
    """Go through all files and remove those that a crash left without an owner; comes round again."""


ErrandWork: TypeAlias = RemoveBytes | ForgetWork | ExpireInputs | SweepOrphans


class Errand(Record):
    """One thing to do. Times are Unix seconds."""

    id: str
    """What it is and for which video: the same errand is never on record twice."""
    work: ErrandWork
    created_at: float
    due_at: float | None
    """When it is tried next; None when it was given up, which only an operator can mend."""
    job_id: str | None = None
    """The video it is about; it may be deleted already."""
    tries: int = 0
    last_answer: str | None = None
    """Why the newest try did not succeed."""


_Kind = Literal["delete", "expire", "forget"]


def errand_for(kind: _Kind, job_id: str, work: ErrandWork, now: float) -> Errand:
    """Return an errand about a video, due at once."""
    return Errand(id=f"{kind}:{job_id}", work=work, created_at=now, due_at=now, job_id=job_id)
