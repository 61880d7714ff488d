"""A character: somebody or something that a caller showed once, and calls by name in the prompts of later videos."""

from reelway.core.record import Record
from reelway.core.videos import Blob

__all__ = ["Character"]


class Character(Record):
    """What is kept until its owner deletes it. Times are Unix seconds."""

    id: str
    tenant: str
    key_id: str
    """Whose key it was made with."""
    name: str
    pictures: tuple[Blob, ...]
    """Files of its own, which no retention of inputs removes."""
    created_at: float
    replayed: bool = False
    """The answer to a repeated Idempotency-Key; not kept."""
