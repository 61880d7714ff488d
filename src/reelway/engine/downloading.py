"""Fetching a result whole, over any number of broken connections.

The one rule: two files are never spliced. A download is resumed only where the vendor's server names the file by a strong
validator and gives the rest of that very file, at the same address; in all other cases it begins anew.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

from reelway.assets.spec import AssetWriter
from reelway.core.errors import NotSent, TooLarge, UnexpectedResponse, VendorError, VendorUnreachable
from reelway.core.record import Record
from reelway.engine.account import Account
from reelway.engine.tools import Tools
from reelway.engine.transport import Stream
from reelway.telemetry import logger
from reelway.vendors.spec import Adapter, Download

__all__ = ["Downloader", "ResultGone"]

_log = logger("engine.download")
_TRIES_AT_ONE_PLACE = 4
"""As long as more and more of the file arrives, only its time limit ends a download."""
_GONE = frozenset({401, 403, 404, 410})
_OUTAGES = frozenset({408, 425, 429})
_LONGEST_PAUSE_SECONDS = 30.0
_SURE_SECONDS = 60.0
"""A file that changed so long before the answer did not change twice within the second that Last-Modified can tell."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class ResultGone(VendorError):
    """The vendor does not have the result under this address any more."""


class _Busy(VendorUnreachable):
    """The server cannot give it just now."""

    def __init__(self, message: str, pause_seconds: float) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


class _File(Record):
    """What an answer says of the whole file behind it."""

    address: str = ""
    validator: str = ""
    """Empty where there is none that is strong: then nothing can be resumed."""
    total: int | None = None


class Downloader:
    """Streams results into writers."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def fetch(
        self,
        download: Download,
        adapter: Adapter,
        account: Account,
        writer: AssetWriter,
        *,
        renew: Callable[[], Awaitable[Download]],
    ) -> None:
        """Write the whole file, under a fresh link of `renew` where the old one has expired.

        Raise `ResultGone` when a fresh link gives nothing either, `UnexpectedResponse` for an answer that makes no sense,
        `NotSent` or `VendorUnreachable` when it may be had later, `TooLarge`, `StorageFailed`.
        """
        seconds = self._tools.limits.download_seconds
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await _Pursuit(self._tools, adapter, account, writer).pursue(download, renew)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise VendorUnreachable(
                f"{account.name} took longer than {seconds:g} s over one file ({writer.bytes_written:,} bytes came)"
            ) from error


class _Pursuit:
    """One download, from the first request to the last byte."""

    def __init__(self, tools: Tools, adapter: Adapter, account: Account, writer: AssetWriter) -> None:
        self._tools = tools
        self._adapter = adapter
        self._account = account
        self._writer = writer
        self._file = _File()
        self._furthest = 0
        self._tries = 0
        self._renewed_at = -1

    async def pursue(self, download: Download, renew: Callable[[], Awaitable[Download]]) -> None:
        while True:
            try:
                if await self._stream(download):
                    return
                await self._rest(VendorUnreachable(f"the result of {self._account.name} ended early"))
            except ResultGone:
                if self._renewed_at == self._furthest:
                    raise
                self._renewed_at = self._furthest
                download = await renew()
            except (NotSent, VendorUnreachable) as error:
                await self._rest(error)

    async def _rest(self, reason: NotSent | VendorUnreachable) -> None:
        """Pause before the next try; give up when several in a row brought nothing new."""
        written = self._writer.bytes_written
        if written > self._furthest:
            self._furthest, self._tries = written, 0
        self._tries += 1
        if self._tries >= _TRIES_AT_ONE_PLACE:
            raise reason
        _log.info("download_broke", account=self._account.name, at_byte=written, reason=str(reason))
        asked = reason.pause_seconds if isinstance(reason, _Busy) else 0.0
        await self._tools.pause(max(self._tools.backoff(self._tries), min(asked, _LONGEST_PAUSE_SECONDS)))

    async def _stream(self, download: Download) -> bool:
        """Send one request and write what comes; return whether that was all of the file."""
        start = self._writer.bytes_written if self._file.validator else 0
        validator = self._file.validator if start else ""
        opened = self._tools.driver.open(download, self._adapter, self._account, start=start, validator=validator)
        async with opened as stream:
            await self._begin(stream, start)
            async for piece in stream.pieces:
                await self._writer.write(piece)
        total, written = self._file.total, self._writer.bytes_written
        if total is not None and written > total:
            raise UnexpectedResponse(f"{self._account.name} sent {written:,} bytes of a file of {total:,}")
        return total is None or written == total

    async def _begin(self, stream: Stream, start: int) -> None:
        """Make ready for the pieces of an answer: at the place where the last one broke, or at the first byte."""
        answered = f"{self._account.name} answered {stream.status} for the result"
        if stream.status in _GONE:
            raise ResultGone(answered)
        if stream.status in _OUTAGES or stream.status >= 500:
            raise _Busy(answered, _seconds(stream.headers.get("retry-after", "")))
        if stream.status == 416 or (stream.status == 206 and not _goes_on(stream, start, self._file)):
            await self._forget()
            raise VendorUnreachable(f"{self._account.name} did not give the rest of the file that was begun")
        if stream.status not in {200, 206}:
            raise UnexpectedResponse(answered)
        if stream.status == 200 or not start:
            await self._forget()
            self._file = _file_of(stream)
        limit = self._tools.limits.output_bytes
        if (self._file.total or 0) > limit:
            raise TooLarge(f"{self._file.total:,} bytes, where {limit:,} are allowed")

    async def _forget(self) -> None:
        self._file = _File()
        if self._writer.bytes_written:
            self._furthest = max(self._furthest, self._writer.bytes_written)
            await self._writer.restart()


def _goes_on(stream: Stream, start: int, known: _File) -> bool:
    """Tell whether a 206 begins at this byte, and is of the file that is known, if one is."""
    found = _CONTENT_RANGE.fullmatch(stream.headers.get("content-range", ""))
    if found is None or int(found[1]) != start:
        return False
    length = stream.headers.get("content-length", "")
    if length.isdigit() and int(length) != int(found[2]) - start + 1:
        return False
    if not start:
        return True
    named = _file_of(stream)
    return (named.address, named.validator, named.total) == (known.address, known.validator, known.total)


def _file_of(stream: Stream) -> _File:
    headers = stream.headers
    if headers.get("content-encoding", "identity") != "identity":
        return _File(address=stream.address)  # lengths and places in it are not those of the file
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "")) if stream.status == 206 else None
    total = headers.get("content-length", "") if found is None else found[3]
    return _File(address=stream.address, validator=_validator(headers), total=int(total) if total.isdigit() else None)


def _validator(headers: Mapping[str, str]) -> str:
    """Return what If-Range may name: a strong ETag, else a time of change that is surely not too coarse."""
    tag = headers.get("etag", "")
    if tag.startswith('"'):
        return tag
    changed, answered = headers.get("last-modified", ""), headers.get("date", "")
    try:
        age = (parsedate_to_datetime(answered) - parsedate_to_datetime(changed)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return changed if age >= _SURE_SECONDS else ""


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
