"""Helpers for tests of Google's adapters: submissions, answers, and ways to play a step."""

from typing import Any

import msgspec

from reelway.core.videos import Blob, Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.spec import Flow, HttpRequest, HttpResponse, Submission

__all__ = ["CLIP", "IMAGE", "NAME", "OMNI", "VEO", "error", "first_request", "play", "response", "submission"]

NAME = "projects/acme/locations/us-central1/publishers/google/models/veo-3.1-generate-001/operations/1"
IMAGE = Input(
    kind=MediaKind.IMAGE,
    role=Role.FIRST_FRAME,
    blob=Blob(key="inputs/a.png", sha256="aa", bytes=10, media_type="image/png"),
)
CLIP = Input(
    kind=MediaKind.VIDEO,
    role=Role.SOURCE,
    blob=Blob(key="inputs/v.mp4", sha256="bb", bytes=20, media_type="video/mp4", seconds=4.0),
)
OMNI = ResolvedRequest(
    operation="create",
    model="gemini-omni",
    card="gemini-omni",
    mode=Mode.T2V,
    prompt="a fox",
    seconds=8,
    ratio="16:9",
    tier="720p",
    audio=True,
)
VEO = OMNI.evolve(model="veo3.1-pro", card="veo3.1-pro")
_IDS = {"gemini-omni": "gemini-omni-1.2-flash", "veo3.1-pro": "veo-3.1-generate-001"}


def submission(request: ResolvedRequest = OMNI, **changes: Any) -> Submission:
    given = {"model": _IDS[request.card], "reference": "video_1-1", "started_at": 1790000000.0}
    return Submission(request=request, **{**given, **changes})


def response(body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(body), headers=headers or {})


def error(status: int, message: str = "No.", word: str = "", **more: Any) -> HttpResponse:
    return response({"error": {"code": status, "message": message, "status": word, **more}}, status=status)


def play(flow: Flow[Any], *answers: HttpResponse) -> Any:
    """Return what the step returns for these answers, and raise what it raises."""
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
