"""The contract of an asset store. Every implementation runs `tests/assets/conformance.py`.

A key is a relative path of lower-case letters, digits, `_`, `-`, `.` and `/`. An asset appears whole or not at all: bytes become
visible under their key only by `commit`, after they reached the disk. Nothing is ever held in memory whole.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from reelway.core.record import Record
from reelway.core.videos import Blob

__all__ = ["AssetStore", "AssetWriter", "Listed", "Stored"]


class Stored(Record):
    """What was written."""

    key: str
    bytes: int
    sha256: str

    def as_blob(
        self, media_type: str, *, width: int | None = None, height: int | None = None, seconds: float | None = None
    ) -> Blob:
        """Return what records say of it."""
        return Blob(
            key=self.key,
            sha256=self.sha256,
            bytes=self.bytes,
            media_type=media_type,
            width=width,
            height=height,
            seconds=seconds,
        )


class Listed(Record):
    """One asset as a listing names it."""

    key: str
    bytes: int
    written_at: float
    """When it was last written, Unix seconds."""


class AssetWriter(Protocol):
    """One asset in the making. Leaving the context without `commit` leaves no trace."""

    @property
    def bytes_written(self) -> int: ...

    @property
    def path(self) -> Path:
        """A local file with everything written up to the last `flush`, there until the context is left or `commit` moves it.

        Only to be read. So a file can be decoded before it is committed, wherever the store keeps its bytes.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def write(self, piece: bytes) -> None:
        """Append. Raise `TooLarge` beyond the writer's limit, `StorageFailed` when the disk is full or broken."""
        ...

    async def flush(self) -> None:
        """Bring everything written so far into the file at `path`; it is not durable by that."""
        ...

    async def restart(self) -> None:
        """Forget what was written so far."""
        ...

    async def commit(self) -> Stored:
        """Make it durable and visible."""
        ...


class AssetStore(Protocol):
    """Keeps bytes under keys."""

    async def open(self) -> None:
        """Raise `StorageFailed` with what to do when the place cannot be used."""
        ...

    async def close(self) -> None: ...

    def writer(self, key: str, *, limit_bytes: int) -> AssetWriter: ...

    async def put_file(self, key: str, source: Path) -> Stored:
        """Move a finished local file under the key."""
        ...

    def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to, not including, `stop`. Raise `KeyError` when there is no such asset."""
        ...

    async def size(self, key: str) -> int | None: ...

    async def delete(self, key: str) -> None:
        """Remove one asset; no error when it is not there."""
        ...

    async def delete_under(self, prefix: str) -> int:
        """Remove every asset whose key begins with `prefix/`; return how many."""
        ...

    async def delete_older(self, prefix: str, before: float) -> int:
        """Remove assets under `prefix/` last written before this Unix time; return how many."""
        ...

    def listed(self, prefix: str) -> AsyncIterator[Listed]:
        """Yield every asset whose key begins with `prefix/`, in no order, without ever holding all of them in memory.

        What is written or deleted meanwhile may be among them or not.
        """
        ...

    def local_path(self, key: str) -> Path | None:
        """Return the file behind the key where there is one on this machine (it may not exist), else None."""
        ...

    def local_copy(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Give a local file with these bytes, only to be read, until the context is left. Raise `KeyError` when there is none.

        It is the asset's own file where the store has one, else a copy in the scratch folder.
        """
        ...

    def scratch_folder(self) -> Path:
        """A folder on the same disk for files on their way in; created, and emptied by `open`."""
        ...
