"""Submits whose outcome nobody knows: what is said about them, and what they cost the operator.

The one rule: what is said changes no job. Its owner reads it, and acts under its own lease.
"""

from collections.abc import Sequence

import msgspec

from reelway.core.errors import StorageFailed
from reelway.core.jobs import Job
from reelway.core.record import Record
from reelway.core.submits import Testimony
from reelway.store.queries import Work, execute, fetch, load
from reelway.store.rows import job_from_row

__all__ = ["Loss", "find_doubts", "find_submitting", "find_testimony", "testify", "write_losses"]

_SQL = load("submits")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Testimony).decode


class Loss(Record):
    job_id: str
    amount: int
    at: float


def testify(testimonies: Sequence[Testimony]) -> Work[Sequence[bool]]:
    """Leave word, and say whether there is somebody to act upon it."""
    heard = []
    for one in testimonies:
        rows = yield from fetch(_SQL["is_submitting"], job_id=one.job_id)
        if rows:
            yield from execute(_SQL["testify"], job_id=one.job_id, attempt=one.attempt, record=_encode(one))
        heard.append(bool(rows))
    return heard


def find_testimony(job_id: str, attempt: int) -> Work[Testimony | None]:
    rows = yield from fetch(_SQL["testimony"], job_id=job_id, attempt=attempt)
    try:
        return _decode(rows[0][0]) if rows else None
    except msgspec.MsgspecError as error:
        raise StorageFailed(f"what was said of {job_id} cannot be read ({error})") from error


def find_submitting(limit: int) -> Work[tuple[Job, ...]]:
    rows = yield from fetch(_SQL["submitting"], limit=limit)
    return tuple(job_from_row(row) for row in rows)


def find_doubts(limit: int, after: str) -> Work[tuple[str, ...]]:
    rows = yield from fetch(_SQL["doubts"], limit=limit, after=after)
    return tuple(str(job_id) for (job_id,) in rows)


def write_losses(losses: Sequence[Loss]) -> Work[Sequence[bool]]:
    """Settle doubts, and say of each whether there was one left."""
    written = []
    for one in losses:
        count = yield from execute(_SQL["write_loss"], job_id=one.job_id, amount=one.amount, at=one.at)
        written.append(count == 1)
    return written
