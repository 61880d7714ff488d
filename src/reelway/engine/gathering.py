"""A video asked for with `n` greater than 1: several takes, each a job of its own, shown as one video with several outputs."""

from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Job
from reelway.core.lifecycle import Event, State
from reelway.engine.tools import Tools, Watch

__all__ = ["Gatherer"]

_PAUSE_SECONDS = 30.0


class Gatherer:
    """The step of a video with takes. Returns the seconds until the next one; a finished take wakes it earlier."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def gather(self, watch: Watch) -> float | None:
        """Start the video with its takes, and end it with them."""
        tools = self._tools
        if watch.job.state is State.QUEUED:
            await tools.write(watch, Event.TAKES_STARTED, submitted_at=tools.clock())
        takes = await tools.store.get_many(watch.job.takes)
        if not all(take.is_final for take in takes):
            return _PAUSE_SECONDS
        await self._end(watch, takes)
        return None

    async def _end(self, watch: Watch, takes: tuple[Job, ...]) -> None:
        """Complete with every take that was made; a take that failed costs nothing and is named in the story."""
        tools, job, now = self._tools, watch.job, self._tools.clock()
        made = [take for take in takes if take.state is State.COMPLETED]
        if not made:
            failures = [take.failure for take in takes if take.failure is not None]
            failure = failures[0] if failures else Failure(kind=FailureKind.VENDOR_ERROR, message="No take was made.")
            charged = sum(1 for take in takes if take.settled is not None)
            changes = {"settled": job.reserved * charged // len(takes)} if charged else {}
            await tools.fail(watch, failure, **changes)
            return
        outputs = tuple(
            output.evolve(index=index)
            for index, output in enumerate(output for take in made for output in take.outputs)
        )
        settled, usage = tools.charging.takes(job, takes)
        await tools.write(
            watch,
            Event.TAKES_KEPT,
            detail={"made": len(made), "asked": len(takes)},
            outputs=outputs,
            progress=100,
            completed_at=now,
            expires_at=now + tools.limits.retention_seconds,
            settled=settled,
            usage=usage,
            route=made[0].route,
        )
