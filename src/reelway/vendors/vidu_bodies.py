"""What a create at Vidu looks like: one path for each kind of work, flat fields, and pictures in the order the path wants them.

References that have names become subjects, which the prompt calls `@name`; without names they are a plain list.
"""

from typing import Any, NoReturn

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import Blob, Input, Mode, ResolvedRequest, Role
from reelway.vendors.spec import DataUri, HttpRequest, PublicUrl, Submission, inputs_of
from reelway.vendors.wire import post

__all__ = ["TASKS", "create_request", "wants_mark"]

TASKS = "/ent/v2/tasks"

_PATHS = {
    Mode.T2V: "/ent/v2/text2video",
    Mode.I2V: "/ent/v2/img2video",
    Mode.FIRST_LAST: "/ent/v2/start-end2video",
    Mode.R2V: "/ent/v2/reference2video",
}
_SUBJECT_IMAGES = 3
_BODY_BYTES = 20_000_000
_WORDS_BYTES = 200_000
"""Ample room for everything in a body that is no picture."""


def create_request(submission: Submission) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` for what Vidu has no way to say."""
    request = submission.request
    if request.mode not in _PATHS:
        _refuse(f"it has no way to {request.mode} a video")
    body = {
        "model": submission.model,
        **_pictures(request),
        "prompt": request.prompt or None,
        "duration": request.seconds,
        "resolution": request.tier,
        "aspect_ratio": request.ratio,
        "seed": request.seed,
        "audio": request.audio,
        **request.options,
        "payload": submission.reference,
        "callback_url": submission.callback_url,
    }
    said = {name: value for name, value in body.items() if value is not None}
    return post(_PATHS[request.mode], json=said, billable=True)


def wants_mark(submission: Submission) -> bool:
    """Tell whether the marked copy is the one to deliver."""
    return submission.request.options.get("watermark") is True


def _pictures(request: ResolvedRequest) -> dict[str, Any]:
    if request.mode is Mode.R2V:
        references = inputs_of(request, Role.REFERENCE)
        if any(given.name for given in references):
            return {"subjects": _subjects(references)}
        return {"images": _sources(references)}
    frames = (*inputs_of(request, Role.FIRST_FRAME), *inputs_of(request, Role.LAST_FRAME))
    return {"images": _sources(frames)} if frames else {}


def _subjects(references: tuple[Input, ...]) -> list[dict[str, Any]]:
    """Return one subject for each name; pictures of one name show one subject. Those without get a name nobody calls them by."""
    taken = {given.name for given in references}
    subjects: dict[str, list[Any]] = {}
    for place, (given, source) in enumerate(zip(references, _sources(references), strict=True), start=1):
        name, number = given.name, place
        while not name:
            free = f"image_{number}"
            name, number = (free if free not in taken else None), number + 1
        taken.add(name)
        subjects.setdefault(name, []).append(source)
    for name, images in subjects.items():
        if len(images) > _SUBJECT_IMAGES:
            _refuse(f"one subject can be shown by {_SUBJECT_IMAGES} pictures ({name} has {len(images)})")
    return [{"name": name, "images": images} for name, images in subjects.items()]


def _sources(inputs: tuple[Input, ...]) -> list[Any]:
    """Return each picture as Vidu gets it: within the body as long as there is room, the largest by address where there is none."""
    room = _BODY_BYTES - _WORDS_BYTES
    inline: set[int] = set()
    for size, place in sorted((_encoded(given.blob), place) for place, given in enumerate(inputs) if given.blob):
        if size <= room:
            room -= size
            inline.add(place)
    return [_source(given, inline=place in inline) for place, given in enumerate(inputs)]


def _source(given: Input, *, inline: bool) -> Any:
    if given.blob is not None:
        return DataUri(blob=given.blob) if inline else PublicUrl(blob=given.blob)
    return given.url or _refuse("a picture has to be a file or an address; Vidu keeps no files")


def _encoded(blob: Blob) -> int:
    """Return the bytes a picture takes as a data URI."""
    return len(f"data:{blob.media_type};base64,") + (blob.bytes + 2) // 3 * 4


def _refuse(why: str) -> NoReturn:
    """Refuse what this API has no way to say, before anything is sent."""
    raise VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=f"`vidu` cannot make this: {why}."))
