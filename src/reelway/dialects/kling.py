"""The Kling dialect: both of Kling's designs, below `/kling`, with our ids in the place of task ids.

The older one has a path for each kind of work ("/v1/videos/text2video"), the current one has the model in the path and one list of
tasks. Requests are read in `kling_legacy` and `kling_current`; here are the paths, the looks and the lists. The body of a callback
is always the older design's: a video does not remember through which door it came.
"""

import re
from functools import partial
from typing import Any, NoReturn

from reelway.core.errors import InvalidRequest, NotFound
from reelway.core.videos import Mode
from reelway.dialects.fields import is_blank, read_fields
from reelway.dialects.kling_answers import (
    current_task,
    legacy_task,
    render_cursor,
    render_error,
    render_list,
    render_one,
    usage_of,
)
from reelway.dialects.kling_current import read_current
from reelway.dialects.kling_legacy import read_legacy
from reelway.dialects.kling_tokens import key_of
from reelway.dialects.spec import CreateVideo, Dialect, Endpoint, Incoming, ListVideos, Manners, ReadVideo
from reelway.dialects.values import describe, read_integer, read_object, read_text, read_word, wrong_type
from reelway.dialects.video_object import Timestamps

__all__ = ["key_of", "make_dialect", "render_error"]

_LEGACY = "/kling/v1/videos"
_LEGACY_MODES: dict[str, tuple[Mode, ...]] = {
    "text2video": (Mode.T2V,),
    "image2video": (Mode.I2V, Mode.FIRST_LAST),
    "multi-image2video": (Mode.R2V,),
    "omni-video": (Mode.R2V, Mode.EDIT, Mode.REMIX),
    "video-extend": (Mode.EXTEND,),
}
"""The doors of the older design, and what the list of each shows."""

_CURRENT = ("text-to-video", "image-to-video", "omni-video")
_MISSING = (
    f"{_LEGACY}/motion-control",
    f"{_LEGACY}/identify-face",
    f"{_LEGACY}/advanced-lip-sync",
    f"{_LEGACY}/lip-sync",
    f"{_LEGACY}/avatar/image2video",
    f"{_LEGACY}/effects",
    "/kling/motion-control/{model}",
)
"""Paths of Kling's for which no model here has a use."""

_STATUSES = {"submitted": "queued", "processing": "in_progress", "succeeded": "completed", "failed": "failed"}
_MOST_IDS = 20
_MOST_TASKS = 500
_TIME = re.compile(r"\d{12,14}")


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect; Kling's times are milliseconds, whatever ours are."""
    return Dialect(
        name="kling",
        endpoints=(*_legacy_endpoints(), *_current_endpoints(), *_missing_endpoints()),
        render_error=render_error,
        key_of=key_of,
        render_callback=legacy_task,
        manners=Manners(reference_once=True, usage_of=usage_of),
    )


def _legacy_endpoints() -> tuple[Endpoint, ...]:
    one, several = partial(render_one, task=legacy_task), partial(render_list, task=legacy_task)
    endpoints = []
    for product, modes in _LEGACY_MODES.items():
        path = f"{_LEGACY}/{product}"
        endpoints += [
            Endpoint(method="POST", path=path, read=partial(_create_legacy, product=product), render=one),
            Endpoint(method="GET", path=path, read=partial(_list_legacy, modes=modes), render=several),
            Endpoint(method="GET", path=f"{path}/{{id}}", read=_read_one, render=one),
        ]
    return tuple(endpoints)


def _current_endpoints() -> tuple[Endpoint, ...]:
    one, several = partial(render_one, task=current_task), partial(render_list, task=current_task)
    return (
        *(
            Endpoint(
                method="POST",
                path=f"/kling/{product}/{{model}}",
                read=partial(_create_current, product=product),
                render=one,
            )
            for product in _CURRENT
        ),
        Endpoint(method="GET", path="/kling/tasks", read=_list_by_ids, render=several),
        Endpoint(method="POST", path="/kling/tasks", read=_list_by_cursor, render=render_cursor),
    )


def _missing_endpoints() -> tuple[Endpoint, ...]:
    render = partial(render_one, task=legacy_task)
    return tuple(Endpoint(method="POST", path=path, read=_refuse, render=render) for path in _MISSING)


# --- reading


def _create_legacy(incoming: Incoming, *, product: str) -> CreateVideo:
    return CreateVideo(request=read_legacy(incoming, product))


def _create_current(incoming: Incoming, *, product: str) -> CreateVideo:
    return CreateVideo(request=read_current(incoming, product))


def _read_one(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"])


def _refuse(incoming: Incoming) -> NoReturn:
    raise NotFound(
        f"no model here has {incoming.path.removeprefix('/kling')}; text, pictures, references and edits are made at "
        "text2video, image2video and omni-video, or at text-to-video, image-to-video and omni-video",
        code="not_supported",
    )


def _list_legacy(incoming: Incoming, *, modes: tuple[Mode, ...]) -> ListVideos:
    query = _query(incoming, ("pageNum", "pageSize"))
    number, size = _within(query, "pageNum", 1, 1000, 1), _within(query, "pageSize", 1, 500, 30)
    return ListVideos(limit=size, skip=(number - 1) * size, modes=modes)


def _list_by_ids(incoming: Incoming) -> ListVideos:
    query = _query(incoming, ("task_ids", "external_task_ids"))
    given = {name: tuple(filter(None, map(str.strip, text.split(",")))) for name, text in query.items()}
    given = {name: ids for name, ids in given.items() if ids}
    if len(given) != 1:
        raise InvalidRequest("send either task_ids or external_task_ids", param="task_ids")
    [(name, ids)] = given.items()
    if len(ids) > _MOST_IDS:
        raise InvalidRequest(f"{name} takes at most {_MOST_IDS} ids (got {len(ids)})", param=name)
    if name == "task_ids":
        return ListVideos(limit=_MOST_IDS, ids=ids)
    return ListVideos(limit=_MOST_IDS, client_references=ids)


def _list_by_cursor(incoming: Incoming) -> ListVideos:
    """Read a search. With a cursor the times do not count, as at Kling; without times everything is shown, not thirty days."""
    fields = read_fields(incoming)
    known = ("start_time", "end_time", "cursor", "limit", "filters")
    unknown = sorted(fields.keys() - set(known))
    if unknown:
        raise InvalidRequest(f"{unknown[0][:80]} is nothing that tasks takes; it takes {', '.join(known)}")
    cursor = read_text(fields.get("cursor", ""), "cursor").strip() or None
    return ListVideos(
        limit=_within(fields, "limit", 1, _MOST_TASKS, 100),
        after=cursor,
        status=_statuses(fields.get("filters", [])),
        created_after=None if cursor else _time(fields, "start_time"),
        created_before=None if cursor else _time(fields, "end_time"),
    )


def _statuses(filters: Any) -> tuple[str, ...]:
    if not isinstance(filters, list):
        raise wrong_type("filters", "a list of objects with key and values", filters)
    statuses: list[str] = []
    for number, item in enumerate(filters):
        field = f"filters[{number}]"
        given = read_object(item, field)
        key, values = read_word(given.get("key", ""), f"{field}.key"), given.get("values")
        if key not in ("status", "product_type") or not isinstance(values, list) or is_blank(values):
            raise InvalidRequest(f"{field} must have the key status or product_type, and values", param=field)
        words = [read_word(value, f"{field}.values").lower() for value in values]
        allowed = tuple(_STATUSES) if key == "status" else ("video",)
        for word in words:
            if word not in allowed:
                raise InvalidRequest(
                    f"{field}.values must be among {', '.join(allowed)} (got {describe(word)})", param=field
                )
        statuses += [_STATUSES[word] for word in words] if key == "status" else []
    return tuple(dict.fromkeys(statuses))


def _query(incoming: Incoming, known: tuple[str, ...]) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in incoming.query:
        if name in query:
            raise InvalidRequest(f"{name[:80]} is given more than once; send it once", param=name[:80])
        if name in known:
            query[name] = value
    return query


def _within(given: dict[str, Any], name: str, least: int, most: int, default: int) -> int:
    number = read_integer(given.get(name, default), name)
    if not least <= number <= most:
        raise InvalidRequest(f"{name} must be from {least} to {most} (got {number})", param=name)
    return number


def _time(fields: dict[str, Any], name: str) -> float | None:
    """Return a time in Unix seconds; Kling's pages show milliseconds as a number here and as a text there."""
    if name not in fields:
        return None
    text = read_word(fields[name], name)
    if not _TIME.fullmatch(text):
        raise InvalidRequest(f"{name} must be a Unix time in milliseconds (got {describe(text)})", param=name)
    return int(text) / 1000
