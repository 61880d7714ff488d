"""Both dialects of Google, mounted as on the server, over a service that keeps what it was asked and shows one video."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.routing import Router
from tests.mounting.asgi import Got, call

from reelway.core.errors import AuthenticationRequired
from reelway.core.keys import Caller
from reelway.core.lifecycle import Status
from reelway.core.videos import Blob, Output, Video, VideoRequest
from reelway.dialects import google, google_interactions
from reelway.dialects.spec import Answer, Call, CreateVideo, Deleted, DeleteVideo, Incoming, OpenContent
from reelway.mounting.bodies import BodyLimits
from reelway.mounting.dialects import OpenedContent, mount
from reelway.mounting.endpoints import nowhere
from reelway.mounting.paths import PathTable

__all__ = ["CREATED", "ID", "NAME", "Google", "finished", "output"]

ID = "video_01jd0000000000000000000000"
NAME = "01jd0000000000000000000000i0"
CREATED = 1_790_000_000.0
LINK = f"https://films.example.test/v1/videos/{ID}/content?variant=video&index=%d&expires=1&signature=s"


class Google:
    """Answers as the server does. `video` is what every call is answered with, `fails_with` is raised instead."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.video = Video(id=ID, model="veo3.1", status=Status.QUEUED, progress=0, created_at=CREATED)
        self.fails_with: Exception | None = None
        self._app = PathTable(
            Router(
                [
                    route
                    for dialect in (google.make_dialect(), google_interactions.make_dialect())
                    for route in mount(dialect, self, limits=BodyLimits())
                ],
                default=nowhere,
            )
        )

    @property
    def created(self) -> CreateVideo:
        """The last call, a create."""
        last = self.calls[-1]
        assert isinstance(last, CreateVideo)
        return last

    @property
    def request(self) -> VideoRequest:
        return self.created.request

    async def ask(
        self, method: str, target: str, body: Any = None, *, headers: dict[str, str] | None = None, key: str = "k"
    ) -> Got:
        """Send one request, with the key as google-genai sends it."""
        data = b"" if body is None else json.dumps(body).encode()
        sent = {"x-goog-api-key": key, **(headers or {})}
        content_type = None if body is None else "application/json"
        answer = await call(self._app, method, target, headers=sent, body=data, content_type=content_type, key=None)
        assert answer is not None
        assert answer.headers["x-request-id"].startswith("req_")
        return answer

    async def authenticate(self, key: str | None) -> Caller:
        if key != "k":
            raise AuthenticationRequired("API key not valid.")
        return Caller(tenant="t", key_id="k")

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        raise AssertionError("Google's API has no forms")

    async def perform(self, call: Call, caller: Caller, incoming: Incoming) -> Answer:
        self.calls.append(call)
        if self.fails_with is not None:
            raise self.fails_with
        return Deleted(id=call.id) if isinstance(call, DeleteVideo) else self.video

    async def open_content(self, call: OpenContent, caller: Caller) -> OpenedContent:
        self.calls.append(call)

        async def read(start: int, stop: int) -> AsyncIterator[bytes]:
            yield b"film"[start:stop]

        blob = Blob(key="k", sha256="0" * 64, bytes=4, media_type="video/mp4")
        return OpenedContent(blob=blob, filename="film.mp4", path=None, read=read)


def output(index: int = 0, **changes: Any) -> Output:
    """Return a file of the video."""
    facts = Output(
        index=index,
        seconds=8.0,
        width=1280,
        height=720,
        fps=24.0,
        bytes=4,
        sha256="0" * 64,
        has_audio=True,
        url=LINK % index,
    )
    return facts.evolve(**changes)


def finished(video: Video, **changes: Any) -> Video:
    """Return the video, made."""
    done: dict[str, Any] = {"outputs": (output(),), "completed_at": CREATED + 81, "expires_at": CREATED + 172_800}
    return video.evolve(status=Status.COMPLETED, progress=100, **{**done, **changes})
