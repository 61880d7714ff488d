"""What the tests of Kling's adapter share: requests, one exchange at a time, and Kling's envelope."""

from typing import Any

import msgspec

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.videos import Blob, Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.kling import ADAPTER
from reelway.vendors.spec import HttpRequest, HttpResponse, Submission

__all__ = ["answered", "blob", "body_of", "envelope", "image", "raised", "request", "submission", "video"]


def blob(name: str, media_type: str = "image/png", size: int = 1000) -> Blob:
    return Blob(key=f"inputs/{name}", sha256="01", bytes=size, media_type=media_type, width=1280, height=720)


def image(role: Role = Role.REFERENCE, *, name: str | None = None, size: int | None = None) -> Input:
    """Return a picture: an address, or bytes of a size."""
    if size is not None:
        return Input(kind=MediaKind.IMAGE, role=role, blob=blob(role, size=size), name=name)
    return Input(kind=MediaKind.IMAGE, role=role, url=f"https://media.example.test/{role}.png", name=name)


def video(role: Role = Role.REFERENCE) -> Input:
    return Input(kind=MediaKind.VIDEO, role=role, blob=blob("clip", "video/mp4"))


def request(mode: Mode = Mode.T2V, *inputs: Input, prompt: str = "A boat", **changes: Any) -> ResolvedRequest:
    """Return five seconds of 720p."""
    plain = ResolvedRequest(
        operation="create",
        model="kling-video",
        card="kling-video",
        mode=mode,
        prompt=prompt,
        inputs=inputs,
        seconds=5,
        tier="720p",
        audio=False,
    )
    return plain.evolve(**changes)


def submission(wanted: ResolvedRequest, service: str = "current", **changes: Any) -> Submission:
    plain = Submission(request=wanted, model="kling-3.0", reference="video_1-1", started_at=1.0, service=service)
    return plain.evolve(**changes)


def body_of(wanted: ResolvedRequest, service: str = "current", **changes: Any) -> dict[str, Any]:
    """Return what a create sends."""
    sent: HttpRequest = next(ADAPTER.submit(submission(wanted, service, **changes)))
    assert sent.billable
    assert isinstance(sent.json, dict)
    return sent.json


def envelope(data: Any = None, code: int = 0, message: str = "SUCCEED", status: int = 200) -> HttpResponse:
    body = {"code": code, "message": message, "request_id": "r"} | ({} if data is None else {"data": data})
    return HttpResponse(status=status, body=msgspec.json.encode(body))


def answered(flow: Any, response: HttpResponse) -> Any:
    """Return what a step of one request makes of an answer."""
    next(flow)
    try:
        flow.send(response)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it asks again")


def raised(flow: Any, response: HttpResponse) -> VendorRefused | UnexpectedResponse:
    """Return what a step raises at an answer."""
    try:
        value = answered(flow, response)
    except (VendorRefused, UnexpectedResponse) as error:
        return error
    raise AssertionError(f"it gave {value!r}")
