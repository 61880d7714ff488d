"""The other side of the wire, as small as it can be: resolves and shows videos as the service does."""

from typing import Any

from tests.vendors.peer import settled
from tests.vendors.round_trip import CATALOG, STARTED

from reelway.catalog.resolve import resolve
from reelway.core.errors import CallerError, NotFound
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Output, ResolvedRequest, Video, VideoRequest
from reelway.dialects.spec import (
    Answer,
    Call,
    CancelVideo,
    CreateVideo,
    Deleted,
    DeleteVideo,
    ListVideos,
    ReadVideo,
    VideoPage,
)

__all__ = ["LINK", "World", "output"]

LINK = "https://other.example.test/v1/videos/{id}/content?variant=video&index={index}&expires=1&signature=0"


class World:
    """Videos by id; what is in them is changed by hand."""

    def __init__(self, refuse: CallerError | None = None) -> None:
        self.videos: dict[str, Video] = {}
        self._refuse = refuse

    def __call__(self, call: Call) -> Answer:
        """Perform a call."""
        match call:
            case CreateVideo(request=request):
                if self._refuse is not None:
                    raise self._refuse
                return self._create(request)
            case ReadVideo(id=name):
                return self.find(name)
            case ListVideos():
                found = [video for video in self.videos.values() if _fits(video, call)]
                return VideoPage(videos=tuple(found), has_more=False, total=len(found) if call.counted else None)
            case CancelVideo(id=name):
                failure = Failure(kind=FailureKind.CANCELLED, message="The video was cancelled.")
                return self.change(name, status=Status.FAILED, failure=failure, completed_at=STARTED + 9)
            case DeleteVideo(id=name, cancels_queued=True) if self.find(name).status is Status.QUEUED:
                self(CancelVideo(id=name))
                return Deleted(id=name, cancelled=True)
            case DeleteVideo(id=name):
                del self.videos[self.find(name).id]
                return Deleted(id=name)
            case _:
                raise AssertionError(f"nobody answers {call}")

    def find(self, name: str) -> Video:
        """Return a video by its id or reference."""
        for video in self.videos.values():
            if name in (video.id, video.client_reference):
                return video
        raise NotFound(f"there is no video {name!r}", code="video_not_found")

    def change(self, name: str, **changes: Any) -> Video:
        """Let something happen to a video."""
        video = self.find(name)
        self.videos[video.id] = video.evolve(updated_at=STARTED + 5, **changes)
        return self.videos[video.id]

    def complete(self, name: str, count: int = 1) -> Video:
        """Finish it with so many outputs."""
        outputs = tuple(output(name, index) for index in range(count))
        return self.change(
            name,
            status=Status.COMPLETED,
            progress=100,
            outputs=outputs,
            completed_at=STARTED + 60,
            expires_at=STARTED * 2,
        )

    def _create(self, request: VideoRequest) -> Video:
        resolved = resolve(settled(request), CATALOG.card(request.model))
        video = _shown(f"video_b{len(self.videos)}", resolved).evolve(client_reference=request.client_reference)
        self.videos[video.id] = video
        return video


def output(video_id: str, index: int = 0) -> Output:
    """Return one finished file, as it is shown."""
    return Output(
        index=index,
        seconds=5.0,
        width=1280,
        height=720,
        fps=24.0,
        bytes=1,
        sha256="0",
        has_audio=True,
        url=LINK.format(id=video_id, index=index),
        last_frame_url=LINK.format(id=video_id, index=index).replace("variant=video", "variant=last_frame"),
    )


def _shown(video_id: str, request: ResolvedRequest) -> Video:
    return Video(
        id=video_id,
        model=request.model,
        status=Status.QUEUED,
        progress=0,
        created_at=STARTED + 1,
        updated_at=STARTED + 1,
        prompt=request.prompt,
        mode=request.mode,
        seconds=None if request.seconds in (None, -1) else str(request.seconds),
        width=request.width,
        height=request.height,
        ratio=request.ratio,
        tier=request.tier,
        seed=request.seed,
        fps=request.fps,
        audio=request.audio,
        options=request.options,
        user=request.user,
        tags=request.tags,
        warnings=request.warnings,
        client_reference=request.client_reference,
    )


def _fits(video: Video, call: ListVideos) -> bool:
    return (
        (not call.ids or video.id in call.ids)
        and (not call.client_references or video.client_reference in call.client_references)
        and (not call.status or video.status.value in call.status)
        and call.cancelled in (None, video.failure is not None and video.failure.kind is FailureKind.CANCELLED)
        and (not call.modes or video.mode in call.modes)
        and call.model in (None, video.model)
    )
