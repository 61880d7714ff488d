"""One duty: bytes whose time is over go away, and the record says so. The row stays, so that a late caller hears 410, not 404."""

from reelway.core.errors import LeaseLost, StorageFailed
from reelway.core.jobs import Job, JobEvent
from reelway.engine.tools import Tools
from reelway.store.spec import Change
from reelway.telemetry import logger

__all__ = ["Cleaner"]

_log = logger("engine.clean")
_EVERY_SECONDS = 60.0
_SLICE = 200


class Cleaner:
    """Runs once a minute."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def run(self) -> None:
        """Clean until the server stops."""
        while not self._tools.stopping.is_set():
            try:
                await self.clean()
            except (LeaseLost, StorageFailed) as error:
                _log.warning("cleaning_failed", reason=str(error))
            await self._tools.pause(_EVERY_SECONDS)

    async def clean(self) -> int:
        """Expire what is due once; return how many videos lost their bytes."""
        tools, now, count = self._tools, self._tools.clock(), 0
        while jobs := await tools.store.expiring(now, _SLICE):
            for job in jobs:
                await self._expire(job, now)
                count += 1
        await tools.assets.delete_older("inputs", now - tools.limits.input_retention_seconds)
        return count

    async def _expire(self, job: Job, now: float) -> None:
        """Delete first, then write: a crash in between finds the row again and deletes nothing twice."""
        tools = self._tools
        for prefix in (job.id, *job.takes):
            await tools.assets.delete_under(f"videos/{prefix}")
        expired = job.evolve(version=job.version + 1, updated_at=now, expired=True)
        event = JobEvent(seq=expired.version, at=now, state=job.state, name="expired")
        await tools.store.apply(Change(job=expired, event=event))
        _log.info("video_expired", video_id=job.id)
