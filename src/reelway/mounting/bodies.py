"""Reads request bodies as streams: JSON, forms, files. The rule: nothing is held in memory beyond its limit, files not at all.

Three types are understood: `application/json`, `application/x-www-form-urlencoded` and `multipart/form-data` (in `forms`).
Text that is not UTF-8, contains NUL, or says one thing twice is refused here, for every dialect.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive

from reelway.core.errors import CallerError, InvalidRequest, TooLarge, UnsupportedType
from reelway.core.record import Record
from reelway.dialects.spec import FormField
from reelway.mounting.exchange import ClientGone
from reelway.mounting.forms import Stage, read_content_type, read_multipart
from reelway.mounting.repeats import find_repeated_key

__all__ = ["Body", "BodyLimits", "BodyStream", "RequestTimedOut", "read_body"]

_JSON = msgspec.json.Decoder()
_LENGTH_DIGITS = 18
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ACCEPTED = "application/json, multipart/form-data or application/x-www-form-urlencoded"


class BodyLimits(Record):
    """How much of a request body is taken."""

    body_bytes: int = 250_000_000
    """A whole body."""
    file_bytes: int = 100_000_000
    """One file in a form."""
    text_bytes: int = 64_000_000
    """What is held in memory: a JSON or url-encoded body, or all text fields of a form together."""
    fields: int = 256
    """Fields and files in a form."""
    idle_seconds: float = 60.0
    """How long a started body may be silent."""


class Body(Record):
    """A body, read. Neither is set when there was none."""

    json: dict[str, Any] | None = None
    form: tuple[FormField, ...] | None = None


class RequestTimedOut(CallerError):
    """The body stopped arriving."""

    status = 408
    code = "request_timeout"


class BodyStream:
    """The pieces of a body as they arrive. Raises `TooLarge` beyond the limit, `ClientGone` when the client hangs up."""

    __slots__ = ("_idle_seconds", "_limit", "_receive", "_seen", "ended")

    def __init__(self, receive: Receive, *, limit: int, idle_seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._seen = 0
        self.ended = False

    async def next_piece(self) -> bytes:
        """Return the next bytes; empty at the end, and only there."""
        while not self.ended:
            # The first piece nearly always came with the headers; a timer for it would cost more than reading it.
            message = await (self._receive() if not self._seen else self._receive_soon())
            if message["type"] == "http.disconnect":
                raise ClientGone
            self.ended = not message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            if piece:
                self._seen += len(piece)
                if self._seen > self._limit:
                    raise too_large(self._limit)
                return piece
        return b""

    async def whole(self) -> bytes:
        """Return everything at once."""
        first = await self.next_piece()
        if self.ended:
            return first
        pieces = [first]
        while piece := await self.next_piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def _receive_soon(self) -> Any:
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await self._receive()
        except TimeoutError:
            raise RequestTimedOut(
                f"the rest of the body did not arrive within {self._idle_seconds:g} seconds; send the request again"
            ) from None


async def read_body(headers: dict[str, str], receive: Receive, limits: BodyLimits, stage: Stage) -> Body:
    """Read the body of a request. Raises `CallerError`; files already staged are the caller's to release."""
    media_type, options = read_content_type(headers.get("content-type", ""))
    is_multipart = media_type == "multipart/form-data"
    limit = limits.body_bytes if is_multipart else limits.text_bytes
    _check_length(headers.get("content-length"), limit)
    stream = BodyStream(receive, limit=limit, idle_seconds=limits.idle_seconds)

    if headers.get("content-length") == "0":
        return Body()
    if is_multipart:
        return Body(form=await read_multipart(stream, options.get("boundary", ""), limits, stage))
    if media_type == "application/x-www-form-urlencoded":
        body = await stream.whole()
        return Body(form=parse_form(body, limits.fields)) if body else Body()
    if media_type == "application/json" or media_type.endswith("+json"):
        body = await stream.whole()
        return Body(json=parse_json(body)) if body else Body()
    if not await stream.next_piece():
        return Body()
    given = f"Content-Type {media_type!r} is not read here" if media_type else "the request has no Content-Type"
    raise UnsupportedType(f"{given}; send {_ACCEPTED}")


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the object in a JSON body. Raises `InvalidRequest`."""
    try:
        decoded = _JSON.decode(body.removeprefix(_BYTE_ORDER_MARK))
        if not isinstance(decoded, dict):
            raise InvalidRequest("the JSON body must be an object, in braces", code="invalid_json")
        repeated = find_repeated_key(body, decoded)
    except UnicodeDecodeError:
        raise InvalidRequest("the JSON body is not UTF-8; encode it as UTF-8", code="invalid_json") from None
    except RecursionError:
        raise InvalidRequest("the JSON body is nested too deeply; make it flatter", code="invalid_json") from None
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"the body is not JSON that can be read: {error}", code="invalid_json") from None
    if repeated is not None:
        raise InvalidRequest(
            f"{repeated!r} is given twice in the JSON body; give it once", code="duplicate_parameter", param=repeated
        )
    # NUL is legal in JSON and in no database column; its escape is rare enough that looking for it costs nothing.
    if b"\\u0000" in body and _contains_nul(decoded):
        raise InvalidRequest("the JSON body contains a NUL character; leave it out", code="invalid_json")
    return decoded


def parse_form(body: bytes, field_limit: int) -> tuple[FormField, ...]:
    """Return the fields of a url-encoded body. Raises `InvalidRequest`."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=field_limit)
    except UnicodeDecodeError:
        raise InvalidRequest("the form is not UTF-8; percent-encode it as UTF-8", code="invalid_form") from None
    except ValueError:
        raise InvalidRequest(f"the form has more than {field_limit} fields; send fewer", code="invalid_form") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise InvalidRequest("the form contains a NUL character; leave it out", code="invalid_form")
    return tuple(FormField(name=name, value=value) for name, value in pairs)


def too_large(limit: int) -> TooLarge:
    """Return the refusal of a body beyond its limit."""
    return TooLarge(f"the body is larger than {limit:,} bytes; send less, or give large files by URL")


def _check_length(announced: str | None, limit: int) -> None:
    if announced is None or not (announced.isascii() and announced.isdigit()):
        return  # the server has counted on it already, or the stream counts
    if len(announced) > _LENGTH_DIGITS or int(announced) > limit:
        raise too_large(limit)


def _contains_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_contains_nul, value)) or any(map(_contains_nul, value.values()))
    return isinstance(value, list) and any(map(_contains_nul, value))
