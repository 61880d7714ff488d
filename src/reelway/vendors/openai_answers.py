"""What the answers of OpenAI-compatible servers mean: results, failures, refusals.

OpenAI documents no list of error codes, and its clones invent their own, so codes are tables and word stems, and a refusal is
believed only where the request surely made nothing.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from reelway.core.errors import ReelwayError, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.core.videos import Mode
from reelway.vendors.openai_services import service_of
from reelway.vendors.spec import HttpResponse, Submission
from reelway.vendors.wire import ErrorBody, excerpt, kind_of_status, plain, read_error, retry_after_seconds, word

__all__ = [
    "VideoAnswer",
    "VideoList",
    "ended",
    "failure_of",
    "look_refusal",
    "pause_seconds",
    "service_name",
    "submit_refusal",
]

_LONGEST_PAUSE_SECONDS = 600.0
_MODERATION = (
    "moderation",
    "content_policy",
    "content_filter",
    "policy_violation",
    "responsibleai",
    "contentpolicy",
    "prompt_blocked",
    "safety",
    "sensitive",
)
"""Parts of the codes with which OpenAI, Azure and their clones refuse content."""

_CODE_IN_TEXT = re.compile(r'"code": *"([\w.-]+)"|litellm\.(\w+)')
"""The vendor's code, or the exception it became, in the text that LiteLLM makes of a refusal."""

_CODES: Mapping[str, FailureKind] = MappingProxyType(
    {
        "model_not_found": FailureKind.MODEL_NOT_FOUND,
        "deploymentnotfound": FailureKind.MODEL_NOT_FOUND,
        "insufficient_quota": FailureKind.INSUFFICIENT_QUOTA,
        "insufficient_user_quota": FailureKind.INSUFFICIENT_QUOTA,
        "pre_consume_token_quota_failed": FailureKind.INSUFFICIENT_QUOTA,
        "quota_exceeded": FailureKind.INSUFFICIENT_QUOTA,
        "billing_hard_limit_reached": FailureKind.INSUFFICIENT_QUOTA,
        "billing_not_active": FailureKind.INSUFFICIENT_QUOTA,
        "budget_exceeded": FailureKind.INSUFFICIENT_QUOTA,
        "rate_limit_exceeded": FailureKind.RATE_LIMITED,
        "invalid_api_key": FailureKind.AUTHENTICATION,
    }
)
_NOTHING_MADE: Mapping[str, FailureKind] = MappingProxyType(
    {"no_route": FailureKind.VENDOR_UNAVAILABLE, "model_not_found": FailureKind.MODEL_NOT_FOUND}
)
"""Codes of a 5xx with which a server says that it did not take the request: ours, and new-api's where no channel has the model."""

_FAULTS_OF_THE_REQUEST = frozenset({"400", "413", "415", "422"})

_ADVICE: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "change the request and create it again",
        FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
        FailureKind.AUTHENTICATION: "the operator has to check the key of this account",
        FailureKind.PERMISSION: "the operator has to check what this account may do",
        FailureKind.INSUFFICIENT_QUOTA: "the operator has to add credit to this account",
        FailureKind.RATE_LIMITED: "it is asked again after a pause",
        FailureKind.MODEL_NOT_FOUND: "choose another model",
        FailureKind.VENDOR_UNAVAILABLE: "it is asked again after a pause",
        FailureKind.CANCELLED: "create it again if it is still wanted",
    }
)
_SHARED = frozenset(
    {
        FailureKind.INVALID_REQUEST,
        FailureKind.CONTENT_POLICY,
        FailureKind.INSUFFICIENT_QUOTA,
        FailureKind.RATE_LIMITED,
        FailureKind.VENDOR_UNAVAILABLE,
        FailureKind.TIMED_OUT,
        FailureKind.MEDIA_INVALID,
        FailureKind.CANCELLED,
    }
)
"""Failures of another Reelway that are the same to us. Those about its own keys, routes and doubts are `vendor_error`."""


class ErrorAnswer(Record):
    """Why a video failed. Some clones leave the code out, or make it a number."""

    code: Any = None
    message: Any = None


class CostAnswer(Record):
    """What another Reelway charged."""

    currency: Any = None
    settled: Any = None


class VideoAnswer(Record):
    """The fields of the video object that are used. Any of them is missing somewhere; only a create insists on the id."""

    id: str = ""
    status: str = ""
    progress: Any = None
    created_at: float | None = None
    prompt: str | None = None
    model: str | None = None
    seconds: str | float | None = None
    size: str | None = None
    remixed_from_video_id: str | None = None
    error: ErrorAnswer | str | None = None
    metadata: dict[str, Any] | None = None
    outputs: list[Any] | None = None
    urls: list[Any] | None = None
    num_outputs: Any = None
    url: str | None = None
    video_url: str | None = None
    cost: CostAnswer | None = None


class VideoList(Record):
    """One page of the list. SGLang says neither whether there is more nor where to go on."""

    data: list[VideoAnswer]
    has_more: bool | None = None
    last_id: str | None = None


def service_name(service: str) -> str:
    """Return what messages call the server."""
    return f"`{service or 'openai_videos'}`"


def pause_seconds(response: HttpResponse) -> float | None:
    """Return when the server wants to be asked again."""
    text = response.headers.get("openai-poll-after-ms", "")
    pause = int(text) / 1000 if text.isascii() and text.isdigit() else retry_after_seconds(response)
    return None if pause is None or pause <= 0 else min(pause, _LONGEST_PAUSE_SECONDS)


def failure_of(video: VideoAnswer, service: str, *hidden: str) -> Failure:
    """Return why a video failed. A code nobody has met is the vendor's failure, never a guess at ours."""
    error = video.error if isinstance(video.error, ErrorAnswer) else ErrorAnswer(message=video.error)
    code = "" if error.code is None else word(str(error.code))
    kind = FailureKind.VENDOR_ERROR
    if code in _SHARED:
        kind = FailureKind(code)
    elif _is_moderation(code):
        kind = FailureKind.CONTENT_POLICY
    elif code in _FAULTS_OF_THE_REQUEST and service_of(service).fails_with_status:
        kind = FailureKind.INVALID_REQUEST
    elif _CODES.get(code) in _SHARED:
        kind = _CODES[code]
    reason = plain(str(error.message or ""), *hidden) or "it gave no reason"
    return Failure(
        kind=kind,
        message=_sentence(f"{service_name(service)} did not make the video", reason, kind),
        vendor_code=code or None,
    )


def ended(how: Literal["cancelled", "expired"], service: str) -> Failure:
    """Return why there is no video although nothing went wrong."""
    if how == "cancelled":
        message = (
            f"{service_name(service)} says that the video was cancelled there; create it again if it is still wanted."
        )
        return Failure(kind=FailureKind.CANCELLED, message=message, vendor_code=how)
    message = f"{service_name(service)} let the video expire before it was fetched; create it again."
    return Failure(kind=FailureKind.VENDOR_ERROR, message=message, vendor_code=how)


def submit_refusal(response: HttpResponse, submission: Submission) -> ReelwayError:
    """Return `VendorRefused` where nothing was made for sure, else `UnexpectedResponse`: an unknown outcome."""
    error = read_error(response)
    if service_of(submission.service).hides_codes:
        error = _unwrapped(error)
    kind = _refusal_kind(response.status, error)
    if kind is None:
        return UnexpectedResponse(f"the outcome of the request is not known: {excerpt(response)}")
    by_source = submission.request.mode in (Mode.EDIT, Mode.EXTEND, Mode.REMIX) and submission.source is not None
    if kind is FailureKind.MODEL_NOT_FOUND and by_source and error.code not in _CODES:
        kind = FailureKind.INVALID_REQUEST
    failure = _refused(error, kind, submission.service, response.status)
    return VendorRefused(failure, retry_after_seconds=retry_after_seconds(response))


def look_refusal(response: HttpResponse, service: str) -> VendorRefused:
    """Return the refusal of a mere look; the video itself may be well."""
    error = read_error(response)
    kind = kind_of_status(response.status) or FailureKind.VENDOR_ERROR
    failure = _refused(error, kind, service, response.status)
    return VendorRefused(failure, retry_after_seconds=retry_after_seconds(response))


def _refusal_kind(status: int, error: ErrorBody) -> FailureKind | None:
    """Return why a create was refused; None where it may have been accepted: conflicts, time-outs, breakdowns."""
    if status >= 500:
        return _NOTHING_MADE.get(error.code)
    kind = kind_of_status(status)
    if kind is None or status == 429:
        return kind and _CODES.get(error.code, _CODES.get(error.type, kind))
    if _is_moderation(f"{error.code} {error.type}"):
        return FailureKind.CONTENT_POLICY
    return _CODES.get(error.code, kind)


def _unwrapped(error: ErrorBody) -> ErrorBody:
    """Return the error with the vendor's own code, where one can be read in the text around it."""
    codes = [word(code or name) for code, name in _CODE_IN_TEXT.findall(error.message)]
    known = [code for code in codes if code in _CODES or _is_moderation(code)]
    return error.evolve(code=known[0]) if known else error


def _refused(error: ErrorBody, kind: FailureKind, service: str, status: int) -> Failure:
    reason = error.message or f"HTTP {status}"
    return Failure(
        kind=kind,
        message=_sentence(f"{service_name(service)} refused the request", reason, kind),
        vendor_code=error.code or error.type or None,
    )


def _sentence(event: str, reason: str, kind: FailureKind) -> str:
    advice = _ADVICE.get(kind)
    text = f"{event}: {reason.rstrip('. ')}"
    return f"{text}; {advice}." if advice else f"{text}."


def _is_moderation(code: str) -> bool:
    return any(part in code for part in _MODERATION)
