"""Finds a key that stands twice in one JSON object. A decoder keeps the last one and says nothing; we never drop in silence.

Pure. Nearly always one count settles it: the body has one colon for each key, and those inside of texts.
"""

import json
from typing import Any

__all__ = ["find_repeated_key"]


_ESCAPED_COLON = b"\\u003"
"""The beginning of one; a few other characters share it."""
_DEEPEST = 200
"""Objects and lists nested deeper than anybody reads."""


class _Repeated(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def find_repeated_key(body: bytes, decoded: dict[str, Any]) -> str | None:
    """Return a key given twice in one object of `body`, which decoded to `decoded`, or None.

    Raises `RecursionError` where it is nested too deeply.
    """
    if body.count(b":") == _count_colons(decoded) and _ESCAPED_COLON not in body:
        return None
    # A key given twice, or colons written as escapes: only a second reading can tell.
    try:
        _SECOND_READING.decode(body.decode("utf-8-sig"))
    except _Repeated as found:
        return found.key
    return None


def _count_colons(value: Any, depth: int = 0) -> int:
    if isinstance(value, str):
        return value.count(":")
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        return sum([1 + key.count(":") + _count_colons(inner, depth + 1) for key, inner in value.items()])
    return sum([_count_colons(inner, depth + 1) for inner in value]) if isinstance(value, list) else 0


def _keep_unless_repeated(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) == len(pairs):
        return
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise _Repeated(key)
        seen.add(key)


# Numbers are not our subject here: read as nothing, however long they are.
_SECOND_READING = json.JSONDecoder(
    object_pairs_hook=_keep_unless_repeated, parse_int=len, parse_float=len, parse_constant=len
)
