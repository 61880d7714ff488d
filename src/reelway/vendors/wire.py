"""What adapters share: making requests, and reading answers without trusting them.

From an answer only the fields that are used are read; whatever else is there is nobody's business. What does not have the shape
we know raises `UnexpectedResponse`, never a guess.
"""

import math
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import HttpRequest, HttpResponse

__all__ = [
    "ErrorBody",
    "delete",
    "excerpt",
    "expect",
    "get",
    "is_success",
    "kind_of_status",
    "plain",
    "post",
    "read_error",
    "retry_after_seconds",
    "unix_seconds",
    "word",
]

T = TypeVar("T")

_MESSAGE_LIMIT = 400
_EXCERPT_LIMIT = 200
_MILLISECONDS_FROM = 100_000_000_000
_SECRET = re.compile(
    r"\b(?:sk|pk|rk)-[\w*.…-]{2,}[\w*]|\bBearer\s+\S+|\b(?:org|proj|acct|req|user|key)[-_](?=[A-Za-z]*\d)\w{6,}",
    re.IGNORECASE,
)
_TITLE = re.compile(r"<title>\s*([^<]+?)\s*</title>", re.IGNORECASE)
_KINDS = {
    400: FailureKind.INVALID_REQUEST,
    401: FailureKind.AUTHENTICATION,
    402: FailureKind.INSUFFICIENT_QUOTA,
    403: FailureKind.PERMISSION,
    404: FailureKind.MODEL_NOT_FOUND,
    405: FailureKind.MODEL_NOT_FOUND,
    410: FailureKind.MODEL_NOT_FOUND,
    413: FailureKind.INVALID_REQUEST,
    415: FailureKind.INVALID_REQUEST,
    422: FailureKind.INVALID_REQUEST,
    429: FailureKind.RATE_LIMITED,
}


class ErrorBody(Record):
    """What an error answer says, as far as it says anything."""

    message: str = ""
    code: str = ""
    """In lower case."""
    type: str = ""
    param: str = ""


def get(path: str, *, query: Iterable[tuple[str, str]] = (), headers: Iterable[tuple[str, str]] = ()) -> HttpRequest:
    """Return a request that only looks."""
    return HttpRequest(method="GET", path=path, query=tuple(query), headers=tuple(headers))


def post(
    path: str,
    *,
    json: Any = None,
    form: Iterable[tuple[str, Any]] = (),
    query: Iterable[tuple[str, str]] = (),
    headers: Iterable[tuple[str, str]] = (),
    billable: bool = False,
) -> HttpRequest:
    """Return a request that does something; `billable` when it costs money as soon as it arrives."""
    return HttpRequest(
        method="POST",
        path=path,
        json=json,
        form=tuple(form),
        query=tuple(query),
        headers=tuple(headers),
        billable=billable,
    )


def delete(path: str, *, headers: Iterable[tuple[str, str]] = ()) -> HttpRequest:
    """Return a request that takes something away."""
    return HttpRequest(method="DELETE", path=path, headers=tuple(headers))


def is_success(response: HttpResponse) -> bool:
    """Tell whether the vendor did what it was asked."""
    return 200 <= response.status < 300


def expect(shape: type[T], response: HttpResponse) -> T:
    """Return the answer's body in the shape we know. Raise `UnexpectedResponse` for an error answer or another shape."""
    if not is_success(response):
        raise UnexpectedResponse(f"an answer was expected and an error came: {excerpt(response)}")
    try:
        return msgspec.json.decode(response.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnexpectedResponse(f"the answer has a shape nobody has met ({error}): {excerpt(response)}") from None


def read_error(response: HttpResponse) -> ErrorBody:
    """Return what an error answer says. Never raises: error pages of proxies and gateways come in every shape."""
    try:
        body = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorBody(message=_words_of(response.body[:_MESSAGE_LIMIT].decode(errors="replace")))
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    if not isinstance(body, dict):
        return ErrorBody(message=plain(_text(body)))
    message = next((body[name] for name in ("message", "msg", "detail", "error") if body.get(name)), "")
    return ErrorBody(
        message=plain(_text(message)),
        code=_text(body.get("code")).strip().lower(),
        type=_text(body.get("type")).strip().lower(),
        param=_text(body.get("param")).strip(),
    )


def kind_of_status(status: int) -> FailureKind | None:
    """Return what an error status says about a request that was refused; None where it may have been accepted after all."""
    return _KINDS.get(status)


def retry_after_seconds(response: HttpResponse) -> float | None:
    """Return how long the vendor wants to be left alone."""
    milliseconds = _number(response.headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = response.headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:  # a date: by the vendor's own clock, so that ours does not matter
        pause = parsedate_to_datetime(text) - parsedate_to_datetime(response.headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, pause.total_seconds())


def unix_seconds(timestamp: float) -> float:
    """Return a time in seconds; milliseconds are told apart by their magnitude."""
    return timestamp / 1000 if timestamp >= _MILLISECONDS_FROM else timestamp


def word(text: str) -> str:
    """Return a state or code as it stands in a table: trimmed and in lower case."""
    return text.strip().lower()


def plain(text: str, *hidden: str) -> str:
    """Return a vendor's text as it may be shown to a caller: one line, not too long, free of keys and of the ids in `hidden`."""
    for secret in hidden:
        if secret:
            text = text.replace(secret, "…")
    line = " ".join(_SECRET.sub("…", text).split())
    return line if len(line) <= _MESSAGE_LIMIT else f"{line[:_MESSAGE_LIMIT]}…"


def excerpt(response: HttpResponse) -> str:
    """Return the status and the beginning of a body, for logs and messages."""
    body = plain(response.body[:_EXCERPT_LIMIT].decode(errors="replace"))
    return f"HTTP {response.status} {body}".rstrip()


def _words_of(text: str) -> str:
    """Return what a body that is no JSON says: of a page of HTML, its title."""
    if not text.lstrip().startswith("<"):
        return plain(text)
    title = _TITLE.search(text)
    return plain(title[1]) if title else "a page of HTML came instead of an answer"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
