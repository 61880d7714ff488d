"""Which message a change of a video calls for, and when a message that failed is tried again.

The one rule: pure; the clock's time, the random bytes and the jitter come in as arguments.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reelway.core.ids import make_id
from reelway.core.jobs import Job
from reelway.core.lifecycle import Status, public_status
from reelway.core.messages import Message, MessageType

__all__ = ["LIFETIME_SECONDS", "message_for", "next_try_at"]

LIFETIME_SECONDS = 72 * 3600.0
"""How long a message is tried, counted from when it was made."""

_PAUSES_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0, 6 * 3600.0)
"""After the first failed try, the second, …; the last one is repeated."""

_JITTER = 0.2

_TYPES: Mapping[Status, MessageType] = {
    Status.QUEUED: "video.queued",
    Status.IN_PROGRESS: "video.in_progress",
    Status.COMPLETED: "video.completed",
    Status.FAILED: "video.failed",
}


def message_for(
    job: Job, now: float, entropy: bytes, *, before: Status | None, words: Callable[[Job], Any]
) -> Message | None:
    """Return the message that a video's newest change calls for; None when nobody asked for one, or nothing is to be told.

    `before` is the status the caller knows of, None of a video just created. Takes of a video never call for a message. Whoever
    asked in a vendor's dialect hears of every status in that vendor's words: `words` returns the body, None for what the vendor
    would not tell. All others hear of the end alone. `entropy` is ten random bytes.
    """
    url, status = job.request.callback_url, public_status(job.state)
    in_own_words = bool(job.request.callback_dialect)
    if url is None or job.parent is not None or status is before or not (in_own_words or job.is_final):
        return None
    body = words(job) if in_own_words else _event(job, _TYPES[status], now, entropy)
    if body is None:
        return None
    return Message(
        id=make_id("msg", now, entropy),
        video_id=job.id,
        seq=job.version,
        tenant=job.tenant,
        type=_TYPES[status],
        url=url,
        body=msgspec.json.encode(body).decode(),
        created_at=now,
        due_at=now,
    )


def _event(job: Job, kind: MessageType, now: float, entropy: bytes) -> dict[str, Any]:
    """Return what OpenAI sends: of the video its id alone."""
    return {
        "id": make_id("evt", now, entropy),
        "object": "event",
        "created_at": int(now),
        "type": kind,
        "data": {"id": job.id},
    }


def next_try_at(message: Message, now: float, jitter: float) -> float | None:
    """Return when to try again after the try that just failed, None when three days are over.

    `message.tries` counts that try; `jitter` is a random number in 0..1 and moves the pause by a fifth either way.
    """
    pause = _PAUSES_SECONDS[min(max(message.tries, 1), len(_PAUSES_SECONDS)) - 1]
    due_at = now + pause * (1 + _JITTER * (2 * jitter - 1))
    return due_at if due_at <= message.created_at + LIFETIME_SECONDS else None
