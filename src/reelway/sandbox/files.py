"""Hands out the files of finished videos, to whoever has a key or a link, or whatever the faults put in their place."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from reelway.core.errors import Conflict, Gone, NotFound
from reelway.core.lifecycle import Status
from reelway.core.videos import Variant
from reelway.dialects.spec import OpenContent
from reelway.mounting.dialects import OpenedContent
from reelway.sandbox.faults import ResultFault
from reelway.sandbox.journal import ServedLine
from reelway.sandbox.misbehaviour import spoil, spoiled_bytes, status_error
from reelway.sandbox.studio import MadeFile, Studio
from reelway.sandbox.tasks import Task, look

__all__ = ["Files", "count_one"]

_PIECE = 1 << 20


class Files:
    """Finds files, and counts how often each video was fetched."""

    def __init__(self, studio: Studio, clock: Callable[[], float], most_tasks: int) -> None:
        self._studio = studio
        self._clock = clock
        self._most_tasks = most_tasks
        self._downloads: Counter[str] = Counter()

    async def open(self, task: Task, call: OpenContent) -> OpenedContent:
        """Find a file, or raise what a caller should hear whose video has none."""
        self._require(task, call.index)
        made = await self._studio.file(task, call.variant, call.index)
        await asyncio.sleep(task.faults.result_seconds)
        times = self._count(task)
        for error in task.faults.result_errors:
            if times <= error.times:
                raise status_error(error)
        fault = self._spoiled_by(task, times)
        if call.variant is Variant.VIDEO:
            line = ServedLine(at=self._clock(), task=task.id, index=call.index, sha256=made.blob.sha256, fault=fault)
            await asyncio.to_thread(self._studio.folder.journal.add, "served", line)
        if fault is not None:
            return await asyncio.to_thread(spoil, made, fault)
        return _opened(made)

    async def all_bytes(self, task: Task) -> tuple[bytes, ...]:
        """Return every video of a task, spoiled where that was asked for; that counts as a download."""
        made = [await self._studio.file(task, Variant.VIDEO, index) for index in range(len(task.outputs))]
        fault = self._spoiled_by(task, self._count(task))
        return tuple([await asyncio.to_thread(spoiled_bytes, one, fault) for one in made])

    def _count(self, task: Task) -> int:
        """Count one more download, and return how many there were."""
        count_one(self._downloads, task.id, self._studio.tasks, self._most_tasks)
        return self._downloads[task.id]

    def _spoiled_by(self, task: Task, times: int) -> ResultFault | None:
        return task.faults.result if times <= task.faults.result_times else None

    def _require(self, task: Task, index: int) -> None:
        seen = look(task, self._clock())
        if seen.status is Status.FAILED:
            raise Conflict(f"Video {task.id} failed, so it has no content.", code="video_failed")
        if seen.status is not Status.COMPLETED:
            self._studio.ensure_rendered(task)
            raise Conflict(f"Video {task.id} is not finished yet; ask again later.", code="video_not_ready")
        if self._clock() >= task.expires_at:
            raise Gone(f"The files of video {task.id} have expired; create it again.", code="content_expired")
        if index >= len(task.outputs):
            raise NotFound(f"Video {task.id} has {len(task.outputs)} outputs, counted from 0.", param="index")


def count_one(counter: Counter[str], task_id: str, known: dict[str, Task], most_tasks: int) -> None:
    """Count one more for this task; tasks that are gone are forgotten now and then."""
    counter[task_id] += 1
    if len(counter) > 2 * most_tasks:
        for gone in [counted for counted in counter if counted not in known]:
            del counter[gone]


def _opened(made: MadeFile) -> OpenedContent:
    async def read(start: int, stop: int) -> AsyncIterator[bytes]:
        for place in range(start, stop, _PIECE):
            yield await asyncio.to_thread(_read_piece, made.path, place, min(_PIECE, stop - place))

    return OpenedContent(blob=made.blob, filename=made.filename, path=made.path, read=read)


def _read_piece(path: Path, place: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(place)
        return file.read(length)
