"""One duty: keep this node's lease, and adopt the jobs nobody owns (this node's own from before a crash, or a dead node's)."""

from reelway.core.errors import LeaseLost, StorageFailed
from reelway.engine.tools import Tools
from reelway.engine.worker import Worker
from reelway.telemetry import logger

__all__ = ["Rescuer"]

_log = logger("engine.rescue")
_SLICE = 1000


class Rescuer:
    """Renews and adopts, three times a lease."""

    def __init__(self, tools: Tools, worker: Worker, node: str) -> None:
        self._tools = tools
        self._worker = worker
        self._node = node

    async def join(self) -> None:
        """Take the lease and everything that is orphaned already."""
        tools = self._tools
        tools.node = self._node
        lease_until = tools.monotonic() + tools.limits.lease_seconds
        tools.epoch = await tools.store.join(self._node, tools.clock(), tools.limits.lease_seconds)
        tools.lease_until = lease_until
        await self._adopt()

    async def run(self) -> None:
        """Keep the lease until the server stops."""
        tools = self._tools
        while not tools.stopping.is_set():
            await tools.pause(tools.limits.lease_seconds / 3)
            if tools.stopping.is_set():
                return
            try:
                lease_until = tools.monotonic() + tools.limits.lease_seconds
                await tools.store.renew(self._node, tools.epoch, tools.clock(), tools.limits.lease_seconds)
                tools.lease_until = lease_until
                await self._adopt()
            except LeaseLost:
                _log.warning("node_lease_lost", node=self._node, epoch=tools.epoch)
                self._worker.drop_all()
                await self.join()
            except StorageFailed as error:
                _log.error("lease_not_renewed", node=self._node, reason=str(error))

    async def _adopt(self) -> None:
        tools = self._tools
        while True:
            jobs = await tools.store.claim(self._node, tools.epoch, tools.clock(), _SLICE)
            for job in jobs:
                self._worker.adopt(job)
            if jobs:
                _log.info("jobs_adopted", node=self._node, count=len(jobs))
            if len(jobs) < _SLICE:
                return
