"""Which message a video's end calls for, and when a message that failed is tried again.

The one rule: pure; the clock's time, the random bytes and the jitter come in as arguments.
"""

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


def message_for(job: Job, now: float, entropy: bytes) -> Message | None:
    """Return the message that a video which has just ended calls for; None when nobody asked for one.

    Takes of a video and unfinished jobs never call for one. `entropy` is ten random bytes.
    """
    url = job.request.callback_url
    if url is None or job.parent is not None or not job.is_final:
        return None
    kind: MessageType = "video.completed" if public_status(job.state) is Status.COMPLETED else "video.failed"
    event = {
        "id": make_id("evt", now, entropy),
        "object": "event",
        "created_at": int(now),
        "type": kind,
        "data": {"id": job.id},
    }
    return Message(
        id=make_id("msg", now, entropy),
        video_id=job.id,
        tenant=job.tenant,
        type=kind,
        url=url,
        body=msgspec.json.encode(event).decode("ascii"),
        created_at=now,
        due_at=now,
    )


def next_try_at(message: Message, now: float, jitter: float) -> float | None:
    """Return when to try again after the try that just failed, None when three days are over.

    `message.tries` counts that try; `jitter` is a random number in 0..1 and moves the pause by a fifth either way.
    """
    pause = _PAUSES_SECONDS[min(max(message.tries, 1), len(_PAUSES_SECONDS)) - 1]
    due_at = now + pause * (1 + _JITTER * (2 * jitter - 1))
    return due_at if due_at <= message.created_at + LIFETIME_SECONDS else None
