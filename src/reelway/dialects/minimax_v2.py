"""The dialect of MiniMax's newer API ("/minimax/v2"): tasks of MiniMax-H3, which are created, read, listed, cancelled and deleted.

A task is one of our videos, by our id. A list shows the tasks of every model, those of the older API among them.
"""

import math
from typing import Any

from reelway.core.errors import CallerError
from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Video
from reelway.dialects.minimax_reading import NEWER, read_newer
from reelway.dialects.minimax_words import failure_code, refusal_of, reply_headers, video_of
from reelway.dialects.native import Listed, bearer_key, chosen, list_query, page_value
from reelway.dialects.spec import (
    Answer,
    CreateVideo,
    Deleted,
    DeleteVideo,
    Dialect,
    Endpoint,
    Incoming,
    ListVideos,
    Manners,
    Outgoing,
    ReadVideo,
    VideoPage,
)
from reelway.dialects.video_object import Timestamps

__all__ = ["make_dialect", "render_error"]

_TASKS = "/minimax/v2/video_generation"
_QUERY = "/minimax/v2/query/video_generation"
_LARGEST_PAGE = 100
_MOST_PAGES = 10_000
_TASK_TYPE = "generation"
_PARAMETERS = ("page_num", "page_size", "filter.status", "filter.model", "filter.task_type")
_FIGURES = ("total_seconds", "input_seconds", "output_seconds", "input_image_count", "input_audio_seconds")


_STATUSES = {
    "queued": Listed(status="queued"),
    "running": Listed(status="in_progress"),
    "succeeded": Listed(status="completed"),
    "failed": Listed(status="failed", cancelled=False),
    "cancelled": Listed(status="failed", cancelled=True),
}


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. MiniMax's times are seconds, whatever ours are."""
    return Dialect(
        name=NEWER,
        endpoints=(
            Endpoint(method="POST", path=_TASKS, read=_read_create, render=_answer_created),
            Endpoint(method="GET", path=_QUERY, read=_read_list, render=_answer_page),
            Endpoint(method="GET", path=f"{_QUERY}/{{id}}", read=_read_read, render=_answer_task),
            Endpoint(method="DELETE", path=f"{_TASKS}/{{id}}", read=_read_delete, render=_answer_deleted),
        ),
        render_error=render_error,
        key_of=bearer_key,
        render_callback=_envelope,
        manners=Manners(usage_of=_usage_of, challenges=True),
    )


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the newer API's error: the number stands in brackets at the end of the message."""
    refusal = refusal_of(error)
    words = {
        "type": refusal.word,
        "message": f"{error.message.rstrip('. ')} ({refusal.code})",
        "http_code": str(refusal.status),
    }
    body = {"type": "error", "error": words, "request_id": request_id}
    return Outgoing(status=refusal.status, body=body, headers=reply_headers(error, request_id))


# --- reading


def _read_create(incoming: Incoming) -> CreateVideo:
    return CreateVideo(request=read_newer(incoming))


def _read_read(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"])


def _read_delete(incoming: Incoming) -> DeleteVideo:
    return DeleteVideo(id=incoming.path_parameters["id"], cancels_queued=True)


def _read_list(incoming: Incoming) -> ListVideos:
    query, ids = list_query(incoming, *_PARAMETERS, ids="filter.task_ids")
    size, number = page_value(query, "page_size", 20, _LARGEST_PAGE), page_value(query, "page_num", 1, _MOST_PAGES)
    listed = chosen(query, "filter.status", _STATUSES)
    chosen(query, "filter.task_type", {_TASK_TYPE: None})
    return ListVideos(
        limit=size,
        skip=(number - 1) * size,
        counted=True,
        status=() if listed is None else (listed.status,),
        cancelled=None if listed is None else listed.cancelled,
        model=query.get("filter.model") or None,
        ids=ids,
    )


# --- answering


def _answer_created(answer: Answer) -> Outgoing:
    video = video_of(answer)
    return Outgoing(body={"task_id": video.id}, headers={"idempotent-replayed": "true"} if video.replayed else {})


def _answer_task(answer: Answer) -> Outgoing:
    return Outgoing(body=_envelope(video_of(answer)))


def _answer_page(answer: Answer) -> Outgoing:
    if not isinstance(answer, VideoPage):
        raise TypeError(f"expected a page to show, got {type(answer).__name__}")
    items = [_task(video) for video in answer.videos]
    return Outgoing(body={"items": items, "total": len(items) if answer.total is None else answer.total})


def _answer_deleted(answer: Answer) -> Outgoing:
    """Return what the verb did: a queued task is cancelled by it, and stays to be read."""
    if not isinstance(answer, Deleted):
        raise TypeError(f"expected something deleted, got {type(answer).__name__}")
    word = "cancelled" if answer.cancelled else "deleted"
    return Outgoing(body={"task_id": answer.id, "action": word, "status": word})


def _envelope(video: Video) -> dict[str, Any]:
    return {"task": _task(video)}


def _task(video: Video) -> dict[str, Any]:
    status = _status(video)
    task: dict[str, Any] = {"id": video.id, "model": video.model, "status": status}
    if status == "failed":
        reason = "The task failed." if video.failure is None else video.failure.message
        task["error"] = {"code": str(failure_code(video.failure)), "message": reason}
    task |= {
        "created_at": int(video.created_at),
        "updated_at": int(video.updated_at or video.completed_at or video.created_at),
    }
    if video.outputs and video.outputs[0].url is not None:
        task["content"] = {"url": video.outputs[0].url}
    return task | {
        "resolution": (video.tier or "").upper(),
        "duration": None if video.seconds is None else int(video.seconds),
        "ratio": video.ratio or "",
        "usage": _usage(video) if status == "succeeded" else {},
        "task_type": _TASK_TYPE,
    }


def _status(video: Video) -> str:
    match video.status:
        case Status.QUEUED:
            return "queued"
        case Status.IN_PROGRESS:
            return "running"
        case Status.COMPLETED:
            return "succeeded"
        case Status.FAILED:
            # `expired` is a word of older pages, which current clients do not know any more.
            was_cancelled = video.failure is not None and video.failure.kind is FailureKind.CANCELLED
            return "cancelled" if was_cancelled else "failed"


def _usage(video: Video) -> dict[str, Any]:
    counted = {name: video.usage[name] for name in _FIGURES if name in video.usage}
    return counted or _usage_of(video)


def _usage_of(video: Video) -> dict[str, Any]:
    """Return the whole seconds that were asked for: what a clip has beyond them is not counted."""
    made = math.floor(video.outputs[0].seconds) if video.outputs else 0
    return {"output_seconds": made if video.seconds is None else int(video.seconds)}
