"""The messages we send to callers, as they lie on the disk until they are delivered.

The one rule: what is signed is kept as the exact text, so that every try sends the same bytes under the same id.
"""

from typing import Literal

from reelway.core.record import Record

__all__ = ["Message", "MessageType"]

MessageType = Literal["video.queued", "video.in_progress", "video.completed", "video.failed"]
"""Names of events, as in the OpenAI Videos API; a cancelled video is a failed one. The first two are told only where the caller's
own vendor would tell of them."""


class Message(Record):
    """One message to one address. Times are Unix seconds."""

    id: str
    """`msg_…`; the `webhook-id` of every try, by which a receiver recognises one it has seen."""
    video_id: str
    seq: int
    """Which write of the video it tells of. Messages of one video are delivered in this order, one after the other."""
    tenant: str
    type: MessageType
    url: str
    """Where it goes; it may carry the receiver's own secrets, so it is never logged whole."""
    body: str
    """The exact JSON text that is signed and sent."""
    created_at: float
    due_at: float | None
    """When it is tried next; None when it will not be tried any more."""
    tries: int = 0
    delivered_at: float | None = None
    last_answer: str | None = None
    """What became of the newest try: `200`, `500`, or why there was no answer."""
