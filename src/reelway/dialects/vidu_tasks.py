"""A video in Vidu's words: the answer to a create, the task that a look and a callback show, the item of a list; and errors.

Vidu only names what went wrong with a task; our words stand beside the name as `message`.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from reelway.core.errors import CallerError
from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Mode, Output, Video
from reelway.dialects.spec import Outgoing
from reelway.dialects.vidu_reading import PAYLOAD

__all__ = ["STATES", "create_answer", "listed_task", "render_error", "task_answer", "usage_of"]

STATES: Mapping[str, Status] = MappingProxyType(
    {
        "created": Status.QUEUED,
        "queueing": Status.QUEUED,
        "processing": Status.IN_PROGRESS,
        "success": Status.COMPLETED,
        "failed": Status.FAILED,
    }
)
"""Vidu's words and ours. Of the two for a video that waits, a create answers the first and a look the second."""
_WORDS = {status: word for word, status in STATES.items()}

_TYPES: Mapping[Mode, str] = MappingProxyType(
    {
        Mode.T2V: "text2video",
        Mode.I2V: "img2video",
        Mode.FIRST_LAST: "headtailimg2video",
        Mode.R2V: "character2video",
    }
)
_CREDIT_DOLLARS = Decimal("0.005")
_PER_SECOND: Mapping[str, int] = MappingProxyType({"540p": 14, "720p": 30, "1080p": 32})
_RECOMMENDED_CREDITS = 10

_OTHER_NAME = "InternalServiceFailure"
_FAILURES: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "FieldInvalid",
        FailureKind.CONTENT_POLICY: "CreationPolicyViolation",
        FailureKind.INSUFFICIENT_QUOTA: "CreditInsufficient",
        FailureKind.BUDGET_EXCEEDED: "CreditInsufficient",
        FailureKind.RATE_LIMITED: "TooManyRequests",
        FailureKind.MODEL_NOT_FOUND: "ModelUnavailable",
        FailureKind.CANCELLED: "UserCancelled",
    }
)
"""Names of failed tasks. Whatever is not here is Vidu's own failure to it."""

_BY_CODE: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "missing_required_parameter": (400, "FieldLacking"),
        "unsupported_parameter": (400, "FieldUnwanted"),
        "too_many_inputs": (400, "FieldItemCountOutOfRange"),
        "invalid_json": (400, "BadRequest"),
        "model_not_found": (400, "ModelUnavailable"),
        "not_supported": (404, "NotFound"),
        "media_unreadable": (400, "ImageFormatInvalid"),
        "no_route": (429, "SystemThrottling"),  # as Vidu says that it did not take a request
    }
)
"""Our code of an error → HTTP status and Vidu's name."""
_BY_KIND: Mapping[FailureKind, tuple[int, str]] = MappingProxyType(
    {
        FailureKind.AUTHENTICATION: (401, "Unauthorized"),
        FailureKind.PERMISSION: (403, "Forbidden"),
        FailureKind.INSUFFICIENT_QUOTA: (400, "CreditInsufficient"),
        FailureKind.BUDGET_EXCEEDED: (400, "CreditInsufficient"),
        FailureKind.MODEL_NOT_FOUND: (400, "ModelUnavailable"),
        FailureKind.CONTENT_POLICY: (400, "TaskPromptPolicyViolation"),
        FailureKind.RATE_LIMITED: (429, "TooManyRequests"),
    }
)
_BY_STATUS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        400: (400, "FieldInvalid"),
        404: (404, "TaskNotFound"),
        409: (400, "BadRequest"),
        410: (404, "TaskNotFound"),
        422: (400, "FieldInvalid"),
    }
)


def create_answer(video: Video) -> dict[str, Any]:
    """Return what a create is answered with. Vidu has no place for warnings; ours are added where there are any."""
    answer: dict[str, Any] = {
        "task_id": video.id,
        "type": _TYPES.get(video.mode, ""),
        "state": "created" if video.status is Status.QUEUED else _WORDS[video.status],
        "model": video.model,
        "prompt": video.prompt or "",
        "duration": _seconds(video),
        "seed": video.seed or 0,
        "aspect_ratio": video.ratio or "",
        "resolution": video.tier or "",
        "movement_amplitude": "auto",
        "audio": video.audio is True,
        "watermark": _is_marked(video),
        PAYLOAD: _payload(video),
        "off_peak": _is_off_peak(video),
        "credits": _credits(video),
        "created_at": _time(video.created_at),
    }
    if video.warnings:
        answer["warnings"] = [f"{warning.field}: {warning.message}" for warning in video.warnings]
    return answer


def task_answer(video: Video) -> dict[str, Any]:
    """Return the task as a look and a callback show it."""
    answer: dict[str, Any] = {
        "id": video.id,
        "state": _WORDS[video.status],
        "err_code": _failure_name(video),
        "credits": _credits(video),
        PAYLOAD: _payload(video),
        "bgm": False,
        "off_peak": _is_off_peak(video),
        "creations": _creations(video),
    }
    if video.status is Status.FAILED and video.failure is not None:
        answer["message"] = video.failure.message
    return answer


def listed_task(video: Video) -> dict[str, Any]:
    """Return the task as the list shows it."""
    creations = [
        {
            **creation,
            "video": {
                "duration": round(output.seconds, 3),
                "fps": round(output.fps),
                "resolution": {"width": output.width, "height": output.height},
            },
        }
        for creation, output in zip(_creations(video), video.outputs, strict=False)
    ]
    asked = create_answer(video)
    names = ("model", "prompt", "duration", "resolution", "aspect_ratio", "created_at")
    return {**task_answer(video), **{name: asked[name] for name in names}, "creations": creations}


def usage_of(video: Video) -> dict[str, Any]:
    """Return the credits Vidu takes, by the table of Q3 Pro: nobody has published those of Turbo."""
    seconds = sum(math.floor(output.seconds + 0.05) for output in video.outputs)
    whole = seconds * _PER_SECOND.get(video.tier or "", 30)
    halved = whole // 2 if _is_off_peak(video) else whole
    return {"credits": str(halved + (_RECOMMENDED_CREDITS if video.options.get("is_rec") is True else 0))}


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the error under Vidu's name for it, with the status that Vidu gives it."""
    status, name = _status_and_name(error)
    headers = {"x-request-id": request_id}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    message = error.message
    if error.param and error.param not in message:
        message = f"{error.param}: {message}"
    body = {"code": status, "reason": name, "message": message, "metadata": {"trace_id": request_id}}
    return Outgoing(status=status, body=body, headers=headers)


def _status_and_name(error: CallerError) -> tuple[int, str]:
    known = _BY_CODE.get(error.code or "") or _BY_KIND.get(error.kind) or _BY_STATUS.get(error.status)
    if known is not None:
        return known
    return (error.status, "BadRequest" if error.status < 500 else _OTHER_NAME)


def _failure_name(video: Video) -> str:
    if video.status is not Status.FAILED:
        return ""
    return _OTHER_NAME if video.failure is None else _FAILURES.get(video.failure.kind, _OTHER_NAME)


def _creations(video: Video) -> list[dict[str, Any]]:
    """Return the files. Where the marked copy was asked for, it is the only one there is here."""
    return [
        {
            "id": video.id if output.index == 0 else f"{video.id}-{output.index}",
            "url": output.url or "",
            "cover_url": "",
            "watermarked_url": (output.url or "") if _is_marked(video) else "",
        }
        for output in _outputs(video)
    ]


def _outputs(video: Video) -> tuple[Output, ...]:
    return video.outputs if video.status is Status.COMPLETED else ()


def _payload(video: Video) -> str:
    """Return the caller's own text; of a video that was made in another dialect, its reference there."""
    return video.tags.get(PAYLOAD) or video.client_reference or ""


def _is_marked(video: Video) -> bool:
    return video.options.get("watermark") is True


def _is_off_peak(video: Video) -> bool:
    return video.options.get("off_peak") is True


def _seconds(video: Video) -> int:
    try:
        return math.floor(float(video.seconds or 0) + 0.05)
    except ValueError:
        return 0


def _credits(video: Video) -> int:
    """Return what it costs in whole credits: by what is charged here, else as the vendor counted; 0 while that is open."""
    if video.cost.settled is not None or video.status is Status.FAILED:
        return _whole(video.cost.settled, video.cost.currency)
    if video.status is Status.COMPLETED:
        return _whole(str(video.usage.get("credits", 0)), "", Decimal(1))
    return _whole(video.cost.reserved, video.cost.currency)


def _whole(amount: str | None, currency: str, unit: Decimal = _CREDIT_DOLLARS) -> int:
    try:
        count = Decimal(amount or "0") / unit
    except InvalidOperation:
        return 0
    return math.ceil(count) if currency in ("", "USD") and count.is_finite() and count > 0 else 0


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
