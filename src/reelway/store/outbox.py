"""Messages to callers: written beside the change they tell of, then taken, sent by somebody else, and ticked off.

The one rule: a message is taken by a write. Whoever took it may die; it is due again when its time of hold is over.
"""

from collections.abc import Sequence

from reelway.core.messages import Message
from reelway.core.record import Record
from reelway.store.queries import Work, execute, fetch, load, write_rows
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


def add_messages(messages: Sequence[Message]) -> Work[None]:
    yield from write_rows(_SQL["add_messages"], [message_row(message) for message in messages])


def any_due(now: float) -> Work[bool]:
    rows = yield from fetch(_SQL["any_due"], now=now)
    return bool(rows)


def hold_due_messages(holds: Sequence[Hold]) -> Work[Sequence[tuple[Message, ...]]]:
    """Take what is due for each, the oldest first; nobody gets what another took."""
    taken: list[tuple[Message, ...]] = []
    for hold in holds:
        rows = yield from fetch(_SQL["hold_due"], now=hold.now, limit=hold.limit, hold_until=hold.hold_until)
        messages = (message_from_row(row) for row in rows)
        taken.append(tuple(sorted(messages, key=lambda message: message.id)))
    return taken


def note_deliveries(deliveries: Sequence[Delivery]) -> Work[Sequence[None]]:
    for delivery in deliveries:
        yield from execute(_SQL["delivered"], id=delivery.message_id, now=delivery.now, answer=delivery.answer)
    return [None] * len(deliveries)


def note_failed_tries(failed: Sequence[FailedTry]) -> Work[Sequence[None]]:
    for one in failed:
        yield from execute(_SQL["failed"], id=one.message_id, due_at=one.due_at, tries=one.tries, answer=one.answer)
    return [None] * len(failed)


def find_messages(video_id: str) -> Work[tuple[Message, ...]]:
    rows = yield from fetch(_SQL["messages"], video_id=video_id)
    return tuple(message_from_row(row) for row in rows)


def drop_bodies(video_id: str) -> Work[None]:
    """Leave nothing of what was to be told, and of what was told only that it was."""
    yield from execute(_SQL["drop_undelivered"], video_id=video_id)
    yield from execute(_SQL["empty_delivered"], video_id=video_id)
