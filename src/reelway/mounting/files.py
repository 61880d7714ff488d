"""Serves one file of a finished video: whole through the server's own file path, ranges by positioned reads.

The rule: the event loop never waits for a disk. Bytes that lie in the page cache are read in place, all others in a thread.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

from reelway.core.errors import Gone, RangeNotSatisfiable, StorageFailed
from reelway.core.record import Record
from reelway.core.videos import Blob
from reelway.dialects.spec import Outgoing
from reelway.mounting.exchange import Exchange, RenderError
from reelway.mounting.ranges import Selection, select

__all__ = ["OpenedContent", "serve_content"]

_PATHSEND = "http.response.pathsend"
_PIECE_BYTES = 512 * 1024
_WATCHED_BYTES = 8 * 1024 * 1024
"""From this length on it is worth noticing that the client has gone."""
_READ_NOW = getattr(os, "RWF_NOWAIT", None)
_FALLBACK_NAME = "content"


class OpenedContent(Record):
    """One file, found and allowed: what it is, and how to get at its bytes."""

    blob: Blob
    filename: str
    """For Content-Disposition."""
    path: Path | None
    """The local file, where there is one."""
    read: Callable[[int, int], AsyncIterator[bytes]]
    """Yields the bytes from the first position up to, not including, the second; used where there is no path."""


async def serve_content(exchange: Exchange, content: OpenedContent, render_error: RenderError) -> None:
    """Answer a GET or HEAD with the file, a part of it, 304 or 416."""
    size = content.blob.bytes
    etag = f'"{content.blob.sha256}"'
    selection = select(exchange.method, exchange.headers, etag=etag, size=size)
    common = [(b"etag", etag.encode()), (b"cache-control", b"private, no-cache"), (b"accept-ranges", b"bytes")]
    match selection.kind:
        case "unchanged":
            await exchange.start(304, common)
            await exchange.write(b"", more=False)
        case "beyond":
            error = RangeNotSatisfiable(f"the range lies beyond the end: the file has {size} bytes", param="Range")
            outgoing = render_error(error, exchange.request_id)
            headers = {**outgoing.headers, "content-range": f"bytes */{size}", "accept-ranges": "bytes"}
            await exchange.answer(Outgoing(status=outgoing.status, body=outgoing.body, headers=headers))
        case "whole" | "part":
            await _send(exchange, content, selection, common)


async def _send(
    exchange: Exchange, content: OpenedContent, selection: Selection, common: list[tuple[bytes, bytes]]
) -> None:
    start, stop = selection.start, selection.stop
    headers = [
        *common,
        (b"content-type", content.blob.media_type.encode("latin-1")),
        (b"content-length", str(stop - start).encode()),
        (b"content-disposition", _disposition(content.filename)),
        (b"x-content-type-options", b"nosniff"),
    ]
    if selection.kind == "part":
        headers.append((b"content-range", f"bytes {start}-{stop - 1}/{content.blob.bytes}".encode()))
    status = 206 if selection.kind == "part" else 200

    file = _open(content) if content.path is not None else None
    if exchange.method == "HEAD" or start == stop:
        if file is None and content.blob.bytes:
            [piece async for piece in await _first(content, 0, 1)]
        await exchange.start(status, headers)
        await exchange.write(b"", more=False)
    elif file is not None and selection.kind == "whole" and exchange.offers(_PATHSEND):
        await exchange.start(status, headers)
        await exchange.send_path(str(content.path))
    else:
        pieces = file.pieces(start, stop) if file is not None else await _first(content, start, stop)
        await exchange.start(status, headers)
        await _stream(exchange, pieces, stop - start)


async def _first(content: OpenedContent, start: int, stop: int) -> AsyncGenerator[bytes, None]:
    """Wait for the first piece of a range, so that what is missing or out of reach is told in place of the answer's head."""
    pieces = content.read(start, stop)
    try:
        first = await anext(pieces, b"")
    except KeyError:
        raise _gone(content) from None

    async def all_pieces() -> AsyncGenerator[bytes, None]:
        try:
            yield first
            async for piece in pieces:
                yield piece
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()  # lets go of the far store's connection now, not when memory is tidied up

    return all_pieces()


async def _stream(exchange: Exchange, pieces: AsyncIterator[bytes], length: int) -> None:
    """Send exactly `length` bytes; stop early when the client has gone, or with an error when the source runs dry."""
    gone = asyncio.ensure_future(_wait_until_gone(exchange)) if length > _WATCHED_BYTES else None
    left = length
    try:
        async for piece in pieces:
            left -= len(piece)
            if left < 0 or (gone is not None and gone.done()):
                break
            await exchange.write(piece, more=left > 0)
    finally:
        if gone is not None:
            gone.cancel()
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
    if left and not (gone is not None and gone.done() and not gone.cancelled()):
        raise StorageFailed(f"the stored bytes are {abs(left)} {'short of' if left > 0 else 'beyond'} their length")


async def _wait_until_gone(exchange: Exchange) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        pass


class _LocalFile:
    """An open file, read at positions. Closed with its last user: a thread may still be reading when a request is cancelled."""

    __slots__ = ("_number",)

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        if hasattr(self, "_number"):
            os.close(self._number)

    @property
    def size(self) -> int:
        return os.fstat(self._number).st_size

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to `stop`."""
        position = start
        while position < stop:
            length = min(_PIECE_BYTES, stop - position)
            if self._lies_in_memory(position, length):
                piece = os.pread(self._number, length, position)
            else:
                piece = await asyncio.to_thread(self._read, length, position)
            if not piece:
                return
            yield piece
            position += len(piece)

    def _read(self, length: int, position: int) -> bytes:
        return os.pread(self._number, length, position)

    def _lies_in_memory(self, position: int, length: int) -> bool:
        """Look at the first and the last byte without waiting; the pages between them come and go together."""
        if _READ_NOW is None:
            return False
        probe = bytearray(1)
        try:
            for place in (position, position + length - 1):
                if os.preadv(self._number, [probe], place, _READ_NOW) != 1:
                    return False
        except OSError:  # not in memory, or a file system that cannot tell
            return False
        return True


def _open(content: OpenedContent) -> _LocalFile:
    if content.path is None:
        raise ValueError("this content has no local file")
    try:
        file = _LocalFile(content.path)
    except FileNotFoundError:
        raise _gone(content) from None
    if file.size != content.blob.bytes:
        raise StorageFailed(f"{content.blob.key} has {file.size} bytes instead of {content.blob.bytes}")
    return file


def _gone(content: OpenedContent) -> Gone:
    return Gone(f"the file {content.filename} is no longer stored; create the video again", code="content_gone")


def _disposition(filename: str) -> bytes:
    """Show it in a browser, save it under its name. Names beyond ASCII go into `filename*` (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    header = f'inline; filename="{plain or _FALLBACK_NAME}"'
    if plain != filename:
        header += f"; filename*=UTF-8''{quote(filename, safe='')}"
    return header.encode("ascii")
