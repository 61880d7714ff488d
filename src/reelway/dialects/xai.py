"""The dialect of xAI's Grok Imagine, below `/xai`: three doors to make a video and one to look at it, as xAI's clients expect them.

A `request_id` is the id of one of our videos. There is no list, no cancel and no callback. What a video cost is shown in ticks, of
what is charged here.
"""

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from types import MappingProxyType
from typing import Any

from reelway.core.errors import CallerError
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Output, Video
from reelway.dialects.native import bearer_key
from reelway.dialects.spec import Answer, CreateVideo, Dialect, Endpoint, Incoming, Outgoing, ReadVideo
from reelway.dialects.video_object import Timestamps
from reelway.dialects.xai_reading import DOORS, read_create

__all__ = ["make_dialect", "render_error"]

_VIDEOS = "/xai/v1/videos"
_TICKS = Decimal(10) ** 10
"""So many are one US dollar."""

_CODES: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "invalid_argument",
        FailureKind.RATE_LIMITED: "resource_exhausted",
        FailureKind.TIMED_OUT: "deadline_exceeded",
        FailureKind.CANCELLED: "cancelled",
        FailureKind.VENDOR_UNAVAILABLE: "unavailable",
    }
)
"""Codes of videos that failed. Whatever is not here is xAI's own failure to it."""

_OTHER_CODE = "internal_error"

_ERRORS: Mapping[FailureKind, tuple[int, str, str]] = MappingProxyType(
    {
        FailureKind.AUTHENTICATION: (401, "unauthenticated", "Incorrect API key provided: "),
        FailureKind.PERMISSION: (403, "permission-denied", ""),
        FailureKind.INSUFFICIENT_QUOTA: (403, "permission-denied", "No credits left, or spending limit reached: "),
        FailureKind.BUDGET_EXCEEDED: (403, "permission-denied", "No credits left, or spending limit reached: "),
        FailureKind.MODEL_NOT_FOUND: (404, "not-found", ""),
        FailureKind.CONTENT_POLICY: (400, "invalid-argument", "Blocked by content moderation: "),
    }
)
"""HTTP status, code, and words that say what xAI has no code for."""

_UNREADABLE = frozenset({"invalid_type", "missing_required_parameter"})
_TOO_MANY = "rate_limit_error"


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect; xAI shows no times."""
    creates = (
        Endpoint(method="POST", path=f"{_VIDEOS}/{door}", read=partial(_read_create, door=door), render=_answer_created)
        for door in DOORS
    )
    look = Endpoint(method="GET", path=f"{_VIDEOS}/{{id}}", read=_read_look, render=_answer_look)
    return Dialect(name="xai", endpoints=(*creates, look), render_error=render_error, key_of=bearer_key)


def _read_create(incoming: Incoming, *, door: str) -> CreateVideo:
    return CreateVideo(request=read_create(incoming, door))


def _read_look(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"])


# --- answering


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the error in the shape xAI has for it: an envelope where there is too much of something, else code and text."""
    headers = {"x-request-id": request_id}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    if error.code == "no_route" or error.kind is FailureKind.RATE_LIMITED:
        # Also where nobody can make it now: nothing was accepted, which no 5xx of xAI says.
        shown = {"message": error.message, "type": _TOO_MANY, "param": error.param, "code": None}
        return Outgoing(status=429, body={"error": shown}, headers=headers)
    status, code, words = _error_words(error)
    text = error.message if error.param is None or error.param in error.message else f"{error.param}: {error.message}"
    return Outgoing(status=status, body={"code": code, "error": f"{words}{text}"}, headers=headers)


def _error_words(error: CallerError) -> tuple[int, str, str]:
    """Return HTTP status, code, and what the text begins with."""
    if error.kind in _ERRORS:
        return _ERRORS[error.kind]
    if error.code == "model_not_found":
        return _ERRORS[FailureKind.MODEL_NOT_FOUND]
    match error.status:
        case 404 | 410:
            return 404, "not-found", ""
        case 409:
            return 409, "failed-precondition", ""
        case status if status >= 500:
            return status, "internal", ""
        case 400 if error.code in _UNREADABLE:
            return 422, "invalid-argument", ""
        case status:
            return status, "invalid-argument", ""


def _answer_created(answer: Answer) -> Outgoing:
    video = _video(answer)
    headers = {"idempotent-replayed": "true"} if video.replayed else {}
    return Outgoing(body={"request_id": video.id}, headers=headers)


def _answer_look(answer: Answer) -> Outgoing:
    video = _video(answer)
    match video.status:
        case Status.QUEUED | Status.IN_PROGRESS:
            return _pending(video)
        case Status.COMPLETED:
            return Outgoing(body=_done(video))
        case Status.FAILED:
            return Outgoing(body=_failed(video))


def _pending(video: Video) -> Outgoing:
    """A video that waits: 202, and at xAI sometimes without a body, which is played where no caller needs to be spared it."""
    if video.status is Status.QUEUED:
        return Outgoing(status=202, body=None if video.sandbox else {"status": "pending", "progress": 0})
    return Outgoing(status=202, body={"status": "pending", "progress": max(0, min(video.progress, 99))})


def _done(video: Video) -> dict[str, Any]:
    """Return a finished video; one without a file shows an empty address, one whose file is gone has expired."""
    output = video.outputs[0] if video.outputs else None
    if output is not None and output.url is None:
        return {"status": "expired"}
    made = {"url": output.url if output else "", "duration": _whole_seconds(output), "respect_moderation": True}
    return {"status": "done", "progress": 100, "model": video.model, "video": made, **_usage(video)}


def _failed(video: Video) -> dict[str, Any]:
    """Return a failure. What breaks the content rules is done at xAI, without an address: the reason stands beside it here."""
    failure = video.failure or Failure(
        kind=FailureKind.VENDOR_ERROR, message="The video was not made. Create it again."
    )
    blocked = failure.kind is FailureKind.CONTENT_POLICY
    error = {"code": _CODES.get(failure.kind, _OTHER_CODE), "message": failure.message}
    if blocked:
        made = {"url": "", "duration": 0, "respect_moderation": False}
        error["code"] = "content_policy"
        shown = {"status": "done", "progress": 100, "model": video.model, "video": made, "error": error}
        return {**shown, **_usage(video)}
    # Without an address, even an empty one, Vercel's client for older Node cannot read the answer (@ai-sdk/xai 3.0.138).
    made = {"url": "", "duration": 0, "respect_moderation": True}
    return {"status": "failed", "progress": 0, "model": "", "video": made, "error": error}


def _usage(video: Video) -> dict[str, Any]:
    """Return what is charged, in ticks; nothing while that is open."""
    try:
        dollars = Decimal(video.cost.settled or "0")
    except InvalidOperation:
        return {}
    if video.cost.currency != "USD" or dollars <= 0:
        return {}
    return {"usage": {"cost_in_usd_ticks": int(dollars * _TICKS)}}


def _whole_seconds(output: Output | None) -> int:
    return 0 if output is None else math.floor(output.seconds + 0.05)


def _video(answer: Answer) -> Video:
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    return answer
