"""What a create in MiniMax's words asks for, in either of its APIs, read strictly: a wrong field is an error, never a guess.

The older API makes silent videos only and the newer one videos with sound only, so the path a create came by says which is wanted.
"""

from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, RequestWarning, Role, VideoRequest
from reelway.dialects.items import MEDIA, content_items, inner_text, item_text, item_type, media_role
from reelway.dialects.native import Fields, json_body, missing
from reelway.dialects.references import Place, read_reference
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, wrong_type

__all__ = ["NEWER", "OLDER", "read_newer", "read_older"]

OLDER, NEWER = "minimax", "minimax_v2"
"""The dialects, which callbacks are written in."""

_TIERS = {"seconds": "duration", "tier": "resolution"}
_FILE = "mm_file://"
"""A file that was uploaded to the vendor before."""


# --- the older API


def read_older(incoming: Incoming) -> VideoRequest:
    """Return what a create of the older API asks for. Raises `InvalidRequest` that names the field."""
    fields = Fields(json_body(incoming))
    model = _model(fields)
    frames = [_frame(fields, role) for role in (Role.FIRST_FRAME, Role.LAST_FRAME)]
    inputs = tuple(frame for frame in frames if frame is not None)
    face = _face(fields.take("subject_reference"))
    tier = fields.word("resolution")
    callback_url = fields.address("callback_url")
    options = fields.switches("aigc_watermark", "fast_pretreatment", "prompt_optimizer")
    request = VideoRequest(
        model=model,
        prompt=fields.words("prompt"),
        inputs=inputs if face is None else (*inputs, face),
        seconds=fields.integer("duration"),
        tier=tier,
        audio=False,
        callback_url=callback_url,
        callback_dialect="" if callback_url is None else OLDER,
        options=options if face is None else {**options, "subject_reference": True},
        spelled=_TIERS,
        warnings=_held_against_its_model(model, tier, inputs, face),
    )
    fields.refuse_rest()
    return request


def _frame(fields: Fields, role: Role) -> InputReference | None:
    name = f"{role}_image"
    text = fields.text(name)
    return None if text is None else _reference(text, Place(field=name, kind=MediaKind.IMAGE, role=role))


def _face(given: Any) -> InputReference | None:
    """Return the picture of `[{"type": "character", "image": [ADDRESS]}]`: one list of one object with one picture."""
    if given is None:
        return None
    subject = given[0] if isinstance(given, list) and len(given) == 1 else None
    images = subject.get("image") if isinstance(subject, dict) and subject.get("type") == "character" else None
    if not isinstance(images, list) or len(images) != 1 or not isinstance(images[0], str):
        raise wrong_type("subject_reference", "one object with the type character and one image", given)
    place = Place(field="subject_reference[0].image[0]", kind=MediaKind.IMAGE, role=Role.REFERENCE)
    return _reference(images[0].strip(), place)


def _held_against_its_model(
    model: str, tier: str | None, inputs: tuple[InputReference, ...], face: InputReference | None
) -> tuple[RequestWarning, ...]:
    """Refuse what a model named by the vendor's own id cannot make; tell where another one of them makes it here."""
    name = model.lower()
    of_02 = tier == "512p" or any(given.role is Role.LAST_FRAME for given in inputs)
    if name.startswith("minimax-h3"):
        raise InvalidRequest(f"{model} is made at /v2/video_generation", param="model")
    if name == "s2v-01" and face is None:
        raise missing("subject_reference", "S2V-01 makes videos from the picture of a face")
    if name.startswith("minimax-hailuo") and face is not None:
        raise InvalidRequest(f"subject_reference is of S2V-01 (got model {model})", param="subject_reference")
    if name == "minimax-hailuo-2.3" and of_02:
        field = "resolution" if tier == "512p" else "last_frame_image"
        raise InvalidRequest(f"{field}: {model} has neither 512P nor last frames; MiniMax-Hailuo-02 has", param=field)
    if name == "minimax-hailuo-02" and not of_02:
        note = "MiniMax-Hailuo-2.3 makes it here; MiniMax-Hailuo-02 is taken for last frames and for 512P"
        return (RequestWarning(field="model", message=note),)
    return ()


# --- the newer API


class _Content(Record):
    """What the content items say."""

    text: str = ""
    inputs: tuple[InputReference, ...] = ()


def read_newer(incoming: Incoming) -> VideoRequest:
    """Return what a create of the newer API asks for. Raises `InvalidRequest` that names the field."""
    fields = Fields(json_body(incoming))
    model = _model(fields)
    if model.lower().startswith(("minimax-hailuo", "t2v-", "i2v-", "s2v-")):
        raise InvalidRequest(f"{model} is made at /v1/video_generation", param="model")
    content = _read_content(fields.take("content"))
    tier, seconds, ratio = fields.word("resolution"), fields.integer("duration"), fields.word("ratio")
    if tier is None:
        raise missing("resolution", "768P or 2K")
    if seconds is None:
        raise missing("duration", "a whole number of seconds from 4 to 15")
    if not content.inputs and ratio in (None, "adaptive"):
        raise missing("ratio", "from text alone a shape must be chosen, such as 16:9")
    if fields.take("extra") not in (None, {}):
        raise InvalidRequest(
            "extra is of MiniMax-H3-Max, which is not offered here", code="unsupported_parameter", param="extra"
        )
    callback_url = fields.address("callback_url")
    request = VideoRequest(
        model=model,
        prompt=content.text,
        inputs=content.inputs,
        seconds=seconds,
        ratio=ratio,
        tier=tier,
        audio=True,
        callback_url=callback_url,
        callback_dialect="" if callback_url is None else NEWER,
        options=fields.switches("aigc_watermark"),
        spelled=_TIERS,
    )
    fields.refuse_rest()
    return request


def _read_content(given: Any) -> _Content:
    content = _Content()
    for field, item in content_items(given, "list a text, and media where they are wanted"):
        content = _with_item(content, item, field)
    if not content.text:
        raise missing("content", "one of its items must be a text that is not empty")
    return content


def _with_item(content: _Content, item: Any, field: str) -> _Content:
    kind = item_type(item, field)
    if kind != "text":
        return content.evolve(inputs=(*content.inputs, _read_media(item, kind, field)))
    text = item_text(item, field)
    if content.text:
        raise InvalidRequest("content may have one text; put the words together", param=field)
    return content.evolve(text=text) if text else content


def _read_media(item: dict[str, Any], kind: str, field: str) -> InputReference:
    media, path = MEDIA[kind], f"{field}.{kind}.url"
    url = inner_text(item, kind, "url", field)
    role = media_role(item.get("role") or None, media, field)
    if url.startswith(_FILE):
        return InputReference(field=path, kind=media, role=role, file_id=url)
    return _reference(url, Place(field=path, kind=media, role=role))


# --- both


def _model(fields: Fields) -> str:
    model = fields.text("model")
    if model is None:
        raise missing("model", "name a model of GET /v1/models, or MiniMax's own id of it")
    return model


def _reference(text: str, place: Place) -> InputReference:
    """Return an input from an address or a data URI; bare base64 is not read there."""
    if not text.lower().startswith(("http://", "https://", "data:")):
        raise InvalidRequest(
            f"{place.field} must be an address or a data URI (got {describe(text)})", param=place.field
        )
    return read_reference(text, place).reference
