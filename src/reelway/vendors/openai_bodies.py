"""What a create looks like at each kind of server that speaks the OpenAI Videos API.

OpenAI and Azure take six fields and refuse others; another Reelway takes everything; in between, a field is sent only when it is
set and the server is known to read it, because most of these servers ignore a field they do not know, and charge all the same.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import Blob, Input, MediaKind, Mode, Role
from reelway.vendors.spec import DataUri, FilePart, HttpRequest, Submission
from reelway.vendors.wire import post

__all__ = ["OURS", "create_request"]

OURS = frozenset({"reelway", "sandbox"})
"""Services that are this very program: they keep our reference and can cancel."""

_STRICT = frozenset({"openai", "azure"})
_SELF_HOSTED = frozenset({"vllm", "sglang"})
_FROM_VIDEO = (Mode.EDIT, Mode.EXTEND, Mode.REMIX)
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

_REFERENCE_FIELDS = {
    MediaKind.IMAGE: "reference_images",
    MediaKind.VIDEO: "reference_video_urls",
    MediaKind.AUDIO: "reference_audio_urls",
}

Field: TypeAlias = tuple[str, Any]


def create_request(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` when this server has no way to say what is asked for."""
    request, service = submission.request, submission.service
    if request.mode in _FROM_VIDEO and service not in _SELF_HOSTED:
        return _derive(submission, headers)
    if service in _SELF_HOSTED:
        fields = _self_hosted(submission)
    elif not _takes_extras(submission):
        fields = [*_basics(submission, _first_frame_only(submission))]
    elif service in OURS:
        fields = [*_basics(submission, _by_role(request.inputs)), *_extras(submission)]
    else:
        fields = [*_basics(submission, _as_images(request.inputs)), *_extras(submission)]
    # SGLang reads a form only where a file is in it (its early versions insist); everyone else reads forms always.
    if service == "sglang" and not any(isinstance(value, FilePart) for _, value in fields):
        return post("/videos", json=dict(fields), headers=headers, billable=True)
    return post("/videos", form=fields, headers=headers, billable=True)


def _derive(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """Edit, lengthen or remix: by the id of the source where this account made it, else by its bytes."""
    request, ours = submission.request, submission.service in OURS
    source_id = _source_id(submission)
    if request.mode is Mode.REMIX and source_id is not None:
        return post(
            f"/videos/{quote(source_id, safe='')}/remix", json=_remix(submission), headers=headers, billable=True
        )
    fields: list[Field] = [("prompt", request.prompt)]
    if source_id is not None:
        fields.append(("video[id]", source_id))
    else:
        sources = [given for given in request.inputs if given.role is Role.SOURCE]
        if not sources:
            raise _cannot(submission, "the source video is neither here nor at this account; send it as a file")
        fields.append(_field("video", sources[0], "source", url_key=None))
    if source_id is None or ours:
        fields.append(("model", submission.model))
    others = tuple(given for given in request.inputs if given.role is not Role.SOURCE)
    if others and not ours:
        raise _cannot(submission, f"a video can be given to {request.mode}, and nothing beside it")
    if request.seconds is not None and request.mode is Mode.EXTEND:
        fields.append(("seconds", str(request.seconds)))
    fields += _by_role(others)
    if _takes_extras(submission):
        fields += _extras(submission)
    path = "/videos/extensions" if request.mode is Mode.EXTEND else "/videos/edits"
    return post(path, form=fields, headers=headers, billable=True)


def _source_id(submission: Submission) -> str | None:
    """Return the server's id of the source, unless another model made it: by an id most servers go on with that one."""
    if submission.source is None or "id" not in submission.source:
        return None
    if submission.service not in OURS and submission.source_model not in (None, submission.model):
        return None
    return str(submission.source["id"])


def _remix(submission: Submission) -> dict[str, Any]:
    """Return the body of a remix: OpenAI knows a prompt and nothing else."""
    body: dict[str, Any] = {"prompt": submission.request.prompt}
    if submission.service in OURS:
        body["model"] = submission.model
    if _takes_extras(submission):
        body |= dict(_extras(submission))
    if "metadata" in body:
        body["metadata"] = _metadata(submission)
    return body


def _basics(submission: Submission, inputs: Iterable[Field]) -> Iterable[Field]:
    """Yield the fields of OpenAI's own API, in the order of its own client."""
    request = submission.request
    yield "prompt", request.prompt
    yield from inputs
    yield "model", submission.model
    if request.seconds is not None and (request.seconds > 0 or submission.service in OURS):
        yield "seconds", str(request.seconds)
    if request.size is not None:
        yield "size", request.size


def _extras(submission: Submission) -> Iterable[Field]:
    """Yield what goes beyond OpenAI's fields, as the page this project began with names it."""
    request = submission.request
    if request.size is None and request.ratio is not None:
        yield "aspect_ratio", request.ratio
    if request.size is None and request.tier is not None:
        yield "resolution", request.tier
    numbers = (("fps", request.fps), ("seed", request.seed), ("n", request.n if request.n > 1 else None))
    yield from ((name, str(value)) for name, value in numbers if value is not None)
    if request.audio is not None:
        yield "audio", "true" if request.audio else "false"
    if request.mode not in _FROM_VIDEO and any(given.role is not Role.FIRST_FRAME for given in request.inputs):
        yield "mode", request.mode.value
    metadata = _metadata(submission)
    if metadata:
        yield "metadata", msgspec.json.encode(metadata).decode()


def _metadata(submission: Submission) -> dict[str, Any]:
    """Return the options, which keep their types in JSON; another Reelway gets the caller's tags and our mark as well."""
    options = dict(submission.request.options)
    if submission.service not in OURS:
        return options
    return {**submission.request.tags, **options, "client_request_id": submission.reference}


def _first_frame_only(submission: Submission) -> list[Field]:
    inputs = submission.request.inputs
    if any(given.role is not Role.FIRST_FRAME for given in inputs) or len(inputs) > 1:
        raise _cannot(submission, f"one first frame is the only input it takes (got {len(inputs)} inputs)")
    return [_field("input_reference", given, "first_frame") for given in inputs]


def _by_role(inputs: tuple[Input, ...]) -> list[Field]:
    """Name every input by its role, so that another Reelway need not infer anything."""
    if [given.role for given in inputs] == [Role.FIRST_FRAME]:
        return [_field("input_reference", inputs[0], "first_frame")]
    frames = [given for given in inputs if given.role in (Role.FIRST_FRAME, Role.LAST_FRAME)]
    fields = [_field(given.role.value, given, given.role.value, url_key=None) for given in frames]
    for kind, name in _REFERENCE_FIELDS.items():
        references = [given for given in inputs if given.role is Role.REFERENCE and given.kind is kind]
        for number, given in enumerate(references):
            fields += _reference(f"{name}[{number}]", given)
    return fields


def _reference(name: str, given: Input) -> list[Field]:
    """Give one reference; as an object where it has a name, by which the prompt may speak of it."""
    if not given.name:
        return [_field(name, given, "reference", url_key=None)]
    if given.file_id is not None:
        source: Field = (f"{name}[file_id]", given.file_id)
    else:
        source = (f"{name}[url]", given.url if given.blob is None else DataUri(blob=given.blob))
    return [source, (f"{name}[name]", given.name)]


def _as_images(inputs: tuple[Input, ...]) -> list[Field]:
    """Several pictures are `images` in the order first, last, references; `mode` says which they are."""
    if [given.role for given in inputs] == [Role.FIRST_FRAME]:
        return [_field("input_reference", inputs[0], "first_frame")]
    order = (Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE, Role.SOURCE)
    names = {MediaKind.IMAGE: "images[]", MediaKind.VIDEO: "videos[]", MediaKind.AUDIO: "audio_urls[]"}
    ordered = sorted(inputs, key=lambda given: order.index(given.role))
    return [
        _field(names[given.kind], given, f"{given.kind}_{number}", url_key=None) for number, given in enumerate(ordered)
    ]


def _self_hosted(submission: Submission) -> list[Field]:
    """vLLM-Omni and SGLang as of autumn 2026: one input, options as fields of their own, `generate_sound` at vLLM."""
    request, vllm = submission.request, submission.service == "vllm"
    if len(request.inputs) > 1:
        raise _cannot(submission, f"it takes one input (got {len(request.inputs)})")
    fields: list[Field] = []
    for given in request.inputs:
        if given.blob is not None and given.kind is not MediaKind.AUDIO:
            is_video = given.kind is MediaKind.VIDEO
            name = "video_reference" if is_video and not vllm else "input_reference"
            fields.append((name, FilePart(blob=given.blob, filename=_filename("input", given.blob))))
        elif given.url is not None and given.kind is not MediaKind.AUDIO:
            fields.append(_self_hosted_url(given.kind, given.url, vllm=vllm))
        else:
            raise _cannot(submission, f"it takes no {given.kind} like this one")
    fields = [*_basics(submission, fields)]
    numbers = (("fps", request.fps), ("seed", request.seed))
    fields += [(name, str(value)) for name, value in numbers if value is not None]
    if vllm and request.audio:
        fields.append(("generate_sound", "true"))
    for name, value in sorted(request.options.items()):
        fields.append((name, value if isinstance(value, str) else msgspec.json.encode(value).decode()))
    return fields


def _self_hosted_url(kind: MediaKind, url: str, *, vllm: bool) -> Field:
    if vllm:
        return f"{kind}_reference", msgspec.json.encode({f"{kind}_url": url}).decode()
    return ("reference_url" if kind is MediaKind.IMAGE else "video_url"), url


def _field(name: str, given: Input, filename: str, *, url_key: str | None = "image_url") -> Field:
    """Return one input as a form field: bytes as a file, an address or a vendor's file id as text."""
    if given.blob is not None:
        return name, FilePart(blob=given.blob, filename=_filename(filename, given.blob))
    if given.file_id is not None:
        return f"{name}[file_id]", given.file_id
    return (f"{name}[{url_key}]" if url_key else name), given.url


def _filename(stem: str, blob: Blob) -> str:
    return f"{stem}.{_SUFFIXES.get(blob.media_type, 'bin')}"


def _takes_extras(submission: Submission) -> bool:
    """OpenAI and Azure know their own fields alone; a server that offers Sora clones them, often down to refusing others."""
    if submission.service in OURS:
        return True
    return submission.service not in _STRICT and not submission.request.card.startswith("sora")


def _cannot(submission: Submission, why: str) -> VendorRefused:
    service = submission.service or "openai_videos"
    message = f"`{service}` cannot make this: {why}."
    return VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=message))
