"""What delivering needs of a store. `JobStore` has both; this room and the stores do not know each other."""

from typing import Protocol

from reelway.core.messages import Message

__all__ = ["Facts", "Outbox"]


class Outbox(Protocol):
    """Keeps messages until they are delivered. Times are Unix seconds."""

    async def due_messages(self, now: float, limit: int, hold_until: float) -> tuple[Message, ...]:
        """Take up to `limit` messages that are due. Nobody else gets them before `hold_until`, when they are due again.

        Of one video nobody gets a message before the earlier ones were delivered or given up.
        """
        ...

    async def message_delivered(self, message_id: str, now: float, answer: str) -> None:
        """Count a try that arrived; the message is not due any more."""
        ...

    async def message_failed(self, message_id: str, due_at: float | None, tries: int, answer: str) -> None:
        """Note a try that failed and when the next one is due; None: never."""
        ...


class Facts(Protocol):
    """Keeps small values for good."""

    async def fact(self, name: str) -> str | None:
        """Return a value."""
        ...

    async def set_fact(self, name: str, value: str) -> str:
        """Set it unless it is set; return the value that holds."""
        ...
