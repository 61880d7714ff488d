"""What a create in xAI's words asks for, read as strictly as xAI reads it: a field that a door does not have is a 400.

What a model can do, its card knows. xAI's Files are nothing that callers of ours have, so what is about them is refused.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.catalog.sizes import parse_pixels
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Operation, Role, VideoRequest
from reelway.dialects.native import Fields, json_body, missing
from reelway.dialects.references import Place, read_reference
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, wrong_type

__all__ = ["DOORS", "read_create"]

DOORS: Mapping[str, Operation] = MappingProxyType({"generations": "create", "edits": "edit", "extensions": "extend"})
"""The last part of the path, and what it means."""

_KEPT_HERE = {
    "storage_options": "videos are kept by this server, and none in xAI's Files",
    "output": "videos are kept by this server, and fetched from the address in the answer",
}
_REFERENCES = 16
_ADDRESSES = ("http://", "https://")


def read_create(incoming: Incoming, door: str) -> VideoRequest:
    """Return what is asked for. Raises `InvalidRequest` that names the field."""
    fields = _Fields(json_body(incoming), door)
    model = fields.required("model", "name a model of GET /v1/models, or xAI's own id of it")
    request = VideoRequest(model=model, operation=DOORS[door], prompt=fields.prompt("prompt"), user=fields.text("user"))
    if door == "generations":
        request = _with_shape(_with_pictures(request, fields), fields)
    else:
        source = fields.take("video")
        if source is None:
            raise missing("video", f"the video that {door} begin with")
        request = request.evolve(inputs=(_file(source, Place(field="video", kind=MediaKind.VIDEO, role=Role.SOURCE)),))
    if door != "edits":
        request = request.evolve(seconds=fields.integer("duration"))
    fields.refuse_rest()
    return request.evolve(spelled={"seconds": "duration", "audio": "generate_audio"})


class _Fields(Fields):
    """The fields of a body; `door` is which of the three creates it came to."""

    def __init__(self, body: dict[str, Any], door: str) -> None:
        super().__init__(body)
        self._door = door

    def prompt(self, name: str) -> str | None:
        """Return words as they were given; blanks alone say nothing."""
        value = self.words(name)
        return value if value is not None and value.strip() else None

    def required(self, name: str, advice: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing(name, advice)
        return value

    def items(self, name: str) -> list[Any] | None:
        value = self.take(name)
        if value is not None and not isinstance(value, list):
            raise wrong_type(name, "a list of objects", value)
        if value is not None and len(value) > _REFERENCES:
            raise InvalidRequest(f"{name} may have {_REFERENCES} entries (got {len(value)})", param=name)
        return value

    def refuse_rest(self) -> None:
        for name in sorted(self.rest):
            why = _KEPT_HERE.get(name) or f"it is not a field of {self._door}"
            raise InvalidRequest(f"{name[:80]} is not taken here: {why}", code="unsupported_parameter", param=name[:80])


def _with_pictures(request: VideoRequest, fields: _Fields) -> VideoRequest:
    inputs: list[InputReference] = []
    for name, role in (("image", Role.FIRST_FRAME), ("last_frame", Role.LAST_FRAME)):
        if (given := fields.take(name)) is not None:
            inputs.append(_file(given, Place(field=name, kind=MediaKind.IMAGE, role=role)))
    for number, item in enumerate(fields.items("reference_images") or ()):
        place = Place(field=f"reference_images[{number}]", kind=MediaKind.IMAGE, role=Role.REFERENCE)
        inputs.append(_file(item, place))
    listed = {name: fields.items(name) for name in ("keyframes", "reference_audios")}
    return request.evolve(
        inputs=tuple(inputs), options={name: items for name, items in listed.items() if items is not None}
    )


def _with_shape(request: VideoRequest, fields: _Fields) -> VideoRequest:
    """Read length, shape and sound. `size` is xAI's older way of saying ratio and resolution at once."""
    size = fields.word("size")
    pixels = None if size is None else parse_pixels(size)
    if size is not None and pixels is None:
        raise InvalidRequest(f"size must look like 1280x720 (got {describe(size)})", param="size")
    width, height = pixels or (None, None)
    return request.evolve(
        width=width,
        height=height,
        ratio=fields.word("aspect_ratio"),
        tier=fields.word("resolution"),
        audio=fields.boolean("generate_audio"),
    )


def _file(given: Any, place: Place) -> InputReference:
    """Read `{"url"}` or `{"file_id"}`; xAI's own samples of pictures have a `type` beside it, which says nothing."""
    field = place.field
    if not isinstance(given, dict):
        raise wrong_type(field, "an object with url or file_id", given)
    unknown = sorted(given.keys() - {"url", "file_id", "type"})
    if unknown:
        raise InvalidRequest(
            f"{field}.{unknown[0][:80]} is not taken here: {field} is an object with url or file_id", param=field
        )
    sources = [name for name in ("url", "file_id") if given.get(name) is not None]
    if len(sources) != 1:
        raise missing(field, "give either url or file_id in it")
    [name] = sources
    value, path = given[name], f"{field}.{name}"
    if not isinstance(value, str) or not value.strip():
        raise wrong_type(path, "text", value)
    if name == "file_id":
        return InputReference(field=path, kind=place.kind, role=place.role, file_id=value.strip())
    if value.strip()[:5].lower() != "data:" and not value.strip().lower().startswith(_ADDRESSES):
        raise InvalidRequest(f"{path} must be an http(s) address or data: (got {describe(value)})", param=path)
    return read_reference(value, place.evolve(field=path)).reference
