"""A video as Kling shows a task, in both designs; and errors in Kling's codes.

Ids are ours and texts, times are milliseconds. Kling has no code for what went wrong with a task, only words; ours stands beside
them as `failure_code`.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from reelway.core.errors import CallerError, NotFound
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Mode, Output, Video
from reelway.dialects.kling_tokens import TOKEN_EARLY, TOKEN_EXPIRED, TOKEN_INVALID
from reelway.dialects.spec import Answer, Outgoing, VideoPage

__all__ = [
    "current_task",
    "legacy_task",
    "render_cursor",
    "render_error",
    "render_list",
    "render_one",
    "usage_of",
]

Task = Callable[[Video], dict[str, Any]]

_FINE = "SUCCEED"
_UNIT_DOLLARS = Decimal("0.14")
_UNIT_PLACES = Decimal("0.000001")
_UNITS: Mapping[tuple[str, bool], tuple[str, str]] = MappingProxyType(
    {
        ("720p", False): ("0.6", "0.9"),
        ("1080p", False): ("0.8", "1.2"),
        ("4k", False): ("3.0", "3.0"),
        ("720p", True): ("0.6", "0.8"),
        ("1080p", True): ("0.8", "1.0"),
        ("4k", True): ("3.0", "3.0"),
    }
)
"""Tier, and whether it is omni's work → units for each second, silent and with sound (Kling's list of 2026-09-20)."""

_UNITS_OF_EDITS: Mapping[str, str] = MappingProxyType({"720p": "0.9", "1080p": "1.2", "4k": "3.0"})
_RISK = "Failure to pass the risk control system"

_STATES: Mapping[Status, str] = MappingProxyType(
    {
        Status.QUEUED: "submitted",
        Status.IN_PROGRESS: "processing",
        Status.COMPLETED: "succeeded",
        Status.FAILED: "failed",
    }
)
_BY_CODE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        TOKEN_INVALID: (401, 1002),
        TOKEN_EARLY: (401, 1003),
        TOKEN_EXPIRED: (401, 1004),
        "invalid_json": (400, 1200),
        "reference_exists": (400, 1201),
        "method_not_allowed": (404, 1202),
        "model_not_found": (404, 1203),
        "not_supported": (404, 1203),
    }
)
"""Our code of an error → HTTP status and Kling's code."""

_BY_KIND: Mapping[FailureKind, tuple[int, int]] = MappingProxyType(
    {
        FailureKind.AUTHENTICATION: (401, 1002),
        FailureKind.PERMISSION: (403, 1103),
        FailureKind.INSUFFICIENT_QUOTA: (429, 1102),
        FailureKind.BUDGET_EXCEEDED: (429, 1102),
        FailureKind.MODEL_NOT_FOUND: (404, 1203),
        FailureKind.CONTENT_POLICY: (400, 1301),
        FailureKind.RATE_LIMITED: (429, 1302),
        FailureKind.VENDOR_UNAVAILABLE: (503, 5001),
        FailureKind.TIMED_OUT: (504, 5002),
    }
)
_BY_STATUS: Mapping[int, tuple[int, int]] = MappingProxyType({503: (503, 5001), 504: (504, 5002)})
_BAD_VALUE = (400, 1201)
_BROKEN = (500, 5000)


def legacy_task(video: Video) -> dict[str, Any]:
    """Return the task of the older API, which is also the body of a callback."""
    task: dict[str, Any] = {
        "task_id": video.id,
        "task_status": "succeed" if video.status is Status.COMPLETED else _STATES[video.status],
        "task_status_msg": _reason(video),
        "task_info": {} if video.client_reference is None else {"external_task_id": video.client_reference},
        "created_at": _milliseconds(video.created_at),
        "updated_at": _updated(video),
        "watermark_info": {"enabled": _is_marked(video)},
    }
    if video.status is Status.COMPLETED:
        task["task_result"] = {"videos": [_output(video, output) for output in video.outputs]}
        units = _units(video)
        task |= {} if units is None else {"final_unit_deduction": units}
    return task | _failure_code(video)


def current_task(video: Video) -> dict[str, Any]:
    """Return the task of the current API."""
    units = _units(video) if video.status is Status.COMPLETED else None
    return {
        "id": video.id,
        "status": _STATES[video.status],
        "message": _reason(video),
        "create_time": _milliseconds(video.created_at),
        "update_time": _updated(video),
        "external_id": video.client_reference or "",
        "outputs": [
            {"type": "video", **_output(video, output)}
            for output in (video.outputs if video.status is Status.COMPLETED else ())
        ],
        "billing": [] if units is None else [{"charge_type": "unit", "amount": units, "package_type": "video"}],
        **_failure_code(video),
    }


def usage_of(video: Video) -> dict[str, Any]:
    """Return the units that Kling would take. That a video was referred to, nobody sees who sees the video alone."""
    tier, seconds = video.tier or "720p", sum(round(output.seconds) for output in video.outputs)
    if video.mode in (Mode.EDIT, Mode.REMIX):
        rate = _UNITS_OF_EDITS.get(tier)
    else:
        rates = _UNITS.get((tier, video.mode is Mode.R2V))
        rate = None if rates is None else rates[video.audio is True]
    return {} if rate is None else {"credits": f"{Decimal(rate) * seconds}"}


def render_one(answer: Answer, *, task: Task) -> Outgoing:
    """Return the envelope around one task. Beside it stand the few words that clients of resellers read, who know no envelope."""
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    body = _envelope(task(answer), answer.id, _warned(answer))
    if task is legacy_task:
        body |= {"task_id": answer.id, "status": answer.status.value}
        if answer.status is Status.COMPLETED and answer.outputs:
            body["url"] = answer.outputs[0].url
    return Outgoing(body=body)


def render_list(answer: Answer, *, task: Task) -> Outgoing:
    """Return the envelope around several tasks."""
    page = _page(answer)
    return Outgoing(body=_envelope([task(video) for video in page.videos], ""))


def render_cursor(answer: Answer) -> Outgoing:
    """Return a page of the current API, with where to go on."""
    page = _page(answer)
    data = {
        "result": [current_task(video) for video in page.videos],
        "count": len(page.videos),
        "next_cursor": page.videos[-1].id if page.has_more and page.videos else "",
        "has_more": page.has_more,
    }
    return Outgoing(body=_envelope(data, ""))


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the error in Kling's code, with the status that Kling gives it. A task that is not there is a bad value, not a 404."""
    status, code = _code(error)
    headers = {"x-request-id": request_id}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    message = error.message
    if error.code == "reference_exists":
        message = f"external_task_id already exists: {message}"
    elif code == _BAD_VALUE[1] and isinstance(error, NotFound):
        message = f"Task not found: {message}"
    elif error.param and error.param not in message:
        message = f"{error.param}: {message}"
    return Outgoing(status=status, body={"code": code, "message": message, "request_id": request_id}, headers=headers)


def _code(error: CallerError) -> tuple[int, int]:
    known = _BY_CODE.get(error.code or "")
    if known is not None:
        return known
    if error.kind in _BY_KIND:
        return _BY_KIND[error.kind]
    return _BAD_VALUE if error.status < 500 else _BY_STATUS.get(error.status, _BROKEN)


def _envelope(data: Any, request_id: str, message: str = _FINE) -> dict[str, Any]:
    return {"code": 0, "message": message, "request_id": request_id, "data": data}


def _page(answer: Answer) -> VideoPage:
    if not isinstance(answer, VideoPage):
        raise TypeError(f"expected a page to show, got {type(answer).__name__}")
    return answer


def _warned(video: Video) -> str:
    """Kling has no place for warnings, but the message of a success is free text."""
    return "; ".join((_FINE, *(f"{warning.field}: {warning.message}" for warning in video.warnings)))


def _reason(video: Video) -> str:
    if video.status is not Status.FAILED:
        return ""
    failure = video.failure or Failure(
        kind=FailureKind.VENDOR_ERROR, message="The video was not made. Create it again."
    )
    return f"{_RISK}: {failure.message}" if failure.kind is FailureKind.CONTENT_POLICY else failure.message


def _failure_code(video: Video) -> dict[str, str]:
    if video.status is not Status.FAILED or video.failure is None:
        return {}
    return {"failure_code": video.failure.kind.value}


def _output(video: Video, output: Output) -> dict[str, Any]:
    """Return one file. Where the marked copy was asked for, it is the only one there is here."""
    return {
        "id": video.id if output.index == 0 else f"{video.id}-{output.index}",
        "url": output.url,
        "watermark_url": output.url if _is_marked(video) else "",
        "duration": f"{output.seconds:g}",
    }


def _is_marked(video: Video) -> bool:
    return video.options.get("watermark") is True


def _units(video: Video) -> str | None:
    """Return what it cost in Kling's units: as Kling counted, else by what is charged here. None while that is open."""
    counted = video.usage.get("credits")
    if isinstance(counted, str):
        return counted
    try:
        dollars = Decimal(video.cost.settled or "0")
    except InvalidOperation:
        return None
    if video.cost.currency != "USD" or dollars <= 0:
        return None
    return f"{(dollars / _UNIT_DOLLARS).quantize(_UNIT_PLACES).normalize():f}"


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _updated(video: Video) -> int:
    return _milliseconds(video.updated_at or video.completed_at or video.created_at)
