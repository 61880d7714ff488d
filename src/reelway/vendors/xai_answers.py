"""What xAI's answers mean: videos, failures, refusals, and what a video cost.

Errors come in three shapes, and one status stands for many reasons: a wrong key is a 400 like a wrong field. So the words are read
before the code, and the code before the status.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from reelway.core.errors import ReelwayError, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import Download, HttpResponse, Status, Succeeded, VendorFailed, VendorOutput
from reelway.vendors.wire import (
    ErrorBody,
    excerpt,
    get,
    kind_of_status,
    plain,
    read_error,
    retry_after_seconds,
    word,
)

__all__ = [
    "CreatedAnswer",
    "VideoAnswer",
    "expired",
    "failure_of",
    "finished",
    "look_refusal",
    "never_runs",
    "progress_of",
    "submit_refusal",
]

_TICKS = Decimal(10) ** 10
"""So many are one US dollar."""

_WORDS: tuple[tuple[re.Pattern[str], FailureKind], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"moderat|safety|content.polic|usage.(polic|guideline)", FailureKind.CONTENT_POLICY),
        (r"api.key", FailureKind.AUTHENTICATION),
        (r"zero.data.retention|upload_url", FailureKind.PERMISSION),
        (r"\bcredits?\b|spending.limit", FailureKind.INSUFFICIENT_QUOTA),
    )
)
"""What an error is about, whatever its status; the first that fits."""

_CODES: Mapping[str, FailureKind] = MappingProxyType(
    {
        "invalid-argument": FailureKind.INVALID_REQUEST,
        "failed-precondition": FailureKind.INVALID_REQUEST,
        "out-of-range": FailureKind.INVALID_REQUEST,
        "unauthenticated": FailureKind.AUTHENTICATION,
        "permission-denied": FailureKind.PERMISSION,
        "resource-exhausted": FailureKind.RATE_LIMITED,
        "deadline-exceeded": FailureKind.TIMED_OUT,
        "cancelled": FailureKind.CANCELLED,
        "unavailable": FailureKind.VENDOR_UNAVAILABLE,
    }
)
"""The names of gRPC's codes: with hyphens in errors, with underscores where a video failed."""

_OF_A_FAILURE = frozenset(
    {
        FailureKind.INVALID_REQUEST,
        FailureKind.CONTENT_POLICY,
        FailureKind.RATE_LIMITED,
        FailureKind.TIMED_OUT,
        FailureKind.CANCELLED,
        FailureKind.VENDOR_UNAVAILABLE,
    }
)
"""Reasons for which a video can fail that had been accepted. Keys and rights were good then."""

_ADVICE: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "change the request and create it again",
        FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
        FailureKind.AUTHENTICATION: "the operator has to check the key of this account",
        FailureKind.PERMISSION: "the operator has to check what this account may do; with Zero Data Retention xAI makes no "
        "videos without an upload address, which is not supported",
        FailureKind.INSUFFICIENT_QUOTA: "the operator has to add credit to this account or raise its spending limit",
        FailureKind.RATE_LIMITED: "it is asked again after a pause",
        FailureKind.MODEL_NOT_FOUND: "choose another model",
    }
)


class CreatedAnswer(Record):
    """The answer to a create."""

    request_id: str = ""


class FileOutput(Record):
    """The copy in xAI's Files, where one was asked for."""

    public_url: str | None = None


class VideoResult(Record):
    """What was made. Where moderation blocked it, `respect_moderation` is false and the address is empty."""

    url: str | None = None
    respect_moderation: bool | None = None
    file_output: FileOutput | None = None


class VideoError(Record):
    """Why a video failed."""

    code: Any = None
    message: Any = None


class VideoUsage(Record):
    """What is charged."""

    cost_in_usd_ticks: Any = None


class VideoAnswer(Record):
    """The fields of a look that are used."""

    status: str = ""
    progress: Any = None
    video: VideoResult | None = None
    usage: VideoUsage | None = None
    error: VideoError | None = None


def progress_of(video: VideoAnswer) -> int | None:
    """Return how far it is; nothing where the vendor shows no number that can be one."""
    progress = video.progress
    is_number = isinstance(progress, int | float) and not isinstance(progress, bool)
    return int(progress) if is_number and 0 <= progress <= 100 else None


def finished(video: VideoAnswer) -> Status:
    """Return what was made. A video that moderation blocked was made and costs the account, and nobody gets it."""
    made = video.video or VideoResult()
    if made.respect_moderation is False:
        message = "`xai` made the video, and its moderation blocked it; change the prompt or the inputs."
        failure = Failure(kind=FailureKind.CONTENT_POLICY, message=message)
        return VendorFailed(failure=failure, usage=_usage(video))
    url = made.url or (made.file_output.public_url if made.file_output else None)
    if not url:
        message = "`xai` says that it made the video, and shows none; create it again."
        return VendorFailed(failure=Failure(kind=FailureKind.VENDOR_ERROR, message=message))
    if not url.startswith(("https://", "http://")):
        raise UnexpectedResponse("the video is finished, and what is shown as its file is no address")
    return Succeeded(outputs=(VendorOutput(video=Download(request=get(url))),), usage=_usage(video))


def failure_of(video: VideoAnswer) -> Failure:
    """Return why a video failed. A code nobody has met is the vendor's failure, never a guess at ours."""
    error = video.error or VideoError()
    code = "" if error.code is None else word(str(error.code))
    message = plain(str(error.message or ""))
    kind = _kind_of_words(message) or _CODES.get(code.replace("_", "-"))
    if kind not in _OF_A_FAILURE:
        kind = FailureKind.VENDOR_ERROR
    advice = _ADVICE[kind] if kind in (FailureKind.INVALID_REQUEST, FailureKind.CONTENT_POLICY) else "create it again"
    return _failure(kind, "did not make the video", message or code or "it gave no reason", code, advice)


def expired() -> Failure:
    """Return what has become of a video that xAI made and does not keep any more."""
    message = (
        "`xai` made the video and does not have it any more; it may have been charged. Create it again if it is still "
        "wanted."
    )
    return Failure(kind=FailureKind.VENDOR_ERROR, message=message, vendor_code="expired")


def never_runs(response: HttpResponse) -> bool:
    """Tell whether xAI itself says of an accepted video, with an error in place of an answer, that it cannot be made."""
    if response.status != 400:
        return False
    error = read_error(response)
    known = (FailureKind.INVALID_REQUEST, FailureKind.CONTENT_POLICY)
    return bool(error.code) and _kind_of_error(error, response.status) in known


def submit_refusal(response: HttpResponse) -> ReelwayError:
    """Return `VendorRefused` where nothing was made for sure, else `UnexpectedResponse`: an unknown outcome."""
    if response.status >= 500 or kind_of_status(response.status) is None:
        return UnexpectedResponse(f"the outcome of the request is not known: {excerpt(response)}")
    return look_refusal(response)


def look_refusal(response: HttpResponse) -> VendorRefused:
    """Return what an error answer refuses, and why."""
    error = read_error(response)
    kind = _kind_of_error(error, response.status)
    reason = error.message or f"HTTP {response.status}"
    failure = _failure(kind, "refused the request", reason, error.code, _ADVICE.get(kind, ""))
    return VendorRefused(failure, retry_after_seconds=retry_after_seconds(response))


def _kind_of_error(error: ErrorBody, status: int) -> FailureKind:
    code = error.code.replace("_", "-")
    of_words = _kind_of_words(error.message)
    if status == 429 and of_words is not FailureKind.INSUFFICIENT_QUOTA:
        return FailureKind.RATE_LIMITED
    return of_words or _CODES.get(code) or kind_of_status(status) or FailureKind.VENDOR_ERROR


def _kind_of_words(message: str) -> FailureKind | None:
    return next((kind for pattern, kind in _WORDS if pattern.search(message)), None)


def _usage(video: VideoAnswer) -> dict[str, Any]:
    """Return what was charged, in dollars. Figures that cannot be true settle nothing, and the quote stands."""
    ticks = None if video.usage is None else video.usage.cost_in_usd_ticks
    if isinstance(ticks, bool) or not isinstance(ticks, int) or ticks <= 0:
        return {}
    return {"cost": {"currency": "USD", "settled": f"{Decimal(ticks) / _TICKS:f}"}}


def _failure(kind: FailureKind, event: str, reason: str, code: str, advice: str) -> Failure:
    text = f"`xai` {event}: {reason.rstrip('. ')}"
    return Failure(kind=kind, message=f"{text}; {advice}." if advice else f"{text}.", vendor_code=code or None)
