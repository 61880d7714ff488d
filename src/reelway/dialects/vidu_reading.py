"""What a create in Vidu's words asks for, at each of its four paths.

Only what Vidu documents is taken. Fields that have no effect on today's models are passed on, so that the card says so; at the
values they have anyway they ask for nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.catalog.sizes import parse_ratio, parse_tier
from reelway.core.errors import InvalidRequest, UnsupportedType
from reelway.core.videos import InputReference, MediaKind, Role, VideoRequest
from reelway.dialects.fields import is_blank, read_fields
from reelway.dialects.references import Place, read_reference
from reelway.dialects.spec import Incoming
from reelway.dialects.values import (
    describe,
    read_boolean,
    read_integer,
    read_object,
    read_text,
    read_url,
    read_word,
    wrong_type,
)

__all__ = ["NAME", "PATHS", "PAYLOAD", "read_create"]

NAME = "vidu"
"""The dialect's, which its callbacks are written in."""
PAYLOAD = "payload"
"""The caller's own text, kept as a tag: Vidu echoes it and makes nothing of it, so two tasks may well have the same."""

_TEXT, _REFERENCES = "text2video", "reference2video"
PATHS: Mapping[str, tuple[Role, ...]] = MappingProxyType(
    {
        _TEXT: (),
        "img2video": (Role.FIRST_FRAME,),
        "start-end2video": (Role.FIRST_FRAME, Role.LAST_FRAME),
        _REFERENCES: (),
    }
)
"""The paths, and what their pictures are, in order, where their number is fixed."""

_SAID = (
    "model",
    "prompt",
    "images",
    "videos",
    "subjects",
    "duration",
    "resolution",
    "aspect_ratio",
    "seed",
    "audio",
    PAYLOAD,
    "callback_url",
)
_SWITCHES = ("off_peak", "is_rec", "watermark", "bgm", "auto_subjects")
_NUMBERS = ("wm_position",)
_WORDS = ("audio_type", "wm_url", "meta_data", "movement_amplitude", "style", "voice_id")
_KNOWN = (*_SAID, *_SWITCHES, *_NUMBERS, *_WORDS)
_USUAL: Mapping[str, Any] = MappingProxyType(
    {"bgm": False, "auto_subjects": False, "movement_amplitude": "auto", "style": "general"}
)
"""Values that change nothing, which clients like to send."""

_PAYLOAD_CHARACTERS = 512
_SUBJECTS = 7
_SUBJECT_FIELDS = ("name", "id", "images", "videos")


def read_create(incoming: Incoming, path: str) -> VideoRequest:
    """Return what is asked for at one of the paths. Raises `InvalidRequest` that names the field."""
    if incoming.form is not None:
        raise UnsupportedType("only JSON is read here: send Content-Type application/json")
    fields = read_fields(incoming)
    _refuse_unknown(fields, _KNOWN, "")
    if "model" not in fields:
        raise _missing("model", "name a model, viduq3-turbo say; GET /v1/models lists them")
    callback_url = read_url(fields["callback_url"], "callback_url") if "callback_url" in fields else None
    payload = _payload(fields)
    return VideoRequest(
        model=read_text(fields["model"], "model").strip(),
        prompt=read_text(fields["prompt"], "prompt") if "prompt" in fields else None,
        inputs=_references(fields) if path == _REFERENCES else _frames(fields, path),
        seconds=read_integer(fields["duration"], "duration") if "duration" in fields else None,
        ratio=_ratio(fields),
        tier=_tier(fields),
        seed=read_integer(fields["seed"], "seed") if "seed" in fields else None,
        audio=read_boolean(fields["audio"], "audio") if "audio" in fields else None,
        options=_options(fields),
        metadata={} if payload is None else {PAYLOAD: payload},
        callback_url=callback_url,
        callback_dialect="" if callback_url is None else NAME,
        spelled={"seconds": "duration", "tier": "resolution"},
    )


def _options(fields: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {name: read_boolean(fields[name], name) for name in _SWITCHES if name in fields}
    options |= {name: read_integer(fields[name], name) for name in _NUMBERS if name in fields}
    options |= {name: read_text(fields[name], name) for name in _WORDS if name in fields}
    told = {name: value for name, value in options.items() if name not in _USUAL or _USUAL[name] != value}
    return dict(sorted(told.items()))


def _payload(fields: Mapping[str, Any]) -> str | None:
    if PAYLOAD not in fields:
        return None
    text = read_text(fields[PAYLOAD], PAYLOAD)
    if len(text) > _PAYLOAD_CHARACTERS:
        raise InvalidRequest(
            f"payload can have {_PAYLOAD_CHARACTERS} characters here (got {len(text)}); keep the rest by the task's id",
            param=PAYLOAD,
        )
    return text


def _ratio(fields: Mapping[str, Any]) -> str | None:
    if "aspect_ratio" not in fields:
        return None
    word = read_word(fields["aspect_ratio"], "aspect_ratio")
    ratio = parse_ratio(word)
    if ratio is None:
        raise InvalidRequest(f"aspect_ratio must look like 16:9 (got {describe(word)})", param="aspect_ratio")
    return ratio


def _tier(fields: Mapping[str, Any]) -> str | None:
    if "resolution" not in fields:
        return None
    word = read_word(fields["resolution"], "resolution").lower()
    return parse_tier(word) or word


# --- inputs


def _frames(fields: Mapping[str, Any], path: str) -> tuple[InputReference, ...]:
    """Return the frames. Pictures that belong to another path are refused: nobody shall get, and pay for, another kind of video."""
    roles = PATHS[path]
    for name in ("subjects", "videos", *(() if roles else ("images",))):
        if name in fields:
            raise InvalidRequest(f"{name} cannot be used at {path}", code="unsupported_parameter", param=name)
    if not roles:
        return ()
    items = _items(fields.get("images", []), "images")
    if len(items) != len(roles):
        needed = "one picture" if len(roles) == 1 else "two pictures, the first frame and the last"
        code = "too_many_inputs" if len(items) > len(roles) else "missing_required_parameter"
        raise InvalidRequest(f"images takes {needed} at {path} (got {len(items)})", code=code, param="images")
    return tuple(
        _media(item, f"images[{number}]", MediaKind.IMAGE, role)
        for number, (item, role) in enumerate(zip(items, roles, strict=True))
    )


def _references(fields: Mapping[str, Any]) -> tuple[InputReference, ...]:
    if "subjects" in fields:
        for name in ("images", "videos"):
            if name in fields:
                raise InvalidRequest(
                    f"subjects and {name} are two ways of giving references; send one of them",
                    code="conflicting_parameters",
                    param=name,
                )
        return _subjects(_items(fields["subjects"], "subjects"))
    references = _media_of(fields, "")
    if not references:
        raise _missing("images", "give one to seven pictures, or subjects that have them")
    return references


def _subjects(items: list[Any]) -> tuple[InputReference, ...]:
    if len(items) > _SUBJECTS:
        raise InvalidRequest(
            f"subjects takes at most {_SUBJECTS} (got {len(items)})", code="too_many_inputs", param="subjects"
        )
    references: list[InputReference] = []
    names: set[str] = set()
    for number, item in enumerate(items):
        field = f"subjects[{number}]"
        given = {name: value for name, value in read_object(item, field).items() if not is_blank(value)}
        _refuse_unknown(given, _SUBJECT_FIELDS, f"{field}.")
        name = _subject_name(given, field)
        if name in names:
            raise InvalidRequest(f"{field} has the name of another one; prompts could not tell them apart", param=field)
        names.add(name)
        shown = _media_of(given, f"{field}.")
        if not shown:
            raise _missing(f"{field}.images", "a subject is known by its pictures")
        references += [reference.evolve(name=name) for reference in shown]
    return tuple(references)


def _subject_name(given: Mapping[str, Any], field: str) -> str:
    """Return what the prompt calls a subject: `name`, which was `id` until 2025."""
    names = {read_text(given[key], f"{field}.{key}").strip() for key in ("name", "id") if key in given}
    if len(names) != 1:
        raise _missing(f"{field}.name", "prompts call the subject @name")
    return names.pop()


def _media_of(given: Mapping[str, Any], place: str) -> tuple[InputReference, ...]:
    """Return the pictures and videos that are given side by side; whether a model takes videos, its card knows."""
    return tuple(
        _media(item, f"{place}{name}[{number}]", kind, Role.REFERENCE)
        for name, kind in (("images", MediaKind.IMAGE), ("videos", MediaKind.VIDEO))
        for number, item in enumerate(_items(given.get(name, []), f"{place}{name}"))
    )


def _items(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type(field, "a list", value)
    return value


def _media(item: Any, field: str, kind: MediaKind, role: Role) -> InputReference:
    """Return one picture or video: an address, or a data URI."""
    if not isinstance(item, str) or not item.strip().lower().startswith(("https://", "http://", "data:")):
        raise wrong_type(field, "an http(s) address or a data URI", item)
    return read_reference(item, Place(field=field, kind=kind, role=role)).reference


def _refuse_unknown(given: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    unknown = sorted(given.keys() - set(known))
    if unknown:
        field = f"{place}{unknown[0][:80]}"
        raise InvalidRequest(
            f"{field} is no field of this API; here are {', '.join(known)}", code="unsupported_parameter", param=field
        )


def _missing(field: str, advice: str) -> InvalidRequest:
    return InvalidRequest(f"{field} is required: {advice}", code="missing_required_parameter", param=field)
