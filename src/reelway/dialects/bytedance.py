"""The dialect of Volcengine Ark and BytePlus ModelArk: Seedance's tasks, as ByteDance's own clients expect them.

A task is one of our videos, by our id. DELETE has Ark's two meanings. A list shows the tasks of every service tier, each with its
own, whatever `filter.service_tier` says.
"""

import math

from reelway.core.errors import CallerError
from reelway.core.failures import FailureKind
from reelway.core.videos import Video
from reelway.dialects.bytedance_reading import NAME, read_create
from reelway.dialects.bytedance_tasks import CODES, render_task, usage_of
from reelway.dialects.native import Listed, bearer_key, chosen, list_query, page_value
from reelway.dialects.spec import (
    Answer,
    CreateVideo,
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

_TASKS = "/api/v3/contents/generations/tasks"
_LARGEST_PAGE = 500
_TIERS = dict.fromkeys(("default", "flex"))
_PARAMETERS = ("page_num", "page_size", "filter.status", "filter.model", "filter.service_tier")
_WORTH_REPEATING = (408, 429)


_STATUSES = {
    "queued": Listed(status="queued"),
    "running": Listed(status="in_progress"),
    "succeeded": Listed(status="completed"),
    "failed": Listed(status="failed", cancelled=False),
    "cancelled": Listed(status="failed", cancelled=True),
}


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. Ark's times are seconds, whatever ours are."""
    task = f"{_TASKS}/{{id}}"
    return Dialect(
        name=NAME,
        endpoints=(
            Endpoint(method="POST", path=_TASKS, read=_read_create, render=_answer_created),
            Endpoint(method="GET", path=_TASKS, read=_read_list, render=_answer_page),
            Endpoint(method="GET", path=task, read=_read_read, render=_answer_task),
            Endpoint(method="DELETE", path=task, read=_read_delete, render=_answer_nothing),
        ),
        render_error=render_error,
        key_of=bearer_key,
        render_callback=render_task,
        manners=Manners(usage_of=usage_of),
    )


# --- reading


def _read_create(incoming: Incoming) -> CreateVideo:
    return CreateVideo(request=read_create(incoming))


def _read_read(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"])


def _read_delete(incoming: Incoming) -> DeleteVideo:
    return DeleteVideo(id=incoming.path_parameters["id"], cancels_queued=True)


def _read_list(incoming: Incoming) -> ListVideos:
    query, ids = list_query(incoming, *_PARAMETERS, ids="filter.task_ids")
    size, number = page_value(query, "page_size", 20, _LARGEST_PAGE), page_value(query, "page_num", 1, _LARGEST_PAGE)
    listed = chosen(query, "filter.status", _STATUSES)
    chosen(query, "filter.service_tier", _TIERS)
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


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return Ark's error envelope. Its client repeats 408, 409, 429 and every 5xx unless it is told not to."""
    status, code, word = _error_words(error)
    headers = {"x-request-id": request_id}
    if status == 401:
        headers["x-error-code"] = code
    if 400 <= status < 500 and status not in _WORTH_REPEATING:
        headers["x-should-retry"] = "false"
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    message = f"{error.message.rstrip('. ')}. Request id: {request_id}"
    body = {"error": {"code": code, "message": message, "param": error.param or "", "type": word}}
    return Outgoing(status=status, body=body, headers=headers)


def _error_words(error: CallerError) -> tuple[int, str, str]:
    """Return HTTP status, code and type."""
    if error.code == "no_route":
        return 429, "ServerOverloaded", "TooManyRequests"  # as Ark says that it did not take a request
    if error.status >= 500:
        return error.status, "InternalServiceError", "InternalServerError"
    if error.code in ("model_not_found", "alias_not_found"):
        return 404, "InvalidEndpointOrModel.NotFound", "NotFound"
    match error.kind:
        case FailureKind.AUTHENTICATION:
            return 401, CODES[error.kind], "Unauthorized"
        case FailureKind.PERMISSION | FailureKind.BUDGET_EXCEEDED | FailureKind.INSUFFICIENT_QUOTA:
            return 403, CODES[error.kind], "Forbidden"
        case FailureKind.RATE_LIMITED:
            return 429, CODES[error.kind], "TooManyRequests"
        case FailureKind.MODEL_NOT_FOUND:
            return 404, CODES[error.kind], "NotFound"
        case FailureKind.CONTENT_POLICY:
            return 400, "InputTextSensitiveContentDetected", "BadRequest"
        case _:
            return _words_by_status(error)


def _words_by_status(error: CallerError) -> tuple[int, str, str]:
    match error.status:
        case 404 | 410:
            return 404, "NotFound.id", "NotFound"
        case 405:
            return 405, "MethodNotAllowed", "MethodNotAllowed"
        case 409:
            return 409, "OperationDenied.InvalidState", "Conflict"
        case _:
            missing = error.code == "missing_required_parameter"
            unsupported = error.code == "unsupported_parameter"
            code = "MissingParameter" if missing else CODES[FailureKind.INVALID_REQUEST]
            return error.status, f"{code}.UnsupportedParameter" if unsupported else code, "BadRequest"


def _answer_created(answer: Answer) -> Outgoing:
    video = _video(answer)
    body = {"id": video.id}
    if "safety_identifier" in video.options:
        body["safety_identifier"] = video.options["safety_identifier"]
    return Outgoing(body=body, headers={"idempotent-replayed": "true"} if video.replayed else {})


def _answer_task(answer: Answer) -> Outgoing:
    return Outgoing(body=render_task(_video(answer)))


def _answer_page(answer: Answer) -> Outgoing:
    if not isinstance(answer, VideoPage):
        raise TypeError(f"expected a page to show, got {type(answer).__name__}")
    items = [render_task(video) for video in answer.videos]
    return Outgoing(body={"total": len(items) if answer.total is None else answer.total, "items": items})


def _answer_nothing(answer: Answer) -> Outgoing:
    return Outgoing(body={})


def _video(answer: Answer) -> Video:
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    return answer
