"""The video object of the OpenAI dialect: the thirteen fields of OpenAI's, always, and ours (contract 3).

There are four statuses and never a fifth, because the official client stops polling at a word it does not know.
"""

from typing import Any, Literal, TypeAlias

from reelway.core.lifecycle import Status
from reelway.core.videos import Output, Video

__all__ = ["Timestamps", "render_video", "shown_time"]

Timestamps: TypeAlias = Literal["s", "ms"]
"""Unix seconds, or milliseconds as in the example of the page that started the project."""

_UNFINISHED = (Status.QUEUED, Status.IN_PROGRESS)


def render_video(video: Video, *, timestamps: Timestamps = "s") -> dict[str, Any]:
    """Return the object as JSON will show it. What is not known yet is `auto` where clients expect text."""
    finished = video.status is Status.COMPLETED
    body: dict[str, Any] = {
        "id": video.id,
        "object": "video",
        "model": video.model,
        "status": video.status.value,
        "progress": 100 if finished else max(0, min(video.progress, 99)),
        "created_at": shown_time(video.created_at, timestamps),
        "completed_at": shown_time(video.completed_at, timestamps),
        "expires_at": shown_time(video.expires_at, timestamps),
        "prompt": video.prompt,
        "seconds": video.seconds or "auto",
        "size": video.size or "auto",
        "remixed_from_video_id": video.remixed_from_video_id,
        "error": _failure(video),
        "task_id": video.id,
        "metadata": _metadata(video, finished),
        "warnings": [{"field": warning.field, "message": warning.message} for warning in video.warnings],
        "cost": {"currency": video.cost.currency, "reserved": video.cost.reserved, "settled": video.cost.settled},
    }
    if finished and video.outputs:
        body["url"] = body["video_url"] = video.outputs[0].url
        body["outputs"] = [_output(output) for output in video.outputs]
        _add_bytes(body, video.b64_json)
    if video.status in _UNFINISHED:
        if video.eta_seconds is not None:
            body["eta_seconds"] = max(0, round(video.eta_seconds))
        if video.queue_position is not None:
            body["queue_position"] = video.queue_position
    if video.route is not None:
        body["route"] = {"vendor": video.route.vendor, "account": video.route.account}
    return body


def _failure(video: Video) -> dict[str, str] | None:
    if video.status is not Status.FAILED:
        return None
    if video.failure is None:
        return {"code": "vendor_error", "message": "The video was not made. Create it again."}
    return {"code": video.failure.kind.value, "message": video.failure.message}


def _metadata(video: Video, finished: bool) -> dict[str, Any]:
    """Return the caller's tags and mark, and what old clients look for in here."""
    metadata: dict[str, Any] = dict(video.tags)
    if video.client_reference is not None:
        metadata["client_request_id"] = video.client_reference
    if finished and video.outputs:
        metadata["url"] = video.outputs[0].url
    if video.sandbox:
        metadata["sandbox"] = True
    return metadata


def _output(output: Output) -> dict[str, Any]:
    return {
        "index": output.index,
        "url": output.url,
        "seconds": output.seconds,
        "width": output.width,
        "height": output.height,
        "fps": output.fps,
        "bytes": output.bytes,
        "sha256": output.sha256,
        "has_audio": output.has_audio,
        "media_type": output.media_type,
    }


def shown_time(seconds: float | None, unit: Timestamps) -> int | None:
    """Return a time as callers see it, in the unit the server is set to."""
    if seconds is None:
        return None
    return int(seconds * 1000) if unit == "ms" else int(seconds)


def _add_bytes(body: dict[str, Any], texts: tuple[str, ...]) -> None:
    """Put base64 beside `url`, or into each of several outputs: never twice, it is large."""
    if len(texts) == 1:
        body["b64_json"] = texts[0]
        return
    for shown, text in zip(body["outputs"], texts, strict=False):
        shown["b64_json"] = text
