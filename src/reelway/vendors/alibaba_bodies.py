"""What a create looks like at DashScope: the model names the kind of work, `input` holds words and media, `parameters` the rest.

Whatever has a default there is sent, since the vendor's own defaults (a mark in the picture) are not ours.
"""

from collections.abc import Mapping
from typing import Any

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.spec import DataUri, HttpRequest, PublicUrl, Submission
from reelway.vendors.wire import post

__all__ = ["create_request", "workspace_headers"]

_PATH = "/services/aigc/video-generation/video-synthesis"
_OPTIONS = ("audio_setting", "prompt_extend", "watermark")
"""Options that are parameters of the same name."""

_SHAPED = frozenset({Mode.T2V, Mode.R2V})
"""Modes that take a ratio; elsewhere the picture or the source has one."""

_OWN = "oss://"
"""What was uploaded to the vendor before, which it opens only when a header says so."""


def create_request(submission: Submission) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` for an input that the vendor has no form for."""
    request = submission.request
    given: dict[str, Any] = {"prompt": request.prompt} if request.prompt.strip() else {}
    media = [{"type": _type(one), "url": _address(one)} for one in sorted(request.inputs, key=_is_beside)]
    if media:
        given["media"] = media
    body = {"model": submission.model, "input": given, "parameters": _parameters(submission)}
    headers = [("X-DashScope-Async", "enable"), *workspace_headers(submission.settings)]
    if any(isinstance(item["url"], str) and item["url"].startswith(_OWN) for item in media):
        headers.append(("X-DashScope-OssResourceResolve", "enable"))
    return post(_PATH, json=body, headers=headers, billable=True)


def workspace_headers(source: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the header that names a workspace, where the settings or an operation do."""
    workspace = source.get("workspace")
    return (("X-DashScope-WorkSpace", str(workspace)),) if workspace else ()


def _parameters(submission: Submission) -> dict[str, Any]:
    request = submission.request
    parameters: dict[str, Any] = {}
    if request.tier is not None:
        parameters["resolution"] = request.tier.upper()
    if request.ratio is not None and request.mode in _SHAPED:
        parameters["ratio"] = request.ratio
    if request.seconds is not None:
        parameters["duration"] = request.seconds
    if request.seed is not None:
        parameters["seed"] = request.seed
    return parameters | {name: request.options[name] for name in _OPTIONS if name in request.options}


def _is_beside(given: Input) -> bool:
    """Tell whether an input comes after the video it belongs to."""
    return given.role is not Role.SOURCE


def _type(given: Input) -> str:
    if given.role is Role.SOURCE:
        return "video"
    return f"reference_{given.kind}" if given.role is Role.REFERENCE else given.role.value


def _address(given: Input) -> Any:
    """Return the input as DashScope takes it: an address, an upload of its own, or bytes; of videos, addresses alone."""
    if given.blob is not None:
        return PublicUrl(blob=given.blob) if given.kind is MediaKind.VIDEO else DataUri(blob=given.blob)
    if given.file_id is None or given.file_id.startswith(_OWN):
        return given.file_id or given.url
    message = f"`alibaba` cannot make this: a file of its own is given as {_OWN}…, as its upload names it."
    raise VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=message))
