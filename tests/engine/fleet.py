"""Several engines on one set of records, each as if in a process of its own: they meet in the store and in signals alone.

Time is real, so that leases mean something; the vendor follows one script for all.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.engine.dying import ACME
from tests.engine.scripted import LIMITS, Acme, CallingFindingAcme, Script, Stage

from reelway.core.errors import StorageFailed
from reelway.core.jobs import Job
from reelway.core.nodes import NodeFacts, Role, Signal
from reelway.store.spec import Change, Created, Creation
from reelway.store.sqlite import SqliteStore

__all__ = ["LEASE_SECONDS", "FleetStage", "Wire"]

LEASE_SECONDS = 1.5
PUBLIC = "https://video.example.test"


class Wire:
    """Carries signals between stores, as PostgreSQL does; cut, it carries none."""

    def __init__(self) -> None:
        self.is_cut = False
        self.carried: list[Signal] = []
        self._ears: list[tuple[SqliteStore, Callable[[Signal], None]]] = []

    def join(self, store: SqliteStore, hear: Callable[[Signal], None]) -> None:
        self._ears.append((store, hear))

    def carry(self, origin: SqliteStore, *signals: Signal) -> None:
        if self.is_cut:
            return
        self.carried += signals
        for store, hear in self._ears:
            if store is not origin:
                for signal in signals:
                    hear(signal)


class WiredStore(SqliteStore):
    """Tells others of its commits; can be out of reach, and can lose the answer to a commit."""

    def __init__(self, path: Path, wire: Wire) -> None:
        super().__init__(path)
        self._wire = wire
        self.is_down = False
        self.loses: Callable[[str], bool] = lambda name: False
        """Whether the answer to the write of the event with this name is lost, though it was written."""

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        self._wire.join(self, hear)

    async def tell(self, *signals: Signal) -> None:
        self._wire.carry(self, *signals)

    async def create(self, creation: Creation) -> Created:
        self._reach()
        created = await super().create(creation)
        if self.loses("created"):
            raise StorageFailed("the connection broke")
        return created

    async def apply(self, change: Change) -> None:
        self._reach()
        await super().apply(change)
        self._wire.carry(self, Signal(kind="changed", job_id=change.job.id))
        if change.event is not None and self.loses(change.event.name):
            raise StorageFailed("the connection broke")

    async def request_cancel(self, job_id: str, now: float) -> None:
        self._reach()
        await super().request_cancel(job_id, now)
        self._wire.carry(self, Signal(kind="cancel", job_id=job_id))

    async def renew(self, node: str, epoch: int, now: float, lease_seconds: float) -> bool:
        self._reach()
        return await super().renew(node, epoch, now, lease_seconds)

    async def claim(self, node: str, epoch: int, now: float, limit: int) -> tuple[Job, ...]:
        self._reach()
        return await super().claim(node, epoch, now, limit)

    def _reach(self) -> None:
        if self.is_down:
            raise StorageFailed("the database is out of reach")


class FleetStage(Stage):
    """One node."""

    store: WiredStore

    def __init__(
        self, folder: Path, script: Script, wire: Wire, node: str, *, role: Role = "all", adapter: Acme | None = None
    ) -> None:
        super().__init__(
            folder,
            script,
            adapter or CallingFindingAcme(script),
            (ACME,),
            public_url=PUBLIC,
            store=WiredStore(folder / "reelway.db", wire),
            node=node,
            facts=NodeFacts(role=role),
        )
        self.tools.limits = LIMITS.evolve(lease_seconds=LEASE_SECONDS, callback_wait_seconds=1e6, retry_seconds=0.01)
        self.is_frozen = False

    def clock(self) -> float:
        return time.time()

    def job(self, **changes: Any) -> Job:
        owner, epoch = self.engine.ownership
        return super().job(**{"owner": owner, "epoch": epoch, **changes})

    async def create(self, job: Job, takes: tuple[Job, ...] = ()) -> None:
        await super().create(job, takes)
        if job.owner is None:
            self.engine.adopt((*takes, job))

    def die(self) -> None:
        """Be gone without a word: nothing of it goes on."""
        for task in [*self.engine._duties, *self.engine._worker._steps]:
            task.cancel()
        self.is_frozen = True

    async def close(self) -> None:
        if not self.is_frozen:
            await self.engine.stop()
        await self.transport.close()
        await self.assets.close()
        await self.store.close()
