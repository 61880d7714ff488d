"""What one operation of the public API is, and what its errors mean."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.record import Record

__all__ = ["ERRORS", "Operation", "Parameter"]


class Parameter(Record):
    """One parameter. `place` is `path`, `query` or `header`."""

    name: str
    place: str
    schema: dict[str, Any]
    description: str

    @property
    def is_required(self) -> bool:
        return self.place == "path"


class Operation(Record):
    """One method of one path."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: str | None = None
    """The record in `requests` that describes the JSON body; forms follow from it."""
    answer: str | None = None
    """The record in `shapes` that describes the body of a 200."""
    answer_text: str = ""
    content: dict[str, dict[str, Any]] = {}
    """Bodies of a 200 that are not JSON: schema by media type."""
    more: dict[int, str] = {}
    """Further answers that are no errors."""
    headers: tuple[str, ...] = ()
    """Headers of a 200, named in `openapi`."""
    errors: tuple[int, ...] = ()
    keyed: bool = True
    """Whether a key is needed."""
    links: bool = False
    """Whether a signed link serves in place of a key."""


ERRORS: Mapping[int, str] = MappingProxyType(
    {
        400: "A field, or a combination of fields, that cannot be accepted; `param` names it.",
        401: "No key, or one that nobody knows.",
        402: "The budget of this key is used up.",
        403: "The key may not do this, or the link is not (any more) good.",
        404: "No such thing, or it is not yours.",
        408: "The body stopped arriving.",
        409: "Not possible in the state it is in, or an idempotency key that was used for another request.",
        410: "It was there once: expired or deleted.",
        413: "More bytes than the limit.",
        415: "A body type that is not read; the message names the three that are.",
        416: "A range beyond the end of the file.",
        422: "A file that is not the media it claims to be.",
        429: "Too many requests or unfinished videos; `Retry-After` says when to come back.",
        500: "An accident on our side; its operator finds it in the log by the request id.",
        503: "Nothing can take the request now; `Retry-After` says when to come back.",
    }
)
