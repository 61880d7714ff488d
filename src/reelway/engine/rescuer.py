"""One duty: keep this node's lease, adopt the jobs nobody owns (this node's own from before a crash, or a dead node's), and
find out at each renewal what no signal may have told.

The one rule: the lease is counted from before it was asked for, on this process's own monotonic clock, so that the store never
thinks it over while this node thinks it holds.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from reelway.core.errors import LeaseLost, StorageFailed
from reelway.core.jobs import Job
from reelway.core.nodes import NodeFacts, Signal
from reelway.engine.tools import Tools
from reelway.engine.worker import Worker
from reelway.telemetry import logger

__all__ = ["Rescuer"]

_log = logger("engine.rescue")
_SLICE = 1000
_LOOKS_A_SECOND = 500
_RETRY_SECONDS = 1.0
"""After a renewal that the store refused: well within a lease."""
_LOOKS = 4
"""How often it is looked for a job of which this node does not know whether it was written: for longer than a lease."""


class Rescuer:
    """Renews and adopts, three times a lease; adopts at once when a signal says that there is something."""

    def __init__(self, tools: Tools, worker: Worker, node: str, facts: NodeFacts) -> None:
        self._tools = tools
        self._worker = worker
        self._node = node
        self._facts = facts
        self._wake = asyncio.Event()
        self._renew_at = 0.0
        self._has_joined = False
        self._unsure: dict[str, int] = {}
        self.asked_to_drain: Callable[[], None] = lambda: None
        """Called when the store says so; set by whoever can drain."""

    def wake(self) -> None:
        """Look for jobs now."""
        self._wake.set()

    def look_for(self, job_ids: Iterable[str]) -> None:
        """Find out what became of jobs of which this node only knows that it may have them.

        A write whose answer was lost has either happened or not: the row tells.
        """
        self._unsure.update(dict.fromkeys(job_ids, _LOOKS))
        self.wake()

    async def join(self) -> None:
        """Take the lease and everything that is orphaned already."""
        tools = self._tools
        tools.node = self._node
        await self._set_clock()
        begun = tools.monotonic()
        tools.epoch = await tools.store.join(self._node, tools.clock(), tools.limits.lease_seconds, self._facts)
        self._has_joined = True
        _log.info("node_joined", epoch=tools.epoch, role=self._facts.role)
        self._count_from(begun)
        if tools.draining.is_set():
            await tools.store.ask_to_drain(self._node, tools.clock())
        await self._share()
        await self._take_on()

    async def run(self) -> None:
        """Keep the lease until the server stops."""
        tools = self._tools
        while not tools.stopping.is_set():
            await self._rest()
            if tools.stopping.is_set():
                return
            try:
                await self._tend()
            except LeaseLost:
                _log.warning("node_lease_lost", node=self._node, epoch=tools.epoch, jobs=len(self._worker))
                self._has_joined = False
                tools.lease_until = 0.0
                self._worker.drop_all()
                self._renew_at = 0.0
            except StorageFailed as error:
                _log.error("lease_not_renewed", node=self._node, holds=tools.has_lease(), reason=str(error))
                self._renew_at = tools.monotonic() + min(_RETRY_SECONDS, tools.limits.lease_seconds / 3)

    async def hand_back(self, job_ids: Iterable[str]) -> None:
        """Give jobs back in slices, each for others to claim at once. What the store refuses goes when the lease ends."""
        left = tuple(job_ids)
        with contextlib.suppress(StorageFailed):
            while left:
                slice_, left = left[:_SLICE], left[_SLICE:]
                await self._tools.store.hand_back(self._node, self._tools.epoch, slice_)
                self._tools.teller.tell(Signal(kind="queued"))

    async def _rest(self) -> None:
        left = self._renew_at - self._tools.monotonic()
        if left > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)
        self._wake.clear()

    async def _tend(self) -> None:
        if not self._has_joined:
            await self.join()
        elif self._tools.monotonic() >= self._renew_at:
            await self._renew()
        await self._take_on()

    async def _renew(self) -> None:
        tools = self._tools
        begun = tools.monotonic()
        asked = await tools.store.renew(self._node, tools.epoch, tools.clock(), tools.limits.lease_seconds)
        self._count_from(begun)
        if asked and not tools.draining.is_set():
            self.asked_to_drain()
        for job_id, wished_at in await tools.store.cancel_wishes(self._node, tools.epoch):
            self._worker.learn_cancel(job_id, wished_at)
        await self._set_clock()
        await self._share()

    def _count_from(self, begun: float) -> None:
        limits = self._tools.limits
        self._tools.lease_until = begun + limits.lease_seconds
        self._renew_at = begun + limits.lease_seconds / 3
        self._worker.wake()

    async def _share(self) -> None:
        """Take this node's part of every account's limits."""
        names = await self._tools.store.live_nodes(self._tools.clock())
        if self._node in names:
            self._tools.share(names.index(self._node), len(names))

    async def _set_clock(self) -> None:
        """Follow the clock that all nodes share, where the store has one."""
        shared = await self._tools.store.shared_time()
        if shared is not None:
            self._tools.set_clock(shared)

    async def _take_on(self) -> None:
        if self._unsure:
            await self._look()
        if self._facts.role == "api":
            return
        if self._tools.draining.is_set():
            await self.hand_back(self._worker.let_go())
            return
        await self._adopt()

    async def _look(self) -> None:
        found = await self._tools.store.get_many(tuple(self._unsure))
        for job in found:
            del self._unsure[job.id]
            if self._is_ours(job):
                _log.info("job_found_again", video_id=job.id, state=str(job.state))
                self._worker.adopt(job)
            elif job.is_final and job.parent is not None:
                self._worker.part_ended(job.parent)
        self._unsure = {job_id: looks - 1 for job_id, looks in self._unsure.items() if looks > 1}

    def _is_ours(self, job: Job) -> bool:
        holds = (job.owner, job.epoch) == (self._node, self._tools.epoch)
        return holds and not job.is_final and job.id not in self._worker

    async def _adopt(self) -> None:
        tools, count = self._tools, 0
        while True:
            jobs = await tools.store.claim(self._node, tools.epoch, tools.clock(), _SLICE)
            for job in jobs:
                count += 1
                self._worker.adopt(job, self._pause_seconds(count))
            if jobs:
                _log.info("jobs_adopted", node=self._node, count=len(jobs))
            if len(jobs) < _SLICE:
                return

    def _pause_seconds(self, count: int) -> float:
        """Return how long the first look at adopted job number `count` waits: many at once must not storm their vendors."""
        tools = self._tools
        return min(count / _LOOKS_A_SECOND, tools.limits.longest_poll_seconds * tools.random())
