"""Two made-up vendors, as unlike OpenAI's as vendors are: one with a state deep in an envelope and every manner there is, one that
only says whether it is done."""

from collections.abc import Mapping
from typing import Any

from reelway.core.errors import AuthenticationRequired, CallerError
from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Mode, Video, VideoRequest
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

__all__ = ["ACME", "CODES", "TERSE"]

CODES = {
    FailureKind.INVALID_REQUEST: 10,
    FailureKind.CONTENT_POLICY: 11,
    FailureKind.AUTHENTICATION: 12,
    FailureKind.PERMISSION: 13,
    FailureKind.MODEL_NOT_FOUND: 14,
    FailureKind.RATE_LIMITED: 15,
    FailureKind.INSUFFICIENT_QUOTA: 16,
    FailureKind.VENDOR_UNAVAILABLE: 17,
}
"""The vendor's own, by what they mean."""

_WORDS = {Status.QUEUED: "WAITING", Status.IN_PROGRESS: "WORKING", Status.COMPLETED: "READY", Status.FAILED: "BROKEN"}
_PLAIN = ("seconds", "width", "height", "tier", "ratio", "n", "seed", "audio")


def _request(incoming: Incoming) -> VideoRequest:
    given: dict[str, Any] = dict(incoming.json)
    return VideoRequest(
        model=given.pop("model"),
        prompt=given.pop("text", None),
        client_reference=given.pop("mark", None),
        source_video_id=given.pop("source", None),
        callback_url=given.pop("notify", None),
        callback_dialect="acme",
        response_format="b64_json" if given.pop("inline", False) else "url",
        **{name: given.pop(name) for name in _PLAIN if name in given},
        options=given,
    )


def _create(incoming: Incoming) -> CreateVideo:
    return CreateVideo(request=_request(incoming), wait_seconds=float(dict(incoming.query).get("wait", 0)))


def _list(incoming: Incoming) -> ListVideos:
    query = dict(incoming.query)

    def several(name: str) -> tuple[str, ...]:
        return tuple(query[name].split(",")) if name in query else ()

    return ListVideos(
        ids=several("ids"),
        client_references=several("marks"),
        modes=tuple(map(Mode, several("modes"))),
        limit=int(query.get("limit", 20)),
        cancelled=True if "cancelled" in query else None,
        skip=int(query.get("skip", 0)),
        counted="counted" in query,
    )


def _task(video: Video) -> dict[str, Any]:
    return {
        "id": video.id,
        "made": {"state": _WORDS[video.status], "why": video.failure.message if video.failure else None},
        "mark": video.client_reference,
        "mode": video.mode,
        "tier": video.tier,
        "ratio": video.ratio,
        "sound": video.audio,
        "seed": video.seed,
        "options": video.options,
        "usage": video.usage,
        "from": video.created_at,
        "changed": video.updated_at,
        "files": [{"video": output.url, "last": output.last_frame_url} for output in video.outputs],
        "inline": list(video.b64_json),
    }


def _answer(answer: Answer) -> Outgoing:
    match answer:
        case Video():
            return Outgoing(body={"errno": 0, "data": _task(answer)})
        case VideoPage():
            tasks = [_task(video) for video in answer.videos]
            return Outgoing(body={"errno": 0, "data": {"items": tasks, "more": answer.has_more, "all": answer.total}})
        case Deleted():
            return Outgoing(body={"errno": 0})
        case _:
            raise TypeError(type(answer).__name__)


def _error(error: CallerError, request_id: str) -> Outgoing:
    return Outgoing(
        status=error.status, body={"errno": CODES.get(error.kind, 99), "msg": error.message, "code": error.code}
    )


def _key_of(headers: Mapping[str, str], query: tuple[tuple[str, str], ...] = (), now: float = 0.0) -> str | None:
    token = headers.get("x-acme-key", "")
    key, _, until = token.partition("@")
    if until and float(until) < now:
        raise AuthenticationRequired("the token has expired")
    return key or None


ACME = Dialect(
    name="acme",
    endpoints=(
        Endpoint(method="POST", path="/acme/v1/tasks", read=_create, render=_answer),
        Endpoint(method="GET", path="/acme/v1/tasks", read=_list, render=_answer),
        Endpoint(
            method="GET",
            path="/acme/v1/tasks/{id}",
            read=lambda incoming: ReadVideo(id=incoming.path_parameters["id"]),
            render=_answer,
        ),
        Endpoint(
            method="DELETE",
            path="/acme/v1/tasks/{id}",
            read=lambda incoming: DeleteVideo(id=incoming.path_parameters["id"], cancels_queued=True),
            render=_answer,
        ),
    ),
    render_error=_error,
    key_of=_key_of,
    render_callback=_task,
    manners=Manners(
        reference_once=True,
        usage_of=lambda video: {"tokens": len(video.outputs) * (video.width or 0)},
    ),
)


def _terse(answer: Answer) -> Outgoing:
    assert isinstance(answer, Video)
    body: dict[str, Any] = {"name": answer.id}
    if answer.status in (Status.COMPLETED, Status.FAILED):
        body["done"] = True
        body["result"] = {"files": [output.url for output in answer.outputs]}
    return Outgoing(body=body)


TERSE = ACME.evolve(
    name="terse",
    endpoints=(
        Endpoint(method="POST", path="/terse/jobs", read=_create, render=_terse),
        Endpoint(
            method="POST",
            path="/terse/jobs/{id}/look",
            read=lambda incoming: ReadVideo(id=incoming.path_parameters["id"]),
            render=_terse,
            render_asked=lambda answer, incoming: _terse(answer),
        ),
    ),
    manners=Manners(),
)
