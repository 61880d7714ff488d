"""Messages to callers: written beside the change they tell of, then taken, sent by somebody else, and ticked off.

The one rule: a message is taken by a write. Whoever took it may die; it is due again when its time of hold is over.
"""

import sqlite3
from collections.abc import Sequence

from reelway.core.messages import Message
from reelway.core.record import Record
from reelway.store.queries import load, write_rows
from reelway.store.rows import message_from_row, message_row

__all__ = [
    "Delivery",
    "FailedTry",
    "Hold",
    "add_messages",
    "any_due",
    "drop_bodies",
    "find_messages",
    "hold_due_messages",
    "note_deliveries",
    "note_failed_tries",
]

_SQL = load("messages")


class Hold(Record):
    now: float
    limit: int
    hold_until: float


class Delivery(Record):
    message_id: str
    now: float
    answer: str


class FailedTry(Record):
    message_id: str
    due_at: float | None
    tries: int
    answer: str


def add_messages(connection: sqlite3.Connection, messages: Sequence[Message]) -> None:
    write_rows(connection, _SQL["add_messages"], [message_row(message) for message in messages])


def any_due(connection: sqlite3.Connection, now: float) -> bool:
    return connection.execute(_SQL["any_due"], (now,)).fetchone() is not None


def hold_due_messages(connection: sqlite3.Connection, holds: Sequence[Hold]) -> Sequence[tuple[Message, ...]]:
    """Take what is due for each, the oldest first; nobody gets what another took."""
    taken: list[tuple[Message, ...]] = []
    for hold in holds:
        names = {"now": hold.now, "limit": hold.limit, "hold_until": hold.hold_until}
        rows = connection.execute(_SQL["hold_due"], names).fetchall()
        taken.append(tuple(message_from_row(row) for row in sorted(rows)))
    return taken


def note_deliveries(connection: sqlite3.Connection, deliveries: Sequence[Delivery]) -> Sequence[None]:
    for delivery in deliveries:
        names = {"id": delivery.message_id, "now": delivery.now, "answer": delivery.answer}
        connection.execute(_SQL["delivered"], names)
    return [None] * len(deliveries)


def note_failed_tries(connection: sqlite3.Connection, failed: Sequence[FailedTry]) -> Sequence[None]:
    for one in failed:
        names = {"id": one.message_id, "due_at": one.due_at, "tries": one.tries, "answer": one.answer}
        connection.execute(_SQL["failed"], names)
    return [None] * len(failed)


def find_messages(connection: sqlite3.Connection, video_id: str) -> tuple[Message, ...]:
    return tuple(message_from_row(row) for row in connection.execute(_SQL["messages"], (video_id,)))


def drop_bodies(connection: sqlite3.Connection, video_id: str) -> None:
    """Leave nothing of what was to be told, and of what was told only that it was."""
    connection.execute(_SQL["drop_undelivered"], (video_id,))
    connection.execute(_SQL["empty_delivered"], (video_id,))
