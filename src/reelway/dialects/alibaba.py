"""The dialect of Alibaba's DashScope (Model Studio): asynchronous tasks of video synthesis, as its own clients expect them.

A task is one of our videos, by our id. One that is not there is no error but a task in the state `UNKNOWN`; one that is being made
cannot be cancelled.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from reelway.core.errors import CallerError, InvalidRequest
from reelway.core.failures import FailureKind
from reelway.core.videos import Video
from reelway.dialects.alibaba_reading import read_create
from reelway.dialects.alibaba_tasks import (
    CODES,
    OTHER_CODE,
    ZONE,
    render_listed,
    render_row,
    render_task,
    usage_of,
)
from reelway.dialects.native import Listed, bearer_key, chosen, list_query, page_value
from reelway.dialects.spec import (
    Answer,
    CancelVideo,
    CreateVideo,
    Dialect,
    Endpoint,
    Incoming,
    ListVideos,
    Manners,
    Outgoing,
    ReadVideo,
    VideoPage,
)
from reelway.dialects.values import describe
from reelway.dialects.video_object import Timestamps

__all__ = ["make_dialect", "render_error"]

_CREATE = "/api/v1/services/aigc/video-generation/video-synthesis"
_TASKS = "/api/v1/tasks"
_LARGEST_PAGE = 100
_LARGEST_NUMBER = 10_000
_LONGEST_WINDOW = timedelta(hours=24)
_WORTH_REPEATING = (408, 429)
_FILTERS = ("start_time", "end_time", "model_name", "status", "page_no", "page_size")


_STATUSES = {
    "PENDING": Listed(status="queued"),
    "RUNNING": Listed(status="in_progress"),
    "SUCCEEDED": Listed(status="completed"),
    "FAILED": Listed(status="failed", cancelled=False),
    "CANCELED": Listed(status="failed", cancelled=True),
}


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. DashScope's times are its own, whatever ours are."""
    task = f"{_TASKS}/{{id}}"
    return Dialect(
        name="alibaba",
        endpoints=(
            Endpoint(
                method="POST",
                path=_CREATE,
                read=_read_create,
                render=_answer_created,
                render_asked=_signing(_answer_created),
            ),
            Endpoint(
                method="GET",
                path=_TASKS,
                read=_read_list,
                render=_answer_page,
                render_asked=lambda answer, incoming: _signed(_answer_page(answer, incoming), incoming),
            ),
            Endpoint(
                method="GET",
                path=task,
                read=_read_read,
                render=_answer_task,
                render_asked=_signing(_answer_task),
                render_absent=_answer_unknown,
            ),
            Endpoint(
                method="POST",
                path=f"{task}/cancel",
                read=_read_cancel,
                render=_answer_nothing,
                render_asked=_signing(_answer_nothing),
            ),
        ),
        render_error=render_error,
        key_of=bearer_key,
        manners=Manners(usage_of=usage_of),
    )


# --- reading


def _read_create(incoming: Incoming) -> CreateVideo:
    return CreateVideo(request=read_create(incoming))


def _read_read(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"])


def _read_cancel(incoming: Incoming) -> CancelVideo:
    return CancelVideo(id=incoming.path_parameters["id"], only_queued=True)


def _read_list(incoming: Incoming) -> ListVideos:
    query, _ = list_query(incoming, *_FILTERS)
    number, size = _page_of(query)
    listed = chosen(query, "status", _STATUSES)
    begin, end = _read_window(query)
    return ListVideos(
        limit=size,
        skip=(number - 1) * size,
        counted=True,
        status=() if listed is None else (listed.status,),
        cancelled=None if listed is None else listed.cancelled,
        model=query.get("model_name") or None,
        created_after=None if begin is None else begin.timestamp() - 0.001,
        created_before=None if end is None else end.timestamp() + 1.0,
    )


def _page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """Return the number of the page and how many tasks it has."""
    return page_value(query, "page_no", 1, _LARGEST_NUMBER), page_value(query, "page_size", 10, _LARGEST_PAGE)


def _read_window(query: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Return the times between which tasks were created; both are whole seconds, and belong to what is shown."""
    begin, end = _read_time(query, "start_time"), _read_time(query, "end_time")
    if begin is not None and end is not None and not timedelta() <= end - begin <= _LONGEST_WINDOW:
        raise InvalidRequest("end_time must be after start_time, and at most 24 hours", param="end_time")
    return begin, end


def _read_time(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        if len(text) != len("20261124160133") or not text.isascii() or not text.isdigit():
            raise ValueError
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=ZONE)
    except ValueError:
        raise InvalidRequest(f"{name} must look like 20261124160133 (got {describe(text)})", param=name) from None


# --- answering


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return DashScope's error. Its client repeats 408, 409, 429 and every 5xx unless it is told not to."""
    status, code = _error_code(error)
    headers = {"x-request-id": request_id}
    if 400 <= status < 500 and status not in _WORTH_REPEATING:
        headers["x-should-retry"] = "false"
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    message = error.message
    if error.param and error.param not in message:
        message = f"{error.param}: {message}"
    return Outgoing(status=status, body={"code": code, "message": message, "request_id": request_id}, headers=headers)


def _error_code(error: CallerError) -> tuple[int, str]:
    """Return HTTP status and code."""
    if error.code == "no_route":
        return 429, "Throttling"  # which says that nothing was taken on; after a 5xx nobody would know
    if error.status >= 500:
        return error.status, OTHER_CODE
    if error.code in ("model_not_found", "alias_not_found"):
        return 404, CODES[FailureKind.MODEL_NOT_FOUND]
    match error.kind:
        case FailureKind.AUTHENTICATION:
            return 401, CODES[error.kind]
        case FailureKind.PERMISSION:
            return 403, CODES[error.kind]
        case FailureKind.BUDGET_EXCEEDED | FailureKind.INSUFFICIENT_QUOTA | FailureKind.CONTENT_POLICY:
            return 400, CODES[error.kind]
        case FailureKind.RATE_LIMITED:
            return 429, CODES[error.kind]
        case FailureKind.MODEL_NOT_FOUND:
            return 404, CODES[error.kind]
        case _:
            # A look shows what is not there as a task, so only a cancel meets these.
            cannot = error.status in (404, 409, 410)
            return (400, "UnsupportedOperation") if cannot else (error.status, CODES[FailureKind.INVALID_REQUEST])


def _answer_created(answer: Answer) -> Outgoing:
    """Return what a create is answered with, which says nothing of what became of it: an answer that is given again is the one
    that was lost, and the vendor's client takes a create that shows a failure for a refused one."""
    video = _video(answer)
    body = {"output": {"task_id": video.id, "task_status": "PENDING"}}
    return Outgoing(body=body, headers={"idempotent-replayed": "true"} if video.replayed else {})


def _answer_task(answer: Answer) -> Outgoing:
    return Outgoing(body=render_task(_video(answer)))


def _answer_unknown(incoming: Incoming) -> Outgoing:
    task = {"task_id": incoming.path_parameters["id"], "task_status": "UNKNOWN"}
    return _signed(Outgoing(body={"output": task}), incoming)


def _answer_page(answer: Answer, incoming: Incoming | None = None) -> Outgoing:
    """Return a page. The vendor's rows are under `data`; its newest client looks for `tasks`, and in them for other times."""
    if not isinstance(answer, VideoPage):
        raise TypeError(f"expected a page to show, got {type(answer).__name__}")
    rows, listed = [render_row(video) for video in answer.videos], [render_listed(video) for video in answer.videos]
    total = len(rows) if answer.total is None else answer.total
    number, size = _page_of({} if incoming is None else dict(incoming.query))
    page = {"total": total, "total_page": math.ceil(total / size), "page_no": number, "page_size": size}
    return Outgoing(body={"data": rows, "tasks": listed, **page})


def _answer_nothing(answer: Answer) -> Outgoing:
    return Outgoing(body={})


def _signing(render: Callable[[Answer], Outgoing]) -> Callable[[Answer, Incoming], Outgoing]:
    return lambda answer, incoming: _signed(render(answer), incoming)


def _signed(outgoing: Outgoing, incoming: Incoming) -> Outgoing:
    """Return the answer with the id of its request, which stands in the body here."""
    body: dict[str, Any] = outgoing.body
    return outgoing.evolve(body={"request_id": incoming.request_id, **body})


def _video(answer: Answer) -> Video:
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    return answer
