"""The job store in one SQLite file: a group committer for writes, and reads that never wait for a sync.

The one rule: what touches a handful of rows by an index is read where it is asked, on the event loop's own connection (some
15 µs, less than handing it to a thread); whatever may pass over many rows is read in a thread.
"""

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from reelway.core.errors import StorageFailed
from reelway.core.nodes import Signal
from reelway.store.committer import Committer
from reelway.store.connections import BUSY_SECONDS, connect_to_read, connect_to_write, perform, prepare
from reelway.store.database import DatabaseStore
from reelway.store.failures import explained
from reelway.store.queries import Work

__all__ = ["SqliteStore"]

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")
_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

_READING_THREADS = 2


class SqliteStore(DatabaseStore):
    """Keeps jobs in the file at `path`. Several processes may use one file; each sees the others' commits at once."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._committer = Committer(
            lambda: connect_to_write(path, busy_seconds=busy_seconds), lambda error: explained(error, path)
        )
        self._reader: sqlite3.Connection | None = None
        self._spare_readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def commits(self) -> int:
        """How many transactions were committed since `open`; compare with the number of writes to see them share."""
        return self._committer.commits

    async def open(self) -> None:
        await asyncio.to_thread(prepare, self._path, busy_seconds=self._busy_seconds)
        await self._committer.open()
        try:
            self._reader = self._connect_to_read()
            for _ in range(_READING_THREADS):
                self._spare_readers.put(self._connect_to_read())
        except sqlite3.Error as error:
            await self.close()
            raise explained(error, self._path) from error
        self._threads = ThreadPoolExecutor(_READING_THREADS, thread_name_prefix="reelway-reader")

    async def close(self) -> None:
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
            self._threads = None
        while not self._spare_readers.empty():
            self._spare_readers.get().close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        await self._committer.close()

    async def shared_time(self) -> float | None:
        return None

    # --- signals between processes: a server has its file to itself

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Nobody else tells anything."""

    async def tell(self, *signals: Signal) -> None:
        """Nobody else listens."""

    # --- how reads and writes are performed

    def _connect_to_read(self) -> sqlite3.Connection:
        return connect_to_read(self._path, busy_seconds=self._busy_seconds)

    async def _write(
        self,
        write: Callable[[Sequence[_Item]], Work[Sequence[_Outcome]]],
        item: _Item,
        signal: Signal | None = None,
        turns: tuple[str, ...] = (),
    ) -> _Outcome:
        """No other process writes meanwhile, so there are no turns to take, and nobody to tell."""
        return await self._committer.run(write, item)

    async def _look(
        self, read: Callable[_Arguments, Work[_Found]], /, *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Found:
        if self._reader is None:
            raise StorageFailed("the store is not open; nothing can be read")
        try:
            return perform(self._reader, read(*arguments, **named))
        except sqlite3.Error as error:
            raise explained(error, self._path) from error

    async def _search(
        self, read: Callable[_Arguments, Work[_Found]], /, *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Found:
        if self._threads is None:
            raise StorageFailed("the store is not open; nothing can be read")

        def read_there() -> _Found:
            connection = self._spare_readers.get()
            try:
                return perform(connection, read(*arguments, **named))
            except sqlite3.Error as error:
                raise explained(error, self._path) from error
            finally:
                self._spare_readers.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads, read_there)
