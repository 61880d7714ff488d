"""Characters in the OpenAI Videos dialect: how they are made, shown and deleted, and how a create names them.

OpenAI's own clients make one from a video of a few seconds; pictures are taken as well. There, deleting one is not foreseen; here
it is, because what a caller had kept, a caller must be able to have removed.
"""

from typing import Any

from reelway.core.characters import Character
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Role
from reelway.dialects.fields import read_fields
from reelway.dialects.references import Place, read_reference, read_references
from reelway.dialects.spec import (
    Answer,
    CreateCharacter,
    DeleteCharacter,
    Deleted,
    Incoming,
    Outgoing,
    ReadCharacter,
)
from reelway.dialects.values import describe, read_json, read_text, wrong_type
from reelway.dialects.video_object import Timestamps, shown_time

__all__ = [
    "answer_character",
    "answer_deleted_character",
    "read_create_character",
    "read_delete_character",
    "read_named_characters",
    "read_read_character",
]

_NAME_LENGTH = 80
_MOST_FILES = 24
_MOST_NAMED = 24
_FIELDS = {"video": MediaKind.VIDEO, "image": MediaKind.IMAGE, "images": MediaKind.IMAGE}


def read_create_character(incoming: Incoming) -> CreateCharacter:
    """Return what is to be kept. Raises `InvalidRequest` that names the field."""
    fields = read_fields(incoming)
    for field in sorted(fields.keys() - {"name", *_FIELDS}):
        raise InvalidRequest(
            f"{field[:80]} is no field of a character; send name and video, image or images",
            code="unsupported_parameter",
            param=field[:80],
        )
    inputs = tuple(
        given for field, kind in _FIELDS.items() if field in fields for given in _inputs(fields[field], field, kind)
    )
    name = _name(fields.get("name"))
    if not inputs:
        raise _missing("video", "a character is shown by a video, or by pictures (images)")
    if len(inputs) > _MOST_FILES:
        raise InvalidRequest(
            f"a character is shown by a few pictures (got {len(inputs)} files)",
            code="too_many_inputs",
            param=inputs[_MOST_FILES].field,
        )
    return CreateCharacter(name=name, inputs=inputs)


def read_read_character(incoming: Incoming) -> ReadCharacter:
    """Return which one is asked for."""
    return ReadCharacter(id=incoming.path_parameters["id"])


def read_delete_character(incoming: Incoming) -> DeleteCharacter:
    """Return which one is to go."""
    return DeleteCharacter(id=incoming.path_parameters["id"])


def read_named_characters(value: Any) -> tuple[str, ...]:
    """Return the ids in `characters` of a create: `[{"id": …}]`, a list of ids, or JSON text of either."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = read_json(value, "characters")
    items = value if isinstance(value, list) else [value]
    if len(items) > _MOST_NAMED:
        raise InvalidRequest(f"characters takes at most {_MOST_NAMED} (got {len(items)})", param="characters")
    ids = tuple(_id(item, f"characters[{place}]") for place, item in enumerate(items))
    for place, one in enumerate(ids):
        if one in ids[:place]:
            field = f"characters[{place}]"
            raise InvalidRequest(f"{field} is there already; name each character once", param=field)
    return ids


def answer_character(answer: Answer, *, timestamps: Timestamps) -> Outgoing:
    """Return a character as OpenAI shows it, with `object` as everything else here has one."""
    if not isinstance(answer, Character):
        raise TypeError(f"expected a character to show, got {type(answer).__name__}")
    shown = {
        "id": answer.id,
        "object": "character",
        "name": answer.name,
        "created_at": shown_time(answer.created_at, timestamps),
    }
    return Outgoing(body=shown, headers={"idempotent-replayed": "true"} if answer.replayed else {})


def answer_deleted_character(answer: Answer) -> Outgoing:
    """Return what is left of one."""
    if not isinstance(answer, Deleted):
        raise TypeError(f"expected a deletion to show, got {type(answer).__name__}")
    return Outgoing(body={"id": answer.id, "object": "character.deleted", "deleted": True})


def _inputs(value: Any, field: str, kind: MediaKind) -> tuple[InputReference, ...]:
    place = Place(field=field, kind=kind, role=Role.REFERENCE)
    several = field == "images" or isinstance(value, list)
    read = read_references(value, place) if several else (read_reference(value, place),)
    for one in read:
        if one.reference.name is not None or one.warnings:
            where = one.warnings[0].field if one.warnings else f"{one.reference.field}.name"
            raise InvalidRequest(f"{where} says nothing of a character; leave it out", param=where)
    return tuple(one.reference for one in read)


def _name(value: Any) -> str:
    if value is None:
        raise _missing("name", "prompts call the character by it")
    name = read_text(value, "name").strip()
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(
            f"name must have 1 to {_NAME_LENGTH} printable characters (got {describe(name)})", param="name"
        )
    return name


def _id(item: Any, field: str) -> str:
    if isinstance(item, dict):
        for name in sorted(item.keys() - {"id"}):
            where = f"{field}.{name[:80]}"
            raise InvalidRequest(f"{where} is no field of a named character; send its id alone", param=where)
        item = item.get("id")
    if not isinstance(item, str) or not item.strip():
        raise wrong_type(field, "an object with the id of a character", item)
    return item.strip()


def _missing(param: str, advice: str) -> InvalidRequest:
    return InvalidRequest(f"{param} is required: {advice}", code="missing_required_parameter", param=param)
