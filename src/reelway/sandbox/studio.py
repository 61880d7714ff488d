"""The sandbox's tasks and their videos: takes a task on, has it rendered once, and finds its files again.

A video is rendered in the background from the moment its task is there, and again on demand after the sandbox was killed.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelway.core.errors import GatewayError
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.core.videos import Blob, Variant
from reelway.media.render import RenderingWorker, RenderSpec
from reelway.media.spec import MediaUnreadableError
from reelway.sandbox.folder import SandboxFolder, measure
from reelway.sandbox.journal import MadeLine
from reelway.sandbox.plans import make_specs
from reelway.sandbox.stock import Stock
from reelway.sandbox.tasks import Task, TaskOutput, look, needs_no_file
from reelway.telemetry import logger

__all__ = ["MadeFile", "Studio"]

_LOG = logger("sandbox")
_MEDIA_TYPES = {
    Variant.VIDEO: ("video/mp4", "mp4"),
    Variant.THUMBNAIL: ("image/webp", "webp"),
    Variant.SPRITESHEET: ("image/jpeg", "jpg"),
    Variant.LAST_FRAME: ("image/png", "png"),
}


class MadeFile(Record):
    """One file of a finished video."""

    blob: Blob
    path: Path
    filename: str


class Studio:
    """Keeps every task in memory and on disk. One event loop."""

    def __init__(
        self,
        folder: SandboxFolder,
        worker: RenderingWorker,
        *,
        draft: bool,
        stock: Stock | None,
        most_tasks: int,
        clock: Callable[[], float],
    ) -> None:
        self.folder = folder
        self.tasks: dict[str, Task] = {}
        self.by_key: dict[str, str] = {}
        """From idempotency keys to tasks."""
        self.by_reference: dict[str, str] = {}
        """From the callers' own references to their newest tasks."""
        self._worker = worker
        self._draft = draft
        self._stock = stock
        self._most_tasks = most_tasks
        self._clock = clock
        self._renders: dict[str, asyncio.Task[None]] = {}
        self._pictures: dict[tuple[str, int], asyncio.Task[dict[Variant, MadeFile]]] = {}
        self._changed = asyncio.Event()
        self._opening = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._is_open = False

    async def open(self) -> None:
        """Read what earlier runs left; the first call does it."""
        if self._is_open:
            return
        async with self._opening:
            if not self._is_open:
                self.tasks = await asyncio.to_thread(self.folder.open)
                for task in self.tasks.values():
                    self._index(task)
                self._is_open = True

    async def close(self) -> None:
        """Stop rendering; it is taken up again when somebody looks."""
        running = [*self._renders.values(), *self._pictures.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def take_on(self, task: Task) -> None:
        """Keep a new task and begin its video."""
        await self.save(task)
        self.ensure_rendered(task)
        await self._trim()

    async def save(self, task: Task) -> None:
        """Write a new task and wake whoever waits for it."""
        async with self._saving:
            await self._write(task)

    async def change(self, task_id: str, **changes: Any) -> Task | None:
        """Return the task with these changes, written; None when it is gone. One after another, so that none is lost."""
        async with self._saving:
            task = self.tasks.get(task_id)
            if task is None:
                return None
            task = task.evolve(**changes)
            await self._write(task)
            return task

    async def remove(self, task_id: str) -> None:
        """Forget a task and its files."""
        render = self._renders.pop(task_id, None)
        if render is not None:
            render.cancel()
            await asyncio.gather(render, return_exceptions=True)
        async with self._saving:
            task = self.tasks.pop(task_id, None)
            if task is not None:
                self._forget(task)
            await asyncio.to_thread(self.folder.remove, task_id)
        self._wake()

    def ensure_rendered(self, task: Task) -> None:
        """Have the video made unless it is there, under way, or never needed."""
        if task.outputs or task.mishap or task.cancelled_at or needs_no_file(task) or task.id in self._renders:
            return
        self._renders[task.id] = asyncio.create_task(self._render(task))

    async def wait_for_change(self, seconds: float) -> None:
        """Return when any task changes, or after this many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def file(self, task: Task, variant: Variant, index: int) -> MadeFile:
        """Return one file of a finished video; pictures are made when first asked for."""
        made = task.outputs[index]
        if variant is Variant.VIDEO:
            blob = Blob(key=f"{task.id}/{made.file}", sha256=made.sha256, bytes=made.bytes, media_type="video/mp4")
            return MadeFile(
                blob=blob, path=self.folder.files_of(task.id) / made.file, filename=_filename(task, index, "mp4")
            )
        key = (task.id, index)
        if key not in self._pictures:
            self._pictures[key] = asyncio.create_task(self._make_pictures(task, index))
        try:
            return (await asyncio.shield(self._pictures[key]))[variant]
        finally:
            if self._pictures[key].done():
                del self._pictures[key]

    async def _render(self, task: Task) -> None:
        try:
            folder = self.folder.files_of(task.id)
            outputs = await self._make_outputs(task, folder)
            await asyncio.to_thread(self._log_outputs, task.id, outputs)
            await self.change(task.id, outputs=tuple(outputs), rendered_at=self._clock())
        except MediaUnreadableError as error:
            message = f"The sandbox could not make the video: {error}."
            await self.change(task.id, mishap=Failure(kind=FailureKind.INVALID_REQUEST, message=message))
        except (GatewayError, OSError, ValueError) as error:
            _LOG.exception("render_failed", task_id=task.id)
            message = f"The sandbox could not make the video: {error}."
            await self.change(task.id, mishap=Failure(kind=FailureKind.VENDOR_ERROR, message=message))
        finally:
            self._renders.pop(task.id, None)

    async def _make_outputs(self, task: Task, folder: Path) -> list[TaskOutput]:
        if self._stock is not None:
            return [
                await self._stock.copy(f"{task.id}-{index}", folder / f"video-{index}.mp4") for index in range(task.n)
            ]
        specs = make_specs(task, folder, draft=self._draft)
        return [await self._render_one(spec, folder, index) for index, spec in enumerate(specs)]

    def _log_outputs(self, task_id: str, outputs: list[TaskOutput]) -> None:
        for index, made in enumerate(outputs):
            line = MadeLine(task=task_id, index=index, bytes=made.bytes, sha256=made.sha256)
            self.folder.journal.add("made", line)

    async def _render_one(self, spec: RenderSpec, folder: Path, index: int) -> TaskOutput:
        path = folder / f"video-{index}.mp4"
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        await self._worker.render(spec, path)
        length, digest = await asyncio.to_thread(measure, path)
        return TaskOutput(file=path.name, bytes=length, sha256=digest)

    async def _write(self, task: Task) -> None:
        await asyncio.to_thread(self.folder.save, task)
        self.tasks[task.id] = task
        self._index(task)
        self._wake()

    def _index(self, task: Task) -> None:
        if task.idempotency_key:
            self.by_key[task.idempotency_key] = task.id
        if task.client_reference:
            self.by_reference[task.client_reference] = task.id

    def _forget(self, task: Task) -> None:
        if task.idempotency_key:
            self.by_key.pop(task.idempotency_key, None)
        if task.client_reference and self.by_reference.get(task.client_reference) == task.id:
            del self.by_reference[task.client_reference]

    async def _make_pictures(self, task: Task, index: int) -> dict[Variant, MadeFile]:
        folder = self.folder.files_of(task.id) / f"pictures-{index}"
        paths = {
            Variant.THUMBNAIL: folder / "thumbnail.webp",
            Variant.SPRITESHEET: folder / "spritesheet.jpg",
            Variant.LAST_FRAME: folder / "last_frame.png",
        }
        if not await asyncio.to_thread(_all_there, paths):
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            await self._worker.pictures(self.folder.files_of(task.id) / task.outputs[index].file, folder)
        return {variant: await self._describe(task, variant, index, path) for variant, path in paths.items()}

    async def _describe(self, task: Task, variant: Variant, index: int, path: Path) -> MadeFile:
        media_type, suffix = _MEDIA_TYPES[variant]
        length, digest = await asyncio.to_thread(measure, path)
        blob = Blob(key=f"{task.id}/{path.name}", sha256=digest, bytes=length, media_type=media_type)
        return MadeFile(blob=blob, path=path, filename=_filename(task, index, f"{variant.value}.{suffix}"))

    async def _trim(self) -> None:
        """Let go of the oldest finished tasks beyond the bound, and of what expired a lifetime ago."""
        now = self._clock()
        surplus = len(self.tasks) - self._most_tasks
        for task in list(self.tasks.values()):
            lifetime = task.expires_at - task.created_at
            old = now > task.expires_at + lifetime
            if not (old or surplus > 0):
                break
            if old or look(task, now).is_final:
                await self.remove(task.id)
                surplus -= 1

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _all_there(paths: dict[Variant, Path]) -> bool:
    return all(path.exists() for path in paths.values())


def _filename(task: Task, index: int, ending: str) -> str:
    return f"{task.id}.{ending}" if task.n == 1 else f"{task.id}-{index}.{ending}"
