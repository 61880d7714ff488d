"""From the fields of a request to one `VideoRequest`: every spelling folded into one, nothing held against a model yet.

The top level, `metadata` and `parameters` are read with the same names. A lower layer fills gaps and never overrides; what it
says in vain is named in `warnings`, and what nobody understands here is handed on under its own name.
"""

from typing import Any, Literal

import msgspec

from reelway.catalog.values import sorted_deep
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, Operation, Role, VideoRequest
from reelway.dialects.aliases import METADATA_TAGS
from reelway.dialects.characters import read_named_characters
from reelway.dialects.content import read_content
from reelway.dialects.fields import Repeated, read_fields
from reelway.dialects.layered import LayeredFields
from reelway.dialects.layers import Layer
from reelway.dialects.spec import Incoming, Upload
from reelway.dialects.values import (
    describe,
    read_boolean,
    read_integer,
    read_object,
    read_seconds,
    read_text,
    read_url,
    read_word,
)

__all__ = ["INPUT_LIMIT", "read_video_request"]

INPUT_LIMIT = 24
"""Inputs of one request."""

_LEFTOVER_BYTES = 64 * 1024
_LEFTOVER_NAMES = 64
_LABEL_LIMIT = 512
_OBJECT_OPTIONS = ("camera_control",)
"""Options of the contract that are objects, and JSON text in a form."""


def read_video_request(
    incoming: Incoming, *, operation: Operation = "create", source_video_id: str | None = None
) -> VideoRequest:
    """Return what is asked for. Raises `InvalidRequest` that names the field."""
    fields = read_fields(incoming)
    characters = read_named_characters(fields.pop("characters")) if "characters" in fields else ()
    model = _read_model(fields.pop("model", None))
    content = read_content(fields.pop("content", None) or [], "content")
    reader = LayeredFields(
        Layer("parameters.", _free_form(fields, "parameters")),
        Layer("metadata.", _free_form(fields, "metadata"), tags=METADATA_TAGS),
        top=Layer("", fields),
    )
    inputs = reader.inputs(content, operation)
    if content.draft_id is not None:
        if operation != "create":
            raise InvalidRequest(f"a draft is made into a video by a create, not by {operation}", param="content")
        operation, source_video_id = "remix", content.draft_id
    if operation in ("edit", "extend"):
        source_video_id, inputs = _split_source(inputs, operation)
    if not model and source_video_id is None:
        raise _missing("model", "name a model; GET /v1/models lists them")
    if len(inputs) > INPUT_LIMIT:
        raise InvalidRequest(
            f"at most {INPUT_LIMIT} inputs can be given (got {len(inputs)})",
            code="too_many_inputs",
            param=inputs[INPUT_LIMIT].field,
        )
    shape = reader.shape()
    pixels = (None, None) if shape.pixels is None else shape.pixels.value
    prompt = reader.pick("prompt", read_text)
    return VideoRequest(
        model=model,
        operation=operation,
        prompt=_join_texts(prompt, content.texts),
        mode=reader.pick("mode", read_word),
        inputs=inputs,
        characters=characters,
        seconds=reader.pick("seconds", read_seconds),
        width=pixels[0],
        height=pixels[1],
        ratio=None if shape.ratio is None else shape.ratio.value,
        tier=None if shape.tier is None else shape.tier.value,
        fps=reader.pick("fps", _read_rate),
        seed=reader.pick("seed", read_integer),
        n=reader.pick("n", _read_count) or 1,
        audio=reader.pick("audio", read_boolean),
        response_format=reader.pick("response_format", _read_format) or "url",
        user=reader.pick("user", _read_label),
        source_video_id=source_video_id,
        callback_url=reader.pick("callback_url", read_url),
        client_reference=reader.pick("client_reference", _read_label),
        # Last, because only now is known what nobody took.
        options=_leftover(_own_options(reader.top.rest), "the request"),
        parameters=_leftover(reader.parameters.rest, "parameters"),
        metadata=_leftover(reader.metadata.rest, "metadata"),
        spelled=dict(sorted(reader.spelled.items())),
        warnings=tuple(reader.warnings),
    )


def _split_source(
    inputs: tuple[InputReference, ...], operation: Operation
) -> tuple[str | None, tuple[InputReference, ...]]:
    """Return the id of the video that is edited or extended, where it is one of ours, and the other inputs."""
    sources = [given for given in inputs if given.role is Role.SOURCE]
    if not sources:
        raise _missing("video", f"send the video to {operation} as a file, as video[id] or as an address")
    if len(sources) > 1:
        raise InvalidRequest(f"one video can be given to {operation} (got {len(sources)})", param=sources[1].field)
    if sources[0].video_id is None:
        return None, inputs
    return sources[0].video_id, tuple(given for given in inputs if given is not sources[0])


def _read_model(value: Any) -> str:
    return "" if value is None else read_text(value, "model").strip()


def _read_count(value: Any, field: str) -> int:
    count = read_integer(value, field)
    if count not in range(1, 5):
        raise InvalidRequest(f"{field} must be a whole number from 1 to 4 (got {count})", param=field)
    return count


def _read_rate(value: Any, field: str) -> int:
    rate = read_integer(value, field)
    if not 0 < rate <= 1000:
        raise InvalidRequest(f"{field} must be from 1 to 1000 frames per second (got {rate})", param=field)
    return rate


def _read_format(value: Any, field: str) -> Literal["url", "b64_json"]:
    word = read_word(value, field)
    if word == "url":
        return "url"
    if word == "b64_json":
        return "b64_json"
    raise InvalidRequest(f"{field} must be url or b64_json (got {describe(word)})", param=field)


def _read_label(value: Any, field: str) -> str:
    text = read_text(value, field).strip()
    if len(text) > _LABEL_LIMIT:
        raise InvalidRequest(f"{field} can have {_LABEL_LIMIT} characters (got {len(text)})", param=field)
    return text


def _join_texts(prompt: str | None, texts: tuple[str, ...]) -> str | None:
    """Return the prompt followed by the texts of `content` that it does not repeat."""
    parts = [] if prompt is None else [prompt]
    parts += [text for text in texts if text != prompt and text.strip()]
    return "\n".join(parts) or None


def _free_form(fields: dict[str, Any], name: str) -> dict[str, Any]:
    given = fields.pop(name, None)
    return {} if given is None else read_object(given, name)


def _own_options(rest: dict[str, Any]) -> dict[str, Any]:
    options = dict(rest)
    for name in _OBJECT_OPTIONS:
        if name in options:
            options[name] = read_object(options[name], name)
    return options


def _leftover(rest: dict[str, Any], what: str) -> dict[str, Any]:
    """Return what is left of a layer, in an order of its own, after checking that it is small and plain."""
    if not rest:
        return {}
    plain = {name: list(value) if isinstance(value, Repeated) else value for name, value in rest.items()}
    for name, value in plain.items():
        if _holds_file(value):
            raise InvalidRequest(
                f"{name[:80]} is not a field for files; use image, images, input_reference, video or audio_url",
                param=name,
            )
    size = len(msgspec.json.encode(plain))
    if size > _LEFTOVER_BYTES or len(plain) > _LEFTOVER_NAMES:
        raise InvalidRequest(
            f"{what} may have {_LEFTOVER_NAMES} further fields of {_LEFTOVER_BYTES} bytes together "
            f"(got {len(plain)} of {size} bytes)",
            code="too_large",
            param=what if what in ("parameters", "metadata") else None,
        )
    ordered: dict[str, Any] = sorted_deep(plain)
    return ordered


def _holds_file(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_file, value.values()))
    if isinstance(value, list):
        return any(map(_holds_file, value))
    return isinstance(value, Upload)


def _missing(param: str, advice: str) -> InvalidRequest:
    return InvalidRequest(f"{param} is required: {advice}", code="missing_required_parameter", param=param)
