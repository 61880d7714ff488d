"""Errands: written beside the change they follow from, then taken, run by somebody else, and removed.

The one rule: an errand is taken by a write. Whoever took it may die; it is due again when its time of hold is over.
"""

from collections.abc import Sequence

from reelway.core.errands import Errand
from reelway.core.record import Record
from reelway.store.outbox import Hold
from reelway.store.queries import Work, execute, fetch, load, write_rows
from reelway.store.rows import errand_from_row, errand_row

__all__ = [
    "Postponement",
    "add_errands",
    "any_errand_due",
    "find_errands",
    "find_given_up",
    "hold_due_errands",
    "plan_errands",
    "put_off_errands",
    "remove_errands",
]

_SQL = load("errands")


class Postponement(Record):
    errand_id: str
    due_at: float | None
    tries: int
    answer: str | None


def add_errands(errands: Sequence[Errand]) -> Work[None]:
    yield from write_rows(_SQL["add_errands"], [errand_row(errand) for errand in errands])


def plan_errands(errands: Sequence[Errand]) -> Work[Sequence[None]]:
    """Write errands that follow from no change."""
    yield from add_errands(errands)
    return [None] * len(errands)


def any_errand_due(now: float) -> Work[bool]:
    rows = yield from fetch(_SQL["any_due"], now=now)
    return bool(rows)


def hold_due_errands(holds: Sequence[Hold]) -> Work[Sequence[tuple[Errand, ...]]]:
    """Take what is due for each, the longest overdue first; nobody gets what another took."""
    taken: list[tuple[Errand, ...]] = []
    for hold in holds:
        rows = yield from fetch(_SQL["hold_due"], now=hold.now, limit=hold.limit, hold_until=hold.hold_until)
        taken.append(tuple(errand_from_row(row) for row in rows))
    return taken


def remove_errands(errand_ids: Sequence[str]) -> Work[Sequence[None]]:
    for errand_id in errand_ids:
        yield from execute(_SQL["done"], id=errand_id)
    return [None] * len(errand_ids)


def put_off_errands(postponements: Sequence[Postponement]) -> Work[Sequence[None]]:
    for one in postponements:
        yield from execute(_SQL["put_off"], id=one.errand_id, due_at=one.due_at, tries=one.tries, answer=one.answer)
    return [None] * len(postponements)


def find_errands(job_id: str) -> Work[tuple[Errand, ...]]:
    rows = yield from fetch(_SQL["errands"], job_id=job_id)
    return tuple(errand_from_row(row) for row in rows)


def find_given_up(limit: int) -> Work[tuple[Errand, ...]]:
    rows = yield from fetch(_SQL["given_up"], limit=limit)
    return tuple(errand_from_row(row) for row in rows)
