"""How a refusal reads: the field, what is allowed, the model, and what was got. One function makes them all."""

from collections.abc import Iterable
from typing import Any

from reelway.core.errors import InvalidRequest

__all__ = ["listing", "refusal", "shown"]

_LONGEST_SHOWN = 80


def listing(values: Iterable[Any]) -> str:
    """Return `8`, or `one of 4, 6, 8`."""
    words = [shown(value) for value in values]
    return words[0] if len(words) == 1 else f"one of {', '.join(words)}"


def shown(value: Any) -> str:
    """Return a value as a caller would write it, cut where it is long."""
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def refusal(field: str, allowed: str, model: str, got: Any, *, where: str = "", because: str = "") -> InvalidRequest:
    """Return the error for one value: `seconds must be one of 4, 6, 8 for veo3.1 (got 7)`."""
    reason = f": {because}" if because else ""
    return InvalidRequest(f"{field} must be {allowed} for {model}{where} (got {shown(got)}){reason}", param=field)
