"""Decides what part of a file a request gets (RFC 9110, sections 13 and 14). Pure; what is not understood is ignored, as it asks.

One range is served; several at once get the whole file, which the RFC allows and every player copes with.
"""

import re
from collections.abc import Mapping
from typing import Literal

from reelway.core.record import Record

__all__ = ["Selection", "select"]

_SPEC = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,40})[ \t]*-[ \t]*(\d{0,40})", re.ASCII)


class Selection(Record):
    """What to answer: `whole` (200), `part` (206), `unchanged` (304) or `beyond` (416). `stop` is not included."""

    kind: Literal["whole", "part", "unchanged", "beyond"]
    start: int = 0
    stop: int = 0


def select(method: str, headers: Mapping[str, str], *, etag: str, size: int) -> Selection:
    """Return what a GET or HEAD of a file with this ETag and size gets; header names are in lower case."""
    given = headers.get("if-none-match")
    if given is not None and _names(given, etag):
        return Selection(kind="unchanged")
    wanted = headers.get("range")
    if wanted is None or method != "GET":
        return Selection(kind="whole", stop=size)
    only_if = headers.get("if-range")
    if only_if is not None and only_if.strip() != etag:
        return Selection(kind="whole", stop=size)
    return _cut(wanted, size)


def _names(given: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match does."""
    return given.strip() == "*" or any(part.strip().removeprefix("W/") == etag for part in given.split(","))


def _cut(wanted: str, size: int) -> Selection:
    match = _SPEC.fullmatch(wanted.strip())
    first, last = match.groups() if match is not None else ("", "")
    if first:
        start = int(first)
        stop = min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return Selection(kind="whole", stop=size)  # not a range at all
    elif last:
        start = max(size - int(last), 0)
        stop = size
    else:
        return Selection(kind="whole", stop=size)
    return Selection(kind="part", start=start, stop=stop) if start < stop else Selection(kind="beyond")
