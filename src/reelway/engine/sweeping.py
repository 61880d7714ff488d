"""Finding files that a crash left without an owner.

The one rule: a file goes only when a record says that it is not needed: its video was deleted, or is final and does not name it.
Files of videos that this database has never heard of stay, since they may belong to another one, or to a newer backup.
"""

import itertools
from collections.abc import AsyncIterator

from reelway.assets.spec import Listed
from reelway.core.jobs import Job
from reelway.engine.parting import OUTPUTS
from reelway.engine.tools import Tools
from reelway.telemetry import logger

__all__ = ["Sweeper"]

_log = logger("engine.sweep")
_AT_ONCE = 200
_GRACE_SECONDS = 86_400.0
"""A file that is younger may belong to work under way."""


class Sweeper:
    """Goes through all files of videos, a few at a time."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def sweep(self) -> int:
        """Remove every orphan that is old enough; return how many there were."""
        swept = unknown = 0
        async for files in _slices(self._old_files()):
            orphans, strangers = await self._judge(files)
            for key in orphans:
                await self._tools.assets.delete(key)
            swept += len(orphans)
            unknown += strangers
        if swept:
            _log.warning("orphans_swept", files=swept)
        if unknown:
            _log.warning("files_of_unknown_videos", files=unknown)
        return swept

    async def _old_files(self) -> AsyncIterator[Listed]:
        before = self._tools.clock() - _GRACE_SECONDS
        async for file in self._tools.assets.listed(OUTPUTS):
            if file.written_at < before:
                yield file

    async def _judge(self, files: list[Listed]) -> tuple[list[str], int]:
        """Return the keys of the orphans, and how many files belong to videos that are not known here."""
        store = self._tools.store
        owners = {file.key: file.key.split("/")[1] for file in files}
        found = {job.id: job for job in await store.get_many(tuple(dict.fromkeys(owners.values())))}
        parents = tuple({job.parent for job in found.values() if job.parent is not None})
        videos = {job.id: job for job in await store.get_many(parents)} | found
        orphans, strangers = [], 0
        for key, owner in owners.items():
            job = found.get(owner)
            if job is None:
                if await store.tombstone_tenant(owner) is not None:
                    orphans.append(key)
                else:
                    strangers += 1
            elif not _is_needed(key, job, videos.get(job.parent or job.id)):
                orphans.append(key)
        return orphans, strangers


def _is_needed(key: str, job: Job, video: Job | None) -> bool:
    """Tell whether a job, or the video it is a take of, may still show this file."""
    if not job.is_final or (video is not None and not video.is_final):
        return True
    return video is not None and not video.expired and key in _named(video)


def _named(job: Job) -> frozenset[str]:
    return frozenset(itertools.chain.from_iterable((blob.key for blob in out.files.values()) for out in job.outputs))


async def _slices(files: AsyncIterator[Listed]) -> AsyncIterator[list[Listed]]:
    slice_: list[Listed] = []
    async for file in files:
        slice_.append(file)
        if len(slice_) == _AT_ONCE:
            yield slice_
            slice_ = []
    if slice_:
        yield slice_
