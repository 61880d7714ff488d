"""Plays the vendors behind the dialects: takes requests, shows videos, hands out files, and misbehaves where it is told to.

All vendors share their videos: what was ordered in one dialect can be seen in every other. It asks for nothing but what is in
its folder, and its clock is handed in.
"""

import asyncio
import base64
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from reelway.catalog.subjects import no_subjects
from reelway.core.errors import AuthenticationRequired, Conflict, InvalidRequest, NotFound, TooLarge
from reelway.core.ids import ENTROPY_BYTES, make_id
from reelway.core.keys import Caller
from reelway.core.lifecycle import Status
from reelway.core.record import Record
from reelway.core.videos import Blob, Video
from reelway.dialects.spec import (
    Answer,
    Call,
    CancelVideo,
    CreateCharacter,
    CreateVideo,
    DeleteCharacter,
    Deleted,
    DeleteVideo,
    Dialect,
    Incoming,
    ListVideos,
    OpenContent,
    QuoteVideo,
    ReadCharacter,
    ReadVideo,
    VideoPage,
)
from reelway.mounting.dialects import OpenedContent
from reelway.mounting.exchange import ClientGone
from reelway.sandbox.behaviour import SandboxSettings
from reelway.sandbox.callbacks import Callbacks, Poster
from reelway.sandbox.faults import HttpFault, read_faults
from reelway.sandbox.files import Files, count_one
from reelway.sandbox.folder import SandboxFolder, SeenRequest
from reelway.sandbox.intake import Intake, accepted
from reelway.sandbox.links import Links, origin_of
from reelway.sandbox.listing import choose_page
from reelway.sandbox.misbehaviour import OddVideo, refusal_of, status_error
from reelway.sandbox.plans import quote_of
from reelway.sandbox.studio import Studio
from reelway.sandbox.tasks import Seen, Task, look, show

__all__ = ["AnswerLost", "Part", "SandboxBackend"]

_HOLDER = "sandbox"
_ORDERED = Seen(status=Status.QUEUED)
"""What every create is answered with, however fast the video is made."""


class AnswerLost(ClientGone):
    """The request was performed, and the connection breaks off instead of answering."""


class _Asked(Record):
    """In whose words the sandbox is asked, and where it was reached."""

    dialect: Dialect
    origin: str


class SandboxBackend:
    """What all vendors have in common; `playing` returns one of them."""

    def __init__(
        self,
        folder: SandboxFolder,
        studio: Studio,
        intake: Intake,
        dialects: Mapping[str, Dialect],
        *,
        keys: frozenset[str] | None,
        admits: Callable[[str], Awaitable[bool]] | None,
        settings: SandboxSettings,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._studio = studio
        self._intake = intake
        self._dialects = dialects
        self._keys = keys
        self._admits = admits
        self._settings = settings
        self._everywhere = settings.faults
        self._clock = clock
        self._files = Files(studio, clock, settings.most_tasks)
        self._looks: Counter[str] = Counter()
        self._creating = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._is_open = False
        poster = Poster(settings.allowed_hosts, settings.pace)
        self.callbacks = Callbacks(
            studio, poster, self._callback_body, self._show_as, self._challenges, self._callback_headers, clock
        )

    def playing(self, dialect: Dialect) -> "Part":
        """Return the vendor of a dialect."""
        return Part(self, dialect)

    async def open(self) -> None:
        """Take up what an earlier run left; the first request does it, where nobody did before."""
        async with self._opening:
            if self._is_open:
                return
            await self._studio.open()
            for task in self._studio.tasks.values():
                self._follow(task)
            self._is_open = True

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.callbacks.close()
        await self._studio.close()

    def misbehave(self, directives: str) -> None:
        """From now on let these hold for every create. Raises `InvalidRequest` for what is not understood."""
        read_faults(directives)
        self._everywhere = directives

    async def authenticate(self, key: str | None) -> Caller:
        """Return the holder of this key; any key, or none, where the sandbox was given no keys."""
        if self._keys is not None and key not in self._keys and not await self._is_admitted(key):
            raise AuthenticationRequired("This sandbox does not know the API key; use the one it was started with.")
        await self.open()
        return Caller(tenant=_HOLDER, key_id=f"sandbox_{_mark(key)}", scopes=("create", "read", "admin"))

    async def _is_admitted(self, key: str | None) -> bool:
        return key is not None and self._admits is not None and await self._admits(key)

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

    async def perform(self, call: Call, incoming: Incoming, dialect: Dialect) -> Answer:
        """Do it, as the vendor of this dialect."""
        asked = _Asked(dialect=dialect, origin=self._origin(incoming))
        match call:
            case CreateVideo():
                return await self._create(call, incoming, asked)
            case QuoteVideo():
                return quote_of(call.request)
            case ReadVideo(id=name, wait_seconds=wait_seconds):
                return await self._read(name, wait_seconds, asked)
            case ListVideos():
                return self._list(call, asked)
            case DeleteVideo():
                return await self._delete(call, asked)
            case CancelVideo(id=name):
                return await self._cancel(self._find(name), asked, only_queued=call.only_queued)
            case CreateCharacter() | ReadCharacter() | DeleteCharacter():
                raise no_subjects(())
            case OpenContent():
                raise InvalidRequest("content is streamed, not performed")

    async def open_content(self, call: OpenContent) -> OpenedContent:
        """Find a file of a finished video, or whatever the faults put in its place."""
        return await self._files.open(self._find(call.id), call)

    async def open_link(self, call: OpenContent, incoming: Incoming) -> OpenedContent | None:
        """Find the file behind a link; None where the request came without one."""
        await self.open()
        if not self._links().is_one(call, incoming, self._clock()):
            return None
        return await self.open_content(call)

    # --- create

    async def _create(self, call: CreateVideo, incoming: Incoming, asked: _Asked) -> Video:
        request, now = call.request, self._clock()
        faults = read_faults(request.prompt or "", self._everywhere)
        judged = self._settings.strict or not asked.dialect.manners.any_model
        seen = self._intake.describe(request, incoming, now, dialect=asked.dialect.name, judged=judged)
        async with self._creating:  # one after another, so that a repeated key finds the video it made
            earlier = self._repeated(seen.idempotency_key)
            if earlier is not None:
                await self._note(seen.evolve(outcome="replayed", task=earlier.id))
                return self._show(earlier, asked).evolve(replayed=True)
            for fault in faults.create:
                await self._fail_first(fault, seen)
            if faults.refuse is not None:
                await self._note(seen)
                raise refusal_of(faults.refuse)
            await self._refuse_known_reference(seen, asked)
            task_id = make_id("video_sandbox", now, os.urandom(ENTROPY_BYTES))
            try:
                task = await self._intake.make_task(request, task_id, faults, seen, self._studio.tasks)
            except BaseException:
                await asyncio.to_thread(self._folder.remove, task_id)
                await self._note(seen)
                raise
            task = task.evolve(
                origin=asked.origin,
                key_mark=_mark(asked.dialect.key_of(incoming.headers, incoming.query, incoming.arrived_at)),
            )
            lost = bool(faults.lose_answers) and self._count(seen, "lost_answer") < faults.lose_answers
            await self._note(accepted(seen, task, lost=lost))
            await self._studio.take_on(task)
        self._follow(task)
        await asyncio.sleep(faults.answer_seconds)
        if lost:
            raise AnswerLost
        if call.wait_seconds:
            return await self._show_whole(await self._wait(task, call.wait_seconds), asked)
        return self._show(task, asked, seen=_ORDERED)

    async def _refuse_known_reference(self, seen: SeenRequest, asked: _Asked) -> None:
        """Refuse a reference that was used before, where the vendor does; the vendors share their videos, so whoever used it."""
        if not asked.dialect.manners.reference_once or seen.client_reference not in self._studio.by_reference:
            return
        await self._note(seen.evolve(outcome="reference_exists"))
        raise Conflict(f"{seen.client_reference} already exists: a video was ordered with it.", code="reference_exists")

    async def _fail_first(self, fault: HttpFault, seen: SeenRequest) -> None:
        outcome = f"http_{fault.status}"
        if self._count(seen, outcome) < fault.times:
            await self._note(seen.evolve(outcome=outcome))
            raise status_error(fault)

    def _count(self, seen: SeenRequest, outcome: str) -> int:
        """Return how many creates with these words ended so before; the log knows, also after a kill."""
        return sum(1 for past in self._folder.requests if past.outcome == outcome and past.prompt == seen.prompt)

    def _repeated(self, key: str | None) -> Task | None:
        task_id = None if key is None else self._studio.by_key.get(key)
        return None if task_id is None else self._studio.tasks.get(task_id)

    async def _note(self, seen: SeenRequest) -> None:
        await asyncio.to_thread(self._folder.note, seen)

    # --- look

    async def _read(self, name: str, wait_seconds: float, asked: _Asked) -> Video:
        task = self._find(name)
        self._count_look(task)
        task = await self._wait(task, wait_seconds)
        return self._odd_or_not(await self._show_whole(task, asked), task)

    async def _wait(self, task: Task, seconds: float) -> Task:
        """Return the task when it is final, or as it is after this time."""
        deadline = self._clock() + seconds
        while True:
            self._studio.ensure_rendered(task)
            now = self._clock()
            if look(task, now).is_final or now >= deadline:
                return task
            until = min(deadline, task.due_at) if now < task.due_at else deadline
            await self._studio.wait_for_change(until - now)
            task = self._find(task.id)

    def _list(self, call: ListVideos, asked: _Asked) -> VideoPage:
        page = choose_page(self._studio.tasks.values(), call, self._clock())
        videos = []
        for task in page.tasks:
            video = self._show(task, asked)
            if call.ids:  # a look at videos that are asked for by name, not a list
                self._count_look(task)
                self._studio.ensure_rendered(task)
                video = self._odd_or_not(video, task)
            videos.append(video)
        return VideoPage(videos=tuple(videos), has_more=page.has_more, total=page.total)

    def _count_look(self, task: Task) -> None:
        """Count one more look, and raise where it is to go wrong."""
        count_one(self._looks, task.id, self._studio.tasks, self._settings.most_tasks)
        for fault in task.faults.poll:
            if self._looks[task.id] <= fault.times:
                raise status_error(fault)

    def _odd_or_not(self, video: Video, task: Task) -> Video:
        return OddVideo.of(video) if self._looks[task.id] <= task.faults.odd_polls else video

    def _find(self, name: str) -> Task:
        """Return the task of this id, or with this reference of the caller's."""
        task = self._studio.tasks.get(name) or self._studio.tasks.get(self._studio.by_reference.get(name, ""))
        if task is None:
            raise NotFound(f"There is no video {name[:80]!r}.", code="video_not_found")
        return task

    # --- stop

    async def _cancel(self, task: Task, asked: _Asked, *, only_queued: bool = False) -> Video:
        now = self._clock()
        seen = look(task, now)
        if seen.is_final:
            raise Conflict(f"Video {task.id} has ended; there is nothing to cancel.", code="video_final")
        if only_queued and seen.status is not Status.QUEUED:
            raise Conflict(f"Video {task.id} is being made and cannot be stopped.", code="video_running")
        return self._show(await self._studio.change(task.id, cancelled_at=now) or task, asked)

    async def _delete(self, call: DeleteVideo, asked: _Asked) -> Deleted:
        task = self._find(call.id)
        status = look(task, self._clock()).status
        if call.cancels_queued and status is Status.IN_PROGRESS:
            raise Conflict(f"Video {task.id} is being made and cannot be stopped.", code="video_running")
        if call.cancels_queued and (status is Status.QUEUED or task.cancelled_at is not None):
            await self._cancel(task, asked)
            return Deleted(id=task.id, cancelled=True)
        await self._studio.remove(task.id)
        return Deleted(id=task.id)

    # --- show

    def _show(self, task: Task, asked: _Asked, *, seen: Seen | None = None) -> Video:
        now = self._clock()
        video = show(task, now, seen=seen, link=self._links().to_files_of(task, asked.origin, now))
        usage_of = asked.dialect.manners.usage_of
        return video if usage_of is None or not video.outputs else video.evolve(usage=usage_of(video))

    async def _show_whole(self, task: Task, asked: _Asked) -> Video:
        """Return the video, with its bytes where they were to come in the answer."""
        video = self._show(task, asked)
        if not video.outputs or task.response_format != "b64_json":
            return video
        texts = [base64.b64encode(data).decode("ascii") for data in await self._files.all_bytes(task)]
        return video.evolve(b64_json=tuple(texts))

    def _follow(self, task: Task) -> None:
        """Tell the callback address about a video, where it gave one and its vendor calls back."""
        dialect = self._dialects.get(task.callback_dialect)
        if dialect is not None and dialect.render_callback is not None:
            self.callbacks.follow(task)

    def _show_as(self, task: Task, seen: Seen) -> Video:
        """Return the video for its callback address."""
        return self._show(task, _Asked(dialect=self._dialects[task.callback_dialect], origin=task.origin), seen=seen)

    def _challenges(self, task: Task) -> bool:
        return self._dialects[task.callback_dialect].manners.challenges

    def _callback_body(self, task: Task, video: Video) -> Any:
        render = self._dialects[task.callback_dialect].render_callback
        return None if render is None else render(video)

    def _callback_headers(self, task: Task, url: str) -> Mapping[str, str]:
        """Return what a call is signed with, where its vendor signs and the key is one the sandbox was given."""
        sign = self._dialects[task.callback_dialect].manners.sign_callback
        key = next((key for key in self._keys or () if _mark(key) == task.key_mark), None)
        return {} if sign is None or key is None else sign(url, key, self._clock(), os.urandom(16).hex())

    def _links(self) -> Links:
        return Links(self._folder.link_secret, self._settings.link_seconds)

    def _origin(self, incoming: Incoming) -> str:
        return origin_of(incoming.headers, self._settings.public_url, self._settings.prefix)


class Part:
    """One vendor, played; see `mounting.Backend`. It reads and answers in its own dialect, and has its vendor's manners."""

    def __init__(self, backend: SandboxBackend, dialect: Dialect) -> None:
        self._backend = backend
        self._dialect = dialect
        self.authenticate = backend.authenticate
        self.stage = backend.stage
        self.unstage = backend.unstage
        self.open_link = backend.open_link

    async def perform(self, call: Call, caller: Caller, incoming: Incoming) -> Answer:
        """Do it."""
        return await self._backend.perform(call, incoming, self._dialect)

    async def open_content(self, call: OpenContent, caller: Caller) -> OpenedContent:
        """Find a file."""
        return await self._backend.open_content(call)


def _mark(key: str | None) -> str:
    """Return by what a key is told from others."""
    return hashlib.sha256((key or "").encode()).hexdigest()[:12]
