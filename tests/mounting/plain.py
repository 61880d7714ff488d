"""The smallest dialect and the smallest backend that still have every kind of endpoint; for tests of the mounting alone."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from starlette.routing import Router

from reelway.core.errors import AuthenticationRequired, CallerError, InvalidRequest, NotFound, TooLarge
from reelway.core.keys import Caller
from reelway.core.lifecycle import Status
from reelway.core.videos import Blob, Video, VideoRequest
from reelway.dialects.spec import (
    Answer,
    Call,
    CancelVideo,
    CreateVideo,
    Dialect,
    Endpoint,
    Incoming,
    OpenContent,
    Outgoing,
    ReadVideo,
    Upload,
)
from reelway.mounting.bodies import BodyLimits
from reelway.mounting.dialects import Backend, OpenedContent, mount

__all__ = ["MemoryBackend", "blob_of", "plain_dialect", "serve"]


def blob_of(data: bytes, media_type: str = "video/mp4") -> Blob:
    """Return what a store would say of these bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return Blob(key=f"staged/{digest[:8]}", sha256=digest, bytes=len(data), media_type=media_type)


class MemoryBackend:
    """Keeps everything that happened to it in lists."""

    def __init__(self, content: bytes = b"", path: Path | None = None) -> None:
        self.content = content
        self.path = path
        self.staged: list[bytes] = []
        self.piece_sizes: list[int] = []
        self.unstaged: list[str] = []
        self.performed: list[tuple[Call, Incoming]] = []
        self.ranges_read: list[tuple[int, int]] = []
        self.fails_with: Exception | None = None
        self.stage_limit = 10**9
        self.reads_all = True
        self.replays = False

    async def authenticate(self, key: str | None) -> Caller:
        if key != "sk-test":
            raise AuthenticationRequired("Send a key as `Authorization: Bearer sk-…`.")
        return Caller(tenant="t", key_id="k")

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        data = b""
        async for piece in pieces:
            self.piece_sizes.append(len(piece))
            data += piece
            if len(data) > self.stage_limit:
                raise TooLarge("The store is small.")
            if not self.reads_all:
                break
        self.staged.append(data)
        return blob_of(data, media_type)

    async def unstage(self, blob: Blob) -> None:
        self.unstaged.append(blob.key)

    async def perform(self, call: Call, caller: Caller, incoming: Incoming) -> Answer:
        self.performed.append((call, incoming))
        if self.fails_with is not None:
            raise self.fails_with
        if isinstance(call, ReadVideo) and call.id != "video_1":
            raise NotFound(f"There is no video {call.id}.")
        return Video(id="video_1", model="m", status=Status.QUEUED, progress=0, created_at=1.0, replayed=self.replays)

    async def open_content(self, call: OpenContent, caller: Caller) -> OpenedContent:
        if call.id != "video_1":
            raise NotFound(f"There is no video {call.id}.")
        return self._opened()

    async def open_link(self, call: OpenContent, incoming: Incoming) -> OpenedContent | None:
        signature = dict(incoming.query).get("signature")
        if signature is None:
            return None
        if signature != "good":
            raise InvalidRequest("bad signature")
        return self._opened()

    def _opened(self) -> OpenedContent:
        return OpenedContent(blob=blob_of(self.content), filename="video_1.mp4", path=self.path, read=self._read)

    async def _read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        self.ranges_read.append((start, stop))
        for position in range(start, stop, 1000):
            yield self.content[position : min(position + 1000, stop)]


def plain_dialect() -> Dialect:
    """Return a dialect whose create takes anything."""
    return Dialect(
        name="plain",
        endpoints=(
            Endpoint(method="GET", path="/things/{id}", read=_read, render=_render),
            Endpoint(method="POST", path="/things/{id}/stop", read=_stop, render=_render),
            Endpoint(method="POST", path="/things/fixed", read=_create, render=_render),
            Endpoint(method="POST", path="/things", read=_create, render=_render),
            Endpoint(method="GET", path="/things/{id}/bytes", read=_open, render=_render, streams=True),
        ),
        render_error=render_error,
        key_of=_key_of,
    )


def serve(backend: Backend, *, prefix: str = "", **limits: Any) -> Router:
    """Return an app with the dialect on it."""
    return Router(mount(plain_dialect(), backend, limits=BodyLimits(**limits), prefix=prefix))


def render_error(error: CallerError, request_id: str) -> Outgoing:
    body = {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}
    return Outgoing(status=error.status, body=body, headers={"x-request-id": request_id})


def _key_of(headers: Mapping[str, str], query: object = (), now: float = 0.0) -> str | None:
    return headers.get("authorization", "").removeprefix("Bearer ") or None


def _create(incoming: Incoming) -> Call:
    if incoming.json is None and incoming.form is None:
        raise InvalidRequest("There is no body.")
    if incoming.json is not None and "refuse" in incoming.json:
        raise InvalidRequest("As you wish.")
    fields = {field.name: _plain(field.value) for field in incoming.form or ()}
    if fields.get("refuse"):
        raise InvalidRequest("As you wish.")
    return CreateVideo(request=VideoRequest(model="m", options=incoming.json or fields))


def _plain(value: str | Upload) -> Any:
    return value if isinstance(value, str) else {"filename": value.filename, "bytes": value.blob.bytes}


def _read(incoming: Incoming) -> Call:
    return ReadVideo(id=incoming.path_parameters["id"])


def _stop(incoming: Incoming) -> Call:
    return CancelVideo(id=incoming.path_parameters["id"])


def _open(incoming: Incoming) -> Call:
    return OpenContent(id=incoming.path_parameters["id"])


def _render(answer: Answer) -> Outgoing:
    assert isinstance(answer, Video)
    return Outgoing(body={"id": answer.id}, headers={"x-plain": "yes"})
