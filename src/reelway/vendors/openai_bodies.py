"""What a create looks like at each kind of server that speaks the OpenAI Videos API.

OpenAI and Azure take six fields and refuse others; another Reelway takes everything; in between, a field is sent only when it is
set and the server is known to read it, because most of these servers ignore a field they do not know, and charge all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec

from reelway.core.errors import VendorRefused
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.openai_fields import (
    Field,
    basics,
    cannot,
    field_of,
    first_frame_only,
    is_sora,
    one_take,
    shape_and_numbers,
)
from reelway.vendors.openai_relays import google_request, litellm_request, newapi_request
from reelway.vendors.openai_self_hosted import sglang_request, vllm_request
from reelway.vendors.openai_services import service_of
from reelway.vendors.spec import DataUri, HttpRequest, Submission
from reelway.vendors.wire import post

__all__ = ["create_request"]

_Write: TypeAlias = Callable[[Submission, tuple[Field, ...]], HttpRequest]

_OWN_WORDS: Mapping[str, _Write] = MappingProxyType(
    {
        "vllm": vllm_request,
        "sglang": sglang_request,
        "litellm": litellm_request,
        "newapi": newapi_request,
        "google": google_request,
    }
)
"""Services whose create is not OpenAI's with more fields."""

_WITHOUT_DOORS = frozenset({"vllm", "sglang", "google"})
"""Services without endpoints for what is made from a video; it is an input of a create there, or cannot be said."""

_ONLY_SORA = frozenset({"litellm", "newapi"})
"""Services that hand on a prompt alone where a video is made from another, and with some vendors not even the video."""

_FROM_VIDEO = (Mode.EDIT, Mode.EXTEND, Mode.REMIX)
_REFERENCE_FIELDS = {
    MediaKind.IMAGE: "reference_images",
    MediaKind.VIDEO: "reference_video_urls",
    MediaKind.AUDIO: "reference_audio_urls",
}


def create_request(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` when this server has no way to say what is asked for."""
    request, name = submission.request, submission.service
    if request.mode in _FROM_VIDEO and name not in _WITHOUT_DOORS:
        return _derive(submission, headers)
    if request.mode in _FROM_VIDEO and not any(given.role is Role.SOURCE for given in request.inputs):
        raise _no_source(submission)
    if name in _OWN_WORDS:
        return _OWN_WORDS[name](submission, headers)
    if not _takes_extras(submission):
        one_take(submission)
        fields = [*basics(submission, first_frame_only(submission))]
    elif service_of(name).is_ours:
        fields = [*basics(submission, _by_role(request.inputs)), *_extras(submission)]
    elif any(given.name for given in request.inputs):
        raise cannot(submission, "it has no way to give a reference a name, which the prompt calls it by")
    else:
        fields = [*basics(submission, _as_images(request.inputs)), *_extras(submission)]
    return post("/videos", form=fields, headers=headers, billable=True)


def _derive(submission: Submission, headers: tuple[Field, ...]) -> HttpRequest:
    """Edit, lengthen or remix: by the id of the source where this account made it, else by its bytes."""
    request, name = submission.request, submission.service
    if name in _ONLY_SORA and not is_sora(submission):
        raise cannot(submission, f"nothing but a prompt reaches {request.card} where a video is made from another")
    source_id = _source_id(submission)
    if request.mode is Mode.REMIX and source_id is not None:
        return post(
            f"/videos/{quote(source_id, safe='')}/remix", json=_remix(submission), headers=headers, billable=True
        )
    if name == "newapi":
        raise cannot(submission, f"it has no endpoint for {request.mode}, and remixes only what it made itself")
    if name == "litellm":
        return _derive_by_id(submission, source_id, headers)
    return _derive_by_form(submission, source_id, headers)


def _derive_by_form(submission: Submission, source_id: str | None, headers: tuple[Field, ...]) -> HttpRequest:
    request, ours = submission.request, service_of(submission.service).is_ours
    fields: list[Field] = [("prompt", request.prompt)]
    if source_id is not None:
        fields.append(("video[id]", source_id))
    else:
        sources = [given for given in request.inputs if given.role is Role.SOURCE]
        if not sources:
            raise _no_source(submission)
        fields.append(field_of("video", sources[0], "source", url_key=None))
    if source_id is None or ours:
        fields.append(("model", submission.model))
    others = tuple(given for given in request.inputs if given.role is not Role.SOURCE)
    if others and not ours:
        raise cannot(submission, f"a video can be given to {request.mode}, and nothing beside it")
    if request.seconds is not None and request.mode is Mode.EXTEND:
        fields.append(("seconds", str(request.seconds)))
    fields += _by_role(others)
    if _takes_extras(submission):
        fields += _extras(submission)
    return post(_door(request.mode), form=fields, headers=headers, billable=True)


def _derive_by_id(submission: Submission, source_id: str | None, headers: tuple[Field, ...]) -> HttpRequest:
    """Name the source in JSON: LiteLLM looks for its id there, does not see `video[id]` of a form, and takes no file."""
    request = submission.request
    if source_id is None:
        raise cannot(submission, "it works on videos that were made through this account, and takes none as a file")
    if any(given.role is not Role.SOURCE for given in request.inputs):
        raise cannot(submission, f"a video can be given to {request.mode}, and nothing beside it")
    body: dict[str, Any] = {"prompt": request.prompt, "video": {"id": source_id}}
    if request.seconds is not None and request.mode is Mode.EXTEND:
        body["seconds"] = str(request.seconds)
    return post(_door(request.mode), json=body, headers=headers, billable=True)


def _door(mode: Mode) -> str:
    return "/videos/extensions" if mode is Mode.EXTEND else "/videos/edits"


def _source_id(submission: Submission) -> str | None:
    """Return the server's id of the source, unless another model made it: by an id most servers go on with that one."""
    if submission.source is None or "id" not in submission.source:
        return None
    if not service_of(submission.service).is_ours and submission.source_model not in (None, submission.model):
        return None
    return str(submission.source["id"])


def _remix(submission: Submission) -> dict[str, Any]:
    """Return the body of a remix: OpenAI knows a prompt and nothing else."""
    body: dict[str, Any] = {"prompt": submission.request.prompt}
    if service_of(submission.service).is_ours:
        body["model"] = submission.model
    if _takes_extras(submission):
        body |= dict(_extras(submission))
    if "metadata" in body:
        body["metadata"] = _metadata(submission)
    return body


def _extras(submission: Submission) -> Iterable[Field]:
    """Yield what goes beyond OpenAI's fields, as the page this project began with names it."""
    request = submission.request
    yield from shape_and_numbers(submission)
    if request.mode not in _FROM_VIDEO and any(given.role is not Role.FIRST_FRAME for given in request.inputs):
        yield "mode", request.mode.value
    metadata = _metadata(submission)
    if metadata:
        yield "metadata", msgspec.json.encode(metadata).decode()


def _metadata(submission: Submission) -> dict[str, Any]:
    """Return the options, which keep their types in JSON; another Reelway gets the caller's tags and our mark as well."""
    options = dict(submission.request.options)
    if not service_of(submission.service).is_ours:
        return options
    return {**submission.request.tags, **options, "client_request_id": submission.reference}


def _by_role(inputs: tuple[Input, ...]) -> list[Field]:
    """Name every input by its role, so that another Reelway need not infer anything."""
    if [given.role for given in inputs] == [Role.FIRST_FRAME]:
        return [field_of("input_reference", inputs[0], "first_frame")]
    frames = [given for given in inputs if given.role in (Role.FIRST_FRAME, Role.LAST_FRAME)]
    fields = [field_of(given.role.value, given, given.role.value, url_key=None) for given in frames]
    for kind, name in _REFERENCE_FIELDS.items():
        references = [given for given in inputs if given.role is Role.REFERENCE and given.kind is kind]
        for number, given in enumerate(references):
            fields += _reference(f"{name}[{number}]", given)
    return fields


def _reference(name: str, given: Input) -> list[Field]:
    """Give one reference; as an object where it has a name, by which the prompt may speak of it."""
    if not given.name:
        return [field_of(name, given, "reference", url_key=None)]
    if given.file_id is not None:
        source: Field = (f"{name}[file_id]", given.file_id)
    else:
        source = (f"{name}[url]", given.url if given.blob is None else DataUri(blob=given.blob))
    return [source, (f"{name}[name]", given.name)]


def _as_images(inputs: tuple[Input, ...]) -> list[Field]:
    """Several pictures are `images` in the order first, last, references; `mode` says which they are."""
    if [given.role for given in inputs] == [Role.FIRST_FRAME]:
        return [field_of("input_reference", inputs[0], "first_frame")]
    order = (Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE, Role.SOURCE)
    names = {MediaKind.IMAGE: "images[]", MediaKind.VIDEO: "videos[]", MediaKind.AUDIO: "audio_urls[]"}
    ordered = sorted(inputs, key=lambda given: order.index(given.role))
    return [
        field_of(names[given.kind], given, f"{given.kind}_{number}", url_key=None)
        for number, given in enumerate(ordered)
    ]


def _takes_extras(submission: Submission) -> bool:
    """OpenAI and Azure know their own fields alone, and so does a server that offers Sora, unless it is one of ours."""
    service = service_of(submission.service)
    return service.is_ours or not (service.is_strict or is_sora(submission))


def _no_source(submission: Submission) -> VendorRefused:
    return cannot(submission, "the source video is neither here nor at this account; send it as a file")
