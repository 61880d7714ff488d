"""Reads `multipart/form-data` while it arrives.

The rule: a file goes piece by piece to whoever stages it, never whole through memory.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Protocol

from multipart import (  # type: ignore[import-untyped] # the package has annotations, but no py.typed
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from reelway.core.errors import InvalidRequest, TooLarge
from reelway.core.videos import Blob
from reelway.dialects.spec import FormField, Upload

__all__ = ["FormLimits", "Pieces", "Stage", "read_content_type", "read_multipart"]

Stage = Callable[[AsyncIterator[bytes], str], Awaitable[Blob]]
"""Streams one file, of this claimed media type, into the asset store."""

_HEADER_BYTES = 8_192
_HEADER_COUNT = 8
_FILE_FAMILIES = ("image/", "video/", "audio/", "application/octet-stream")
_UNKNOWN_TYPE = "application/octet-stream"


class Pieces(Protocol):
    """A body as it arrives."""

    async def next_piece(self) -> bytes:
        """Return the next bytes; empty at the end."""
        ...


class FormLimits(Protocol):
    """The part of `BodyLimits` that matters here."""

    @property
    def file_bytes(self) -> int: ...

    @property
    def text_bytes(self) -> int: ...

    @property
    def fields(self) -> int: ...


def read_content_type(header: str) -> tuple[str, dict[str, str]]:
    """Return the media type in lower case, and its parameters."""
    media_type, parameters = parse_options_header(header)
    return str(media_type), dict(parameters)


async def read_multipart(stream: Pieces, boundary: str, limits: FormLimits, stage: Stage) -> tuple[FormField, ...]:
    """Return the fields of a form in order. Raises `InvalidRequest` (`invalid_multipart`) and `TooLarge`."""
    try:
        parser = PushMultipartParser(
            boundary, max_header_size=_HEADER_BYTES, max_header_count=_HEADER_COUNT, max_segment_count=limits.fields
        )
    except MultipartError as error:
        raise _broken(f"the boundary in Content-Type cannot be used ({error})") from None
    return await _FormReader(stream, parser, limits, stage).read()


class _FormReader:
    """Turns parser events into fields. Text is gathered without awaiting; only a file hands over to an async iterator."""

    __slots__ = ("_events", "_fields", "_limits", "_parser", "_stage", "_stream", "_text_bytes")

    def __init__(self, stream: Pieces, parser: PushMultipartParser, limits: FormLimits, stage: Stage) -> None:
        self._stream = stream
        self._parser = parser
        self._limits = limits
        self._stage = stage
        self._events: Iterator[MultipartSegment | bytes | None] = iter(())
        self._fields: list[FormField] = []
        self._text_bytes = 0

    async def read(self) -> tuple[FormField, ...]:
        try:
            while (segment := await self._next_segment()) is not None:
                await self._read_field(segment)
        except ParserLimitReached as error:
            raise _broken(f"a limit was passed ({error}; at most {self._limits.fields} parts)") from None
        except MultipartError as error:
            raise _broken(str(error)) from None
        return tuple(self._fields)

    async def _next_segment(self) -> MultipartSegment | None:
        """Return the head of the next part, None after the last one."""
        while True:
            for event in self._events:
                if isinstance(event, MultipartSegment):
                    return event
            if not await self._fill():
                return None

    async def _fill(self) -> bool:
        """Get events from the next piece of the body; False at its end, which must be the form's end too."""
        piece = await self._stream.next_piece()
        if not piece:
            self._parser.close()
            return False
        self._events = self._parser.parse(piece)
        return True

    async def _read_field(self, segment: MultipartSegment) -> None:
        name = segment.name
        if not name or "\0" in name:
            raise _broken("a part has no usable name")
        if segment.filename is None and not (segment.content_type or "").startswith(_FILE_FAMILIES):
            self._fields.append(FormField(name=name, value=await self._read_text(name)))
            return
        await self._read_file(name, segment)

    async def _read_text(self, name: str) -> str:
        pieces: list[bytes] = []
        # Nearly every field lies whole in the piece at hand, so its events are taken without awaiting one by one.
        while not self._gather(pieces, name):
            if not await self._fill():
                raise _broken("it ends in the middle of a part")
        try:
            text = b"".join(pieces).decode()
        except UnicodeDecodeError:
            raise InvalidRequest(
                f"{name} is not UTF-8 text; encode it as UTF-8", code="invalid_multipart", param=name
            ) from None
        if "\0" in text:
            raise InvalidRequest(f"{name} contains a NUL character; leave it out", code="invalid_multipart", param=name)
        return text

    def _gather(self, pieces: list[bytes], name: str) -> bool:
        """Add what is there of the current part to `pieces`; tell whether the part has ended."""
        for event in self._events:
            if not isinstance(event, bytes):
                return True
            self._text_bytes += len(event)
            if self._text_bytes > self._limits.text_bytes:
                limit = self._limits.text_bytes
                raise TooLarge(f"the text fields of the form are larger than {limit:,} bytes together", param=name)
            pieces.append(event)
        return False

    async def _read_file(self, name: str, segment: MultipartSegment) -> None:
        first = await self._next_payload()
        if first is None and not segment.filename:
            return  # how a browser sends a file input in which nothing was chosen
        media_type = segment.content_type or _UNKNOWN_TYPE
        async with aclosing(self._pieces(name, first)) as pieces:
            blob = await self._stage(pieces, media_type)
        while not segment.complete:  # whoever stages it may have seen enough before the end
            await self._next_payload()
        filename = (segment.filename or "upload").replace("\0", "")
        self._fields.append(FormField(name=name, value=Upload(filename=filename, media_type=media_type, blob=blob)))

    async def _pieces(self, name: str, first: bytes | None) -> AsyncGenerator[bytes]:
        received = 0
        piece = first
        while piece is not None:
            received += len(piece)
            if received > self._limits.file_bytes:
                limit = self._limits.file_bytes
                raise TooLarge(f"the file {name} is larger than {limit:,} bytes; send less, or give a URL", param=name)
            yield piece
            piece = await self._next_payload()

    async def _next_payload(self) -> bytes | None:
        """Return the next bytes of the current part, None at its end."""
        while True:
            for event in self._events:
                return event if isinstance(event, bytes) else None
            if not await self._fill():
                raise _broken("it ends in the middle of a part")


def _broken(reason: str) -> InvalidRequest:
    return InvalidRequest(f"the multipart body cannot be read: {reason}", code="invalid_multipart")
