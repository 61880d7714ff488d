"""Vendor options and the caller's own tags: three places to say them, one meaning, nothing lost.

Top-level fields come before `metadata`, and `metadata` before `parameters`. What the card does not have becomes a warning,
except for words in `metadata`, which are the caller's tags.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from reelway.catalog.messages import shown
from reelway.catalog.place import Place
from reelway.catalog.spec import ModelCard, OptionCard
from reelway.catalog.values import ValueRefused, fit_option, sorted_deep
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import RequestWarning, VideoRequest

__all__ = ["Options", "Said", "fold_name", "read_audio", "read_options", "said_beyond"]

_COMMON = frozenset(
    {
        "negative_prompt",
        "cfg_scale",
        "camera_control",
        "watermark",
        "prompt_extend",
        "camera_fixed",
        "return_last_frame",
        "service_tier",
    }
)
"""Options of the contract: never taken for tags, even where a card lacks them."""

_AUDIO_NAMES = ("generate_audio", "sound", "audio")
_MOST_TAGS = 16
_LONGEST_TAG_NAME = 64
_LONGEST_TAG = 512
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SWITCH = OptionCard(type="boolean", summary="Whether the video has sound.")


class Said(Record):
    """One value, with the name under which the caller gave it."""

    field: str
    name: str
    value: Any


class Options(Record):
    """What became of everything beyond the declared fields."""

    options: dict[str, Any] = {}
    tags: dict[str, str] = {}
    warnings: tuple[RequestWarning, ...] = ()


@lru_cache(maxsize=4096)
def fold_name(name: str) -> str:
    """Return `negative_prompt` for `negativePrompt`, `Negative-Prompt` and itself."""
    return _HUMP.sub("_", name.strip()).replace("-", "_").lower()


def said_beyond(request: VideoRequest) -> tuple[Said, ...]:
    """Return every value beyond the declared fields, the places in order of precedence and the names in alphabetical order."""
    return tuple(
        Said(field=f"{prefix}{name}", name=name, value=value)
        for prefix, values in (
            ("", request.options),
            ("metadata.", request.metadata),
            ("parameters.", request.parameters),
        )
        for name, value in sorted(values.items())
        if value is not None
    )


def read_audio(
    request: VideoRequest, everything: tuple[Said, ...], card: ModelCard
) -> tuple[bool | None, tuple[RequestWarning, ...]]:
    """Return whether sound was asked for, also under one of its other names, unless the card means something else by it."""
    asked = request.audio
    warnings: list[RequestWarning] = []
    for said in everything:
        folded = fold_name(said.name)
        if folded not in _AUDIO_NAMES or folded in _spellings(card):
            continue
        try:
            value = fit_option(_SWITCH, said.value)
        except ValueRefused as refused:
            raise _refused(said, str(refused), request.model) from None
        if asked is not None and value != asked:
            warnings.append(_overridden(said, "audio"))
        asked = value if asked is None else asked
    return asked, tuple(warnings)


def read_options(everything: tuple[Said, ...], place: Place, from_mode: Mapping[str, Any]) -> Options:
    """Return the options in the card's own types, defaults included, the tags, and a warning for everything else.

    `from_mode` holds the option that the `mode` field named, on models where it does.
    """
    owned = _spellings(place.card)
    asked: dict[str, Said] = {name: Said(field="mode", name=name, value=value) for name, value in from_mode.items()}
    tags: dict[str, str] = {}
    warnings: list[RequestWarning] = []
    for said in everything:
        folded = fold_name(said.name)
        if folded in owned:
            warnings += _take(asked, owned[folded], said, place)
        elif folded not in _AUDIO_NAMES:
            warnings += _leave(tags, folded, said, place)
    options: dict[str, Any] = {}
    for name, option in sorted(place.card.options.items()):
        if name in asked:
            warnings += _settle(options, name, option, asked[name], place)
        elif option.default is not None and _applies(option, place):
            options[name] = sorted_deep(option.default)
    return Options(options=options, tags=dict(sorted(tags.items())), warnings=tuple(warnings))


@lru_cache(maxsize=1024)
def _spellings(card: ModelCard) -> Mapping[str, str]:
    return MappingProxyType(
        {fold_name(word): name for name, option in card.options.items() for word in (name, *option.aliases)}
    )


def _applies(option: OptionCard, place: Place) -> bool:
    return not option.modes or place.mode in option.modes


def _take(asked: dict[str, Said], name: str, said: Said, place: Place) -> list[RequestWarning]:
    """Keep the first of several values for one option; two different ones in one place contradict each other."""
    earlier = asked.setdefault(name, said)
    if earlier is said:
        return []
    option = place.card.options[name]
    try:
        same = fit_option(option, earlier.value) == fit_option(option, said.value)
    except ValueRefused:
        same = False
    if same:
        return []
    if earlier.field == "mode" or earlier.field.rpartition(".")[0] == said.field.rpartition(".")[0]:
        raise InvalidRequest(
            f"{earlier.field} and {said.field} both set {name} for {place.model}, to {shown(earlier.value)} and "
            f"{shown(said.value)}; give one of them",
            code="conflicting_parameters",
            param=said.field,
        )
    return [_overridden(said, earlier.field)]


def _settle(options: dict[str, Any], name: str, option: OptionCard, said: Said, place: Place) -> list[RequestWarning]:
    if not _applies(option, place):
        message = f"{name} is used in {', '.join(option.modes)} only; it was left out in {place.mode}"
        return [RequestWarning(field=said.field, message=message)]
    try:
        options[name] = fit_option(option, said.value)
    except ValueRefused as refused:
        raise _refused(said, str(refused), place.model) from None
    return []


def _leave(tags: dict[str, str], folded: str, said: Said, place: Place) -> list[RequestWarning]:
    """Make a tag of it, or say that it was left out."""
    if not said.field.startswith("metadata.") or folded in _COMMON:
        message = f"{said.name} is nothing that {place.model} takes; it was left out"
        return [RequestWarning(field=said.field, message=message)]
    text = said.value if isinstance(said.value, str) else json.dumps(sorted_deep(said.value), ensure_ascii=False)
    if len(tags) >= _MOST_TAGS:
        reason = f"only {_MOST_TAGS} tags are kept"
    elif len(said.name) > _LONGEST_TAG_NAME or len(text) > _LONGEST_TAG:
        reason = f"a tag has at most {_LONGEST_TAG_NAME} characters of name and {_LONGEST_TAG} of text"
    else:
        tags[said.name] = text
        return []
    return [RequestWarning(field=said.field, message=f"{shown(said.name)} was not kept: {reason}")]


def _overridden(said: Said, by: str) -> RequestWarning:
    return RequestWarning(field=said.field, message=f"{said.field} was left out because {by} says something else")


def _refused(said: Said, allowed: str, model: str) -> InvalidRequest:
    got = said.value if isinstance(said.value, str) else json.dumps(sorted_deep(said.value), ensure_ascii=False)
    return InvalidRequest(f"{said.field} must be {allowed} for {model} (got {shown(got)})", param=said.field)
