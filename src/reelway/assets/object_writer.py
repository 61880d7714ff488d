"""One object in the making: its parts are sent while they come, and a scratch file beside them has every byte.

The one rule: an upload's steps run one at a time and to their end. What is cut off in the middle of a step nobody could abort any
more, and its parts would lie in the bucket for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import obstore
from obstore.exceptions import BaseError

from reelway.assets.folder_writer import FolderWriter
from reelway.assets.object_places import Bucket
from reelway.assets.spec import Stored
from reelway.telemetry import logger

__all__ = ["PARTS_AT_ONCE", "PART_BYTES", "ObjectWriter", "settle"]

_log = logger("assets.objects")

PART_BYTES = 8 * 1024 * 1024
"""Ten thousand parts at most make one object: 80 GB."""
PARTS_AT_ONCE = 4
"""So many parts of one object are in memory at most, and one that is being filled."""
_LEAVING_SECONDS = 5.0
"""Whoever leaves waits so long for the store to hear of it; after that it is told in the background."""


class _Upload:
    """Parts on their way. Broken for good by the first error: the scratch file is sent instead, whole."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._writer = obstore.open_writer_async(bucket, key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        self._step: asyncio.Future[Any] | None = None
        self._is_over = False
        self.error: BaseException | None = None

    async def write(self, piece: bytes) -> None:
        if self.error is None:
            await self._run(self._writer.write(piece))

    async def finish(self) -> bool:
        """Make the object visible; say whether that went well."""
        if self.error is None:
            self._is_over = True  # the library tidies up after itself from here on, and cannot be asked to
            await self._run(self._writer.close())
        return self.error is None

    async def abort(self) -> None:
        """Wait for the step under way, then have the parts removed."""
        if self._step is not None:
            await settle(self._step)
        if not self._is_over:
            self._is_over = True
            await self._run(self._writer.__aexit__(asyncio.CancelledError, asyncio.CancelledError(), None))

    async def _run(self, work: Awaitable[Any]) -> None:
        self._step = asyncio.ensure_future(work)
        try:
            await asyncio.shield(self._step)
        except (BaseError, OSError) as error:
            self.error = error


class ObjectWriter:
    """Made by `ObjectAssets`."""

    def __init__(
        self,
        bucket: Bucket,
        key: str,
        partial: Path,
        *,
        limit_bytes: int,
        put: Callable[[Path], Coroutine[Any, Any, None]],
        later: Callable[[asyncio.Task[None]], None],
    ) -> None:
        """`put` sends a whole file under the key; `later` is given the task of a farewell that takes long."""
        self._bucket = bucket
        self._key = key
        self._file = FolderWriter(key, partial, partial, _stay, limit_bytes)
        self._put = put
        self._later = later
        self._upload = _Upload(bucket, key)
        self._repeat: asyncio.Future[None] | None = None

    @property
    def bytes_written(self) -> int:
        return self._file.bytes_written

    @property
    def path(self) -> Path:
        return self._file.path

    async def __aenter__(self) -> Self:
        await self._file.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leaving = asyncio.ensure_future(self._leave())
        self._later(leaving)
        await asyncio.wait((leaving,), timeout=_LEAVING_SECONDS)

    async def write(self, piece: bytes) -> None:
        await self._file.write(piece)
        await self._upload.write(bytes(piece))

    async def flush(self) -> None:
        await self._file.flush()

    async def restart(self) -> None:
        await self._upload.abort()
        self._upload = _Upload(self._bucket, self._key)
        await self._file.restart()

    async def commit(self) -> Stored:
        stored = await self._file.commit()
        if not await self._upload.finish():
            _log.warning("upload_repeated", key=self._key, reason=type(self._upload.error).__name__)
            self._repeat = asyncio.ensure_future(self._put(self.path))
            await asyncio.shield(self._repeat)
        return stored

    async def _leave(self) -> None:
        if self._repeat is not None:
            await settle(self._repeat)
        await self._upload.abort()
        await self._file.__aexit__(None, None, None)
        await asyncio.to_thread(self.path.unlink, missing_ok=True)


async def settle(step: asyncio.Future[Any]) -> None:
    """Wait until it is over, however it ends: whoever began it has heard, or has gone."""
    await asyncio.wait((step,))
    if not step.cancelled():
        step.exception()


def _stay(path: Path, partial: Path) -> None:
    """Leave the file where it is: the upload may have to be repeated from it."""
