"""What a create looks like at MiniMax: flat fields for the Hailuo models, a list of content with roles for MiniMax-H3.

Neither API takes a model of the other, and only H3 adds sound, always. So sound tells which of them a request is for, also where
the model is sent under its public name.
"""

from typing import Any

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import Input, ResolvedRequest, Role
from reelway.vendors.spec import DataUri, HttpRequest, Submission, inputs_of
from reelway.vendors.wire import post

__all__ = ["V1_CREATE", "V2_CREATE", "create_request", "is_newer", "shows_face"]

V1_CREATE = "/v1/video_generation"
V2_CREATE = "/v2/video_generation"

_BODY_BYTES = 64_000_000
_BASE64_GROWTH = 4 / 3
_V1_OPTIONS = ("aigc_watermark", "fast_pretreatment", "prompt_optimizer")
_V2_OPTIONS = ("aigc_watermark",)


def is_newer(request: ResolvedRequest) -> bool:
    """Tell whether MiniMax-H3 makes it, and so the newer API."""
    return request.audio is True


def shows_face(request: ResolvedRequest) -> bool:
    """Tell whether S2V-01 makes it, from the picture of one face."""
    return request.options.get("subject_reference") is True


def create_request(submission: Submission) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` for what the vendor has no field for."""
    body = _newer_body(submission) if is_newer(submission.request) else _older_body(submission)
    if submission.callback_url is not None:
        body["callback_url"] = submission.callback_url
    path = V2_CREATE if is_newer(submission.request) else V1_CREATE
    return post(path, json=body, billable=True)


def _older_body(submission: Submission) -> dict[str, Any]:
    request = submission.request
    body: dict[str, Any] = {"model": submission.model, "prompt": request.prompt}
    for given in inputs_of(request, Role.FIRST_FRAME, Role.LAST_FRAME):
        body[f"{given.role}_image"] = _plain_address(given)
    faces = [_plain_address(given) for given in inputs_of(request, Role.REFERENCE)]
    if faces:
        body["subject_reference"] = [{"type": "character", "image": faces}]
    if not shows_face(request):  # S2V-01 has one length and one size, and a field for neither
        body |= _shape(request)
    return body | _options(request, _V1_OPTIONS)


def _newer_body(submission: Submission) -> dict[str, Any]:
    request = submission.request
    inline = sum(given.blob.bytes for given in request.inputs if given.blob)
    if inline * _BASE64_GROWTH > _BODY_BYTES:
        raise _cannot(f"all files of a request together may have 64 MB as base64 (got {inline} bytes); give addresses")
    content: list[dict[str, Any]] = [{"type": "text", "text": request.prompt}]
    content += [_item(given) for given in request.inputs]
    body = {"model": submission.model, "content": content, **_shape(request)}
    if request.ratio is not None:
        body["ratio"] = request.ratio
    return body | _options(request, _V2_OPTIONS)


def _shape(request: ResolvedRequest) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    if request.seconds is not None:
        shape["duration"] = request.seconds
    if request.tier is not None:
        shape["resolution"] = request.tier.upper()
    return shape


def _options(request: ResolvedRequest, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: request.options[name] for name in names if name in request.options}


def _item(given: Input) -> dict[str, Any]:
    field = f"{given.kind}_url"
    role = f"reference_{given.kind}" if given.role is Role.REFERENCE else given.role.value
    return {"type": field, field: {"url": _address(given)}, "role": role}


def _address(given: Input) -> Any:
    """Return the input as H3 takes it: an address, bytes, or a file that was uploaded to the vendor before."""
    if given.file_id is not None:
        return given.file_id if "://" in given.file_id else f"mm_file://{given.file_id}"
    return given.url if given.blob is None else DataUri(blob=given.blob)


def _plain_address(given: Input) -> Any:
    if given.file_id is not None:
        raise _cannot("the Hailuo models read no files by their id; give the picture itself or its address")
    return _address(given)


def _cannot(why: str) -> VendorRefused:
    return VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=f"`minimax` cannot make this: {why}."))
