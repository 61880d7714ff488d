"""What a create looks like at xAI: one JSON body for each of three doors, and never a field that the door does not have.

xAI takes every input by address, as `data:`, or by the id of a file of its own.
"""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NoReturn

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import Input, Mode, ResolvedRequest, Role
from reelway.vendors.spec import DataUri, HttpRequest, Submission, inputs_of
from reelway.vendors.wire import post

__all__ = ["VIDEOS", "create_request"]

VIDEOS = "/v1/videos"

_DOORS: Mapping[Mode, str] = MappingProxyType({Mode.EDIT: "edits", Mode.REMIX: "edits", Mode.EXTEND: "extensions"})
"""All other modes are generations."""

_FRAMES: Mapping[Role, str] = MappingProxyType({Role.FIRST_FRAME: "image", Role.LAST_FRAME: "last_frame"})
_LEAST_DISTANCE_SECONDS = 1 / 3


def create_request(submission: Submission) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` for what xAI would not take."""
    request = submission.request
    door = _DOORS.get(request.mode, "generations")
    body: dict[str, Any] = {"model": submission.model, "prompt": request.prompt}
    if door == "generations":
        body |= _shape(request) | _pictures(request)
    else:
        body["video"] = _source(request)
    if door == "extensions" and request.seconds is not None:
        body["duration"] = request.seconds
    if door != "extensions" and request.user is not None:
        body["user"] = request.user
    return post(f"{VIDEOS}/{door}", json=body, billable=True)


def _shape(request: ResolvedRequest) -> dict[str, Any]:
    """Return length, shape and sound. A ratio beside a picture would stretch it, so "as the picture" is no ratio."""
    shape: dict[str, Any] = {}
    if request.seconds is not None:
        shape["duration"] = request.seconds
    if request.ratio not in (None, "adaptive"):
        shape["aspect_ratio"] = request.ratio
    if request.tier is not None:
        shape["resolution"] = request.tier
    if request.audio is False:
        shape["generate_audio"] = (
            False  # sound is what xAI makes unasked, and is not said: the base model may not know the field
        )
    return shape


def _pictures(request: ResolvedRequest) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for given in inputs_of(request, *_FRAMES):
        body[_FRAMES[given.role]] = _file(given)
    if references := inputs_of(request, Role.REFERENCE):
        body["reference_images"] = [_file(given) for given in references]
    if "reference_audios" in request.options:
        body["reference_audios"] = [_voice(item) for item in request.options["reference_audios"]]
    if "keyframes" in request.options:
        body["keyframes"] = _keyframes(request)
    return body


def _source(request: ResolvedRequest) -> dict[str, Any]:
    sources = inputs_of(request, Role.SOURCE)
    if not sources:
        _refuse("the video to work on has to be a file or an address; xAI does not know its own videos again")
    return _file(sources[0])


def _file(given: Input) -> dict[str, Any]:
    if given.blob is not None:
        return {"url": DataUri(blob=given.blob)}
    return {"url": given.url} if given.file_id is None else {"file_id": given.file_id}


def _voice(item: Any) -> dict[str, str]:
    """Return `{"voice_id"}` of a voice of xAI's, or `{"url"}` of a clip."""
    if not isinstance(item, dict) or len(item) != 1 or not item.keys() <= {"voice_id", "url"}:
        _refuse("each entry of reference_audios must be an object with either a voice_id or a url")
    [(name, value)] = item.items()
    if not isinstance(value, str) or not value.strip():
        _refuse(f"the {name} of an entry of reference_audios must be a text")
    return {name: value}


def _keyframes(request: ResolvedRequest) -> list[dict[str, Any]]:
    """Return the pinned pictures as they were given, after holding their times against the video and each other."""
    keyframes = [_keyframe(item, request.seconds) for item in request.options["keyframes"]]
    times = sorted(keyframe["timestamp_s"] for keyframe in keyframes)
    if any(later - earlier < _LEAST_DISTANCE_SECONDS for earlier, later in pairwise(times)):
        _refuse("keyframes must be at least a third of a second apart")
    return keyframes


def _keyframe(item: Any, seconds: int | None) -> dict[str, Any]:
    if not isinstance(item, dict) or item.keys() != {"image", "timestamp_s"}:
        _refuse("each entry of keyframes must be an object with image and timestamp_s")
    image, time = item["image"], item["timestamp_s"]
    is_file = isinstance(image, dict) and len(image) == 1 and image.keys() <= {"url", "file_id"}
    if not is_file or not all(isinstance(value, str) and value.strip() for value in image.values()):
        _refuse("the image of a keyframe must be an object with either a url or a file_id")
    if isinstance(time, bool) or not isinstance(time, int | float):
        _refuse("the timestamp_s of a keyframe must be a number of seconds")
    if time <= 0 or (seconds is not None and time >= seconds):
        _refuse(f"the timestamp_s of a keyframe must lie inside the video of {seconds} seconds (got {time:g})")
    return {"image": dict(image), "timestamp_s": time}


def _refuse(why: str) -> NoReturn:
    """Refuse before anything is sent."""
    raise VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=f"`xai` cannot make this: {why}."))
