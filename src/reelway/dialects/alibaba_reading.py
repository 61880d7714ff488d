"""What a create in DashScope's words asks for: `model`, what it is made from in `input`, and how in `parameters`.

A wrong value is a 400 that names its field. What DashScope passes over in silence, further fields of `input` and `parameters`, goes
on as options: which of them a model has, its card knows, and the others are warned about.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from reelway.catalog.sizes import parse_pixels, parse_ratio
from reelway.core.errors import InvalidRequest, PermissionDenied
from reelway.core.videos import InputReference, MediaKind, Role, VideoRequest
from reelway.dialects.native import Fields, json_body, missing
from reelway.dialects.references import Place, read_reference
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, wrong_type

__all__ = ["read_create"]

_ITEMS = 24
_SEED_MAX = 2**31 - 1
_ADDRESSES = ("http://", "https://", "oss://")
_SCHEME = 16
"""Characters within which an address says of which kind it is; base64 has no colon."""


class _Meaning(NamedTuple):
    kind: MediaKind
    role: Role


_MEDIA: Mapping[str, _Meaning] = MappingProxyType(
    {
        "first_frame": _Meaning(MediaKind.IMAGE, Role.FIRST_FRAME),
        "last_frame": _Meaning(MediaKind.IMAGE, Role.LAST_FRAME),
        "reference_image": _Meaning(MediaKind.IMAGE, Role.REFERENCE),
        "reference_video": _Meaning(MediaKind.VIDEO, Role.REFERENCE),
        "reference_audio": _Meaning(MediaKind.AUDIO, Role.REFERENCE),
        "video": _Meaning(MediaKind.VIDEO, Role.SOURCE),
    }
)
"""Types of media items. What the others of Wan's types mean, no model here can do."""

_FRAMES: Mapping[str, str] = MappingProxyType(
    {"img_url": "first_frame", "first_frame_url": "first_frame", "last_frame_url": "last_frame"}
)
"""Fields of `input` in its older form, which the AI SDK sends for every model with an image, and what they are as media."""

_SPELLED = {"seconds": "parameters.duration", "tier": "parameters.resolution", "ratio": "parameters.ratio"}


def read_create(incoming: Incoming) -> VideoRequest:
    """Return what is asked for. Raises `CallerError` that names the field."""
    if incoming.headers.get("x-dashscope-async", "").strip().lower() != "enable":
        raise PermissionDenied(
            "current user api does not support synchronous calls; send the header X-DashScope-Async: enable"
        )
    top = Fields(json_body(incoming))
    model = top.text("model")
    if not model:
        raise missing("model", "name a model of GET /v1/models, or Alibaba's own id of it")
    given, parameters = top.inner("input"), top.inner("parameters")
    if given is None:
        raise missing("input", "it holds prompt and media")
    for name in sorted(top.rest):
        raise InvalidRequest(f"{name[:80]} is not a field of this API", code="unsupported_parameter", param=name[:80])
    prompt, inputs = given.text("prompt"), _read_inputs(given)
    extends = given.boolean("extend_prompt")  # the vendor's older client always says true, and means nothing by it
    how = parameters or Fields({}, "parameters.")
    pixels = _read_pixels(how.text("size"))
    request = VideoRequest(
        model=model,
        prompt=prompt,
        inputs=inputs,
        seconds=how.integer("duration", -1, 3600),
        width=None if pixels is None else pixels[0],
        height=None if pixels is None else pixels[1],
        ratio=_read_ratio(how.text("ratio")),
        tier=how.word("resolution"),
        seed=how.integer("seed", 0, _SEED_MAX),
        audio=how.boolean("audio"),
        spelled=_SPELLED,
    )
    watermark, rewrites = how.boolean("watermark"), how.boolean("prompt_extend")
    if rewrites is None and extends is False:
        rewrites = False
    options = {**given.rest, **how.rest, "watermark": watermark, "prompt_extend": rewrites}
    return request.evolve(options={name: value for name, value in sorted(options.items()) if value is not None})


def _read_inputs(given: Fields) -> tuple[InputReference, ...]:
    """Return the media items, and what stands in fields of its own in the older form."""
    inputs = [_read_frame(given.text(name), given.path(name), meaning) for name, meaning in _FRAMES.items()]
    references = given.take("reference_urls")
    if references is not None:
        inputs += [
            _reference(url, f"input.reference_urls[{at}]") for at, url in enumerate(_list(references, "reference_urls"))
        ]
    media = given.take("media")
    if media is not None:
        inputs += [_read_item(item, f"input.media[{at}]") for at, item in enumerate(_list(media, "media"))]
    found = tuple(one for one in inputs if one is not None)
    if len(found) > _ITEMS:
        raise InvalidRequest(f"input.media may have {_ITEMS} items (got {len(found)})", param="input.media")
    return found


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type(f"input.{name}", "a list", value)
    return value


def _read_item(item: Any, field: str) -> InputReference | None:
    if not isinstance(item, dict):
        raise wrong_type(field, "an object with type and url", item)
    word = item.get("type")
    if not isinstance(word, str) or word not in _MEDIA:
        raise InvalidRequest(
            f"{field}.type must be one of {', '.join(_MEDIA)} (got {describe(word)})", param=f"{field}.type"
        )
    for name in sorted(set(item) - {"type", "url"}):
        path = f"{field}.{name[:80]}"
        raise InvalidRequest(f"{path} is not a field of a media item", code="unsupported_parameter", param=path)
    url = item.get("url")
    if not isinstance(url, str) or not url.strip():
        raise missing(f"{field}.url", "it is what the item is about")
    return _read_url(url, f"{field}.url", word)


def _read_frame(text: str | None, field: str, word: str) -> InputReference | None:
    """Return a frame of the older form. The AI SDK, which knows no other for its own bytes, sends them as bare base64 (1.0.61)."""
    if text is None or ":" in text[:_SCHEME] or len(text.strip()) <= _SCHEME:
        return _read_url(text, field, word)
    meaning = _MEDIA[word]
    return read_reference(text, Place(field=field, kind=meaning.kind, role=meaning.role)).reference


def _read_url(url: str | None, field: str, word: str) -> InputReference | None:
    """Return the input behind an address, or of a picture or a sound inside of it."""
    if url is None:
        return None
    meaning, text = _MEDIA[word], url.strip()
    inline = meaning.kind is not MediaKind.VIDEO and text[:5].lower() == "data:"
    if not inline and not text.lower().startswith(_ADDRESSES):
        forms = "an http(s) or oss:// address"
        allowed = forms if meaning.kind is MediaKind.VIDEO else f"{forms} or data:"
        raise InvalidRequest(f"{field} must be {allowed} (got {describe(url)})", param=field)
    return read_reference(text, Place(field=field, kind=meaning.kind, role=meaning.role)).reference


def _reference(url: Any, field: str) -> InputReference:
    """Return a reference of the older form, a picture or a video by what it turns out to be."""
    if not isinstance(url, str) or not url.strip().lower().startswith(_ADDRESSES):
        raise InvalidRequest(f"{field} must be an http(s) or oss:// address (got {describe(url)})", param=field)
    return read_reference(url.strip(), Place(field=field, role=Role.REFERENCE)).reference


def _read_pixels(text: str | None) -> tuple[int, int] | None:
    pixels = None if text is None else parse_pixels(text)
    if text is not None and pixels is None:
        field = "parameters.size"
        raise InvalidRequest(f"{field} must look like 1280*720 (got {describe(text)})", param=field)
    return pixels


def _read_ratio(text: str | None) -> str | None:
    ratio = None if text is None else parse_ratio(text)
    if text is not None and ratio is None:
        field = "parameters.ratio"
        raise InvalidRequest(f"{field} must look like 16:9 (got {describe(text)})", param=field)
    return ratio
