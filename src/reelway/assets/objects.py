"""Assets as objects in a bucket: S3 and what speaks like it, Google Cloud Storage, Azure.

The one rule: an object appears under its key by the store's own last step, so nobody ever sees half of one. Nothing of a finished
asset stays on this machine.
"""

import asyncio
import contextlib
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import BaseError

from reelway.assets.keys import require_key
from reelway.assets.object_failures import is_beyond_the_end, is_without_bucket, object_failed
from reelway.assets.object_places import open_bucket
from reelway.assets.object_writer import PART_BYTES, PARTS_AT_ONCE, ObjectWriter
from reelway.assets.scratch import Scratch
from reelway.assets.spec import Listed, Stored
from reelway.core.disk import disk_failed
from reelway.core.errors import StorageFailed

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

__all__ = ["ObjectAssets"]

_T = TypeVar("_T")

_PIECE_BYTES = 1024 * 1024
_PIECE_SECONDS = 30.0
"""A piece that does not come by then is asked for anew."""
_READ_TRIES = 4
"""So often in a row without a single byte, then the store is out of reach."""
_CALL_SECONDS = 90.0
_CLOSING_SECONDS = 10.0
_DELETED_AT_ONCE = 1000
_PROBE = ".reelway"
"""No key begins with a dot, so what proves the bucket meets no asset."""


class ObjectAssets:
    """Keeps assets in the bucket at `url`; `scratch` is a local folder for files on their way in."""

    def __init__(self, url: str, scratch: Path) -> None:
        self._url = url
        self._bucket = open_bucket(url)
        self._scratch = Scratch(scratch)
        self._leaving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        await asyncio.to_thread(self._scratch.open)
        await self._prove()

    async def close(self) -> None:
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=_CLOSING_SECONDS)
        await asyncio.to_thread(self._scratch.close)

    def writer(self, key: str, *, limit_bytes: int) -> ObjectWriter:
        require_key(key)

        async def put(source: Path) -> None:
            await self._put(key, source)

        partial = self._scratch.new_path()
        return ObjectWriter(self._bucket, key, partial, limit_bytes=limit_bytes, put=put, later=self._see_off)

    async def put_file(self, key: str, source: Path) -> Stored:
        require_key(key)
        size, sha256 = await asyncio.to_thread(_measure, source)
        await self._put(key, source)
        await asyncio.to_thread(source.unlink, missing_ok=True)
        return Stored(key=key, bytes=size, sha256=sha256)

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        require_key(key)
        position, tries, version = start, 0, None
        last_error: BaseException | None = None
        while stop is None or position < stop:
            if tries == _READ_TRIES and last_error is not None:
                raise self._failed(last_error, f"reading {key}") from None
            tries += 1
            try:
                answer = await self._get(key, position, stop, version)
                if answer is None:
                    return
                stop, version = answer.range[1], answer.meta["e_tag"]
                stream = answer.stream(min_chunk_size=_PIECE_BYTES)
                while position < stop:
                    piece = bytes(await asyncio.wait_for(anext(stream), _PIECE_SECONDS))
                    position, tries = position + len(piece), 0
                    yield piece
            except (BaseError, OSError, StopAsyncIteration) as error:
                last_error = error

    async def size(self, key: str) -> int | None:
        require_key(key)
        try:
            meta = await self._ask(obstore.head_async(self._bucket, key), f"looking for {key}")
        except KeyError:
            return None
        return meta["size"]

    async def delete(self, key: str) -> None:
        await self._delete([require_key(key)])

    async def delete_under(self, prefix: str) -> int:
        return await self._delete_listed(prefix, math.inf)

    async def delete_older(self, prefix: str, before: float) -> int:
        return await self._delete_listed(prefix, before)

    async def listed(self, prefix: str) -> AsyncIterator[Listed]:
        async for batch in self._batches(require_key(prefix)):
            for one in batch:
                yield one

    def local_path(self, key: str) -> Path | None:
        require_key(key)
        return None

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        require_key(key)
        path = self._scratch.new_path()
        try:
            pieces = self.read(key)
            async with contextlib.aclosing(pieces):  # type: ignore[type-var]  # a generator by the look of it
                await asyncio.to_thread(path.touch)
                async for piece in pieces:
                    await asyncio.to_thread(_append, path, piece)
            yield path
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def scratch_folder(self) -> Path:
        return self._scratch.folder

    # --- the bucket

    async def _prove(self) -> None:
        """Write, read, list and delete once, so that what is not allowed is known before anything depends on it."""
        key = f"{_PROBE}/{self._scratch.folder.name}"
        doing = "proving that the store can be used"
        try:
            await self._ask(obstore.put_async(self._bucket, key, key.encode()), doing)
            answer = await self._ask(obstore.get_async(self._bucket, key), doing)
            if bytes(await self._ask(answer.bytes_async(), doing)) != key.encode():
                raise StorageFailed(f"{self._url}: the store gives back other bytes than it was given")
            [page async for page in self._batches(_PROBE)]
            await self._ask(obstore.delete_async(self._bucket, key), doing)
        except KeyError:
            raise StorageFailed(f"{self._url}: the store does not find what was just written") from None

    async def _put(self, key: str, source: Path) -> None:
        try:
            await obstore.put_async(
                self._bucket, key, source, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE, mode="overwrite"
            )
        except (BaseError, OSError) as error:
            raise self._failed(error, f"writing {key}") from None

    async def _get(self, key: str, start: int, stop: int | None, version: str | None) -> "GetResult | None":
        """Ask for a range that is not empty, of this version where one is given; None when there are no bytes in it."""
        options: GetOptions = {}
        if version is not None:
            options["if_match"] = version
        if stop is not None:
            options["range"] = (start, stop)
        elif start:
            options["range"] = {"offset": start}
        try:
            return await asyncio.wait_for(obstore.get_async(self._bucket, key, options=options), _CALL_SECONDS)
        except FileNotFoundError as error:
            raise self._missing(error, key) from None
        except BaseError as error:
            if is_beyond_the_end(error):
                return None
            raise

    async def _batches(self, prefix: str) -> AsyncIterator[list[Listed]]:
        """Yield what is below the prefix, as many at once as the store lists on a page."""
        pages = obstore.list(self._bucket, prefix=prefix, chunk_size=_DELETED_AT_ONCE)
        doing = f"listing {prefix}"
        while True:
            try:
                page = await self._ask(anext(pages), doing)
            except (StopAsyncIteration, KeyError):
                return
            yield [
                Listed(key=meta["path"], bytes=meta["size"], written_at=meta["last_modified"].timestamp())
                for meta in page
            ]

    async def _delete_listed(self, prefix: str, before: float) -> int:
        count = 0
        async for batch in self._batches(require_key(prefix)):
            keys = [one.key for one in batch if one.written_at < before]
            if keys:
                await self._delete(keys)
            count += len(keys)
        return count

    async def _delete(self, keys: list[str]) -> None:
        try:
            await self._ask(obstore.delete_async(self._bucket, keys), f"deleting {keys[0]}")
        except KeyError:  # one of them was deleted by somebody else; some stores leave it at that
            for key in keys if len(keys) > 1 else ():
                await self._delete([key])

    async def _ask(self, call: Awaitable[_T], doing: str) -> _T:
        """Raise `KeyError` for an object that is not there, `StorageFailed` for everything else."""
        try:
            return await asyncio.wait_for(call, _CALL_SECONDS)
        except FileNotFoundError as error:
            raise self._missing(error, doing) from None
        except (BaseError, OSError) as error:
            raise self._failed(error, doing) from None

    def _missing(self, error: BaseException, what: str) -> Exception:
        return self._failed(error, what) if is_without_bucket(error) else KeyError(what)

    def _failed(self, error: BaseException, doing: str) -> StorageFailed:
        return object_failed(error, self._url, doing)

    def _see_off(self, leaving: asyncio.Task[None]) -> None:
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


def _measure(path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return file.tell(), sha256
    except OSError as error:
        raise disk_failed(error, str(path)) from error


def _append(path: Path, piece: bytes) -> None:
    try:
        with path.open("ab", buffering=0) as file:
            rest = memoryview(piece)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError as error:
        raise disk_failed(error, str(path)) from error
