"""Reading: one video now or when it is finished, pages of them, and their story as it happens.

The one rule: another tenant's video does not exist.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from reelway.core.errors import NotFound, PermissionDenied
from reelway.core.ids import is_id
from reelway.core.jobs import Job
from reelway.core.keys import Caller, Scope
from reelway.core.lifecycle import State, Status, public_status
from reelway.core.record import Record
from reelway.core.videos import Video
from reelway.dialects.spec import ListVideos, VideoPage
from reelway.engine.runtime import Engine
from reelway.service.contents import ContentKeeper
from reelway.service.unheard import Unheard
from reelway.service.views import view
from reelway.store.spec import JobQuery, JobStore

__all__ = ["Reader", "VideoEvent", "not_found", "require"]

_TICK_SECONDS = 1.0
_STATES: Mapping[str, tuple[State, ...]] = {
    str(status): tuple(state for state in State if public_status(state) is status) for status in Status
}


class VideoEvent(Record):
    """One server-sent event: the video as it is now. `id` goes into `Last-Event-ID`."""

    id: str
    type: str
    """`video.queued`, `video.in_progress`, `video.progress`, `video.completed`, `video.failed`."""
    video: Video


class Reader:
    """What callers may see."""

    def __init__(
        self,
        *,
        store: JobStore,
        contents: ContentKeeper,
        engine: Engine,
        unheard: Unheard,
        clock: Callable[[], float],
        b64_json_bytes: int,
        longest_wait_seconds: float,
        look_seconds: float,
    ) -> None:
        self._store = store
        self._contents = contents
        self._engine = engine
        self._unheard = unheard
        self._clock = clock
        self._b64_json_bytes = b64_json_bytes
        self._longest_wait_seconds = longest_wait_seconds
        self._look_seconds = look_seconds

    async def read(self, video_id: str, caller: Caller, *, wait_seconds: float = 0.0) -> Video:
        """Return a video, named by its id or by the caller's own reference (the newest that carries it).

        With `wait_seconds`, not before it is finished or the time is over.
        """
        video_id = await self._id_of(video_id, caller)
        return await self.watch(video_id, caller, min(wait_seconds, self._longest_wait_seconds))

    async def watch(self, video_id: str, caller: Caller, wait_seconds: float, *, named: bool = True) -> Video:
        """Return a video when it is finished or the time is over; `named`: the caller has asked for it by its id."""
        deadline = self._clock() + wait_seconds
        waiter = self._engine.board.watch(video_id) if wait_seconds > 0 else None
        try:
            job = await self.own(video_id, caller, named=named)
            while waiter is not None and not job.is_final:
                left = deadline - self._clock()
                if left <= 0 or not self._engine.healthy():
                    break
                if await _changed(waiter, min(left, self._look_seconds)):
                    waiter = self._engine.board.watch(video_id)
                job = await self.own(video_id, caller, named=named)
        finally:
            if waiter is not None:
                self._engine.board.unwatch(video_id, waiter)
        return await self._complete_view(job, caller)

    async def list(self, query: ListVideos, caller: Caller) -> VideoPage:
        """Return a page of the caller's own videos."""
        if query.after is not None:
            await self._check_place(query.after, caller)
        page = await self._store.page(
            JobQuery(
                tenant=caller.tenant,
                limit=query.limit,
                descending=query.order == "desc",
                after=query.after,
                states=_states(query),
                model=query.model,
                user=query.user,
                created_after=query.created_after,
                created_before=query.created_before,
                ids=query.ids,
                client_references=query.client_references,
                modes=query.modes,
                skip=query.skip,
                counted=query.counted,
            )
        )
        videos = tuple(self.view(job, caller) for job in page.jobs)
        return VideoPage(videos=videos, has_more=page.has_more, total=page.total)

    async def events(
        self, video_id: str, caller: Caller, *, last_event_id: str | None = None
    ) -> AsyncIterator[VideoEvent]:
        """Yield the video as it is unless that was `last_event_id`, then every change, and end after the final one."""
        board = self._engine.board
        job = await self.own(video_id, caller)
        seen, status = last_event_id, None
        looked_at = self._clock()
        while True:
            waiter = board.watch(video_id)
            try:
                video = await self._complete_view(job, caller)
                event_id = f"{video.status}-{video.progress}"
                if event_id != seen:
                    kind = "progress" if video.status is status else str(video.status)
                    yield VideoEvent(id=event_id, type=f"video.{kind}", video=video)
                    seen, status = event_id, video.status
                if job.is_final or not self._engine.healthy():
                    return
                changed = await _changed(waiter, min(_TICK_SECONDS, self._look_seconds))
                if changed or self._clock() - looked_at >= self._look_seconds:
                    job = await self.own(video_id, caller)
                    looked_at = self._clock()
            finally:
                board.unwatch(video_id, waiter)

    async def own(self, video_id: str, caller: Caller, *, named: bool = True) -> Job:
        """Return the caller's own video, and note that it was named; another tenant's does not exist."""
        if named:
            require(caller, "read")
        job = await self._store.get(video_id) if is_id("video", video_id) else None
        if job is None or job.tenant != caller.tenant or job.parent is not None:
            raise not_found(video_id)
        if named:
            self._unheard.named(video_id)
        return job

    async def _id_of(self, name: str, caller: Caller) -> str:
        if is_id("video", name):
            return name
        page = await self._store.page(JobQuery(tenant=caller.tenant, client_references=(name,), limit=1))
        return page.jobs[0].id if page.jobs else name

    async def _check_place(self, video_id: str, caller: Caller) -> None:
        """A page may follow a video that was deleted since: whoever deletes what a list shows turns pages all the same."""
        try:
            await self.own(video_id, caller)
        except NotFound as error:
            if await self._store.tombstone_tenant(video_id) != caller.tenant:
                raise NotFound(error.message, param="after", code=error.code) from None

    def view(self, job: Job, caller: Caller) -> Video:
        """Return what a caller may see of a job now, as far as that costs no look-up."""
        return view(job, caller, self._engine, self._contents, self._clock())

    async def _complete_view(self, job: Job, caller: Caller) -> Video:
        """Return the video with what costs a look-up: its place in another node's line, about, or its bytes."""
        video = self.view(job, caller)
        if job.state is State.QUEUED and video.queue_position is None and job.owner != self._engine.node:
            return video.evolve(queue_position=await self._store.queue_position(job))
        if job.state is State.COMPLETED and job.request.response_format == "b64_json" and not job.expired:
            return video.evolve(b64_json=await self._contents.in_base64(job, self._b64_json_bytes))
        return video


def _states(query: ListVideos) -> tuple[State, ...]:
    """Return the states a list is about; none means all."""
    states = [state for status in query.status for state in _STATES[status]]
    if query.cancelled is None:
        return tuple(states)
    return tuple(state for state in states or State if (state is State.CANCELLED) == query.cancelled)


async def _changed(waiter: asyncio.Future[None], seconds: float) -> bool:
    """Wait for a change; False when the time is over."""
    done, _ = await asyncio.wait({waiter}, timeout=seconds)
    return bool(done)


def require(caller: Caller, scope: Scope) -> None:
    """Raise `PermissionDenied` unless the caller's key may do this."""
    if scope not in caller.scopes and not caller.is_admin:
        raise PermissionDenied(f"this key may not {scope} videos; use a key with the scope {scope!r}")


def not_found(video_id: str) -> NotFound:
    """Return what whoever asks for something that is not theirs, or nowhere, is told."""
    return NotFound(f"there is no video {video_id[:80]!r}", param="video_id", code="video_not_found")
