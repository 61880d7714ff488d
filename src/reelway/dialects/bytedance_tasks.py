"""A video in Ark's words: the task object, the same in a look, in a list and in a callback.

An unfinished task shows little more than its id; a finished one shows what was really made. Times are Unix seconds.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.catalog.sizes import nearest_ratio
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Mode, Output, Video

__all__ = ["CODES", "render_task", "usage_of"]

_FPS = 24
_PIXELS_PER_TOKEN = 1024
_USUAL_EXPIRY_SECONDS = 172_800
_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
_SILENT = "seedance-1-0-"

CODES: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "InvalidParameter",
        FailureKind.CONTENT_POLICY: "OutputVideoSensitiveContentDetected",
        FailureKind.AUTHENTICATION: "AuthenticationError",
        FailureKind.PERMISSION: "AccessDenied",
        FailureKind.INSUFFICIENT_QUOTA: "AccountOverdueError",
        FailureKind.BUDGET_EXCEEDED: "AccountOverdueError",
        FailureKind.RATE_LIMITED: "RateLimitExceeded",
        FailureKind.MODEL_NOT_FOUND: "ModelNotOpen",
    }
)
"""Codes of failed tasks. Whatever is not here is Ark's own failure to it."""

_ENDS: Mapping[FailureKind, str] = MappingProxyType(
    {FailureKind.CANCELLED: "cancelled", FailureKind.TIMED_OUT: "expired"}
)
"""Failures for which Ark has a state of their own."""

_OTHER_CODE = "InternalServiceError"


def render_task(video: Video) -> dict[str, Any]:
    """Return the task object."""
    status = _status(video)
    task: dict[str, Any] = {"id": video.id, "model": video.model, "status": status}
    if status == "failed":
        task["error"] = _error(video.failure)
    task |= {"created_at": int(video.created_at), "updated_at": _updated_at(video)}
    if status == "succeeded":
        task |= _made(video)
    task |= {
        "service_tier": video.options.get("service_tier", "default"),
        "execution_expires_after": video.options.get("execution_expires_after", _USUAL_EXPIRY_SECONDS),
    }
    return task | _asked(video)


def usage_of(video: Video) -> dict[str, Any]:
    """Return the tokens Ark counts: those of every frame, and of whole seconds there is one more than they have."""
    tokens = 0
    for output in video.outputs:
        frames = video.options.get("frames", _whole_seconds(output) * _FPS + 1)
        tokens += output.width * output.height * frames // _PIXELS_PER_TOKEN
    return {"tokens": tokens}


def _status(video: Video) -> str:
    match video.status:
        case Status.QUEUED:
            return "queued"
        case Status.IN_PROGRESS:
            return "running"
        case Status.COMPLETED:
            return "succeeded"
        case Status.FAILED:
            return "failed" if video.failure is None else _ENDS.get(video.failure.kind, "failed")


def _error(failure: Failure | None) -> dict[str, str]:
    if failure is None:
        return {"code": _OTHER_CODE, "message": "The task failed."}
    return {"code": CODES.get(failure.kind, _OTHER_CODE), "message": failure.message}


def _updated_at(video: Video) -> int:
    return int(video.updated_at or video.completed_at or video.created_at)


def _made(video: Video) -> dict[str, Any]:
    """Return what a finished task shows of its result; one that has none shows no address."""
    output = video.outputs[0] if video.outputs else None
    content: dict[str, Any] = {}
    if output is not None and output.url is not None:
        content["video_url"] = output.url
        if output.last_frame_url is not None and video.options.get("return_last_frame"):
            content["last_frame_url"] = output.last_frame_url
    counted = video.usage if {"tokens", "draft_tokens"} & set(video.usage) else usage_of(video)
    tokens = counted.get("tokens", counted.get("draft_tokens"))
    made: dict[str, Any] = {"content": content, "usage": {"completion_tokens": tokens, "total_tokens": tokens}}
    if video.seed is not None:
        made["seed"] = video.seed
    return {**made, **_shape(video, output), "framespersecond": _FPS}


def _shape(video: Video, output: Output | None) -> dict[str, Any]:
    """Return resolution, ratio and length as they were really made; frames in place of seconds where those were asked for."""
    shape: dict[str, Any] = {}
    if video.tier is not None:
        shape["resolution"] = video.tier
    ratio = video.ratio if video.ratio in _RATIOS else None
    if ratio is None and output is not None:
        ratio = nearest_ratio(output.width, output.height, among=_RATIOS)
    if ratio is not None:
        shape["ratio"] = ratio
    if "frames" in video.options:
        shape["frames"] = video.options["frames"]
    elif output is not None:
        shape["duration"] = _whole_seconds(output)
    return shape


def _whole_seconds(output: Output) -> int:
    return math.floor(output.seconds + 0.05)


def _asked(video: Video) -> dict[str, Any]:
    """Return what was asked for beyond the usual, as far as Ark repeats it."""
    asked: dict[str, Any] = {}
    if video.audio is not None and _SILENT not in video.model:
        asked["generate_audio"] = video.audio
    asked |= {name: video.options[name] for name in ("draft", "priority", "safety_identifier") if name in video.options}
    if video.options.get("web_search"):
        asked["tools"] = [{"type": "web_search"}]
    if video.mode is Mode.REMIX and video.remixed_from_video_id is not None:
        asked["draft_task_id"] = video.remixed_from_video_id
    return asked
