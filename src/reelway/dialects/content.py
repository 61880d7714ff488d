"""The `content` list in Seedance's style: texts, media with roles, and a draft to build on."""

from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import MediaKind
from reelway.dialects.fields import is_blank
from reelway.dialects.references import Place, ReadReference, read_reference, role_of_word
from reelway.dialects.values import read_json, read_object, read_text, read_word, single, wrong_type

__all__ = ["Content", "read_content"]

_KINDS = {"image_url": MediaKind.IMAGE, "video_url": MediaKind.VIDEO, "audio_url": MediaKind.AUDIO}
_TYPES = ("text", *_KINDS, "draft_task")


class Content(Record):
    """What a `content` list says."""

    texts: tuple[str, ...] = ()
    inputs: tuple[ReadReference, ...] = ()
    draft_id: str | None = None
    """The draft that becomes a video."""


def read_content(value: Any, field: str) -> Content:
    """Read a list of items, one item alone, or JSON text of either."""
    given = single(value, field)
    if isinstance(given, str):
        given = read_json(given, field) if given.lstrip().startswith(("{", "[")) else given
    items = [given] if isinstance(given, dict) else given
    if not isinstance(items, list):
        raise wrong_type(field, "a list of objects, or JSON text of one", given)
    content = Content()
    for number, item in enumerate(items):
        if not is_blank(item):
            content = _with_item(content, item, f"{field}[{number}]")
    return content


def _with_item(content: Content, item: Any, field: str) -> Content:
    if not isinstance(item, dict):
        raise wrong_type(field, "an object with a type", item)
    kind = read_word(item.get("type", ""), f"{field}.type").lower() or _type_by_key(item)
    if kind not in _TYPES or is_blank(item.get(kind)):
        raise InvalidRequest(
            f"{field} must be one of {', '.join(_TYPES)}, with its value under that name "
            f'(got type "{kind[:60]}" and keys {", ".join(sorted(item)) or "none"})',
            param=field,
        )
    if kind == "text":
        return content.evolve(texts=(*content.texts, read_text(item["text"], f"{field}.text")))
    if kind == "draft_task":
        return content.evolve(draft_id=_draft_id(content, item["draft_task"], f"{field}.draft_task"))
    role = None if is_blank(item.get("role")) else role_of_word(item["role"], f"{field}.role")
    read = read_reference(item[kind], Place(field=field, kind=_KINDS[kind], role=role))
    if not is_blank(item.get("name")):
        read = read.evolve(reference=read.reference.evolve(name=read_text(item["name"], f"{field}.name")))
    return content.evolve(inputs=(*content.inputs, read))


def _draft_id(content: Content, given: Any, field: str) -> str:
    draft_id = read_text(read_object(given, field).get("id", ""), f"{field}.id").strip()
    if not draft_id:
        raise InvalidRequest(f"{field}.id must be the id of a finished draft", param=f"{field}.id")
    if content.draft_id is not None:
        raise InvalidRequest("one draft can be made into a video at a time", param=field)
    return draft_id


def _type_by_key(item: dict[str, Any]) -> str:
    """Return the type of an item that does not name it but has a single value of a known type."""
    known = [name for name in _TYPES if name in item]
    return known[0] if len(known) == 1 else ""
