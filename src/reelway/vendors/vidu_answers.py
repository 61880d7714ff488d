"""What Vidu's answers mean: tasks, failures, refusals, and what a video cost.

A failed task and a refused call say why with the same names: the first in `err_code`, the second in `reason`, beside a `code` that
repeats the HTTP status. A body with a `code` is a refusal whatever its status, as Vidu's own client reads it.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from reelway.core.errors import ReelwayError, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import HttpResponse
from reelway.vendors.wire import (
    excerpt,
    expect,
    is_success,
    kind_of_status,
    plain,
    read_error,
    retry_after_seconds,
    word,
)

__all__ = [
    "Task",
    "TaskList",
    "failure_of",
    "is_fine",
    "look_refusal",
    "read_answer",
    "submit_refusal",
    "usage_of",
]

Answer = TypeVar("Answer", "Task", "TaskList")

_BY_KIND: Mapping[FailureKind, tuple[str, ...]] = {
    FailureKind.INVALID_REQUEST: (
        "BadRequest",
        "FieldLacking",
        "FieldUnwanted",
        "FieldInvalid",
        "FieldItemCountOutOfRange",
        "PageSizeOutOfRange",
        "ImageFormatInvalid",
        "ImageSizeInvalid",
        "ImageDownloadFailure",
        "ImageCheckBodyJointsFailed",
        "ImageCheckFaceFailed",
        "ImageObjectsUndetected",
        "FaceDetectFailure",
        "FaceDetectNotPass",
        "NoFaceDetected",
        "MultiFaceDetected",
    ),
    FailureKind.CONTENT_POLICY: (
        "TaskPromptPolicyViolation",
        "CreationPolicyViolation",
        "AuditSubmitIllegal",
        "AuditFailed",
        "PhotoAuditNotPass",
    ),
    FailureKind.INSUFFICIENT_QUOTA: ("CreditInsufficient",),
    FailureKind.MODEL_NOT_FOUND: ("ModelUnavailable",),
    FailureKind.AUTHENTICATION: ("Unauthorized",),
    FailureKind.PERMISSION: ("Forbidden",),
    FailureKind.RATE_LIMITED: ("QuotaExceeded", "TooManyRequests", "SystemThrottling"),
    FailureKind.CANCELLED: ("UserCancelled", "Canceled"),
}
_KINDS: Mapping[str, FailureKind] = MappingProxyType(
    {name.lower(): kind for kind, names in _BY_KIND.items() for name in names}
)

_NOT_KNOWN = frozenset({"operationinprocess", "conflict", "canceled", "internalservicefailure"})
"""Names after which nobody knows whether a create made a task."""

_ADVICE: Mapping[FailureKind, str] = {
    FailureKind.INVALID_REQUEST: "change the request and create it again",
    FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
    FailureKind.AUTHENTICATION: "the operator has to check the key, which belongs to one of Vidu's two hosts",
    FailureKind.PERMISSION: "the operator has to check what this account may do, and that its host is the key's",
    FailureKind.INSUFFICIENT_QUOTA: "the operator has to add credits to this account",
    FailureKind.RATE_LIMITED: "it is asked again after a pause",
    FailureKind.MODEL_NOT_FOUND: "choose another model",
    FailureKind.VENDOR_ERROR: "create it again",
    FailureKind.CANCELLED: "create it again if it is still wanted",
}
_ADVICE_BY_NAME: Mapping[str, str] = {
    "imagedownloadfailure": "see that the picture can be fetched from everywhere, or send it as a file",
    "pagesizeoutofrange": "send a smaller picture, between 1:4 and 4:1",
}
_AFTERWARDS: Mapping[FailureKind, str] = {**_ADVICE, FailureKind.RATE_LIMITED: "create it again"}
"""The same for a task that had been accepted: nobody asks again by himself."""

_ABOUT_THE_ASKER = frozenset(
    {
        FailureKind.AUTHENTICATION,
        FailureKind.PERMISSION,
        FailureKind.INSUFFICIENT_QUOTA,
        FailureKind.RATE_LIMITED,
    }
)
"""Refusals of a look that say nothing about the task."""

_AMOUNT = re.compile(r"(?=.*[1-9])\d{1,9}(\.\d{1,9})?", re.ASCII)
"""More than nothing, as decimal text."""


class Creation(Record):
    """One file. `watermarked_url` is empty or absent where no mark was asked for."""

    url: str | None = None
    watermarked_url: str | None = None


class Task(Record):
    """A task, as a create, a look, the list and a callback show it; the first says `task_id`."""

    id: str | int = ""
    task_id: str | int = ""
    state: str = ""
    err_code: str | None = None
    credits: Any = None
    payload: str | None = None
    created_at: str | None = None
    creations: list[Creation] | None = None
    message: str | None = None
    """Another Reelway says here what Vidu only names."""

    @property
    def key(self) -> str:
        return str(self.task_id or self.id)


class TaskList(Record):
    """One page of the list."""

    tasks: list[Task]
    next_page_token: str | None = None


class _Refusal(Record):
    """Where an error says its name. One example of the vendor's is all there is of it, so every place is looked at."""

    code: Any = None
    reason: Any = None
    err_code: Any = None


def read_answer(shape: type[Answer], response: HttpResponse) -> Answer:
    """Return what an answer to a mere look says. Raise where it says that there was an error."""
    if not is_fine(response):
        raise look_refusal(response)
    return expect(shape, response)


def is_fine(response: HttpResponse) -> bool:
    """Tell whether Vidu did what it was asked."""
    return is_success(response) and _refusal(response).code is None


def submit_refusal(response: HttpResponse) -> ReelwayError:
    """Return `VendorRefused` where nothing was made for sure, else `UnexpectedResponse`: an unknown outcome."""
    kind = _kind_of(response)
    if kind is None or _status(response) >= 500 or word(_name(response)) in _NOT_KNOWN:
        return UnexpectedResponse(f"the outcome of the request is not known: {excerpt(response)}")
    return _refused(response, kind)


def look_refusal(response: HttpResponse) -> ReelwayError:
    """Return what the refusal of a mere look means; the task itself may be well."""
    kind = _kind_of(response)
    if kind not in _ABOUT_THE_ASKER:
        return UnexpectedResponse(f"the task was not shown: {excerpt(response)}")
    return _refused(response, kind)


def failure_of(task: Task) -> Failure:
    """Return why a task failed. A name nobody has met is the vendor's failure, never a guess at ours."""
    name = (task.err_code or "").strip()
    kind = _KINDS.get(word(name), FailureKind.VENDOR_ERROR)
    reason = plain(task.message or name, task.key) or "it gave no reason"
    return _failure("did not make the video", reason, kind, name, _AFTERWARDS)


def usage_of(task: Task) -> dict[str, Any]:
    """Return the credits that were taken; a number here, a text there. Nothing where nothing was, or nobody can tell."""
    if isinstance(task.credits, bool) or not isinstance(task.credits, int | float | str):
        return {}
    amount = str(task.credits).strip()
    return {"credits": amount} if _AMOUNT.fullmatch(amount) else {}


def _refusal(response: HttpResponse) -> _Refusal:
    try:
        return msgspec.json.decode(response.body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Refusal()


def _name(response: HttpResponse) -> str:
    """Return the name of what is wrong: the one that is known among all that stand there."""
    refusal = _refusal(response)
    texts = [text.strip() for text in (refusal.reason, refusal.err_code, refusal.code) if isinstance(text, str)]
    known = [text for text in texts if word(text) in _KINDS or word(text) in _NOT_KNOWN]
    return next(iter((*known, *texts)), "")


def _status(response: HttpResponse) -> int:
    """Return the HTTP status, or the one in the body of an error that came with a 200."""
    code = _refusal(response).code
    if is_success(response) and isinstance(code, int) and not isinstance(code, bool):
        return code
    return response.status


def _kind_of(response: HttpResponse) -> FailureKind | None:
    """Return why a request made nothing; None where it may have made something all the same."""
    return _KINDS.get(word(_name(response))) or kind_of_status(_status(response))


def _refused(response: HttpResponse, kind: FailureKind) -> VendorRefused:
    name, told = _name(response), _refusal(response) != _Refusal()
    reason = (told and read_error(response).message) or f"HTTP {response.status}"  # no page of a proxy
    failure = _failure("refused the request", reason, kind, name, _ADVICE)
    return VendorRefused(failure, retry_after_seconds=retry_after_seconds(response))


def _failure(event: str, reason: str, kind: FailureKind, name: str, advices: Mapping[FailureKind, str]) -> Failure:
    advice = _ADVICE_BY_NAME.get(word(name)) or advices.get(kind)
    text = f"`vidu` {event}: {reason.rstrip('. ')}"
    return Failure(kind=kind, message=f"{text}; {advice}." if advice else f"{text}.", vendor_code=name or None)
