"""Takes a create apart: gathers its inputs into the task's folder, looks at them, and decides what will be made."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelway.catalog.subjects import no_subjects
from reelway.core.errors import InvalidRequest, MediaUnreadable, NotFound
from reelway.core.lifecycle import Status
from reelway.core.videos import Blob, InputReference, MediaKind, Operation, ResolvedRequest, Role, VideoRequest
from reelway.dialects.spec import Incoming
from reelway.media.render import RenderingWorker
from reelway.media.sniff import HEAD_BYTES, sniff
from reelway.media.spec import MediaUnreadableError
from reelway.sandbox.faults import Faults
from reelway.sandbox.fetching import fetch_input
from reelway.sandbox.folder import SandboxFolder, SeenRequest
from reelway.sandbox.judging import Judge, roles_of, with_judgement
from reelway.sandbox.plans import Shape, assign_roles, choose_shape, seed_of, tags_of
from reelway.sandbox.tasks import Task, TaskInput, look

__all__ = ["Intake", "accepted"]

_BASE_SECONDS = 2.0
_SECONDS_PER_SECOND = 0.1
_OPERATIONS: Mapping[str, Operation] = {"edit": "edit", "video_edit": "edit", "extend": "extend"}


class Intake:
    """Makes tasks of requests."""

    def __init__(
        self,
        folder: SandboxFolder,
        worker: RenderingWorker,
        *,
        pace: float,
        lifetime_seconds: float,
        fetch_urls: bool,
        allowed_hosts: frozenset[str],
        upload_bytes: int,
        judge: Judge,
    ) -> None:
        self._folder = folder
        self._judge = judge
        self._worker = worker
        self._pace = pace
        self._lifetime_seconds = lifetime_seconds
        self._fetch_urls = fetch_urls
        self._allowed_hosts = allowed_hosts
        self._upload_bytes = upload_bytes

    def describe(
        self, request: VideoRequest, incoming: Incoming, now: float, *, dialect: str = "", judged: bool = False
    ) -> SeenRequest:
        """Return the log line for a request, refused until it is known better."""
        return SeenRequest(
            at=now,
            operation=request.operation,
            model=request.model,
            prompt=request.prompt,
            outcome="refused",
            seconds=request.seconds,
            size=f"{request.width}x{request.height}" if request.width else request.tier,
            seed=request.seed,
            references=tuple(
                {"role": None if given.role is None else given.role.value, "kind": None, "url": given.url}
                for given in request.inputs
            ),
            client_reference=request.client_reference,
            idempotency_key=incoming.headers.get("idempotency-key") or None,
            dialect=dialect,
            judged=judged,
        )

    async def make_task(
        self, request: VideoRequest, task_id: str, faults: Faults, seen: SeenRequest, tasks: Mapping[str, Task]
    ) -> Task:
        """Return the task; its inputs lie in its folder by then. Raises `CallerError`."""
        if request.characters:
            raise no_subjects((), request.model)
        source = None if request.source_video_id is None else _finished(tasks, request.source_video_id, seen.at)
        if source is not None and not request.model:
            request = request.evolve(model=source.model)
        inputs = await self._gather(request, task_id, source, tasks, seen.at)
        resolved: ResolvedRequest | None = None
        if seen.judged:
            resolved = self._judge.resolve(request, inputs)
            request = with_judgement(request, resolved)
            roles = roles_of(resolved)
            inputs = tuple(item.evolve(role=roles[item.file]) for item in inputs)
        else:
            given = tuple(item.role for item in request.inputs)
            inputs = (*assign_roles(request, inputs[: len(given)], given), *inputs[len(given) :])
        operation = _operation(request, inputs)
        shape = choose_shape(
            request.evolve(operation=operation), source=_source_shape(source, inputs), picture=_picture(inputs)
        )
        pause = self._pace * (_BASE_SECONDS + _SECONDS_PER_SECOND * shape.seconds)
        return Task(
            id=task_id,
            holder="sandbox",
            model=request.model,
            operation=operation,
            prompt=request.prompt or "",
            created_at=seen.at,
            render_seconds=pause if faults.render_seconds is None else faults.render_seconds,
            seconds=shape.seconds,
            width=shape.width,
            height=shape.height,
            fps=shape.fps,
            seed=seed_of(request),
            n=request.n,
            audio=request.audio if seen.judged else request.audio is not False,
            inputs=inputs,
            source=None if source is None else source.id,
            faults=faults,
            tags=tags_of(request),
            user=request.user,
            client_reference=request.client_reference,
            idempotency_key=seen.idempotency_key,
            mode=None if resolved is None else resolved.mode,
            warnings=() if resolved is None else resolved.warnings,
            ratio=request.ratio,
            tier=request.tier,
            options=request.options,
            response_format=request.response_format,
            callback_url=request.callback_url,
            callback_dialect=request.callback_dialect,
            expires_at=seen.at + self._lifetime_seconds,
        )

    async def _gather(
        self, request: VideoRequest, task_id: str, source: Task | None, tasks: Mapping[str, Task], now: float
    ) -> tuple[TaskInput, ...]:
        """Return the inputs of the request in their order, then the video it works on, where it named one of ours."""
        gathered: list[TaskInput] = []
        for number, given in enumerate(request.inputs):
            name = f"input-{number}"
            if given.video_id is not None:
                named = _finished(tasks, given.video_id, now)
                gathered.append(await self._borrow(named, task_id, f"{name}.mp4", given.role))
                continue
            blob = await self._bytes_of(given, now)
            path = await asyncio.to_thread(self._folder.claim, blob, task_id, name)
            gathered.append(await self._examine(given, blob, path))
        if source is not None:
            gathered.append(await self._borrow(source, task_id, "source.mp4", Role.SOURCE))
        return tuple(gathered)

    async def _borrow(self, source: Task, task_id: str, name: str, role: Role | None) -> TaskInput:
        """Return the first output of another task as an input of this one."""
        made = source.outputs[0]
        path = self._folder.files_of(source.id) / made.file
        await asyncio.to_thread(self._folder.borrow, path, task_id, name)
        return TaskInput(
            file=name,
            kind=MediaKind.VIDEO,
            role=role or Role.SOURCE,
            media_type="video/mp4",
            bytes=made.bytes,
            sha256=made.sha256,
            width=source.width,
            height=source.height,
            seconds=source.seconds,
            fps=source.fps,
        )

    async def _bytes_of(self, given: InputReference, now: float) -> Blob:
        if given.blob is not None:
            return given.blob
        if given.data is not None:
            return await asyncio.to_thread(self._keep, given.data, given.media_type or "application/octet-stream", now)
        if given.url is None:
            raise InvalidRequest(
                f"{given.field}: this sandbox keeps no files by id; send the file itself", param=given.field
            )
        if not self._fetch_urls:
            raise InvalidRequest(
                f"{given.field}: this sandbox fetches nothing from addresses; send the file itself or a data: URI",
                code="url_refused",
                param=given.field,
            )
        return await fetch_input(
            self._folder,
            given.url,
            field=given.field,
            now=now,
            limit_bytes=self._upload_bytes,
            allowed_hosts=self._allowed_hosts,
        )

    def _keep(self, data: bytes, media_type: str, now: float) -> Blob:
        with self._folder.upload(now, len(data)) as upload:
            upload.write(data)
            return upload.keep(media_type)

    async def _examine(self, given: InputReference, blob: Blob, path: Path) -> TaskInput:
        """Return what the file is by its bytes. Raises `MediaUnreadable`."""
        media_type = await asyncio.to_thread(_sniff_file, path) or ""
        family = media_type.partition("/")[0]
        facts: dict[str, Any] = {}
        try:
            if family == "image":
                image = await self._worker.image_facts(path)
                facts = {"width": image.width, "height": image.height}
            else:
                video = await self._worker.video_facts(path)
                facts = {"width": video.width or None, "height": video.height or None, "seconds": video.seconds}
                facts["fps"] = round(video.fps) or None
        except MediaUnreadableError as error:
            raise MediaUnreadable(f"{given.field} cannot be read: {error}", param=given.field) from error
        return TaskInput(
            file=path.name,
            kind=MediaKind(family),
            role=given.role or Role.REFERENCE,
            media_type=media_type,
            bytes=blob.bytes,
            sha256=blob.sha256,
            name=given.name,
            **facts,
        )


def accepted(seen: SeenRequest, task: Task, *, lost: bool) -> SeenRequest:
    """Return the log line of a create that made a video."""
    return seen.evolve(
        outcome="lost_answer" if lost else "accepted",
        task=task.id,
        warnings=task.warnings,
        references=tuple(
            {
                "role": given.role.value,
                "kind": given.kind.value,
                "media_type": given.media_type,
                "bytes": given.bytes,
                "sha256": given.sha256,
                **({"name": given.name} if given.name else {}),
            }
            for given in task.inputs
        ),
    )


def _source_shape(source: Task | None, inputs: tuple[TaskInput, ...]) -> Shape | None:
    if source is not None:
        return Shape(seconds=source.seconds, width=source.width, height=source.height, fps=source.fps)
    given = next((item for item in inputs if item.role is Role.SOURCE and item.kind is MediaKind.VIDEO), None)
    if given is None or not given.width or not given.height:
        return None
    return Shape(seconds=round(given.seconds or 0.0, 3), width=given.width, height=given.height, fps=given.fps or 1)


def _picture(inputs: tuple[TaskInput, ...]) -> tuple[int, int] | None:
    """Return the size of the first frame, whose shape the video takes where none was asked for."""
    given = next((item for item in inputs if item.role in (Role.FIRST_FRAME, Role.LAST_FRAME)), None)
    if given is None or given.kind is not MediaKind.IMAGE or not given.width or not given.height:
        return None
    return given.width, given.height


def _operation(request: VideoRequest, inputs: tuple[TaskInput, ...]) -> Operation:
    """Return what is really wanted: a create with a video is an edit or an extension."""
    if request.operation != "create" or not any(given.role is Role.SOURCE for given in inputs):
        return request.operation
    return _OPERATIONS.get(request.mode or "", "edit")


def _finished(tasks: Mapping[str, Task], task_id: str, now: float) -> Task:
    task = tasks.get(task_id)
    if task is None:
        raise NotFound(f"There is no video {task_id[:80]!r}.", code="video_not_found", param="video")
    if look(task, now).status is not Status.COMPLETED:
        raise InvalidRequest(f"Video {task_id} is not finished, so nothing can be made from it.", param="video")
    if not task.outputs:
        raise InvalidRequest(f"Video {task_id} has no file, so nothing can be made from it.", param="video")
    return task


def _sniff_file(path: Path) -> str | None:
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES))
