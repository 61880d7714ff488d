"""A service in memory, with the signatures of the real one and the real catalogue: enough to try the API by itself.

Videos are put into every status beforehand; a create makes one that stays queued.
"""

import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from reelway.catalog.load import load_catalog
from reelway.catalog.spec import ModelCard
from reelway.core.characters import Character
from reelway.core.errors import (
    AuthenticationRequired,
    Conflict,
    Gone,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    TooLarge,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Attempt
from reelway.core.keys import Caller
from reelway.core.lifecycle import Status
from reelway.core.videos import Blob, Cost, Output, RequestWarning, RouteView, Variant, Video, VideoRequest
from reelway.dialects.spec import CreateCharacter, Deleted, ListVideos, VideoPage
from reelway.service import Content, VideoEvent
from reelway.service.submits import LostSubmit

__all__ = ["IDS", "KEY", "MP4", "StandIn", "video_of"]

KEY = "sk-test"
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40
IDS = {status: f"video_{str(status).replace('_', '').ljust(26, '0')}" for status in Status}
_FILE_LIMIT = 1_000_000
_CATALOG = load_catalog()


def video_of(status: Status, **changes: Any) -> Video:
    """Return a video in this status, with everything a service fills in for it."""
    finished = status is Status.COMPLETED
    digest = hashlib.sha256(MP4).hexdigest()
    blob = Blob(key="videos/a.mp4", sha256=digest, bytes=len(MP4), media_type="video/mp4")
    output = Output(
        index=0,
        seconds=4.04,
        width=1280,
        height=720,
        fps=24.0,
        bytes=len(MP4),
        sha256=digest,
        has_audio=True,
        files=dict.fromkeys(Variant, blob),
        url="http://test/v1/videos/x/content?expires=99999999999&signature=good",
    )
    failure = Failure(kind=FailureKind.CONTENT_POLICY, message="The prompt was refused; describe something else.")
    video = Video(
        id=IDS[status],
        model="sora-2",
        status=status,
        progress={"queued": 0, "in_progress": 40, "completed": 100, "failed": 55}[status],
        created_at=1_790_000_000.5,
        completed_at=1_790_000_100.5 if finished else None,
        expires_at=1_790_600_000.0 if finished else None,
        prompt="A fox",
        seconds="4",
        width=1280,
        height=720,
        tags={"order": "17"},
        outputs=(output,) if finished else (),
        failure=failure if status is Status.FAILED else None,
        warnings=(RequestWarning(field="seed", message="is not used by sora-2"),),
        eta_seconds=None if finished else 12.4,
        queue_position=3 if status is Status.QUEUED else None,
        cost=Cost(reserved="0.40", settled="0.40" if finished else None),
        poll_after_seconds=None if finished else 2.0,
    )
    return video.evolve(**changes)


class StandInCharacters:
    """The use cases about characters, in a dictionary; every third id that could be one is one."""

    def __init__(self) -> None:
        self.kept: dict[str, Character] = {}
        self.keys: dict[str, tuple[str, str]] = {}

    async def create(
        self, call: CreateCharacter, caller: Caller, *, idempotency_key: str | None, body_hash: str
    ) -> Character:
        if "create" not in caller.scopes and not caller.is_admin:
            raise PermissionDenied("This key may not create videos.")
        if idempotency_key is not None and idempotency_key in self.keys:
            known_hash, character_id = self.keys[idempotency_key]
            if known_hash != body_hash:
                raise Conflict("This key was used for another request.", code="idempotency_mismatch")
            return self.kept[character_id].evolve(replayed=True)
        character_id = f"char_{str(len(self.kept)).rjust(26, 'a')}"
        self.kept[character_id] = self._character(character_id, call.name)
        if idempotency_key is not None:
            self.keys[idempotency_key] = (body_hash, character_id)
        return self.kept[character_id]

    async def read(self, character_id: str, caller: Caller) -> Character:
        if character_id in self.kept:
            return self.kept[character_id]
        if sum(character_id.encode("utf-8", "replace")) % 3:
            raise NotFound("There is no such character.", param="character_id", code="character_not_found")
        return self._character("char_" + "0" * 26, "Mira")

    async def delete(self, character_id: str, caller: Caller) -> Deleted:
        return Deleted(id=(await self.read(character_id, caller)).id)

    def _character(self, character_id: str, name: str) -> Character:
        return Character(id=character_id, tenant="t", key_id="k", name=name, pictures=(), created_at=1_790_000_000.5)


class StandInSubmits:
    """One submit that nobody knows about."""

    async def lost(self, limit: int = 100) -> tuple[LostSubmit, ...]:
        attempt = Attempt(number=1, account="acme", reference="video_1-1", callback_secret="secret", started_at=1.0)
        lost = LostSubmit(video="video_1", tenant="default", state="ended", reserved=400_000, attempts=(attempt,))
        return (lost,)[:limit]


class StandIn:
    """The use cases, in a dictionary."""

    def __init__(self) -> None:
        self.characters = StandInCharacters()
        self.videos = {IDS[status]: video_of(status) for status in Status}
        self.bytes: dict[str, bytes] = {"videos/a.mp4": MP4}
        self.unstaged: list[str] = []
        self.created: list[tuple[VideoRequest, bool]] = []
        self.keys: dict[str, tuple[str, str]] = {}
        self.urgencies: list[int] = []
        self.sendings: list[tuple[int | None, str]] = []
        """Of each create, which sending it said it was, and the hash of its body."""
        self.unsaid: list[float | None] = []
        """Of each create, when it arrived, if its client repeats without saying so."""
        self.deleted: set[str] = set()
        self.story: list[VideoEvent] | None = None
        self.is_ready = True
        self.submits = StandInSubmits()

    def find(self, video_id: str) -> Video | None:
        return self.videos.get(video_id)

    async def authenticate(self, key: str | None) -> Caller:
        if key not in {KEY, "sk-reader", "sk-admin"}:
            raise AuthenticationRequired("Send a key as `Authorization: Bearer sk-…`.")
        if key == "sk-admin":
            return Caller(tenant="t", key_id="a", scopes=("admin",))
        return Caller(tenant="t", key_id="k", scopes=("read",) if key == "sk-reader" else ("create", "read"))

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        data = b""
        async for piece in pieces:
            data += piece
            if len(data) > _FILE_LIMIT:
                raise TooLarge(f"A file can have {_FILE_LIMIT} bytes.")
        digest = hashlib.sha256(data).hexdigest()
        key = f"inputs/{len(self.bytes)}"
        self.bytes[key] = data
        return Blob(key=key, sha256=digest, bytes=len(data), media_type=media_type)

    async def unstage(self, blob: Blob) -> None:
        self.unstaged.append(blob.key)

    async def create(
        self,
        request: VideoRequest,
        caller: Caller,
        *,
        idempotency_key: str | None = None,
        body_hash: str = "",
        sending: int | None = None,
        unsaid_at: float | None = None,
        strict: bool = False,
        urgency: int = 0,
        wait_seconds: float = 0.0,
    ) -> Video:
        self._check(request, caller, strict)
        self.sendings.append((sending, body_hash))
        self.urgencies.append(urgency)
        self.unsaid.append(unsaid_at)
        if idempotency_key is not None and idempotency_key in self.keys:
            known_hash, video_id = self.keys[idempotency_key]
            if known_hash != body_hash:
                raise Conflict("This key was used for another request.", code="idempotency_mismatch")
            return self.videos[video_id].evolve(replayed=True)
        number = len(self.created)
        self.created.append((request, strict))
        video = video_of(
            Status.QUEUED,
            id=f"video_{str(number).rjust(26, 'a')}",
            model=request.model or "sora-2",
            prompt=request.prompt,
            created_at=float(int(time.time())),
            route=RouteView(vendor="sandbox", account="sandbox") if caller.is_admin else None,
        )
        self.videos[video.id] = video
        if idempotency_key is not None:
            self.keys[idempotency_key] = (body_hash, video.id)
        return video

    async def quote(self, request: VideoRequest, caller: Caller, *, strict: bool = False) -> dict[str, Any]:
        self._check(request, caller, strict)
        return {
            "object": "video.quote",
            "model": request.model,
            "request": {"operation": request.operation, "model": request.model, "prompt": request.prompt},
            "available": True,
            "warnings": msgspec.to_builtins(request.warnings),
            "price": {
                "currency": "USD",
                "amount": "0.40",
                "lines": [{"text": "4 seconds at 0.10 USD", "amount": 400000}],
            },
        }

    async def read(self, video_id: str, caller: Caller, *, wait_seconds: float = 0.0) -> Video:
        video = self.find(video_id)
        if video is None or video.id in self.deleted:
            raise NotFound(f"there is no video {video_id[:80]!r}", param="video_id", code="video_not_found")
        return video

    async def list(self, query: ListVideos, caller: Caller) -> VideoPage:
        if query.after is not None:
            await self.read(query.after, caller)
        found = [video for video in self.videos.values() if not query.status or str(video.status) in query.status]
        return VideoPage(videos=tuple(found[: query.limit]), has_more=len(found) > query.limit)

    async def delete(self, video_id: str, caller: Caller, *, cancels_queued: bool = False) -> Deleted:
        video = await self.read(video_id, caller)
        if video.id not in IDS.values():
            self.deleted.add(video.id)
        return Deleted(id=video_id)

    async def cancel(self, video_id: str, caller: Caller, *, only_queued: bool = False) -> Video:
        video = await self.read(video_id, caller)
        if video.status in {Status.COMPLETED, Status.FAILED}:
            raise Conflict(f"{video_id} is {video.status} already.", code="video_finished")
        failure = Failure(kind=FailureKind.CANCELLED, message="Cancelled by its owner.")
        return video.evolve(status=Status.FAILED, failure=failure)

    async def content(self, video_id: str, caller: Caller | None, *, variant: Variant, index: int) -> Content:
        video = self.find(video_id)
        if video is not None and video.id in self.deleted:
            raise Gone(f"{video_id} was deleted.", code="video_deleted")
        if video is None:
            raise NotFound(f"there is no video {video_id[:80]!r}", param="video_id", code="video_not_found")
        if video.status is not Status.COMPLETED:
            code = "video_failed" if video.status is Status.FAILED else "video_not_ready"
            raise Conflict(f"{video_id} is {video.status}.", code=code)
        if index >= len(video.outputs):
            raise NotFound(f"index must be below {len(video.outputs)} (got {index}).", param="index")
        blob = video.outputs[index].files[variant]
        return Content(blob=blob, filename=f"{video_id}.mp4", path=None)

    def check_link(self, video_id: str, variant: Variant, index: int, expires: str, signature: str) -> None:
        if signature != "good" or not expires.isdigit():
            raise PermissionDenied("This link is not signed by this server.", code="link_expired")

    async def read_asset(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        yield self.bytes[key][start:stop]

    async def events(
        self, video_id: str, caller: Caller, *, last_event_id: str | None = None
    ) -> AsyncIterator[VideoEvent]:
        video = await self.read(video_id, caller)
        for event in self.story or [VideoEvent(id="1", type=f"video.{video.status}", video=video)]:
            if last_event_id is None or event.id > last_event_id:
                yield event

    def model_names(self) -> tuple[str, ...]:
        return _CATALOG.names

    def model(self, name: str) -> tuple[ModelCard, dict[str, Any]]:
        return _CATALOG.card(name), {"deprecation": None}

    async def ready(self) -> dict[str, Any]:
        return {"status": "ready" if self.is_ready else "stopping", "unfinished": 2}

    def _check(self, request: VideoRequest, caller: Caller, strict: bool) -> None:
        if "create" not in caller.scopes and not caller.is_admin:
            raise PermissionDenied("This key may not create videos.")
        if request.model:
            _CATALOG.card(request.model)
        if request.source_video_id is not None and self.find(request.source_video_id) is None:
            raise NotFound(f"there is no video {request.source_video_id!r}", param="video", code="video_not_found")
        if request.prompt is None and request.operation in {"create", "remix"}:
            raise InvalidRequest("prompt is required.", param="prompt")
        if strict and request.warnings:
            raise InvalidRequest(f"{request.warnings[0].field} {request.warnings[0].message}", code="strict")
