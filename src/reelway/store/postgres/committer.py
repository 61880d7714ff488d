"""The group committer before PostgreSQL: one connection that writes, and as many writers in one transaction as came meanwhile.

The one rule: a writer hears back only after COMMIT, and what it hears is true. Everything of a batch is first written
together; if one write refuses, the batch is rolled back and gone through again one by one, each behind a savepoint. When the
connection is lost before COMMIT was sent, nothing was written, and the batch is written anew on the next connection. When it is
lost afterwards, the number of the batch, which its own transaction left in the table `batches`, tells whether it arrived.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from reelway.core.errors import StorageFailed
from reelway.core.nodes import Signal
from reelway.store.postgres.connections import Connection, Database, perform
from reelway.store.postgres.failures import is_bad_luck, is_lost, is_refusal
from reelway.store.queries import Work, execute, fetch, load, take_turns

__all__ = ["Committer"]

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

_SQL = load("fleet")
_LARGEST_BATCH = 512
_TRIES = 5
"""How often a batch that others are in the way of, or whose connection breaks, is begun anew."""
_PAUSE_IN_DOUBT_SECONDS = 0.5


class _Pending(NamedTuple):
    """One writer that waits."""

    write: Callable[[Sequence[Any]], Work[Sequence[Any]]]
    item: Any
    signal: Signal | None
    turns: tuple[str, ...]
    future: asyncio.Future[Any]


class _Settled(NamedTuple):
    """What one writer will hear."""

    pending: _Pending
    value: Any
    error: Exception | None


class Committer:
    """Writes for one event loop. `tell` is called with the signals of what was committed."""

    def __init__(self, database: Database, tell: Callable[[Sequence[Signal]], None]) -> None:
        self._database = database
        self._tell = tell
        self._name = secrets.token_hex(8)
        """Whose batches these are; a new one for each opening."""
        self._number = 0
        self._gathered: list[_Pending] = []
        self._wake = asyncio.Event()
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False
        self._commits = 0

    @property
    def commits(self) -> int:
        """How many transactions were committed so far."""
        return self._commits

    async def open(self) -> None:
        """Connect; raise `StorageFailed` when that cannot be."""
        connection = await self._session()
        await perform(connection, execute(_SQL["note_batch"], writer=self._name, number=0))
        await perform(connection, execute(_SQL["forget_batches"]))
        self._task = asyncio.create_task(self._serve(), name="reelway-writer")

    async def close(self) -> None:
        """Finish what was accepted, then disconnect."""
        if self._task is None:
            return
        self._is_closing = True
        self._wake.set()
        task, self._task = self._task, None
        await task
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(Exception):
                await perform(connection, execute(_SQL["forget_writer"], writer=self._name))
            await _close(connection)

    async def run(
        self,
        write: Callable[[Sequence[_Item]], Work[Sequence[_Outcome]]],
        item: _Item,
        signal: Signal | None = None,
        turns: tuple[str, ...] = (),
    ) -> _Outcome:
        """Have an item written; return its outcome once it is committed, or raise what kept it from getting there.

        `turns` are those that writing it takes.
        """
        if self._task is None or self._is_closing:
            raise StorageFailed("the store is closed; nothing can be written any more")
        future: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._gathered.append(_Pending(write, item, signal, turns, future))
        self._wake.set()
        return await future

    # --- the writer

    async def _serve(self) -> None:
        while self._gathered or not self._is_closing:
            if not self._gathered:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch, self._gathered = self._gathered[:_LARGEST_BATCH], self._gathered[_LARGEST_BATCH:]
            try:
                settled = await self._commit(batch)
            except Exception as error:
                settled = [_Settled(pending, None, self._failure(error)) for pending in batch]
            _settle(settled)
            told = [one.pending.signal for one in settled if one.error is None and one.pending.signal is not None]
            if told:
                self._tell(told)

    async def _commit(self, batch: list[_Pending]) -> list[_Settled]:
        """Write a batch in one transaction, beginning anew where that can help."""
        tries = 0
        while True:
            tries += 1
            connection = await self._session()
            self._number += 1
            try:
                settled = await self._write(connection, batch)
            except Exception as error:
                await self._abandon(connection, error)
                if tries < _TRIES and (is_bad_luck(error) or is_lost(error)):
                    continue
                raise
            if all(one.error is not None for one in settled):
                await self._abandon(connection, None)
                return settled
            if await self._end(connection):
                self._commits += 1
                return settled
            if tries >= _TRIES:
                raise StorageFailed(
                    f"{self._database.place}: the connection breaks at every commit; nothing was written"
                )

    async def _write(self, connection: Connection, batch: list[_Pending]) -> list[_Settled]:
        """Begin, and write everything: together, or if that is refused one by one."""
        await self._begin(connection)
        try:
            return await _write_together(connection, batch)
        except Exception as error:
            if not is_refusal(error):
                raise
            if len(batch) == 1:
                return [_Settled(batch[0], None, self._database.explained(error))]
        await connection.execute("ROLLBACK")
        await self._begin(connection)
        # All turns in one order, lest one item's be kept while another's is waited for: two nodes would do so crosswise.
        for turn in sorted({turn for pending in batch for turn in pending.turns}):
            await perform(connection, take_turns(turn))
        return [await self._write_alone(connection, pending) for pending in batch]

    async def _begin(self, connection: Connection) -> None:
        await connection.execute("BEGIN")
        await perform(connection, execute(_SQL["note_batch"], writer=self._name, number=self._number))

    async def _write_alone(self, connection: Connection, pending: _Pending) -> _Settled:
        await connection.execute("SAVEPOINT alone")
        try:
            [value] = await perform(connection, pending.write([pending.item]))
        except Exception as error:
            if not is_refusal(error):
                raise
            await connection.execute("ROLLBACK TO alone")
            return _Settled(pending, None, self._database.explained(error))
        await connection.execute("RELEASE alone")
        return _Settled(pending, value, None)

    async def _end(self, connection: Connection) -> bool:
        """Commit; when the answer is lost, find out whether it was done. Only closing the store ends the search."""
        try:
            if await connection.execute("COMMIT") == "COMMIT":
                return True
        except Exception:
            self._drop(connection)
        else:
            return False  # the server says ROLLBACK: the transaction had failed before
        while True:
            try:
                return await self._has_arrived(await self._session())
            except Exception as error:
                reason = self._database.explained(error)
            if self._is_closing:
                raise StorageFailed(f"{reason}; whether the last writes arrived is not known")
            refused, self._gathered = self._gathered, []
            _settle([_Settled(pending, None, self._failure(reason)) for pending in refused])
            await asyncio.sleep(_PAUSE_IN_DOUBT_SECONDS)

    async def _has_arrived(self, connection: Connection) -> bool:
        """Wait until the former session's transaction is over, and read which batch was committed last."""
        try:
            rows = await perform(connection, fetch(_SQL["last_batch"], writer=self._name))
        except Exception:
            self._drop(connection)
            raise
        return bool(rows) and int(rows[0][0]) == self._number

    async def _session(self) -> Connection:
        """Return the connection, a new one where the last was lost; what that left behind at the server is ended first."""
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        purpose = f"reelway writer {self._name}"
        connection = await self._database.connect(purpose, answer_seconds=self._database.patience.write)
        try:
            await connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
            )
            await perform(connection, fetch(_SQL["end_former_sessions"], purpose=purpose))
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
        return connection

    async def _abandon(self, connection: Connection, error: Exception | None) -> None:
        """Roll back; a connection on which not even that succeeds is given up."""
        if connection.is_closed() or (error is not None and is_lost(error)):
            self._drop(connection)
            return
        try:
            await connection.execute("ROLLBACK")
        except Exception:
            self._drop(connection)

    def _failure(self, error: Exception) -> Exception:
        """Return an error for one of many writers: each raises its own."""
        failure = self._database.explained(error)
        return type(failure)(*failure.args) if failure is error else failure

    def _drop(self, connection: Connection) -> None:
        connection.terminate()
        if self._connection is connection:
            self._connection = None


async def _write_together(connection: Connection, batch: list[_Pending]) -> list[_Settled]:
    """Write everything, equal kinds of writes at once; raise when one of them refuses."""
    groups: dict[Callable[[Sequence[Any]], Work[Sequence[Any]]], list[_Pending]] = {}
    for pending in batch:
        groups.setdefault(pending.write, []).append(pending)
    settled: list[_Settled] = []
    for write, group in groups.items():
        values = await perform(connection, write([pending.item for pending in group]))
        settled.extend(_Settled(pending, value, None) for pending, value in zip(group, values, strict=True))
    return settled


def _settle(settled: Sequence[_Settled]) -> None:
    """Wake the writers; one that was cancelled meanwhile is not there to hear."""
    for pending, value, error in settled:
        if pending.future.done():
            continue
        if error is None:
            pending.future.set_result(value)
        else:
            pending.future.set_exception(error)


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=2.0)
    except Exception:
        connection.terminate()
