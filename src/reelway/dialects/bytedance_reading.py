"""What a create in Ark's words asks for, read as strictly as Ark reads it: a wrong field is a 400, never a guess.

Which of the fields a model has, its card knows; flags in a text are lifted out there too, because Ark obeys them on every model.
"""

from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, VideoRequest
from reelway.dialects.items import MEDIA, content_items, inner_text, item_text, item_type, media_role
from reelway.dialects.native import Fields, json_body, missing
from reelway.dialects.references import Place, read_reference
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, read_url, wrong_type

__all__ = ["NAME", "read_create"]

NAME = "bytedance"
"""The dialect's, which its callbacks are written in."""

_SEED_MAX = 2**32 - 1
_ADDRESSES = ("http://", "https://", "asset://")
_SWITCHES = ("camera_fixed", "draft", "return_last_frame", "watermark")
_NUMBERS = ("execution_expires_after", "frames", "priority")
_WORDS = ("safety_identifier", "service_tier")
_OF_LATER_MODELS = ("omni_reference_task_type", "output_format")
"""Fields of Seedance 2.5."""


class _Content(Record):
    """What the content items say."""

    texts: tuple[str, ...] = ()
    inputs: tuple[InputReference, ...] = ()
    draft_id: str | None = None


def read_create(incoming: Incoming) -> VideoRequest:
    """Return what is asked for. Raises `InvalidRequest` that names the field."""
    fields = Fields(json_body(incoming))
    model = fields.text("model")
    if not model:
        raise missing("model", "name a model of GET /v1/models, or ByteDance's own id of it")
    content = _read_content(fields.take("content"))
    seed = fields.integer("seed", -1, _SEED_MAX)
    callback_url = fields.text("callback_url")
    _refuse_later(fields)
    options: dict[str, Any] = {name: fields.boolean(name) for name in _SWITCHES}
    options |= {name: fields.integer(name) for name in _NUMBERS}
    options |= {name: fields.text(name) for name in _WORDS}
    options["web_search"] = _read_tools(fields.take("tools"))
    request = VideoRequest(
        model=model,
        operation="create" if content.draft_id is None else "remix",
        prompt="\n".join(content.texts) or None,
        inputs=content.inputs,
        seconds=fields.integer("duration"),
        ratio=fields.word("ratio"),
        tier=fields.word("resolution"),
        seed=None if seed == -1 else seed,
        audio=fields.boolean("generate_audio"),
        source_video_id=content.draft_id,
        callback_url=None if callback_url is None else read_url(callback_url, "callback_url"),
        callback_dialect="" if callback_url is None else NAME,
        options={name: value for name, value in sorted(options.items()) if value is not None},
        spelled={"seconds": "duration", "tier": "resolution", "ratio": "ratio", "audio": "generate_audio"},
    )
    fields.refuse_rest()
    return request


def _refuse_later(fields: Fields) -> None:
    for name in _OF_LATER_MODELS:
        value = fields.take(name)
        if value not in (None, "mp4"):
            raise InvalidRequest(
                f"{name} is of Seedance 2.5, which is not offered here", code="unsupported_parameter", param=name
            )


def _read_content(given: Any) -> _Content:
    content = _Content()
    for field, item in content_items(given, "list at least one text or image"):
        content = _with_item(content, item, field)
    if content.draft_id is not None and (content.texts or content.inputs):
        raise InvalidRequest(
            "content must hold a draft_task alone: texts and images are taken over from the draft", param="content"
        )
    return content


def _with_item(content: _Content, item: Any, field: str) -> _Content:
    kind = item_type(item, field, "draft_task")
    if kind == "text":
        text = item_text(item, field)
        return content.evolve(texts=(*content.texts, text)) if text else content
    if kind == "draft_task":
        if content.draft_id is not None:
            raise InvalidRequest("one draft can be made into a video at a time", param=field)
        return content.evolve(draft_id=inner_text(item, "draft_task", "id", field))
    return content.evolve(inputs=(*content.inputs, _read_media(item, kind, field)))


def _read_media(item: dict[str, Any], kind: str, field: str) -> InputReference:
    media, path = MEDIA[kind], f"{field}.{kind}.url"
    url = inner_text(item, kind, "url", field)
    inline = media is not MediaKind.VIDEO and url[:5].lower() == "data:"
    if not inline and not url.lower().startswith(_ADDRESSES):
        allowed = "an http(s) address or asset://ID" if media is MediaKind.VIDEO else "an address, asset://ID or data:"
        raise InvalidRequest(f"{path} must be {allowed} (got {describe(url)})", param=path)
    role = media_role(item.get("role"), media, field)
    return read_reference(url, Place(field=path, kind=media, role=role)).reference


def _read_tools(given: Any) -> bool | None:
    if given is None:
        return None
    if not isinstance(given, list) or any(not isinstance(tool, dict) for tool in given):
        raise wrong_type("tools", "a list of objects with a type", given)
    for number, tool in enumerate(given):
        if tool.get("type") != "web_search":
            field = f"tools[{number}].type"
            raise InvalidRequest(f"{field} must be web_search (got {describe(tool.get('type'))})", param=field)
    return bool(given)
