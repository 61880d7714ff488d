"""The group committer: one thread that writes, and as many writers in one transaction as came while the last was synced.

The one rule: a writer hears back only after COMMIT. Everything of a batch is first written together; if one write refuses
(a lease was lost, a key is taken), the batch is rolled back and gone through again one by one, each behind a savepoint, so
that nobody pays for a neighbour. Writes must therefore bear to be run again. If the transaction itself fails, everybody in
it hears why.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from reelway.core.errors import StorageFailed
from reelway.store.connections import perform
from reelway.store.failures import is_refusal
from reelway.store.queries import Work

__all__ = ["Committer"]

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

_LARGEST_BATCH = 512
"""Writers handed over at once; a batch is at most one and a half of it, which bounds how long the first waits for the last."""


class _Pending(NamedTuple):
    """One writer that waits. `write` takes many items at once, so that equal writes become one statement."""

    write: Callable[[Sequence[Any]], Work[Sequence[Any]]]
    item: Any
    future: asyncio.Future[Any]


class _Settled(NamedTuple):
    """What one writer will hear."""

    future: asyncio.Future[Any]
    value: Any
    error: Exception | None


class Committer:
    """Writes for one event loop. `connect` is called in the writer's thread; `explain` turns a failure into words."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], explain: Callable[[Exception], Exception]) -> None:
        self._connect = connect
        self._explain = explain
        self._gathered: list[_Pending] = []
        self._inbox: queue.SimpleQueue[list[_Pending] | None] = queue.SimpleQueue()
        self._is_open = False
        self._commits = 0

    @property
    def commits(self) -> int:
        """How many transactions were committed so far."""
        return self._commits

    async def open(self) -> None:
        """Start the writer; raise what opening its connection raised."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._serve, args=(opened,), name="reelway-writer", daemon=True)
        self._thread.start()
        await opened
        self._is_open = True

    async def close(self) -> None:
        """Finish what was accepted, then end the thread."""
        if self._is_open:
            self._is_open = False
            self._hand_over()
            self._inbox.put(None)
            await asyncio.to_thread(self._thread.join)

    async def run(self, write: Callable[[Sequence[_Item]], Work[Sequence[_Outcome]]], item: _Item) -> _Outcome:
        """Have an item written; return its outcome once it is on disk, or raise what kept it from getting there."""
        if not self._is_open:
            raise StorageFailed("the store is closed; nothing can be written any more")
        future: asyncio.Future[_Outcome] = self._loop.create_future()
        if not self._gathered:
            # Whoever else gets its turn in this round of the loop comes along: one wake-up, one transaction.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(_Pending(write, item, future))
        return await future

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        for start in range(0, len(gathered), _LARGEST_BATCH):
            self._inbox.put(gathered[start : start + _LARGEST_BATCH])

    # --- in the writer's thread

    def _serve(self, opened: asyncio.Future[None]) -> None:
        try:
            connection = self._connect()
        except Exception as error:
            self._tell([_Settled(opened, None, self._explain(error))])
            return
        try:
            self._tell([_Settled(opened, None, None)])
            is_last = False
            while not is_last:
                batch, is_last = self._next_batch()
                if batch:
                    self._tell(self._commit(connection, batch))
        finally:
            connection.close()

    def _next_batch(self) -> tuple[list[_Pending], bool]:
        """Wait for writers, then take all that came meanwhile; the flag says that nobody will come any more."""
        batch: list[_Pending] = []
        arrived = self._inbox.get()
        while arrived is not None:
            batch.extend(arrived)
            if len(batch) >= _LARGEST_BATCH // 2:
                return batch, False
            try:
                arrived = self._inbox.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, connection: sqlite3.Connection, batch: list[_Pending]) -> list[_Settled]:
        try:
            connection.execute("BEGIN IMMEDIATE")
            settled = _write_together(connection, batch)
            if settled is None:
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                settled = [self._write_alone(connection, pending) for pending in batch]
            connection.execute("COMMIT")
        except Exception as error:
            _roll_back(connection)
            return [_Settled(pending.future, None, self._explain(error)) for pending in batch]
        self._commits += 1
        return settled

    def _write_alone(self, connection: sqlite3.Connection, pending: _Pending) -> _Settled:
        connection.execute("SAVEPOINT alone")
        try:
            [value] = perform(connection, pending.write([pending.item]))
        except Exception as error:
            if not is_refusal(error) or not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO alone")
            connection.execute("RELEASE alone")
            return _Settled(pending.future, None, self._explain(error))
        connection.execute("RELEASE alone")
        return _Settled(pending.future, value, None)

    def _tell(self, settled: list[_Settled]) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:
            return  # the loop was closed without closing the store: nobody is left to hear


def _write_together(connection: sqlite3.Connection, batch: list[_Pending]) -> list[_Settled] | None:
    """Write everything, equal kinds of writes at once; None when one of them refuses."""
    groups: dict[Callable[[Sequence[Any]], Work[Sequence[Any]]], list[_Pending]] = {}
    for pending in batch:
        groups.setdefault(pending.write, []).append(pending)
    settled: list[_Settled] = []
    for write, group in groups.items():
        try:
            values = perform(connection, write([pending.item for pending in group]))
        except Exception as error:
            if not is_refusal(error) or not connection.in_transaction:
                raise
            return None
        settled.extend(_Settled(pending.future, value, None) for pending, value in zip(group, values, strict=True))
    return settled


def _roll_back(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        pass  # the reason is being told already; a transaction that cannot be rolled back was rolled back by SQLite


def _settle(settled: list[_Settled]) -> None:
    """In the loop: wake the writers; one that was cancelled meanwhile is not there to hear."""
    for future, value, error in settled:
        if future.done():
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
