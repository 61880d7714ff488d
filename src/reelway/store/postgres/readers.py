"""The connections on which is read: as many as are needed at once, up to a limit, kept for the next reader.

The one rule: a read changes nothing, so one whose connection turns out to be dead is simply read again on a new one.
"""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from reelway.core.errors import StorageFailed
from reelway.store.postgres.connections import Connection, Database, perform
from reelway.store.postgres.failures import is_lost
from reelway.store.queries import Work

__all__ = ["Readers"]

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")


class Readers:
    """Connections to read on, made when they are first needed."""

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._places = asyncio.Semaphore(limit)
        self._idle: list[Connection] = []
        self._is_open = False

    def open(self) -> None:
        self._is_open = True

    async def close(self) -> None:
        """Disconnect; readers that are still at it are cut off when their statement is done."""
        self._is_open = False
        idle, self._idle = self._idle, []
        for connection in idle:
            try:
                await connection.close(timeout=2.0)
            except Exception:
                connection.terminate()

    async def run(
        self,
        read: Callable[_Arguments, Work[_Found]],
        /,
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Found:
        """Return what a read comes to. Raise `StorageFailed` when the database is away."""
        if not self._is_open:
            raise StorageFailed("the store is not open; nothing can be read")
        async with self._places:
            while True:
                connection, is_fresh = await self._connection()
                try:
                    found = await perform(connection, read(*arguments, **named))
                except Exception as error:
                    self._take_back(connection, is_usable=not is_lost(error))
                    if is_lost(error) and not is_fresh:
                        continue  # it was idle while the server restarted; sooner or later a new one is made
                    raise self._database.explained(error) from error
                except BaseException:
                    self._take_back(connection, is_usable=False)  # cancelled in the middle of an answer
                    raise
                self._take_back(connection, is_usable=True)
                return found

    async def _connection(self) -> tuple[Connection, bool]:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection, False
        seconds = self._database.patience.read
        return await self._database.connect("reelway reader", answer_seconds=seconds), True

    def _take_back(self, connection: Connection, *, is_usable: bool) -> None:
        if is_usable and self._is_open and not connection.is_closed():
            self._idle.append(connection)
        else:
            connection.terminate()
