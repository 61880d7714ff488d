"""The OpenAI Videos dialect: our own public API (contract 1 to 4), and the make-believe of every server that clones it.

Requests are read in `video_request`, videos are shown by `video_object`; here are the endpoints, the list and the error envelope.
No path parameter is interpreted: whether there is such a video, and whose it is, the service knows.
"""

import math
import re
from collections.abc import Mapping
from functools import partial

from reelway.core.errors import CallerError, InvalidRequest
from reelway.core.lifecycle import Status
from reelway.core.videos import Operation, Variant, Video
from reelway.dialects.characters import (
    answer_character,
    answer_deleted_character,
    read_create_character,
    read_delete_character,
    read_read_character,
)
from reelway.dialects.spec import (
    Answer,
    CancelVideo,
    CreateVideo,
    Deleted,
    DeleteVideo,
    Dialect,
    Endpoint,
    Incoming,
    ListVideos,
    Manners,
    OpenContent,
    Outgoing,
    QuoteVideo,
    ReadVideo,
    VideoPage,
)
from reelway.dialects.values import describe, read_integer
from reelway.dialects.video_object import Timestamps, render_video
from reelway.dialects.video_request import read_video_request

__all__ = ["Timestamps", "key_of", "make_dialect", "render_error", "render_video"]

_LONGEST_WAIT = 60.0
_POLL_SECONDS = 2.0
_WORTH_REPEATING = (408, 429)
_MILLISECONDS_FROM = 100_000_000_000
_STATUSES = tuple(status.value for status in Status)


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. Paths without a parameter stand before those with one, so that `quote` is no video id."""
    show = partial(_answer_video, timestamps=timestamps)
    page = partial(_answer_page, timestamps=timestamps)
    person = partial(answer_character, timestamps=timestamps)
    video, character = "/v1/videos/{id}", "/v1/videos/characters/{id}"
    return Dialect(
        name="openai_videos",
        endpoints=(
            Endpoint(method="POST", path="/v1/videos", read=_read_create, render=show),
            Endpoint(method="GET", path="/v1/videos", read=_read_list, render=page),
            Endpoint(method="POST", path="/v1/videos/quote", read=_read_quote, render=_answer_object),
            Endpoint(
                method="POST", path="/v1/videos/edits", read=partial(_read_derived, operation="edit"), render=show
            ),
            Endpoint(
                method="POST",
                path="/v1/videos/extensions",
                read=partial(_read_derived, operation="extend"),
                render=show,
            ),
            Endpoint(method="POST", path="/v1/videos/characters", read=read_create_character, render=person),
            Endpoint(method="GET", path=character, read=read_read_character, render=person),
            Endpoint(method="DELETE", path=character, read=read_delete_character, render=answer_deleted_character),
            Endpoint(method="GET", path=video, read=_read_read, render=show),
            Endpoint(method="DELETE", path=video, read=_read_delete, render=_answer_deleted),
            Endpoint(method="POST", path=f"{video}/cancel", read=_read_cancel, render=show),
            Endpoint(method="POST", path=f"{video}/remix", read=partial(_read_derived, operation="remix"), render=show),
            Endpoint(method="GET", path=f"{video}/content", read=_read_content, render=_answer_object, streams=True),
            Endpoint(method="HEAD", path=f"{video}/content", read=_read_content, render=_answer_object, streams=True),
        ),
        render_error=render_error,
        key_of=key_of,
        manners=Manners(any_model=True),  # servers that clone it serve whatever they like
    )


def key_of(headers: Mapping[str, str], query: tuple[tuple[str, str], ...] = (), now: float = 0.0) -> str | None:
    """Return the caller's key from `Authorization: Bearer`, `api-key` or `x-api-key`."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("api-key", "").strip() or headers.get("x-api-key", "").strip() or None


# --- reading


def _read_create(incoming: Incoming) -> CreateVideo:
    return CreateVideo(request=read_video_request(incoming))


def _read_quote(incoming: Incoming) -> QuoteVideo:
    return QuoteVideo(request=read_video_request(incoming))


def _read_derived(incoming: Incoming, *, operation: Operation) -> CreateVideo:
    source = incoming.path_parameters.get("id")
    return CreateVideo(request=read_video_request(incoming, operation=operation, source_video_id=source))


def _read_read(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"], wait_seconds=_wait_seconds(incoming))


def _read_delete(incoming: Incoming) -> DeleteVideo:
    return DeleteVideo(id=incoming.path_parameters["id"])


def _read_cancel(incoming: Incoming) -> CancelVideo:
    return CancelVideo(id=incoming.path_parameters["id"])


def _read_content(incoming: Incoming) -> OpenContent:
    query = _query(incoming)
    word = query.get("variant", Variant.VIDEO.value)
    if word not in set(Variant):
        raise InvalidRequest(f"variant must be one of {', '.join(Variant)} (got {describe(word)})", param="variant")
    index = read_integer(query.get("index", 0), "index")
    if index < 0:
        raise InvalidRequest(f"index counts from 0 (got {index})", param="index")
    return OpenContent(id=incoming.path_parameters["id"], variant=Variant(word), index=index)


def _read_list(incoming: Incoming) -> ListVideos:
    query = _query(incoming, several=("status",))
    limit = read_integer(query.get("limit", 20), "limit")
    if not 1 <= limit <= 100:
        raise InvalidRequest(f"limit must be from 1 to 100 (got {limit})", param="limit")
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidRequest(f"order must be asc or desc (got {describe(order)})", param="order")
    statuses = tuple(word.strip() for word in query.get("status", "").split(",") if word.strip())
    for word in statuses:
        if word not in _STATUSES:
            raise InvalidRequest(f"status must be one of {', '.join(_STATUSES)} (got {describe(word)})", param="status")
    return ListVideos(
        limit=limit,
        order="asc" if order == "asc" else "desc",
        after=query.get("after") or None,
        status=statuses,
        model=query.get("model") or None,
        user=query.get("user") or None,
        created_after=_time(query, "created_after"),
        created_before=_time(query, "created_before"),
    )


def _query(incoming: Incoming, several: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the query's parameters; those in `several` may come more than once and are joined with commas."""
    query: dict[str, str] = {}
    for raw, value in incoming.query:
        name = raw.removesuffix("[]")
        if name in query and name not in several:
            raise InvalidRequest(
                f"{name[:80]} is given more than once; send it once", code="duplicate_parameter", param=name[:80]
            )
        query[name] = f"{query[name]},{value}" if name in query else value
    return query


def _wait_seconds(incoming: Incoming) -> float:
    """Return how long the answer may take; a preference may be cut short, a parameter must be right."""
    text = _query(incoming).get("wait")
    if text is None:
        match = re.search(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})", incoming.headers.get("prefer", ""), re.IGNORECASE)
        return min(float(match[1]), _LONGEST_WAIT) if match else 0.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_WAIT:
        raise InvalidRequest(f"wait must be from 0 to {_LONGEST_WAIT:g} seconds (got {describe(text)})", param="wait")
    return seconds


def _time(query: Mapping[str, str], name: str) -> float | None:
    """Return a time in Unix seconds; milliseconds are told apart by their magnitude."""
    text = query.get(name)
    if not text:
        return None
    if not re.fullmatch(r"\d{1,15}(\.\d{1,6})?", text):
        raise InvalidRequest(f"{name} must be a Unix time in seconds (got {describe(text)})", param=name)
    value = float(text)
    return value / 1000 if value >= _MILLISECONDS_FROM else value


# --- answering


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the error envelope.

    The official clients repeat 408, 409, 429 and every 5xx unless they are told not to. A 4xx stays as it is until the caller
    changes something; whether a 5xx may be repeated depends on the method, which whoever mounts the dialect knows.
    """
    headers = {"x-request-id": request_id}
    if 400 <= error.status < 500 and error.status not in _WORTH_REPEATING:
        headers["x-should-retry"] = "false"
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    body = {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}
    return Outgoing(status=error.status, body=body, headers=headers)


def _answer_video(answer: Answer, *, timestamps: Timestamps) -> Outgoing:
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    headers: dict[str, str] = {}
    if answer.status in (Status.QUEUED, Status.IN_PROGRESS):
        pause = _POLL_SECONDS if answer.poll_after_seconds is None else answer.poll_after_seconds
        headers["openai-poll-after-ms"] = str(max(1, math.ceil(pause * 1000)))
    if answer.replayed:
        headers["idempotent-replayed"] = "true"
    return Outgoing(body=render_video(answer, timestamps=timestamps), headers=headers)


def _answer_page(answer: Answer, *, timestamps: Timestamps) -> Outgoing:
    if not isinstance(answer, VideoPage):
        raise TypeError(f"expected a page to show, got {type(answer).__name__}")
    ids = [video.id for video in answer.videos]
    return Outgoing(
        body={
            "object": "list",
            "data": [render_video(video, timestamps=timestamps) for video in answer.videos],
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
            "has_more": answer.has_more,
        }
    )


def _answer_deleted(answer: Answer) -> Outgoing:
    if not isinstance(answer, Deleted):
        raise TypeError(f"expected a deletion to show, got {type(answer).__name__}")
    return Outgoing(body={"id": answer.id, "object": "video.deleted", "deleted": True})


def _answer_object(answer: Answer) -> Outgoing:
    if not isinstance(answer, dict):
        raise TypeError(f"expected a plain object to show, got {type(answer).__name__}")
    return Outgoing(body=answer)
