"""Helpers for tests of the `openai_videos` adapter: a submission, answers, and a way to play a step."""

from typing import Any

import msgspec
from tests.vendors.conformance import written

from reelway.core.videos import Blob, Mode, ResolvedRequest
from reelway.vendors.openai_videos import ADAPTER
from reelway.vendors.spec import Flow, HttpRequest, HttpResponse, Submission

__all__ = [
    "CLIP",
    "IMAGE",
    "OPERATION",
    "REQUEST",
    "SOUND",
    "STARTED",
    "first_request",
    "play",
    "response",
    "sent",
    "shown",
    "submission",
]

STARTED = 1790000000.0
IMAGE = Blob(key="inputs/a.png", sha256="aa", bytes=10, media_type="image/png", width=1280, height=720)
CLIP = Blob(key="inputs/v.mp4", sha256="bb", bytes=20, media_type="video/mp4", seconds=4.0)
SOUND = Blob(key="inputs/s.mp3", sha256="cc", bytes=30, media_type="audio/mpeg")
REQUEST = ResolvedRequest(
    operation="create", model="sora-2", card="sora-2", mode=Mode.T2V, prompt="a fox", seconds=8, width=1280, height=720
)
OPERATION = {"id": "video_9", "service": "openai"}


def submission(request: ResolvedRequest = REQUEST, service: str = "openai", **changes: Any) -> Submission:
    return Submission(
        request=request, model=request.model, reference="job_1-1", started_at=STARTED, service=service, **changes
    )


def response(body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(body), headers=headers or {})


def play(flow: Flow[Any], *answers: HttpResponse) -> Any:
    """Return what the step returns for these answers."""
    pending = list(answers)
    try:
        next(flow)
        while True:
            flow.send(pending.pop(0))
    except StopIteration as stop:
        assert not pending
        return stop.value


def first_request(flow: Flow[Any]) -> HttpRequest:
    return next(flow)


def sent(given: Submission) -> dict[str, Any]:
    """Return the form or JSON of a submit, as fixtures spell it."""
    spelled = written(first_request(ADAPTER.submit(given)))
    return dict(spelled["form"]) if "form" in spelled else spelled["json"]


def shown(**changes: Any) -> dict[str, Any]:
    video = {
        "id": "video_9",
        "object": "video",
        "status": "queued",
        "model": "sora-2",
        "prompt": "a fox",
        "seconds": "8",
        "size": "1280x720",
        "created_at": STARTED + 3,
    }
    return {**video, **changes}
