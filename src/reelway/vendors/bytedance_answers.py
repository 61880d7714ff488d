"""What Ark's answers mean: tasks, failures, refusals.

Codes are matched by their beginnings, because the vendor appends dotted parts at will. A task's record carries everything as
optional: unfinished ones show little more than their id.
"""

from collections.abc import Mapping
from typing import Any

from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.coded_errors import CodedErrors

__all__ = ["FINISHED", "CreatedAnswer", "TaskAnswer", "TaskList", "failure_of", "look_refusal", "submit_refusal"]

FINISHED = frozenset({"succeeded", "failed", "expired", "cancelled", "canceled"})
"""States in which nothing happens to a task any more."""

_POLICY = ("sensitivecontentdetected", "policyviolation", "privacyinformation", "riskdetection")
"""Parts of the codes with which content is refused, on its way in or out."""

_BEGINNINGS: tuple[tuple[str, FailureKind], ...] = (
    ("missingparameter", FailureKind.INVALID_REQUEST),
    ("invalidparameter", FailureKind.INVALID_REQUEST),
    ("invalidimageurl", FailureKind.INVALID_REQUEST),
    ("invalidendpoint", FailureKind.MODEL_NOT_FOUND),
    ("modelnotopen", FailureKind.MODEL_NOT_FOUND),
    ("unsupportedmodel", FailureKind.MODEL_NOT_FOUND),
    ("authenticationerror", FailureKind.AUTHENTICATION),
    ("invalidaccountstatus", FailureKind.PERMISSION),
    ("accessdenied", FailureKind.PERMISSION),
    ("operationdenied.serviceoverdue", FailureKind.INSUFFICIENT_QUOTA),
    ("operationdenied", FailureKind.PERMISSION),
    ("accountoverdue", FailureKind.INSUFFICIENT_QUOTA),
    ("setlimitexceeded", FailureKind.INSUFFICIENT_QUOTA),
    ("ratelimitexceeded", FailureKind.RATE_LIMITED),
    ("modelaccount", FailureKind.RATE_LIMITED),
    ("apiaccount", FailureKind.RATE_LIMITED),
    ("accountratelimitexceeded", FailureKind.RATE_LIMITED),
    ("serveroverloaded", FailureKind.RATE_LIMITED),
    ("requestbursttoofast", FailureKind.RATE_LIMITED),
    ("inflightbatchsizeexceeded", FailureKind.RATE_LIMITED),
)
_USED_UP = ("free", "trial", "plan", "exhausted", "insufficient", "balance")
"""Words of a `QuotaExceeded` that no waiting mends; its other meaning is that too many tasks are queued."""

_ADVICE: Mapping[FailureKind, str] = {
    FailureKind.INVALID_REQUEST: "change the request and create it again",
    FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
    FailureKind.AUTHENTICATION: "the operator has to check the key, which belongs to one region and one project",
    FailureKind.PERMISSION: "the operator has to check what this account may do",
    FailureKind.INSUFFICIENT_QUOTA: "the operator has to top this account up or raise its limit",
    FailureKind.RATE_LIMITED: "it is asked again after a pause",
    FailureKind.MODEL_NOT_FOUND: "the operator has to activate the model, or to name an endpoint id for it",
    FailureKind.VENDOR_ERROR: "create it again",
    FailureKind.TIMED_OUT: "create it again, with a longer execution_expires_after if it was short",
    FailureKind.CANCELLED: "create it again if it is still wanted",
}


class CreatedAnswer(Record):
    """The answer to a create."""

    id: str = ""


class TaskError(Record):
    """Why a task failed."""

    code: Any = None
    message: Any = None


class TaskContent(Record):
    """The results, for 24 hours."""

    video_url: str | None = None
    last_frame_url: str | None = None


class TaskUsage(Record):
    """What is charged."""

    completion_tokens: Any = None


class TaskAnswer(Record):
    """The fields of a task that are used."""

    id: str = ""
    model: str | None = None
    status: str = ""
    created_at: float | None = None
    error: TaskError | None = None
    content: TaskContent | None = None
    usage: TaskUsage | None = None
    resolution: str | None = None
    ratio: str | None = None
    duration: float | None = None
    frames: float | None = None
    generate_audio: bool | None = None
    seed: int | None = None
    execution_expires_after: int | None = None
    draft: bool | None = None


class TaskList(Record):
    """One page of the list."""

    items: list[TaskAnswer]
    total: int | None = None


def failure_of(task: TaskAnswer) -> Failure:
    """Return why a task failed."""
    error = task.error or TaskError()
    return _ERRORS.task_failure(error.code, error.message, task.id)


def _kind_of_code(code: str, message: str) -> FailureKind | None:
    if any(part in code for part in _POLICY):
        return FailureKind.CONTENT_POLICY
    if code.startswith("quotaexceeded"):
        used_up = "queue" not in message.lower() and any(part in message.lower() for part in _USED_UP)
        return FailureKind.INSUFFICIENT_QUOTA if used_up else FailureKind.RATE_LIMITED
    return next((kind for beginning, kind in _BEGINNINGS if code.startswith(beginning)), None)


_ERRORS = CodedErrors(vendor="bytedance", kind_of=_kind_of_code, advice=_ADVICE)
submit_refusal, look_refusal = _ERRORS.submit_refusal, _ERRORS.look_refusal
