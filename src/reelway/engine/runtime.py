"""The engine as one thing: started, asked, stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from reelway.core.jobs import Job
from reelway.core.messages import Message
from reelway.engine.board import Board
from reelway.engine.callbacks import Callbacks
from reelway.engine.cleaner import Cleaner
from reelway.engine.rescuer import Rescuer
from reelway.engine.tools import Tools
from reelway.engine.worker import Worker
from reelway.telemetry import logger
from reelway.vendors.spec import Callback

__all__ = ["Engine"]

_log = logger("engine")


class Engine:
    """Performs jobs. One per process."""

    def __init__(self, tools: Tools, node: str) -> None:
        self._tools = tools
        self._worker = Worker(tools)
        self._rescuer = Rescuer(tools, self._worker, node)
        self._cleaner = Cleaner(tools)
        self._callbacks = Callbacks(tools, self._worker)
        self._duties: list[asyncio.Task[None]] = []

    @property
    def board(self) -> Board:
        """Live progress and wake-up calls."""
        return self._tools.board

    @property
    def node(self) -> str:
        return self._tools.node

    @property
    def epoch(self) -> int:
        return self._tools.epoch

    @property
    def unfinished(self) -> int:
        """How many jobs this node works on."""
        return len(self._worker)

    def checkpoint(self, point: str) -> None:
        """Pass a named point; see `Tools.checkpoint`."""
        self._tools.checkpoint(point)

    def typical_seconds(self, job: Job) -> float:
        """Return how long this model usually takes to render."""
        return self._tools.typical_seconds(job)

    async def start(self) -> None:
        """Take the lease, adopt what is orphaned, and begin to work."""
        self._tools.durations.load(await self._tools.store.render_seconds())
        await self._rescuer.join()
        for duty in (self._worker.run, self._rescuer.run, self._cleaner.run):
            self._duties.append(asyncio.create_task(duty(), name=duty.__qualname__))

    async def stop(self) -> None:
        """Finish what must not be cut, hand everything back, and end."""
        self._tools.stopping.set()
        self.board.close()
        await self._worker.stop()
        await asyncio.gather(*self._duties, return_exceptions=True)
        await self._tools.store.leave(self._tools.node, self._tools.epoch)
        _log.info("engine_stopped", node=self._tools.node)

    def healthy(self) -> bool:
        """Whether every duty is running."""
        return (
            bool(self._duties) and not self._tools.stopping.is_set() and not any(duty.done() for duty in self._duties)
        )

    def adopt(self, jobs: tuple[Job, ...], *, told: bool = False) -> None:
        """Begin to work on jobs this node has just created; `told` when a message was written beside them."""
        for job in jobs:
            self._worker.adopt(job)
        if told:
            self._tools.message_written()

    def first_message(self, job: Job) -> Message | None:
        """Return what the caller is told of a video that is being created, to be written beside it."""
        return self._tools.message_of(job, job.created_at, before=None)

    async def hear(
        self, video_id: str, attempt: str, secret: str, read: Callable[[], Awaitable[Callback]]
    ) -> dict[str, Any] | None:
        """Take a vendor's callback; see `Callbacks.hear`."""
        return await self._callbacks.hear(video_id, attempt, secret, read)

    async def part_with(self, job: Job) -> None:
        """Delete a final job with its takes and everything that is kept of them, here and, where asked for, at the vendor.

        The record goes first, and with it, written in the same moment, comes what is left to do: whatever happens now, the
        bytes go too.
        """
        await self._cleaner.part_with(job)

    async def cancel(self, job: Job) -> None:
        """Ask for a job to be cancelled: written down, then acted upon by whoever owns it."""
        now = self._tools.clock()
        await self._tools.store.request_cancel(job.id, now)
        self._worker.cancel(job.id, now)
