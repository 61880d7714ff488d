"""Plays the vendor behind a dialect: takes requests, shows videos, hands out files, and misbehaves where it is told to.

It asks for nothing but what is in its folder, and its clock is handed in.
"""

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from reelway.core.errors import (
    AuthenticationRequired,
    Conflict,
    Gone,
    InvalidRequest,
    NotFound,
    TooLarge,
)
from reelway.core.ids import ENTROPY_BYTES, make_id
from reelway.core.keys import Caller
from reelway.core.lifecycle import Status
from reelway.core.record import Record
from reelway.core.videos import Blob, Video
from reelway.dialects.spec import (
    Answer,
    Call,
    CancelVideo,
    CreateVideo,
    Deleted,
    DeleteVideo,
    Incoming,
    ListVideos,
    OpenContent,
    QuoteVideo,
    ReadVideo,
    VideoPage,
)
from reelway.mounting.dialects import OpenedContent
from reelway.mounting.exchange import ClientGone
from reelway.sandbox.faults import HttpFault, read_faults
from reelway.sandbox.folder import SandboxFolder, SeenRequest
from reelway.sandbox.intake import Intake
from reelway.sandbox.misbehaviour import OddVideo, refusal_of, spoil, status_error
from reelway.sandbox.plans import choose_shape
from reelway.sandbox.studio import MadeFile, Studio
from reelway.sandbox.tasks import Task, look, show

__all__ = ["AnswerLost", "SandboxBackend", "SandboxSettings"]

_HOLDER = "sandbox"
_PIECE = 1 << 20


class SandboxSettings(Record):
    """How a sandbox behaves."""

    pace: float = 1.0
    """Scales the make-believe render time of 2 s and 0.1 s for each second of video; 0: as fast as it really renders."""
    draft: bool = False
    """Paint one picture a second: for tests that make many videos."""
    faults: str = ""
    """Directives that hold for every request, `[[rate:429x2]] [[delay:20]]`."""
    fetch_urls: bool = False
    """Fetch inputs that are given by http and https addresses. Otherwise they are refused."""
    allowed_hosts: frozenset[str] = frozenset()
    """Private hosts that may be fetched from all the same."""
    lifetime_seconds: float = 24 * 3600.0
    """After this the files of a video are gone."""
    most_tasks: int = 10_000
    upload_bytes: int = 100_000_000


class AnswerLost(ClientGone):
    """The request was performed, and the connection breaks off instead of answering."""


class SandboxBackend:
    """Performs the calls of a dialect; see `mounting.Backend`."""

    def __init__(
        self,
        folder: SandboxFolder,
        studio: Studio,
        intake: Intake,
        *,
        keys: frozenset[str] | None,
        settings: SandboxSettings,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._studio = studio
        self._intake = intake
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._looks: Counter[str] = Counter()
        self._downloads: Counter[str] = Counter()
        self._creating = asyncio.Lock()

    async def authenticate(self, key: str | None) -> Caller:
        """Return the holder of this key; any key, or none, where the sandbox was given no keys."""
        if self._keys is not None and key not in self._keys:
            raise AuthenticationRequired("This sandbox does not know the API key; use the one it was started with.")
        await self._studio.open()
        mark = hashlib.sha256((key or "").encode()).hexdigest()[:12]
        return Caller(tenant=_HOLDER, key_id=f"sandbox_{mark}", scopes=("create", "read", "admin"))

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        """Keep an uploaded file until its request has been read."""
        upload = self._folder.upload(self._clock(), self._settings.upload_bytes)
        with upload:
            async for piece in pieces:
                if not upload.fits(piece):
                    raise TooLarge(f"a file may have {self._settings.upload_bytes} bytes")
                await asyncio.to_thread(upload.write, piece)
            return upload.keep(media_type)

    async def unstage(self, blob: Blob) -> None:
        """Remove a file that no request came to use."""
        await asyncio.to_thread(self._folder.upload_path(blob).unlink, missing_ok=True)

    async def perform(self, call: Call, caller: Caller, incoming: Incoming) -> Answer:
        """Do it."""
        match call:
            case CreateVideo():
                return await self._create(call, incoming)
            case QuoteVideo(request=request):
                shape = choose_shape(request)
                size = f"{shape.width}x{shape.height}"
                return {
                    "object": "video.quote",
                    "model": request.model,
                    "seconds": f"{shape.seconds:g}",
                    "size": size,
                    "cost": {"currency": "USD", "reserved": "0.00"},
                }
            case ReadVideo(id=task_id, wait_seconds=wait_seconds):
                return await self._read(task_id, wait_seconds)
            case ListVideos():
                return self._list(call)
            case DeleteVideo(id=task_id):
                await self._studio.remove(self._find(task_id).id)
                return Deleted(id=task_id)
            case CancelVideo(id=task_id):
                return await self._cancel(task_id)
            case OpenContent():
                raise InvalidRequest("content is streamed, not performed")

    async def open_content(self, call: OpenContent, caller: Caller) -> OpenedContent:
        """Find a file of a finished video, or whatever the faults put in its place."""
        task = self._find(call.id)
        seen = look(task, self._clock())
        if seen.status is Status.FAILED:
            raise Conflict(f"Video {task.id} failed, so it has no content.", code="video_failed")
        if seen.status is not Status.COMPLETED:
            self._studio.ensure_rendered(task)
            raise Conflict(f"Video {task.id} is not finished yet; ask again later.", code="video_not_ready")
        if self._clock() >= task.expires_at:
            raise Gone(f"The files of video {task.id} have expired; create it again.", code="content_expired")
        if call.index >= len(task.outputs):
            raise NotFound(f"Video {task.id} has {len(task.outputs)} outputs, counted from 0.", param="index")
        made = await self._studio.file(task, call.variant, call.index)
        await asyncio.sleep(task.faults.result_seconds)
        self._count_one(self._downloads, task.id)
        if task.faults.result is not None and self._downloads[task.id] <= task.faults.result_times:
            return await asyncio.to_thread(spoil, made, task.faults.result)
        return _opened(made)

    async def _create(self, call: CreateVideo, incoming: Incoming) -> Video:
        request, now = call.request, self._clock()
        faults = read_faults(request.prompt or "", self._settings.faults)
        seen = self._intake.describe(request, incoming, now)
        async with self._creating:  # one after another, so that a repeated key finds the video it made
            earlier = self._repeated(seen.idempotency_key)
            if earlier is not None:
                await self._note(seen.evolve(outcome="replayed", task=earlier.id))
                return show(earlier, now, replayed=True)
            for fault in faults.create:
                await self._fail_first(fault, seen)
            if faults.refuse is not None:
                await self._note(seen)
                raise refusal_of(faults.refuse)
            task_id = make_id("video_sandbox", now, os.urandom(ENTROPY_BYTES))
            try:
                task = await self._intake.make_task(request, task_id, faults, seen, self._studio.tasks)
            except BaseException:
                await asyncio.to_thread(self._folder.remove, task_id)
                await self._note(seen)
                raise
            lost = bool(faults.lose_answers) and self._count(seen, "lost_answer") < faults.lose_answers
            seen = seen.evolve(
                outcome="lost_answer" if lost else "accepted",
                task=task.id,
                references=tuple(
                    {
                        "role": given.role.value,
                        "kind": given.kind.value,
                        "media_type": given.media_type,
                        "bytes": given.bytes,
                        "sha256": given.sha256,
                    }
                    for given in task.inputs
                ),
            )
            await self._note(seen)
            await self._studio.take_on(task)
        await asyncio.sleep(faults.answer_seconds)
        if lost:
            raise AnswerLost
        return show(task, self._clock())

    async def _fail_first(self, fault: HttpFault, seen: SeenRequest) -> None:
        outcome = f"http_{fault.status}"
        if self._count(seen, outcome) < fault.times:
            await self._note(seen.evolve(outcome=outcome))
            raise status_error(fault)

    def _count(self, seen: SeenRequest, outcome: str) -> int:
        """Return how many creates with these words ended so before; the log knows, also after a kill."""
        return sum(1 for past in self._folder.requests if past.outcome == outcome and past.prompt == seen.prompt)

    def _count_one(self, counter: Counter[str], task_id: str) -> None:
        counter[task_id] += 1
        if len(counter) > 2 * self._settings.most_tasks:
            for gone in [known for known in counter if known not in self._studio.tasks]:
                del counter[gone]

    def _repeated(self, key: str | None) -> Task | None:
        task_id = None if key is None else self._studio.by_key.get(key)
        return None if task_id is None else self._studio.tasks.get(task_id)

    async def _note(self, seen: SeenRequest) -> None:
        await asyncio.to_thread(self._folder.note, seen)

    async def _read(self, task_id: str, wait_seconds: float) -> Video:
        task = self._find(task_id)
        self._count_one(self._looks, task_id)
        for fault in task.faults.poll:
            if self._looks[task_id] <= fault.times:
                raise status_error(fault)
        deadline = self._clock() + wait_seconds
        while True:
            self._studio.ensure_rendered(task)
            now = self._clock()
            if look(task, now).is_final or now >= deadline:
                break
            until = min(deadline, task.due_at) if now < task.due_at else deadline
            await self._studio.wait_for_change(until - now)
            task = self._find(task_id)
        video = show(task, self._clock())
        if self._looks[task_id] <= task.faults.odd_polls:
            return OddVideo.of(video)
        return video

    async def _cancel(self, task_id: str) -> Video:
        task, now = self._find(task_id), self._clock()
        if look(task, now).is_final:
            raise Conflict(f"Video {task_id} has ended; there is nothing to cancel.", code="video_final")
        task = task.evolve(cancelled_at=now)
        await self._studio.save(task)
        return show(task, now)

    def _list(self, call: ListVideos) -> VideoPage:
        now = self._clock()
        tasks = sorted(self._studio.tasks.values(), key=lambda task: task.id, reverse=call.order == "desc")
        if call.after is not None:
            place = next((number for number, task in enumerate(tasks) if task.id == call.after), None)
            if place is None:
                raise InvalidRequest(f"after names no video of this list: {call.after[:80]}", param="after")
            tasks = tasks[place + 1 :]
        found = [task for task in tasks if _fits(task, call, now)]
        return VideoPage(
            videos=tuple(show(task, now) for task in found[: call.limit]), has_more=len(found) > call.limit
        )

    def _find(self, task_id: str) -> Task:
        task = self._studio.tasks.get(task_id)
        if task is None:
            raise NotFound(f"There is no video {task_id[:80]!r}.", code="video_not_found")
        return task


def _fits(task: Task, call: ListVideos, now: float) -> bool:
    return (
        (not call.status or look(task, now).status.value in call.status)
        and call.model in (None, task.model)
        and call.user in (None, task.user)
        and (call.created_after is None or task.created_at > call.created_after)
        and (call.created_before is None or task.created_at < call.created_before)
    )


def _opened(made: MadeFile) -> OpenedContent:
    async def read(start: int, stop: int) -> AsyncIterator[bytes]:
        for place in range(start, stop, _PIECE):
            yield await asyncio.to_thread(_read_piece, made.path, place, min(_PIECE, stop - place))

    return OpenedContent(blob=made.blob, filename=made.filename, path=made.path, read=read)


def _read_piece(path: Path, place: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(place)
        return file.read(length)
