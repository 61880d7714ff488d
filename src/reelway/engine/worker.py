"""The loop: one heap of due times, one task for each job that is due, and at most one step of a job at a time."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterable

from reelway.core.errors import LeaseLost
from reelway.core.jobs import HeardOperation, Job
from reelway.core.lifecycle import State
from reelway.core.nodes import Signal
from reelway.engine.cancelling import Canceller
from reelway.engine.checking import Checker
from reelway.engine.collecting import Collector
from reelway.engine.gathering import Gatherer
from reelway.engine.submitting import Submitter
from reelway.engine.tools import Tools, Watch
from reelway.telemetry import logger

__all__ = ["Worker"]

_log = logger("engine.worker")
_CALL_SECONDS = 1.0
"""Between two steps that a vendor's callbacks ask for, however often it calls."""
_NAMES_KEPT = 4
"""Of works that callbacks named about one attempt: the newest."""
_LOOK_AROUND_SECONDS = 600.0
"""How long a job waits for an account before it is looked at again: its routes may have changed with the day."""


class Worker:
    """Works on the jobs this node owns."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        tools.nudge = self.nudge
        tools.room_made = self.wake
        self._watches: dict[str, Watch] = {}
        self._missed: set[str] = set()
        self._heap: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._steps: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(tools.limits.steps_at_once)
        self._collect_slots: dict[str, asyncio.Semaphore] = {}
        self._submitter = Submitter(tools)
        self._checker = Checker(tools)
        self._collector = Collector(tools)
        self._canceller = Canceller(tools)
        self._gatherer = Gatherer(tools)
        self.not_ours: Callable[[Iterable[str]], None] = lambda job_ids: None
        """Called with jobs whose write was refused; set by whoever finds out whose they are."""

    def __len__(self) -> int:
        return len(self._watches)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._watches

    def wake(self) -> None:
        """Look at what is due: the lease was renewed, or the server stops."""
        self._wake.set()

    def adopt(self, job: Job, pause_seconds: float = 0.0) -> None:
        """Take on an unfinished job: one just created, or one found on the disk. A running one is looked at after the pause."""
        due = self._tools.clock() + (pause_seconds if job.state is State.RUNNING else 0.0)
        watch = Watch(job, due)
        self._tools.seal(watch)
        self._watches[job.id] = watch
        if job.route is not None and job.state in {State.SUBMITTING, State.RUNNING}:
            self._tools.hold(watch, job.route.account)
        if job.route is not None and self._tools.account(job.route.account) is None:
            self._miss(job.route.account)
        self._schedule(watch, watch.due)

    def _miss(self, account: str) -> None:
        """Say once that an account is gone whose videos are still being made."""
        if account not in self._missed:
            self._missed.add(account)
            advice = (
                "its videos wait until it is back, and fail at their deadline; with draining = true it gets no new ones"
            )
            _log.error("account_missing", account=account, advice=advice)

    def nudge(self, job_id: str) -> bool:
        """Take the next step of a job now; False when this node does not work on it."""
        watch = self._watches.get(job_id)
        if watch is None:
            return False
        if watch.busy:
            watch.wake = True
        else:
            self._schedule(watch, self._tools.clock())
        return True

    def called(self, job_id: str, attempt: int, named: HeardOperation | None) -> bool:
        """Take the next step of a job soon, since its vendor called; True when the answer to its submit was lost and work is named.

        What was `named` is kept while the outcome of the submit is not known. Calls about earlier attempts change nothing.
        """
        watch = self._watches.get(job_id)
        if watch is None or watch.job.attempt is None or watch.job.attempt.number != attempt:
            return False
        if watch.job.state not in {State.SUBMITTING, State.RUNNING}:
            return False
        is_news = named is not None and watch.job.state is State.SUBMITTING and named not in watch.heard
        if named is not None and is_news:
            watch.heard = (*watch.heard, named)[-_NAMES_KEPT:]
        now = self._tools.clock()
        if watch.called_at <= now:  # else a step is planned that will see what this call is about
            watch.called_at = max(now, watch.called_at + _CALL_SECONDS)
            if not watch.busy:
                self._schedule(watch, min(watch.due, watch.called_at))
        return named is not None and watch.job.state is State.SUBMITTING and watch.job.attempt.outcome == "unknown"

    def cancel(self, job_id: str, now: float) -> bool:
        """Note that a caller wants it cancelled; False when this node does not work on it."""
        watch = self._watches.get(job_id)
        if watch is None:
            return False
        watch.job = watch.job.evolve(cancel_requested_at=now)
        self.nudge(job_id)
        return True

    def learn_cancel(self, job_id: str, wished_at: float) -> None:
        """Note a wish that reached another node, once."""
        watch = self._watches.get(job_id)
        if watch is not None and watch.job.cancel_requested_at is None:
            self.cancel(job_id, wished_at)

    def part_changed(self, job_id: str) -> None:
        """Look at a video of several takes: one of them has ended on another node."""
        watch = self._watches.get(job_id)
        if watch is not None and watch.job.takes:
            self.nudge(job_id)

    def part_ended(self, job_id: str) -> None:
        """Have a video looked at, here or wherever it is held: one of its takes has ended."""
        if not self.nudge(job_id):
            self._tools.teller.tell(Signal(kind="changed", job_id=job_id))

    def drop_all(self) -> None:
        """Forget every job: the lease is lost, others own them now, and what is begun here would only be in their way.

        Submits on their way go on, since what they hear is worth a line in the log; what they write is refused.
        """
        for task in self._steps - self._submits():
            task.cancel()
        for watch in list(self._watches.values()):
            self._drop(watch)

    async def run(self) -> None:
        """Work until the server stops."""
        loop = asyncio.get_running_loop()
        while not self._tools.stopping.is_set():
            pause = self._start_due()
            self._wake.clear()
            alarm = None if pause is None else loop.call_later(pause, self._wake.set)
            await self._wake.wait()
            if alarm is not None:
                alarm.cancel()

    async def cut_short(self) -> None:
        """End every step that may be begun again elsewhere, at once: all but submits on their way."""
        cut = self._steps - self._submits()
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)

    async def finish_submits(self) -> None:
        """Let submits on their way end, for so long as a graceful stop may take."""
        submits = self._submits()
        if submits:
            _, late = await asyncio.wait(submits, timeout=self._tools.limits.stop_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def let_go(self) -> tuple[str, ...]:
        """Forget every job that has no step under way; return which they were."""
        under_way = {task.get_name().partition(" ")[2] for task in self._steps}
        idle = [watch for job_id, watch in self._watches.items() if job_id not in under_way]
        for watch in idle:
            self._drop(watch)
        return tuple(watch.job.id for watch in idle)

    def _submits(self) -> set[asyncio.Task[None]]:
        return {task for task in self._steps if task.get_name().startswith("submit")}

    def _may_begin(self) -> bool:
        """Whether a step may begin: not when the lease is over, since another node may be taking it, nor when draining."""
        return self._tools.has_lease() and not self._tools.draining.is_set()

    def _start_due(self) -> float | None:
        """Start the steps that are due; return the seconds until there is more to do, None while there is nothing."""
        if not self._may_begin():
            return None  # whoever renews the lease wakes us
        now = self._tools.clock()
        planned = self._start_planned(now)
        while (served := self._tools.dispatcher.next(now)) is not None:
            job_id, route = served
            watch = self._watches[job_id]
            self._tools.hold(watch, route.account)
            watch.offered = route
            self._begin(watch)
        opens = self._tools.dispatcher.opens_in(now)
        return min((seconds for seconds in (planned, opens) if seconds is not None), default=None)

    def _start_planned(self, now: float) -> float | None:
        """Start what is due by its own plan, and put into the line what only waits for an account."""
        while self._heap:
            due, _, job_id = self._heap[0]
            watch = self._watches.get(job_id)
            if watch is None or watch.busy or watch.due != due:
                heapq.heappop(self._heap)  # finished, or planned anew
                continue
            if due > now:
                return due - now
            heapq.heappop(self._heap)
            if self._waits(watch, now):
                self._schedule(watch, min(now + _LOOK_AROUND_SECONDS, max(watch.job.deadline_at, now) + 1.0))
            else:
                self._begin(watch)
        return None

    def _begin(self, watch: Watch) -> None:
        """Take the next step of a job in a task of its own."""
        self._tools.dispatcher.leave(watch.job.id)
        watch.busy = True
        kind = "submit" if watch.job.state in {State.QUEUED, State.SUBMITTING} else "step"
        task = asyncio.create_task(self._step(watch), name=f"{kind} {watch.job.id}")
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)

    def _waits(self, watch: Watch, now: float) -> bool:
        """Let a queued job wait in line, if that is all there is to do; it costs no task."""
        job = watch.job
        if job.state is not State.QUEUED or job.takes or job.cancel_requested_at is not None or now > job.deadline_at:
            return False
        self._tools.release(watch)
        try:
            return self._tools.dispatcher.enter(job, now)
        except Exception:
            return False  # the step runs into the same, and knows what to do with it

    async def _step(self, watch: Watch) -> None:
        """Take one step and plan the next."""
        async with self._slot(watch.job):
            began = self._tools.clock()
            try:
                pause = await self._advance(watch) if self._may_begin() else 0.0
            except LeaseLost:
                _log.warning("lease_lost", video_id=watch.job.id)
                self._drop(watch)
                self.not_ours((watch.job.id,))
                return
            except asyncio.CancelledError:
                raise
            except Exception:
                watch.odd += 1
                _log.exception("step_failed", video_id=watch.job.id, state=str(watch.job.state))
                pause = self._tools.backoff(watch.odd)
        watch.busy = False
        if watch.job.is_final:
            self._finish(watch)
        elif pause is None or watch.wake:
            watch.wake = False
            self._schedule(watch, self._tools.clock())
        else:
            due = self._tools.clock() + max(pause, 0.0)
            # A call that came while this step was on its way may tell of something newer than the step saw.
            self._schedule(watch, min(due, watch.called_at) if watch.called_at > began else due)

    def _slot(self, job: Job) -> asyncio.Semaphore:
        """Return where a step waits its turn. Fetching takes minutes, so it waits in a line of its account's own."""
        if job.state is not State.COLLECTING or job.route is None:
            return self._slots
        account = job.route.account
        if account not in self._collect_slots:
            self._collect_slots[account] = asyncio.Semaphore(self._tools.limits.collects_at_once)
        return self._collect_slots[account]

    async def _advance(self, watch: Watch) -> float | None:
        tools, job = self._tools, watch.job
        if job.cancel_requested_at is not None and job.state is not State.SUBMITTING and not job.takes:
            if await self._canceller.cancel(watch):
                return None
        elif job.rendered_at is not None and job.state is State.RUNNING and self._collector.is_overdue(job):
            await self._collector.give_up(watch)
            return None
        elif job.rendered_at is None and tools.clock() > job.deadline_at and job.state in {State.QUEUED, State.RUNNING}:
            await self._give_up(watch)
            return None
        if job.takes:
            return await self._gather(watch)
        match watch.job.state:
            case State.QUEUED:
                pause = await self._submitter.start(watch)
            case State.SUBMITTING:
                pause = await self._resume(watch)
            case State.RUNNING:
                return await self._checker.check(watch)
            case State.COLLECTING:
                return await self._collector.collect(watch)
            case _:
                return None
        if pause is not None and pause < 0:
            return self._checker.first_look(watch)
        return pause

    async def _resume(self, watch: Watch) -> float | None:
        """Look a lost submit up, unless its deadline has passed."""
        if self._tools.clock() > watch.job.deadline_at:
            await self._submitter.give_up(watch)
            return None
        return await self._submitter.resume(watch)

    async def _gather(self, watch: Watch) -> float | None:
        if watch.job.cancel_requested_at is not None:
            for take in watch.job.takes:
                await self._tools.store.request_cancel(take, watch.job.cancel_requested_at)
                self.cancel(take, watch.job.cancel_requested_at)
        return await self._gatherer.gather(watch)

    async def _give_up(self, watch: Watch) -> None:
        """The deadline has passed; what may still run at the vendor is cancelled there, so that it costs no more."""
        if watch.job.state is State.RUNNING and watch.job.operation is not None:
            await self._canceller.ask_to_stop(watch)
        await self._checker.give_up(watch)

    def _schedule(self, watch: Watch, due: float) -> None:
        watch.due = due
        heapq.heappush(self._heap, (due, next(self._order), watch.job.id))
        self._wake.set()

    def _finish(self, watch: Watch) -> None:
        self._drop(watch)
        self._tools.board.forget(watch.job.id)
        if watch.job.parent is not None:
            self.part_ended(watch.job.parent)

    def _drop(self, watch: Watch) -> None:
        self._tools.release(watch)
        if self._watches.get(watch.job.id) is watch:  # else the job was lost, and has been adopted anew
            del self._watches[watch.job.id]
            self._tools.dispatcher.leave(watch.job.id)
