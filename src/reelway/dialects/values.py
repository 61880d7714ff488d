"""Single values: text, numbers and switches as callers write them. Text from a form and the same value from JSON come out equal.

Every function raises `InvalidRequest` that names the field, says what it takes and what was given.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from reelway.core.errors import InvalidRequest
from reelway.dialects.fields import Repeated, check_depth
from reelway.dialects.spec import Upload

__all__ = [
    "describe",
    "read_boolean",
    "read_integer",
    "read_json",
    "read_object",
    "read_seconds",
    "read_text",
    "read_url",
    "read_word",
    "single",
    "wrong_type",
]

_TRUE = frozenset({"true", "1", "yes", "on", "enabled"})
_FALSE = frozenset({"false", "0", "no", "off", "disabled"})
_INTEGER = re.compile(r"[+-]?\d{1,19}(\.0*)?")
_SECONDS = re.compile(r"([+-]?\d{1,9})(\.0*)?\s*(s|sec|seconds?)?")
_LARGEST = 2**63 - 1
_URL_LIMIT = 8192
_SHOWN = 60


def single(value: Any, field: str) -> Any:
    """Return the one value of a field that takes one."""
    if isinstance(value, Repeated):
        raise InvalidRequest(f"{field} is given more than once; send it once", code="duplicate_parameter", param=field)
    return value


def read_text(value: Any, field: str) -> str:
    """Return text as it was given; that it is whole UTF-8 without NUL was seen to when the body was read."""
    text = single(value, field)
    if not isinstance(text, str):
        raise wrong_type(field, "text", text)
    return text


def read_word(value: Any, field: str) -> str:
    """Return a short word; a whole number counts as one, because a form cannot tell them apart."""
    word = single(value, field)
    if isinstance(word, int) and not isinstance(word, bool):
        word = str(word)
    return read_text(word, field).strip()


def read_integer(value: Any, field: str) -> int:
    """Return `8`, `"8"` or `8.0` as 8."""
    number = single(value, field)
    if isinstance(number, str) and _INTEGER.fullmatch(number.strip()):
        number = int(number.strip().partition(".")[0])
    elif isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise wrong_type(field, "a whole number", number)
    if abs(number) > _LARGEST:
        raise InvalidRequest(f"{field} is too large (got {describe(number)})", param=field)
    return number


def read_seconds(value: Any, field: str) -> int:
    """Return a length in seconds: a whole number with or without a unit. Which numbers a model takes, its card knows."""
    given = single(value, field)
    match = _SECONDS.fullmatch(given.strip().lower()) if isinstance(given, str) else None
    try:
        return int(match[1]) if match else read_integer(given, field)
    except InvalidRequest:
        raise wrong_type(field, 'a whole number of seconds such as 8 or "8"', given) from None


def read_boolean(value: Any, field: str) -> bool:
    """Return true or false, written in any of the usual ways."""
    given = single(value, field)
    if isinstance(given, bool):
        return given
    if isinstance(given, str | int):
        word = str(given).strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise wrong_type(field, "true or false", given)


def read_url(value: Any, field: str) -> str:
    """Return an http or https address."""
    text = read_text(value, field).strip()
    try:
        parts = urlsplit(text)
        good = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or len(text) > _URL_LIMIT or not text.isprintable() or " " in text:
        raise InvalidRequest(
            f"{field} must be an address that begins with http:// or https:// and has at most {_URL_LIMIT} characters "
            f"(got {describe(text)})",
            param=field,
        )
    return text


def read_json(text: str, field: str) -> Any:
    """Return what JSON text in a field says."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"{field} is not valid JSON: {error}", code="invalid_json", param=field) from None
    if "\\u0000" in text:
        raise InvalidRequest(f"{field} contains a NUL character; leave it out", code="invalid_json", param=field)
    check_depth(value, field)
    return value


def read_object(value: Any, field: str) -> dict[str, Any]:
    """Return an object, given as one or as JSON text."""
    given = single(value, field)
    if isinstance(given, str):
        given = read_json(given, field) if given.lstrip().startswith(("{", "[")) else given
    if not isinstance(given, dict):
        raise wrong_type(field, "an object, or JSON text of one", given)
    return given


def describe(value: Any) -> str:
    """Return a value as it may be quoted in a message."""
    if isinstance(value, Upload):
        return f"the file {value.filename[:_SHOWN]!r}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f'"{shown}"' if isinstance(value, str) else shown


def wrong_type(field: str, wanted: str, value: Any) -> InvalidRequest:
    """Return the error for a value of another type than the field takes."""
    return InvalidRequest(f"{field} must be {wanted} (got {describe(value)})", code="invalid_type", param=field)
