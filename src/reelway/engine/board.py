"""What is known in memory about unfinished videos, and who waits for them. Nothing here is needed to resume after a crash."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping

from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.core.schedule import estimate_progress

__all__ = ["Board", "Durations"]

_SMOOTHING = 0.2
_MOST_FIGURES = 400_000
"""Of progress that are kept: those of other nodes' videos are not forgotten one by one."""


class Durations:
    """How long renders take, per model: the card's figure until there are measured ones, then their moving average."""

    def __init__(self) -> None:
        self._measured: dict[str, float] = {}

    def load(self, samples: Mapping[str, tuple[float, ...]]) -> None:
        """Take what earlier renders took, newest first."""
        for model, seconds in samples.items():
            for value in reversed(seconds):
                self.add(model, value)

    def add(self, model: str, seconds: float) -> None:
        """Count one more render."""
        known = self._measured.get(model)
        self._measured[model] = seconds if known is None else known + _SMOOTHING * (seconds - known)

    def typical(self, model: str, default: float) -> float:
        """Return the usual number of seconds."""
        return self._measured.get(model, default)


class Board:
    """Live progress and wake-up calls, for this process."""

    def __init__(self) -> None:
        self._progress: dict[str, int] = {}
        self._shown: dict[str, int] = {}
        self.shown: Callable[[str, int], None] = lambda job_id, progress: None
        """Called when a caller is shown a greater figure than before; set by whoever tells other processes."""
        self._waiting: dict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def progress(self, job: Job, now: float, typical_seconds: float) -> int:
        """Return 0..99 for an unfinished job; never less than was returned before."""
        if job.is_final:
            self.forget(job.id)
            return 100 if job.state is State.COMPLETED else job.progress
        known = max(self._progress.get(job.id, 0), job.progress)
        if job.submitted_at is not None:
            known = max(known, estimate_progress(now - job.submitted_at, typical_seconds))
        if job.state is State.COLLECTING:
            known = max(known, 96)
        known = min(known, 99)
        if known:
            self._keep(job.id, known)
            if known > self._shown.get(job.id, 0):
                self._shown[job.id] = known
                self.shown(job.id, known)
        return known

    def report(self, job_id: str, progress: int | None) -> None:
        """Note the vendor's own figure."""
        if progress is not None and progress > self._progress.get(job_id, 0):
            self._keep(job_id, min(progress, 99))
            self.changed(job_id)

    def learn(self, job_id: str, progress: int) -> None:
        """Note what a caller was shown by another process: nobody here is shown less. Who knows better says so.

        So whoever follows a video at one node sees the vendor's own figure, which only the owner has.
        """
        shown, known = max(progress, self._shown.get(job_id, 0)), self._progress.get(job_id, 0)
        self._shown[job_id] = max(shown, known)
        if known > shown:
            self.shown(job_id, known)
        self.report(job_id, progress)

    def forget(self, job_id: str) -> None:
        """Drop what is known of a finished job."""
        self._progress.pop(job_id, None)
        self._shown.pop(job_id, None)

    def changed(self, job_id: str) -> None:
        """Wake everybody who waits for this video."""
        for waiter in self._waiting.pop(job_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        """Wake everybody, so that long answers end before the server does."""
        for job_id in list(self._waiting):
            self.changed(job_id)

    def watch(self, job_id: str) -> asyncio.Future[None]:
        """Return a future that is done at the next change. Take it before reading, so that no change falls between."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[job_id].add(waiter)
        return waiter

    def unwatch(self, job_id: str, waiter: asyncio.Future[None]) -> None:
        """Give a future back that is not waited for any more."""
        waiters = self._waiting.get(job_id)
        if waiters is not None:
            waiters.discard(waiter)
            if not waiters:
                del self._waiting[job_id]
        waiter.cancel()

    def _keep(self, job_id: str, progress: int) -> None:
        """Keep a figure, and let the oldest ones go when there are too many; they begin again at the estimate."""
        self._progress[job_id] = progress
        if len(self._progress) > _MOST_FIGURES:
            for old in list(self._progress)[: _MOST_FIGURES // 2]:
                self.forget(old)
