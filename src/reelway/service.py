"""Use cases: what a caller can do with videos, whatever dialect it speaks. Decides who may; the engine performs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from reelway.catalog.spec import ModelCard
from reelway.core.keys import Caller
from reelway.core.record import Record
from reelway.core.videos import Blob, Variant, Video, VideoRequest
from reelway.dialects.spec import Deleted, ListVideos, VideoPage

__all__ = ["Content", "Service", "VideoEvent"]


class Content(Record):
    """One file of a finished video, ready to be streamed."""

    blob: Blob
    filename: str
    """For Content-Disposition."""
    path: Path | None
    """The local file, where there is one; else read `Service.read_asset(blob.key, start, stop)`."""


class VideoEvent(Record):
    """One server-sent event: the video as it is now. `id` goes into `Last-Event-ID`."""

    id: str
    type: str
    """`video.queued`, `video.in_progress`, `video.progress`, `video.completed`, `video.failed`."""
    video: Video


class Service:
    """The use cases. Every method raises `CallerError` when it is the caller's turn to act."""

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        """Stream an uploaded file into the asset store. Raises `TooLarge`."""
        raise NotImplementedError

    async def create(
        self,
        request: VideoRequest,
        caller: Caller,
        *,
        idempotency_key: str | None = None,
        body_hash: str = "",
        strict: bool = False,
    ) -> Video:
        raise NotImplementedError

    async def quote(self, request: VideoRequest, caller: Caller, *, strict: bool = False) -> dict[str, Any]:
        raise NotImplementedError

    async def read(self, video_id: str, caller: Caller, *, wait_seconds: float = 0.0) -> Video:
        raise NotImplementedError

    async def list(self, query: ListVideos, caller: Caller) -> VideoPage:
        raise NotImplementedError

    async def delete(self, video_id: str, caller: Caller) -> Deleted:
        raise NotImplementedError

    async def cancel(self, video_id: str, caller: Caller) -> Video:
        raise NotImplementedError

    async def content(self, video_id: str, caller: Caller | None, *, variant: Variant, index: int) -> Content:
        """Find one file. `caller` is None for a signed link, whose signature was checked with `check_link`."""
        raise NotImplementedError

    def check_link(self, video_id: str, variant: Variant, index: int, expires: str, signature: str) -> None:
        """Raise `PermissionDenied` unless this is a link we signed and its time has not passed."""
        raise NotImplementedError

    def read_asset(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        raise NotImplementedError

    def events(self, video_id: str, caller: Caller, *, last_event_id: str | None) -> AsyncIterator[VideoEvent]:
        """Yield the story so far after `last_event_id`, then every change, and end after the final one."""
        raise NotImplementedError

    async def authenticate(self, key: str | None) -> Caller:
        """Return who holds this API key. Raises `AuthenticationRequired`."""
        raise NotImplementedError

    def model_names(self) -> tuple[str, ...]:
        """Return every public name that can be asked for, aliases included, sorted."""
        raise NotImplementedError

    def model(self, name: str) -> tuple[ModelCard, dict[str, Any]]:
        """Return a card and what is true of it here and now: `{routes: […], available, deprecation, alias_of}`."""
        raise NotImplementedError

    async def ready(self) -> dict[str, Any]:
        """Return what `/readyz` says; `{"status": "ready"}` when requests can be taken."""
        raise NotImplementedError
