"""The part of a job store's contract that is about submits whose outcome nobody knows."""

from typing import Protocol

from reelway.core.jobs import Job
from reelway.core.money import Micros
from reelway.core.submits import Testimony

__all__ = ["DoubtStore"]


class DoubtStore(Protocol):
    """Keeps what others say of a submit, and what it cost the operator. The rules of `JobStore` hold."""

    async def testify(self, testimony: Testimony) -> bool:
        """Leave word about an attempt of a job that is submitting, in place of what was said before; False when it is not."""
        ...

    async def testimony(self, job_id: str, attempt: int) -> Testimony | None:
        """Return what was said last about an attempt."""
        ...

    async def submitting(self, limit: int) -> tuple[Job, ...]:
        """Return jobs whose submit has no outcome yet, takes among them, the oldest first."""
        ...

    async def doubts(self, limit: int, after: str = "") -> tuple[str, ...]:
        """Return ids of videos with a `doubt` and no `loss`, in order, from the one after `after`; some may be deleted."""
        ...

    async def write_loss(self, job_id: str, amount: Micros, at: float) -> bool:
        """Settle the doubt about a video; False when there is none, or none any more."""
        ...
