"""What a create looks like at Ark: a JSON body whose content items have roles. Never a flag in the prompt.

A flag in a text (` --dur 12`) is still obeyed there, so a text that looks like one is taken apart before it is sent. What the
caller left open carries our mark, by which a task is known again whose id was lost.
"""

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.spec import DataUri, HttpRequest, PublicUrl, Submission
from reelway.vendors.wire import post

__all__ = ["TASKS", "USUAL_EXPIRY_SECONDS", "Mark", "create_request", "mark_of"]

TASKS = "/contents/generations/tasks"

USUAL_EXPIRY_SECONDS = 172_800
"""What the vendor takes where no `execution_expires_after` is sent."""

_LONGEST_EXPIRY_SECONDS = 259_200
_SEEDS = 2_147_483_648
_BODY_BYTES = 64_000_000
_BASE64_GROWTH = 4 / 3

_SILENT = "seedance-1-0-"
_SEEDED = "seedance-1-"
"""Parts of the names of cards: 1.0 has no `generate_audio`, and whether 2.0 takes a `seed` is not confirmed."""

_FLAG = re.compile(r"(?<!\S)--(?=[A-Za-z])")
_AUDIO_TYPES: Mapping[str, str] = MappingProxyType(
    {"audio/mpeg": "audio/mp3", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav"}
)
"""The vendor names sounds by their format."""

_OPTIONS = (
    "camera_fixed",
    "draft",
    "execution_expires_after",
    "frames",
    "priority",
    "return_last_frame",
    "safety_identifier",
    "service_tier",
    "watermark",
)
"""Options that are fields of the same name; `frames` wins over `duration` there, as it does in our prices."""


class Mark(Record):
    """The values of a task that say whose it is: the vendor shows them again, and it knows no reference of ours."""

    seed: int | None = None
    expiry_seconds: int | None = None
    is_unique: bool = False
    """Both are drawn for this attempt alone: no other task has them."""


def create_request(submission: Submission) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` for what this account cannot make."""
    request, mark = submission.request, mark_of(submission)
    body: dict[str, Any] = {"model": submission.model, "content": _content(submission)}
    if request.tier is not None:
        body["resolution"] = request.tier
    if request.mode is not Mode.REMIX:
        body |= _own_shape(submission)
    if mark.seed is not None and request.mode is not Mode.REMIX:
        body["seed"] = mark.seed
    body |= {name: request.options[name] for name in _OPTIONS if name in request.options}
    if mark.expiry_seconds is not None:
        body["execution_expires_after"] = mark.expiry_seconds
    if request.options.get("web_search"):
        body["tools"] = [{"type": "web_search"}]
    if request.user is not None:
        body.setdefault("safety_identifier", hashlib.sha256(request.user.encode()).hexdigest())
    if submission.callback_url is not None:
        body["callback_url"] = submission.callback_url
    return post(TASKS, json=body, billable=True)


def mark_of(submission: Submission) -> Mark:
    """Return what marks this attempt: what the caller chose, and what was left open drawn from our reference.

    Any seed is as good as the vendor's own choice, and a task that may wait longer is made no differently.
    """
    request = submission.request
    draw = int.from_bytes(hashlib.sha256(submission.reference.encode()).digest()[:16])
    seed, expiry = request.seed, request.options.get("execution_expires_after")
    open_seed = seed in (None, -1) and _SEEDED in request.card and request.mode is not Mode.REMIX
    if open_seed:
        seed = draw % _SEEDS
    open_expiry = expiry is None
    if open_expiry:
        spread = _LONGEST_EXPIRY_SECONDS - USUAL_EXPIRY_SECONDS
        expiry = USUAL_EXPIRY_SECONDS + 1 + (draw // _SEEDS) % spread
    return Mark(seed=seed, expiry_seconds=expiry, is_unique=open_seed and open_expiry)


def _own_shape(submission: Submission) -> dict[str, Any]:
    """Return shape, length and sound, which a video made from a draft takes over from it."""
    request = submission.request
    shape: dict[str, Any] = {}
    if request.ratio is not None:
        shape["ratio"] = request.ratio
    if request.seconds is not None:
        shape["duration"] = request.seconds
    if request.audio is not None and _SILENT not in request.card:
        shape["generate_audio"] = request.audio
    return shape


def _content(submission: Submission) -> list[dict[str, Any]]:
    request = submission.request
    if request.mode is Mode.REMIX:
        return [{"type": "draft_task", "draft_task": {"id": _draft_id(submission)}}]
    inline = sum(given.blob.bytes for given in request.inputs if given.blob and given.kind is not MediaKind.VIDEO)
    if inline * _BASE64_GROWTH > _BODY_BYTES:
        raise _cannot(f"all files of a request together may have 64 MB as base64 (got {inline} bytes); give addresses")
    texts = [{"type": "text", "text": _without_flags(request.prompt)}] if request.prompt.strip() else []
    return [*texts, *(_item(given) for given in request.inputs)]


def _draft_id(submission: Submission) -> str:
    """Return the vendor's id of the draft. Another account may have made it, and only that one can go on with it."""
    source = submission.source or {}
    if "id" not in source:
        message = "this account of ByteDance did not make the draft; only the account that made it can go on with it."
        raise VendorRefused(Failure(kind=FailureKind.MODEL_NOT_FOUND, message=message))
    if not source.get("draft"):
        raise _cannot("only a draft can be made into a video; create the first one with draft = true")
    return str(source["id"])


def _item(given: Input) -> dict[str, Any]:
    field = f"{given.kind}_url"
    role = f"reference_{given.kind}" if given.role is Role.REFERENCE else given.role.value
    return {"type": field, field: {"url": _address(given)}, "role": role}


def _address(given: Input) -> Any:
    """Return the input as Ark takes it: an address, its own asset, or bytes; of videos, addresses alone."""
    if given.blob is not None:
        if given.kind is MediaKind.VIDEO:
            return PublicUrl(blob=given.blob)
        return DataUri(blob=given.blob, media_type=_AUDIO_TYPES.get(given.blob.media_type, ""))
    if given.file_id is not None:
        return given.file_id if "://" in given.file_id else f"asset://{given.file_id}"
    return given.url


def _without_flags(prompt: str) -> str:
    """Return the prompt with a space in every `--word`: the vendor would read it as a setting, whatever we priced."""
    return _FLAG.sub("-- ", prompt)


def _cannot(why: str) -> VendorRefused:
    return VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=f"`bytedance` cannot make this: {why}."))
