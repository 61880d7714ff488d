"""The engine as one thing: started, asked, drained, stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from reelway.core.errors import StorageFailed
from reelway.core.jobs import Job
from reelway.core.messages import Message
from reelway.core.nodes import NodeFacts, Signal
from reelway.engine.board import Board
from reelway.engine.callbacks import Callbacks
from reelway.engine.cleaner import Cleaner
from reelway.engine.dispatching import Place
from reelway.engine.rescuer import Rescuer
from reelway.engine.tools import Tools
from reelway.engine.worker import Worker
from reelway.telemetry import logger
from reelway.vendors.spec import Callback

__all__ = ["Engine"]

_log = logger("engine")
_ANYWHERE = NodeFacts()


class Engine:
    """Performs jobs. One per process; in a process that only answers callers (`api`), it passes on what others have to do."""

    def __init__(self, tools: Tools, node: str, facts: NodeFacts = _ANYWHERE) -> None:
        self._tools = tools
        self._facts = facts
        self._worker = Worker(tools)
        self._rescuer = Rescuer(tools, self._worker, node, facts)
        self._rescuer.asked_to_drain = self._drain_soon
        self._worker.not_ours = self._rescuer.look_for
        self._cleaner = Cleaner(tools)
        self._callbacks = Callbacks(tools, self._worker)
        self._duties: list[asyncio.Task[None]] = []
        self._draining: asyncio.Task[None] | None = None
        self._is_parting = False

    @property
    def board(self) -> Board:
        """Live progress and wake-up calls."""
        return self._tools.board

    @property
    def node(self) -> str:
        return self._tools.node

    @property
    def role(self) -> str:
        return self._facts.role

    @property
    def unfinished(self) -> int:
        """How many jobs this node works on."""
        return len(self._worker)

    @property
    def ownership(self) -> tuple[str | None, int]:
        """Who owns a job that is created here: this node under its epoch, or nobody where it performs none just now."""
        if self._facts.role == "api" or self._tools.draining.is_set() or not self._tools.has_lease():
            return None, 0
        return self._tools.node, self._tools.epoch

    def checkpoint(self, point: str) -> None:
        """Pass a named point; see `Tools.checkpoint`."""
        self._tools.checkpoint(point)

    def typical_seconds(self, job: Job) -> float:
        """Return how long this model usually takes to render."""
        return self._tools.typical_seconds(job)

    def place(self, job: Job) -> Place | None:
        """Return where a queued job stands in the line for an account; None when it does not wait here."""
        return self._tools.dispatcher.place(job.id, self._tools.clock())

    async def start(self) -> None:
        """Take the lease, adopt what is orphaned, and begin to work."""
        self._tools.durations.load(await self._tools.store.render_seconds())
        await self._tools.store.listen(self._hear)
        await self._rescuer.join()
        duties = [self._rescuer.run]
        if self._facts.role != "api":
            duties += [self._worker.run, self._cleaner.run]
        for duty in duties:
            self._duties.append(asyncio.create_task(duty(), name=duty.__qualname__))

    async def drain(self) -> None:
        """Begin nothing more, and hand everything over: at once what can be cut, the rest when its submit has ended.

        Callers can go on reading, and the lease goes on until `stop`.
        """
        self._drain_soon()
        if self._draining is not None:
            await asyncio.shield(self._draining)

    def part(self) -> None:
        """Let nobody wait here any longer: long answers end, so that the server can."""
        self._is_parting = True
        self.board.close()

    async def stop(self) -> None:
        """Finish what must not be cut, hand everything back, and end."""
        await self.drain()
        self.part()
        self._tools.stopping.set()
        self._worker.wake()
        self._rescuer.wake()
        await asyncio.gather(*self._duties, return_exceptions=True)
        try:
            await self._tools.store.leave(self._tools.node, self._tools.epoch)
        except StorageFailed as error:
            _log.error("lease_not_given_back", reason=str(error))  # it ends by itself
        self._tools.teller.tell(Signal(kind="queued"))
        await self._tools.teller.close()
        _log.info("engine_stopped", node=self._tools.node)

    @property
    def is_draining(self) -> bool:
        """Whether it was asked to hand its work over, and so takes no new videos."""
        return self._tools.draining.is_set()

    def healthy(self) -> bool:
        """Whether every duty is running, and goes on running for as long as somebody may wait."""
        ends = self._is_parting or self._tools.stopping.is_set()
        return bool(self._duties) and not ends and not any(duty.done() for duty in self._duties)

    def problems(self) -> tuple[str, ...]:
        """Return what keeps this node from taking videos, in words; nothing when nothing does."""
        if self._is_parting or self._tools.stopping.is_set():
            return ("stopping",)
        found = []
        if self._tools.draining.is_set():
            found.append("draining")
        if not self._tools.has_lease():
            found.append("its lease could not be renewed: is the database out of reach?")
        found += [f"{duty.get_name()} has ended" for duty in self._duties if duty.done()]
        return tuple(found)

    def adopt(self, jobs: tuple[Job, ...], *, told: bool = False) -> None:
        """Begin to work on jobs that were just created here, or let others; `told` when a message was written beside them."""
        if any(job.owner is None for job in jobs):
            self._tools.teller.tell(Signal(kind="queued"))
            self._rescuer.wake()
        else:
            for job in jobs:
                self._worker.adopt(job)
        if told:
            self._tools.message_written()

    def look_for(self, job_ids: Iterable[str]) -> None:
        """Find out whether jobs were created whose write was not answered; see `Rescuer.look_for`."""
        self._rescuer.look_for(job_ids)

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

    def _drain_soon(self) -> None:
        if self._draining is None:
            self._tools.draining.set()
            _log.info("node_draining", jobs=len(self._worker))
            self._draining = asyncio.create_task(self._hand_over(), name="drain")

    async def _hand_over(self) -> None:
        await self._worker.cut_short()
        await self._rescuer.hand_back(self._worker.let_go())
        await self._worker.finish_submits()
        await self._rescuer.hand_back(self._worker.let_go())
        _log.info("node_drained", node=self._tools.node, left=len(self._worker))

    def _hear(self, signal: Signal) -> None:
        """Take what another process tells."""
        match signal.kind:
            case "queued":
                self._rescuer.wake()
            case "changed":
                if signal.detail.isdigit():
                    self.board.learn(signal.job_id, int(signal.detail))
                else:
                    self.board.changed(signal.job_id)
                    self._worker.part_changed(signal.job_id)
            case "cancel":
                self._worker.learn_cancel(signal.job_id, self._tools.clock())
            case "called":
                self._callbacks.learn(signal)
            case "drain":
                if signal.detail in {"", self._tools.node}:
                    self._drain_soon()
