"""The job store in PostgreSQL: a group committer for writes, a few connections for reads, one for what other nodes tell.

The one rule: leases go by the database's own clock, the only one that all nodes share. The argument `now` of what is about
leases is not used, unless a test stands in for that clock.
"""

from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from reelway.core.nodes import Signal
from reelway.store import leases
from reelway.store.database import DatabaseStore
from reelway.store.postgres.committer import Committer
from reelway.store.postgres.connections import Database, Patience
from reelway.store.postgres.preparing import prepare
from reelway.store.postgres.readers import Readers
from reelway.store.postgres.signals import Ear, Voice
from reelway.store.queries import Work

__all__ = ["PostgresStore"]

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")
_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")


class PostgresStore(DatabaseStore):
    """Keeps jobs in the database at `url`. Any number of processes may use it at once."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = 8,
        patience: Patience | None = None,
        callers_clock: bool = False,
    ) -> None:
        """Read on up to `connections` at once. With `callers_clock`, for tests, leases go by the argument `now`."""
        self._database = Database(url, patience or Patience())
        self._callers_clock = callers_clock
        self._readers = Readers(self._database, connections)
        self._voice = Voice(self._readers)
        self._ear = Ear(self._database, self._voice.name)
        self._committer = Committer(self._database, self._voice.say)

    @property
    def commits(self) -> int:
        """How many transactions were committed since `open`; compare with the number of writes to see them share."""
        return self._committer.commits

    async def open(self) -> None:
        await prepare(self._database)
        await self._committer.open()
        self._readers.open()

    async def close(self) -> None:
        await self._ear.close()
        await self._committer.close()
        await self._voice.finish()
        await self._readers.close()

    async def shared_time(self) -> float | None:
        return await self._readers.run(leases.shared_time)

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        await self._ear.listen(hear)

    async def tell(self, *signals: Signal) -> None:
        self._voice.say(signals)

    # --- how reads and writes are performed

    async def _write(
        self,
        write: Callable[[Sequence[_Item]], Work[Sequence[_Outcome]]],
        item: _Item,
        signal: Signal | None = None,
        turns: tuple[str, ...] = (),
    ) -> _Outcome:
        return await self._committer.run(write, item, signal, turns)

    async def _look(
        self, read: Callable[_Arguments, Work[_Found]], /, *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Found:
        return await self._readers.run(read, *arguments, **named)

    async def _search(
        self, read: Callable[_Arguments, Work[_Found]], /, *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Found:
        return await self._readers.run(read, *arguments, **named)

    def _clock(self, now: float) -> float | None:
        return now if self._callers_clock else None
