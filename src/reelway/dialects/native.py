"""What vendors' own APIs have in common on our side: one JSON object for a body, fields that are taken once, a bearer key.

The one rule: nothing is passed over. A field is taken, or it is named in an error.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from reelway.core.errors import InvalidRequest, UnsupportedType
from reelway.core.record import Record
from reelway.dialects.fields import check_depth
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, read_integer, read_url, wrong_type

__all__ = ["Fields", "Listed", "bearer_key", "chosen", "json_body", "list_query", "missing", "page_value"]

T = TypeVar("T")

_EXACT = 2**53
"""Beyond this not every reader of JSON sees the same number."""


class Fields:
    """The fields of an object, each taken once; `null` is as good as absent. `above` is where the object stands, for messages."""

    def __init__(self, given: Mapping[str, Any], above: str = "") -> None:
        self.rest = {name: value for name, value in given.items() if value is not None}
        """What nobody has taken yet."""
        self._above = above

    def path(self, name: str) -> str:
        """Return a field as messages call it."""
        return f"{self._above}{name}"

    def take(self, name: str) -> Any:
        """Return a value as it stands."""
        return self.rest.pop(name, None)

    def inner(self, name: str) -> "Fields | None":
        """Return the fields of an object within this one."""
        value = self.take(name)
        if value is not None and not isinstance(value, dict):
            raise wrong_type(self.path(name), "an object", value)
        return None if value is None else Fields(value, f"{self.path(name)}.")

    def words(self, name: str) -> str | None:
        """Return text as it was given."""
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise wrong_type(self.path(name), "text", value)
        return value

    def text(self, name: str) -> str | None:
        """Return text without the blanks around it; blanks alone say nothing."""
        return (self.words(name) or "").strip() or None

    def word(self, name: str) -> str | None:
        """Return text in lower case."""
        return (self.text(name) or "").lower() or None

    def address(self, name: str) -> str | None:
        """Return an address."""
        text = self.text(name)
        return None if text is None else read_url(text, self.path(name))

    def boolean(self, name: str) -> bool | None:
        """Return a switch."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise wrong_type(self.path(name), "true or false", value)
        return value

    def switches(self, *names: str) -> dict[str, Any]:
        """Return those switches that are given, by name."""
        given = {name: self.boolean(name) for name in names}
        return {name: value for name, value in given.items() if value is not None}

    def integer(self, name: str, least: int = -_EXACT, most: int = _EXACT) -> int | None:
        """Return a whole number within these bounds."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(self.path(name), "a whole number", value)
        if not least <= value <= most:
            field = self.path(name)
            raise InvalidRequest(f"{field} must be from {least} to {most} (got {describe(value)})", param=field)
        return value

    def refuse_rest(self) -> None:
        """Raise for what nobody has taken."""
        for name in sorted(self.rest):
            field = self.path(name)[:80]
            raise InvalidRequest(f"{field} is not a field of this API", code="unsupported_parameter", param=field)


def json_body(incoming: Incoming) -> dict[str, Any]:
    """Return the body, which must be a JSON object. Raises `InvalidRequest` or `UnsupportedType`."""
    if incoming.form is not None:
        raise UnsupportedType("only JSON is read here: send Content-Type application/json")
    body = incoming.json or {}
    if not isinstance(body, dict):
        raise InvalidRequest("the body must be a JSON object", code="invalid_json")
    check_depth(body, "the body")
    return body


def missing(field: str, advice: str) -> InvalidRequest:
    """Return the error for a field that is not there."""
    return InvalidRequest(f"{field} is required: {advice}", code="missing_required_parameter", param=field)


class Listed(Record):
    """What a vendor's word for a state means in a list of ours."""

    status: str
    cancelled: bool | None = None


def list_query(incoming: Incoming, *known: str, ids: str = "") -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the parameters of a list, each given once, and the values of `ids`, which may come several times."""
    query: dict[str, str] = {}
    named: list[str] = []
    for name, value in incoming.query:
        if ids and name == ids:
            named.append(value)
        elif name not in known:
            raise InvalidRequest(f"{name[:80]} is not a parameter of the list", param=name[:80])
        elif name in query:
            raise InvalidRequest(f"{name} is given more than once; send it once", param=name)
        else:
            query[name] = value
    return query, tuple(named)


def chosen(query: Mapping[str, str], name: str, words: Mapping[str, T]) -> T | None:
    """Return what a word in a query means, None where there is none."""
    word = query.get(name)
    if not word:
        return None
    if word not in words:
        raise InvalidRequest(f"{name} must be one of {', '.join(words)} (got {describe(word)})", param=name)
    return words[word]


def page_value(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return the number or the size of a page, which begins at 1."""
    value = read_integer(query.get(name, default), name)
    if not 1 <= value <= most:
        raise InvalidRequest(f"{name} must be from 1 to {most} (got {value})", param=name)
    return value


def bearer_key(headers: Mapping[str, str], query: tuple[tuple[str, str], ...] = (), now: float = 0.0) -> str | None:
    """Return the caller's key from `Authorization: Bearer`, for APIs that look nowhere else."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None
