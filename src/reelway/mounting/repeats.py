"""Finds a key that stands twice in one JSON object. A decoder keeps the last one and says nothing; we never drop in silence.

Pure. Nearly always one count settles it: outside of texts there is one colon for each key.
"""

import json
from typing import Any

__all__ = ["find_repeated_key"]


class _Repeated(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def find_repeated_key(body: bytes, decoded: dict[str, Any]) -> str | None:
    """Return a key given twice in one object of `body`, which decoded to `decoded`, or None."""
    if body.count(b":") == _count_keys(decoded):
        return None
    # Colons in texts (every URL has one), or a key given twice: only a second reading can tell.
    try:
        _SECOND_READING.decode(body.decode("utf-8-sig"))
    except _Repeated as found:
        return found.key
    return None


def _count_keys(value: dict[str, Any] | list[Any]) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_count_keys(inner) for inner in value.values() if type(inner) in (dict, list))
    return sum(_count_keys(inner) for inner in value if type(inner) in (dict, list))


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
