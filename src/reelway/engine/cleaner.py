"""One duty: bytes whose time is over go away, and so does whatever else was to be done after a record was written.

The one rule: the record is written first, with an errand beside it, and the errand does the rest. So no record names bytes that
are gone, no crash leaves bytes that nobody will remove, and any number of nodes may clean at once.
"""

import asyncio
import contextlib

from reelway.core.errands import Errand, ExpireInputs, SweepOrphans
from reelway.core.errors import LeaseLost, StorageFailed
from reelway.core.jobs import Job, JobEvent
from reelway.engine.errands import ErrandRunner
from reelway.engine.parting import expiry_errand, parting_errands
from reelway.engine.tools import Tools
from reelway.store.spec import Change
from reelway.telemetry import logger
from reelway.vendors.spec import CanDelete

__all__ = ["Cleaner"]

_log = logger("engine.clean")
_EVERY_SECONDS = 60.0
_SLICE = 200
_AT_ONCE = 16
_PARTING_SECONDS = 10.0
"""How long a caller who deletes waits for the bytes to be gone; they go all the same when it takes longer."""


class Cleaner:
    """Runs once a minute, when a dead node's errands are free again, and whenever there is a new one."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._runner = ErrandRunner(tools)
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        tools.errand_written = self._wake.set

    async def run(self) -> None:
        """Clean until the server stops."""
        self._name_vendors_that_cannot_delete()
        tools = self._tools
        stopped = asyncio.create_task(tools.stopping.wait())
        stopped.add_done_callback(lambda _: self._wake.set())
        try:
            while not tools.stopping.is_set():
                self._wake.clear()
                try:
                    await self._plan()
                    await self._expire_all()
                    await self._start_errands()
                except StorageFailed as error:
                    _log.warning("cleaning_failed", reason=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), min(_EVERY_SECONDS, self._runner.hold_seconds))
        finally:
            for task in (stopped, *self._running):
                task.cancel()
            await asyncio.gather(stopped, *self._running, return_exceptions=True)

    async def clean(self) -> int:
        """Do once what is due, to its end; return how many videos expired."""
        await self._plan()
        count = await self._expire_all()
        while await self._start_errands() or self._running:
            await asyncio.gather(*self._running)
        return count

    async def part_with(self, job: Job) -> None:
        """Delete the record of a final job, and everything that is kept of it; see `Engine.part_with`."""
        tools, now = self._tools, self._tools.clock()
        errands = parting_errands(
            job,
            await tools.store.get_many(job.takes),
            now,
            account_of=tools.account,
            adapters=tools.adapters,
        )
        await tools.store.delete(job.id, now, errands=errands)
        tools.checkpoint("deleted")
        removing = asyncio.create_task(self._runner.run(errands[0]))
        self._running.add(removing)
        removing.add_done_callback(self._finished)
        await asyncio.wait({removing}, timeout=_PARTING_SECONDS)

    async def _plan(self) -> None:
        """See to it that what comes round again is on record, once for all nodes."""
        now = self._tools.clock()
        for name, work in (("inputs", ExpireInputs()), ("sweep", SweepOrphans())):
            await self._tools.store.plan_errand(Errand(id=name, work=work, created_at=now, due_at=now))

    async def _expire_all(self) -> int:
        tools, now, count = self._tools, self._tools.clock(), 0
        while jobs := await tools.store.expiring(now, _SLICE):
            for job in jobs:
                count += await self._expire(job, now)
        return count

    async def _expire(self, job: Job, now: float) -> bool:
        """Say that a video's bytes are gone, and have them removed; False when another node, or a caller, was quicker."""
        expired = job.evolve(version=job.version + 1, updated_at=now, expired=True)
        event = JobEvent(seq=expired.version, at=now, state=job.state, name="expired")
        try:
            await self._tools.store.apply(Change(job=expired, event=event, errands=(expiry_errand(job, now),)))
        except LeaseLost:
            return False
        self._tools.checkpoint("expired")
        _log.info("video_expired", video_id=job.id)
        return True

    async def _start_errands(self) -> int:
        """Start what is due, as far as there is room; return how many errands that are."""
        tools, now = self._tools, self._tools.clock()
        room = _AT_ONCE - len(self._running)
        if room <= 0:
            return 0
        errands = await tools.store.due_errands(now, room, now + self._runner.hold_seconds)
        for errand in errands:
            task = asyncio.create_task(self._runner.run(errand), name=f"errand {errand.id}")
            self._running.add(task)
            task.add_done_callback(self._finished)
        return len(errands)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()  # there is room for another

    def _name_vendors_that_cannot_delete(self) -> None:
        """Tell the operator of accounts that are to delete their copies, and whose vendors have no way to."""
        for account in self._tools.router.accounts.values():
            adapter = self._tools.adapters.get(account.vendor)
            if account.delete_after_collect and not isinstance(adapter, CanDelete):
                _log.warning("vendor_cannot_delete", account=account.name, vendor=account.vendor)
