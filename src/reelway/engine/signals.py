"""What this process tells the others, gathered for a moment so that many hints are one write.

The one rule: a signal is a hint. Whoever is not told finds out by looking, and nothing here ever fails or waits.
"""

import asyncio

from reelway.core.nodes import Signal
from reelway.store.spec import JobStore

__all__ = ["Teller"]

_PROGRESS_SECONDS = 0.5
"""Between two rounds of what callers were shown of videos under way."""
_AT_ONCE = 200
"""Progress figures in a round; the rest wait for the next one, by when most of them are out of date."""


class Teller:
    """Tells the other processes."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._waiting: list[Signal] = []
        self._progress: dict[str, int] = {}
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def tell(self, signal: Signal) -> None:
        """Let the others know now."""
        self._waiting.append(signal)
        self._send()

    def show(self, job_id: str, progress: int) -> None:
        """Let the others know soon that a caller was shown this figure, so that none of them shows a smaller one."""
        self._progress[job_id] = progress
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(_PROGRESS_SECONDS, self._show)

    async def close(self) -> None:
        """Send what waits, and end."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        while self._sending is not None:
            await asyncio.gather(self._sending, return_exceptions=True)

    def _show(self) -> None:
        self._timer = None
        for job_id in list(self._progress)[:_AT_ONCE]:
            self._waiting.append(Signal(kind="changed", job_id=job_id, detail=str(self._progress.pop(job_id))))
        if self._progress:
            self._timer = asyncio.get_running_loop().call_later(_PROGRESS_SECONDS, self._show)
        self._send()

    def _send(self) -> None:
        if self._sending is None and self._waiting:
            self._sending = asyncio.create_task(self._send_all(), name="teller")

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = tuple(self._waiting), []
                await self._store.tell(*batch)
        finally:
            self._sending = None
