"""Errands: written beside the change they follow from, then taken, run by somebody else, and removed.

The one rule: an errand is taken by a write. Whoever took it may die; it is due again when its time of hold is over.
"""

import sqlite3
from collections.abc import Sequence

from reelway.core.errands import Errand
from reelway.core.record import Record
from reelway.store.outbox import Hold
from reelway.store.queries import load, write_rows
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


def add_errands(connection: sqlite3.Connection, errands: Sequence[Errand]) -> None:
    write_rows(connection, _SQL["add_errands"], [errand_row(errand) for errand in errands])


def plan_errands(connection: sqlite3.Connection, errands: Sequence[Errand]) -> Sequence[None]:
    """Write errands that follow from no change."""
    add_errands(connection, errands)
    return [None] * len(errands)


def any_errand_due(connection: sqlite3.Connection, now: float) -> bool:
    return connection.execute(_SQL["any_due"], (now,)).fetchone() is not None


def hold_due_errands(connection: sqlite3.Connection, holds: Sequence[Hold]) -> Sequence[tuple[Errand, ...]]:
    """Take what is due for each, the longest overdue first; nobody gets what another took."""
    taken: list[tuple[Errand, ...]] = []
    for hold in holds:
        names = {"now": hold.now, "limit": hold.limit, "hold_until": hold.hold_until}
        rows = connection.execute(_SQL["hold_due"], names).fetchall()
        taken.append(tuple(errand_from_row(row) for row in rows))
    return taken


def remove_errands(connection: sqlite3.Connection, errand_ids: Sequence[str]) -> Sequence[None]:
    for errand_id in errand_ids:
        connection.execute(_SQL["done"], {"id": errand_id})
    return [None] * len(errand_ids)


def put_off_errands(connection: sqlite3.Connection, postponements: Sequence[Postponement]) -> Sequence[None]:
    for one in postponements:
        names = {"id": one.errand_id, "due_at": one.due_at, "tries": one.tries, "answer": one.answer}
        connection.execute(_SQL["put_off"], names)
    return [None] * len(postponements)


def find_errands(connection: sqlite3.Connection, job_id: str) -> tuple[Errand, ...]:
    return tuple(errand_from_row(row) for row in connection.execute(_SQL["errands"], (job_id,)))


def find_given_up(connection: sqlite3.Connection, limit: int) -> tuple[Errand, ...]:
    return tuple(errand_from_row(row) for row in connection.execute(_SQL["given_up"], (limit,)))
