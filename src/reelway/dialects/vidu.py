"""The Vidu dialect: four paths to create by, the look, the list and the cancel, with our ids in the place of task ids.

Callers send their key as `Authorization: Token KEY`. Callbacks have Vidu's bodies, but not Vidu's signature, which needs the
caller's key in the clear: they are signed as all our messages are.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from reelway.core.errors import InvalidRequest, NotFound
from reelway.core.videos import Video
from reelway.dialects.fields import read_fields
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
from reelway.dialects.values import describe, read_integer, read_text
from reelway.dialects.video_object import Timestamps
from reelway.dialects.vidu_reading import NAME, PATHS, read_create
from reelway.dialects.vidu_signing import signed_headers
from reelway.dialects.vidu_tasks import STATES, create_answer, listed_task, render_error, task_answer, usage_of

__all__ = ["key_of", "make_dialect", "render_error"]

_ROOT = "/ent/v2"
_TASKS = f"{_ROOT}/tasks"
_MISSING = (
    "multiframe",
    "extend",
    "upscale",
    "upscale-new",
    "template",
    "template2video",
    "template-story",
    "ad-one-click",
)
"""Paths of Vidu's for which no model here has a use."""

_LARGEST_PAGE = 100
_LAST_PAGE = 1000
_SEVERAL = ("task_ids", "states")
_SINGLE = ("created_at.from", "created_at.to", "pager.page", "pager.pagesz", "pager.page_token")
_NOT_HERE = ("templates", "model_versions", "resolutions")


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. Vidu's times are written out, whatever ours are."""
    creates = [
        Endpoint(method="POST", path=f"{_ROOT}/{path}", read=partial(_create, path=path), render=_answer_created)
        for path in PATHS
    ]
    missing = [
        Endpoint(method="POST", path=f"{_ROOT}/{path}", read=_refuse, render=_answer_created) for path in _MISSING
    ]
    return Dialect(
        name=NAME,
        endpoints=(
            *creates,
            Endpoint(method="GET", path=_TASKS, read=_list, render=_answer_page),
            Endpoint(method="GET", path=f"{_TASKS}/{{id}}/creations", read=_read, render=_answer_task),
            Endpoint(method="POST", path=f"{_TASKS}/{{id}}/cancel", read=_cancel, render=_answer_nothing),
            *missing,
        ),
        render_error=render_error,
        key_of=key_of,
        render_callback=task_answer,
        manners=Manners(usage_of=usage_of, sign_callback=signed_headers),
    )


def key_of(headers: Mapping[str, str], query: tuple[tuple[str, str], ...] = (), now: float = 0.0) -> str | None:
    """Return the caller's key from `Authorization: Token`; clients of resellers say `Bearer`."""
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    return (key.strip() or None) if scheme.lower() in ("token", "bearer") else None


# --- reading


def _create(incoming: Incoming, *, path: str) -> CreateVideo:
    return CreateVideo(request=read_create(incoming, path))


def _read(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"])


def _cancel(incoming: Incoming) -> CancelVideo:
    """The body may repeat the id of the path."""
    task_id, fields = incoming.path_parameters["id"], read_fields(incoming)
    if fields.keys() - {"id"}:
        raise InvalidRequest("a cancel takes the field id, and no other", code="unsupported_parameter")
    if "id" in fields and read_text(fields["id"], "id") != task_id:
        raise InvalidRequest("id names another task than the path", code="conflicting_parameters", param="id")
    return CancelVideo(id=task_id)


def _refuse(incoming: Incoming) -> NoReturn:
    raise NotFound(
        f"no model here has {incoming.path.removeprefix(_ROOT)}; videos are made at {', '.join(PATHS)}",
        code="not_supported",
    )


def _list(incoming: Incoming) -> ListVideos:
    """Read a page. Without times everything is shown, not seven days; Vidu's own page spells `pager.` as `paper.` as well."""
    several: dict[str, list[str]] = {name: [] for name in _SEVERAL}
    single: dict[str, str] = {}
    for given, value in incoming.query:
        name = given.replace("paper.", "pager.", 1) if given.startswith("paper.") else given
        if name in several:
            several[name] += [word.strip() for word in value.split(",") if word.strip()]
        elif name in _NOT_HERE:
            raise InvalidRequest(f"tasks cannot be searched by {name} here", code="unsupported_parameter", param=name)
        elif name in _SINGLE:
            if name in single:
                raise InvalidRequest(f"{name} is given more than once; send it once", param=name)
            single[name] = value.strip()
    size = _within(single, "pager.pagesz", 1, _LARGEST_PAGE, 10)
    token = single.get("pager.page_token") or None
    return ListVideos(
        limit=size,
        after=token,
        skip=0 if token else _within(single, "pager.page", 0, _LAST_PAGE, 0) * size,
        status=_statuses(several["states"]),
        ids=tuple(several["task_ids"]),
        created_after=_time(single, "created_at.from"),
        created_before=_time(single, "created_at.to"),
    )


def _statuses(words: list[str]) -> tuple[str, ...]:
    for word in words:
        if word not in STATES:
            raise InvalidRequest(f"states must be among {', '.join(STATES)} (got {describe(word)})", param="states")
    return tuple(dict.fromkeys(STATES[word].value for word in words))


def _within(given: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    number = read_integer(given.get(name) or default, name)
    if not least <= number <= most:
        raise InvalidRequest(f"{name} must be from {least} to {most} (got {number})", param=name)
    return number


def _time(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{name} must be a time like 2026-11-22T09:39:00Z (got {describe(text)})", param=name
        ) from None


# --- answering


def _answer_created(answer: Answer) -> Outgoing:
    video = _video(answer)
    return Outgoing(body=create_answer(video), headers={"idempotent-replayed": "true"} if video.replayed else {})


def _answer_task(answer: Answer) -> Outgoing:
    return Outgoing(body=task_answer(_video(answer)))


def _answer_page(answer: Answer) -> Outgoing:
    if not isinstance(answer, VideoPage):
        raise TypeError(f"expected a page to show, got {type(answer).__name__}")
    token = answer.videos[-1].id if answer.has_more and answer.videos else ""
    body: dict[str, Any] = {"next_page_token": token, "tasks": [listed_task(video) for video in answer.videos]}
    return Outgoing(body=body)


def _answer_nothing(answer: Answer) -> Outgoing:
    return Outgoing(body={})


def _video(answer: Answer) -> Video:
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    return answer
