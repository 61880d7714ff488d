"""A video in DashScope's words: the task of a look, the row of a list, and the seconds that are charged.

Times are Beijing's, without a zone, and in lists Unix milliseconds. A task that failed is a good answer with a code inside.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from reelway.catalog.sizes import nearest_ratio
from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Mode, Output, Video

__all__ = ["CODES", "OTHER_CODE", "ZONE", "render_listed", "render_row", "render_task", "usage_of"]

ZONE = timezone(timedelta(hours=8))
"""That of every time, in every region."""

_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "4:5", "5:4", "9:21", "21:9")
_SHORT_SIDES = (480, 720, 1080)
_FOLLOWING = frozenset({Mode.EDIT, Mode.REMIX})
"""Modes whose result is as long as their source, of which as many seconds are charged."""

_SHAPED = frozenset({Mode.T2V, Mode.R2V})
"""Modes in which a ratio is shown."""

CODES: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "InvalidParameter",
        FailureKind.CONTENT_POLICY: "DataInspectionFailed",
        FailureKind.AUTHENTICATION: "InvalidApiKey",
        FailureKind.PERMISSION: "AccessDenied",
        FailureKind.INSUFFICIENT_QUOTA: "Arrearage",
        FailureKind.BUDGET_EXCEEDED: "Arrearage",
        FailureKind.RATE_LIMITED: "Throttling.RateQuota",
        FailureKind.MODEL_NOT_FOUND: "ModelNotFound",
    }
)
"""Codes of refusals and of failed tasks. Whatever is not here is DashScope's own failure to it."""

OTHER_CODE = "InternalError"

_LISTED = ("task_id", "task_status", "submit_time", "end_time")

_STATES: Mapping[Status, str] = MappingProxyType(
    {
        Status.QUEUED: "PENDING",
        Status.IN_PROGRESS: "RUNNING",
        Status.COMPLETED: "SUCCEEDED",
        Status.FAILED: "FAILED",
    }
)


def render_task(video: Video) -> dict[str, Any]:
    """Return what a look shows. The vendor tells the words of a task with its result only; told from the beginning, they let
    another gateway know its own lost create at once."""
    output: dict[str, Any] = {
        "task_id": video.id,
        "task_status": _status(video),
        "submit_time": _spelled(video.created_at),
    }
    if video.completed_at is not None:
        output["end_time"] = _spelled(video.completed_at)
    if video.prompt:
        output["orig_prompt"] = video.prompt
    if output["task_status"] == "FAILED":
        output |= _error(video)
    if video.status is not Status.COMPLETED or not video.outputs:
        return {"output": output}
    output["video_url"] = video.outputs[0].url
    return {"output": output, "usage": _usage(video, video.outputs[0])}


def render_row(video: Video) -> dict[str, Any]:
    """Return the row of a list, which shows neither words nor result."""
    row = {
        "task_id": video.id,
        "status": _status(video),
        "model_name": video.model,
        "gmt_create": _milliseconds(video.created_at),
    }
    return row if video.completed_at is None else {**row, "end_time": _milliseconds(video.completed_at)}


def render_listed(video: Video) -> dict[str, Any]:
    """Return the row as the vendor's newest client reads it: with the words for times of a look."""
    output = render_task(video)["output"]
    return {"model_name": video.model, **{name: output[name] for name in _LISTED if name in output}}


def _status(video: Video) -> str:
    """Return the state; a cancelled task has one of its own."""
    cancelled = video.failure is not None and video.failure.kind is FailureKind.CANCELLED
    return "CANCELED" if cancelled else _STATES[video.status]


def usage_of(video: Video) -> dict[str, Any]:
    """Return the seconds DashScope counts: whole ones of what it was asked to make, and both sides of an edit as they are."""
    made = sum(output.seconds for output in video.outputs)
    if video.mode in _FOLLOWING:
        return {"seconds": round(made, 2), "input_seconds": round(made, 2)}
    return {"seconds": round(made), "input_seconds": 0}


def _error(video: Video) -> dict[str, str]:
    failure = video.failure
    if failure is None:
        return {"code": OTHER_CODE, "message": "The task failed."}
    return {"code": CODES.get(failure.kind, OTHER_CODE), "message": failure.message}


def _usage(video: Video, output: Output) -> dict[str, Any]:
    counted = video.usage if "seconds" in video.usage else usage_of(video)
    made, source = counted["seconds"], counted.get("input_seconds", 0)
    usage: dict[str, Any] = {
        "duration": _sum(made, source),
        "input_video_duration": source,
        "output_video_duration": made,
        "video_count": len(video.outputs),
        "SR": _tier(output),
    }
    if video.mode in _SHAPED:
        usage["ratio"] = video.ratio or nearest_ratio(output.width, output.height, among=_RATIOS)
    return usage


def _sum(made: Any, source: Any) -> Any:
    """Return all seconds together; what another vendor counted may be text."""
    return made + source if isinstance(made, int | float) and isinstance(source, int | float) else made


def _tier(output: Output) -> int:
    """Return the resolution that is nearest, by the shorter side."""
    short = min(output.width, output.height)
    return min(_SHORT_SIDES, key=lambda side: abs(side - short))


def _spelled(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=ZONE).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
