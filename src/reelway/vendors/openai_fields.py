"""Fields of a create that several kinds of servers share: OpenAI's own, one input, and the refusal of what cannot be said."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import Blob, Input, Role
from reelway.vendors.openai_services import service_of
from reelway.vendors.spec import FilePart, Submission

__all__ = [
    "Field",
    "basics",
    "cannot",
    "field_of",
    "filename",
    "first_frame_only",
    "in_words",
    "is_sora",
    "one_take",
    "shape_and_numbers",
]

Field: TypeAlias = tuple[str, Any]

_SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
}


def basics(submission: Submission, inputs: Iterable[Field] = ()) -> Iterable[Field]:
    """Yield the fields of OpenAI's own API, in the order of its own client."""
    request = submission.request
    yield "prompt", request.prompt
    yield from inputs
    yield "model", submission.model
    if request.seconds is not None and (request.seconds > 0 or service_of(submission.service).is_ours):
        yield "seconds", str(request.seconds)
    if request.size is not None:
        yield "size", request.size


def shape_and_numbers(submission: Submission) -> Iterable[Field]:
    """Yield what goes beyond OpenAI's fields and has a name that most servers know."""
    request = submission.request
    if request.size is None and request.ratio is not None:
        yield "aspect_ratio", request.ratio
    if request.size is None and request.tier is not None:
        yield "resolution", request.tier
    numbers = (("fps", request.fps), ("seed", request.seed), ("n", request.n if request.n > 1 else None))
    yield from ((name, str(value)) for name, value in numbers if value is not None)
    if request.audio is not None:
        yield "audio", in_words(request.audio)


def in_words(value: Any) -> str:
    """Return a value as a form shows it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def first_frame_only(submission: Submission) -> list[Field]:
    """Return the one input that OpenAI's API knows, as a file."""
    inputs = submission.request.inputs
    if any(given.role is not Role.FIRST_FRAME for given in inputs) or len(inputs) > 1:
        raise cannot(submission, f"one first frame is the only input it takes (got {len(inputs)} inputs)")
    return [field_of("input_reference", given, "first_frame") for given in inputs]


def field_of(name: str, given: Input, stem: str, *, url_key: str | None = "image_url") -> Field:
    """Return one input as a form field: bytes as a file, an address or a vendor's file id as text."""
    if given.blob is not None:
        return name, FilePart(blob=given.blob, filename=filename(stem, given.blob))
    if given.file_id is not None:
        return f"{name}[file_id]", given.file_id
    return (f"{name}[{url_key}]" if url_key else name), given.url


def filename(stem: str, blob: Blob) -> str:
    """Return a file's name with the suffix of its type."""
    return f"{stem}.{_SUFFIXES.get(blob.media_type, 'bin')}"


def is_sora(submission: Submission) -> bool:
    """Tell whether the model is one of OpenAI's own: whoever offers it clones its six fields, often down to refusing others."""
    return submission.request.card.startswith("sora")


def one_take(submission: Submission) -> None:
    """Refuse more than one video where the server would make, or show, only one."""
    if submission.request.n > 1:
        raise cannot(submission, f"it makes one video for each create (got n = {submission.request.n})")


def cannot(submission: Submission, why: str) -> VendorRefused:
    """Return the refusal of a request that this server has no way to say."""
    service = submission.service or "openai_videos"
    message = f"`{service}` cannot make this: {why}."
    return VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=message))
