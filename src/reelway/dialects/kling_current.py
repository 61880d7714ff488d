"""Requests in the words of Kling's current API: the model in the path, and `contents`, `settings` and `options`.

Only what Kling documents is taken, because Kling refuses keys it does not know (1201).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from reelway.catalog.sizes import parse_ratio, parse_tier
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, Role, VideoRequest
from reelway.dialects.fields import is_blank, read_fields
from reelway.dialects.kling_naming import named_inputs, prompt_by_name, without_plain_ids
from reelway.dialects.references import Place, read_reference
from reelway.dialects.spec import Incoming
from reelway.dialects.values import (
    describe,
    read_boolean,
    read_object,
    read_seconds,
    read_text,
    read_url,
    read_word,
    wrong_type,
)

__all__ = ["read_current"]

_TEXT = "text-to-video"
_SETTINGS = ("multi_shot", "audio", "resolution", "aspect_ratio", "duration")
_OPTIONS = ("callback_url", "external_task_id", "watermark_info")
_SLOTS = {"seconds": "duration", "ratio": "aspect_ratio", "tier": "resolution", "audio": "audio"}
_LABEL_LIMIT = 512

_FRAMES = {
    "first_frame": (MediaKind.IMAGE, Role.FIRST_FRAME),
    "last_frame": (MediaKind.IMAGE, Role.LAST_FRAME),
}
_MEDIA: Mapping[str, Mapping[str, tuple[MediaKind, Role]]] = MappingProxyType(
    {
        _TEXT: {},
        "image-to-video": _FRAMES,
        "omni-video": {
            **_FRAMES,
            "refer_image": (MediaKind.IMAGE, Role.REFERENCE),
            "feature_video": (MediaKind.VIDEO, Role.REFERENCE),
            "base_video": (MediaKind.VIDEO, Role.SOURCE),
        },
    }
)
"""What `contents` may hold at each door, beside a prompt and elements."""


class _Contents(Record):
    prompt: str = ""
    inputs: tuple[InputReference, ...] = ()
    elements: tuple[dict[str, Any], ...] = ()

    @property
    def edits(self) -> bool:
        return any(given.role is Role.SOURCE for given in self.inputs)


def read_current(incoming: Incoming, product: str) -> VideoRequest:
    """Return what is asked for at one of the doors. Raises `InvalidRequest` that names the field."""
    fields = read_fields(incoming)
    wanted = "prompt" if product == _TEXT else "contents"
    _refuse_unknown(fields, (wanted, "settings", "options"))
    if wanted not in fields:
        raise InvalidRequest(f"{wanted} is required", code="missing_required_parameter", param=wanted)
    contents = (
        _Contents(prompt=read_text(fields["prompt"], "prompt"))
        if product == _TEXT
        else _read_contents(fields["contents"], product)
    )
    settings = _section(fields, "settings", _SETTINGS)
    options = _section(fields, "options", _OPTIONS)
    spelled = {slot: f"settings.{name}" for slot, name in _SLOTS.items() if name in settings}
    callback_url = None
    if "callback_url" in options:
        callback_url = read_url(options["callback_url"], "options.callback_url")
        spelled["callback_url"] = "options.callback_url"
    seconds = None
    if "duration" in settings:
        seconds = read_seconds(settings["duration"], "settings.duration")
    return VideoRequest(
        model=incoming.path_parameters["model"],
        prompt=prompt_by_name(contents.prompt) or None,
        inputs=contents.inputs,
        seconds=seconds,
        ratio=_ratio(settings),
        tier=_tier(settings),
        audio=None if contents.edits else _audio(settings),
        options=_vendor_options(settings, options, contents),
        callback_url=callback_url,
        callback_dialect="" if callback_url is None else "kling",
        client_reference=_reference(options),
        spelled=dict(sorted(spelled.items())),
    )


def _section(fields: Mapping[str, Any], name: str, known: tuple[str, ...]) -> dict[str, Any]:
    given = read_object(fields.get(name, {}), name)
    _refuse_unknown(given, known, name)
    return {key: value for key, value in given.items() if not is_blank(value)}


def _refuse_unknown(given: Mapping[str, Any], known: tuple[str, ...], place: str = "") -> None:
    unknown = sorted(given.keys() - set(known))
    if unknown:
        field = f"{place}.{unknown[0][:80]}" if place else unknown[0][:80]
        raise InvalidRequest(f"{field} is no field of this API; here are {', '.join(known)}", param=field)


# --- contents


def _read_contents(value: Any, product: str) -> _Contents:
    if not isinstance(value, list):
        raise wrong_type("contents", "a list of objects with a type", value)
    prompts: list[str] = []
    inputs: list[tuple[InputReference, str | None]] = []
    elements: list[dict[str, Any]] = []
    for number, item in enumerate(value):
        field = f"contents[{number}]"
        given = read_object(item, field)
        kind = read_word(given.get("type", ""), f"{field}.type").lower()
        if kind == "prompt":
            _refuse_unknown(given, ("type", "text"), field)
            prompts.append(read_text(given.get("text", ""), f"{field}.text"))
        elif kind == "element":
            elements.append(_element(given, field))
        elif kind in _MEDIA[product]:
            inputs.append(_media(given, field, *_MEDIA[product][kind]))
        else:
            allowed = ("prompt", *_MEDIA[product], "element")
            raise InvalidRequest(
                f"{field}.type must be one of {', '.join(allowed)} at {product} (got {describe(kind)})",
                param=f"{field}.type",
            )
    if len(prompts) > 1:
        raise InvalidRequest("contents may hold one prompt", code="duplicate_parameter", param="contents")
    _check_media([reference for reference, _ in inputs], elements, product)
    return _Contents(
        prompt="".join(prompts),
        inputs=named_inputs(inputs),
        elements=tuple(without_plain_ids(elements)),
    )


def _element(given: dict[str, Any], field: str) -> dict[str, Any]:
    _refuse_unknown(given, ("type", "element_id", "id"), field)
    if is_blank(given.get("element_id")) or is_blank(given.get("id")):
        raise InvalidRequest(f"{field} needs an element_id and an id", code="missing_required_parameter", param=field)
    return {
        "element_id": read_word(given["element_id"], f"{field}.element_id"),
        "id": read_text(given["id"], f"{field}.id"),
    }


def _media(given: dict[str, Any], field: str, kind: MediaKind, role: Role) -> tuple[InputReference, str | None]:
    _refuse_unknown(given, ("type", "url", "id"), field)
    if is_blank(given.get("url")):
        raise InvalidRequest(f"{field}.url is required", code="missing_required_parameter", param=f"{field}.url")
    name = None if is_blank(given.get("id")) else read_text(given["id"], f"{field}.id")
    return read_reference(given["url"], Place(field=f"{field}.url", kind=kind, role=role)).reference, name


def _check_media(inputs: Iterable[InputReference], elements: list[dict[str, Any]], product: str) -> None:
    """Refuse what this door does not make: nobody shall get, and pay for, another kind of video."""
    roles = {given.role for given in inputs}
    if product == "image-to-video" and Role.FIRST_FRAME not in roles:
        raise InvalidRequest("contents needs a first_frame", code="missing_required_parameter", param="contents")
    if elements and not roles:
        raise InvalidRequest("an element needs a picture or a video beside it here", param="contents")


# --- settings and options


def _ratio(settings: Mapping[str, Any]) -> str | None:
    if "aspect_ratio" not in settings:
        return None
    word = read_word(settings["aspect_ratio"], "settings.aspect_ratio")
    ratio = parse_ratio(word)
    if ratio is None:
        raise InvalidRequest(
            f"settings.aspect_ratio must look like 16:9 (got {describe(word)})", param="settings.aspect_ratio"
        )
    return ratio


def _tier(settings: Mapping[str, Any]) -> str | None:
    if "resolution" not in settings:
        return None
    word = read_word(settings["resolution"], "settings.resolution").lower()
    return parse_tier(word) or word


def _audio(settings: Mapping[str, Any]) -> bool | None:
    return {"native": True, "off": False, "": None}[_sound(settings, ("native", "off"))]


def _sound(settings: Mapping[str, Any], allowed: tuple[str, ...]) -> str:
    if "audio" not in settings:
        return ""
    word = read_word(settings["audio"], "settings.audio").lower()
    if word not in allowed:
        raise InvalidRequest(
            f"settings.audio must be {' or '.join(allowed)} with these contents (got {describe(word)})",
            param="settings.audio",
        )
    return word


def _vendor_options(settings: Mapping[str, Any], options: Mapping[str, Any], contents: _Contents) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if contents.elements:
        said["element_list"] = list(contents.elements)
    if contents.edits:
        # Silence is what Kling makes of an edit where nothing is said.
        said["keep_original_sound"] = _sound(settings, ("original", "off")) == "original"
    if "multi_shot" in settings:
        several = read_boolean(settings["multi_shot"], "settings.multi_shot")
        if contents.edits and several:
            raise InvalidRequest("a base_video is edited in one shot", param="settings.multi_shot")
        said |= {} if contents.edits else {"multi_shot": several}
    if "watermark_info" in options:
        mark = read_object(options["watermark_info"], "options.watermark_info")
        _refuse_unknown(mark, ("enabled",), "options.watermark_info")
        if "enabled" in mark:
            said["watermark"] = read_boolean(mark["enabled"], "options.watermark_info.enabled")
    return said


def _reference(options: Mapping[str, Any]) -> str | None:
    if "external_task_id" not in options:
        return None
    text = read_text(options["external_task_id"], "options.external_task_id").strip()
    if len(text) > _LABEL_LIMIT:
        raise InvalidRequest(
            f"options.external_task_id may have at most {_LABEL_LIMIT} characters (got {len(text)})",
            param="options.external_task_id",
        )
    return text
