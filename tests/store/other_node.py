"""Another node in the middle of a transaction: it does what a node does, and stops where the test wants it to."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import asyncpg

from reelway.store.postgres.connections import perform
from reelway.store.queries import Work

__all__ = ["OtherNode", "stopped_by_a_lock"]

_Found = TypeVar("_Found")


class OtherNode:
    """A session with an open transaction."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> "OtherNode":
        self.connection = await asyncpg.connect(self._url)
        await self.connection.execute("BEGIN")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.connection.terminate()

    async def does(self, work: Work[_Found]) -> _Found:
        """Do something without committing it."""
        return await perform(self.connection, work)

    async def commits(self) -> None:
        await self.connection.execute("COMMIT")

    async def gives_up(self) -> None:
        await self.connection.execute("ROLLBACK")


async def stopped_by_a_lock(url: str, doing: Awaitable[_Found]) -> "asyncio.Future[_Found]":
    """Begin something, wait until it waits for another session's lock, and return what it will come to."""
    future = asyncio.ensure_future(doing)
    watching = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(10):
        while not await watching.fetchval(waiting):
            assert not future.done(), "it waited for nobody"
    await watching.close()
    return future
