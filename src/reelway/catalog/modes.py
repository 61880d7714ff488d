"""What is made from what: the mode of a request and the role of each of its inputs (contract 2, rule 1).

The door decides first, then the `mode` field, then the model's suffix, then the roles, then what is given. Nothing is
moved to another mode than the one that was asked for by name.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from reelway.catalog.messages import listing, shown
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, Mode, Role, VideoRequest

__all__ = ["Given", "assign_roles", "decide_mode", "mode_meaning", "read_given"]

_WORDS: Mapping[str, Mode] = MappingProxyType(
    {
        "t2v": Mode.T2V,
        "text": Mode.T2V,
        "text_to_video": Mode.T2V,
        "i2v": Mode.I2V,
        "image": Mode.I2V,
        "image_to_video": Mode.I2V,
        "img_to_video": Mode.I2V,
        "first_frame": Mode.I2V,
        "i2v_first_last": Mode.FIRST_LAST,
        "first_last": Mode.FIRST_LAST,
        "first_last_frame": Mode.FIRST_LAST,
        "first_and_last_frames": Mode.FIRST_LAST,
        "first_and_last_frames_to_video": Mode.FIRST_LAST,
        "start_end": Mode.FIRST_LAST,
        "start_end_to_video": Mode.FIRST_LAST,
        "r2v": Mode.R2V,
        "reference": Mode.R2V,
        "references": Mode.R2V,
        "reference_material": Mode.R2V,
        "reference_to_video": Mode.R2V,
        "edit": Mode.EDIT,
        "video_edit": Mode.EDIT,
        "extend": Mode.EXTEND,
        "extension": Mode.EXTEND,
        "remix": Mode.REMIX,
    }
)
"""The contract's words, and those of the aliases of `mode` (`generation_type`, `task`, …)."""

_OPERATIONS: Mapping[str, Mode] = MappingProxyType({"edit": Mode.EDIT, "extend": Mode.EXTEND, "remix": Mode.REMIX})
_FROM_VIDEO = frozenset(_OPERATIONS.values())
_BETWEEN = re.compile(r"[\s-]+")
_TWO = re.compile(r"(?<=[a-z_])_?2_?(?=video\b)")
_VIDEO_ENDINGS = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v", ".mpeg", ".mpg")
_AUDIO_ENDINGS = (".mp3", ".wav", ".m4a", ".aac", ".flac", ".ogg", ".opus")


class Given(Record):
    """One input with its kind known, and its role as far as the caller said it."""

    reference: InputReference
    kind: MediaKind
    role: Role | None


def read_given(request: VideoRequest) -> tuple[Given, ...]:
    """Return the inputs with their kinds: by the bytes, else as claimed, else by the ending of the URL."""
    return tuple(Given(reference=item, kind=_kind_of(item), role=item.role) for item in request.inputs)


def mode_meaning(request: VideoRequest, card: ModelCard) -> dict[str, Any]:
    """Return what the `mode` field says on this card: `{mode: …}`, `{tier: …}`, `{option: …, value: …}`, or nothing."""
    if request.mode is None or not request.mode.strip():
        return {}
    word = request.mode.strip().lower()
    own = next((meaning for name, meaning in card.mode_words.items() if name.lower() == word), None)
    if own is not None:
        return dict(own)
    mode = _WORDS.get(_TWO.sub("_to_", _BETWEEN.sub("_", word)))
    if mode is None or mode not in card.modes:
        raise InvalidRequest(
            f"{_field(request)} must be {listing((*card.modes, *card.mode_words))} for {request.model} "
            f"(got {shown(request.mode)})",
            param=_field(request),
        )
    return {"mode": mode}


def decide_mode(request: VideoRequest, card: ModelCard, given: tuple[Given, ...], meaning: Mapping[str, Any]) -> Mode:
    """Return the mode of the request. Raises `InvalidRequest` when the card has none for it."""
    if request.operation in _OPERATIONS:
        mode = _OPERATIONS[request.operation]
        if mode not in card.modes:
            raise InvalidRequest(
                f"{request.model} cannot {mode} a video; it can be used for {', '.join(card.modes)}",
                code="unsupported_operation",
                param="model",
            )
        return mode
    if "mode" in meaning:
        return Mode(meaning["mode"])
    if card.default_mode is not None:
        return _within_suffix(card, given)
    usable = [mode for mode in _candidates(request, card, given) if mode in card.modes]
    fitting = (mode for mode in usable if _accepts(card, mode, given))
    return next(fitting, None) or next(iter(usable), None) or next(iter(card.modes))


def assign_roles(mode: Mode, given: Iterable[Given]) -> tuple[Given, ...]:
    """Return the inputs with a role each: what the caller said stays, the rest follows from the mode."""
    items = tuple(given)
    if not items:
        return items
    taken = {item.role for item in items}
    assigned: list[Given] = []
    for item in items:
        role = item.role or _role_in(mode, item.kind, taken)
        taken.add(role)
        assigned.append(item.evolve(role=role))
    return tuple(assigned)


def _role_in(mode: Mode, kind: MediaKind, taken: set[Role | None]) -> Role:
    if kind is MediaKind.VIDEO and mode in _FROM_VIDEO:
        return Role.SOURCE
    if kind is not MediaKind.IMAGE or mode is Mode.R2V or mode in _FROM_VIDEO:
        return Role.REFERENCE
    if mode is Mode.FIRST_LAST and Role.FIRST_FRAME in taken:
        return Role.LAST_FRAME
    return Role.FIRST_FRAME


def _within_suffix(card: ModelCard, given: tuple[Given, ...]) -> Mode:
    """Return the mode the suffix forces; `-frames` takes a last frame too, where the card does."""
    forced = card.default_mode
    assert forced is not None  # noqa: S101  # the caller asked
    images = [item for item in given if item.kind is MediaKind.IMAGE]
    has_last = any(item.role is Role.LAST_FRAME for item in images) or len(images) == 2
    if forced is Mode.I2V and has_last and Mode.FIRST_LAST in card.modes:
        return Mode.FIRST_LAST
    return forced


def _candidates(request: VideoRequest, card: ModelCard, given: tuple[Given, ...]) -> tuple[Mode, ...]:
    """Return the modes the inputs point to, the likeliest first."""
    roles = {item.role for item in given}
    kinds = [item.kind for item in given]
    if Role.SOURCE in roles or request.source_video_id is not None:
        return (Mode.EDIT, Mode.EXTEND, Mode.REMIX)
    if Role.REFERENCE in roles:
        return (Mode.R2V, Mode.EDIT) if MediaKind.VIDEO in kinds else (Mode.R2V, Mode.I2V, Mode.FIRST_LAST)
    if Role.LAST_FRAME in roles:
        return (Mode.FIRST_LAST, Mode.R2V)
    if MediaKind.VIDEO in kinds:
        return (Mode.EDIT, Mode.R2V, Mode.EXTEND)
    images = kinds.count(MediaKind.IMAGE)
    if Role.FIRST_FRAME in roles and images == 1:
        return (Mode.I2V, Mode.FIRST_LAST, Mode.R2V)
    if images == 0:
        return (Mode.T2V, Mode.R2V) if given else (Mode.T2V,)
    if images == 1:
        return (Mode.I2V, Mode.R2V, Mode.FIRST_LAST)
    if images == 2:
        frames_first = card.two_images == "first_last"
        return (Mode.FIRST_LAST, Mode.R2V) if frames_first else (Mode.R2V, Mode.FIRST_LAST)
    return (Mode.R2V, Mode.FIRST_LAST, Mode.I2V)


def _accepts(card: ModelCard, mode: Mode, given: tuple[Given, ...]) -> bool:
    if not given:
        return True
    rules = {(rule.role, rule.kind) for rule in card.modes[mode].inputs}
    return all((item.role, item.kind) in rules for item in assign_roles(mode, given))


def _kind_of(item: InputReference) -> MediaKind:
    claimed = (item.blob.media_type if item.blob else item.media_type) or ""
    for kind in MediaKind:
        if claimed.startswith(f"{kind}/"):
            return kind
    if item.kind is not None:
        return item.kind
    if item.video_id is not None or item.role is Role.SOURCE:
        return MediaKind.VIDEO
    path = (item.url or "").partition("?")[0].partition("#")[0].lower()
    if path.endswith(_VIDEO_ENDINGS):
        return MediaKind.VIDEO
    return MediaKind.AUDIO if path.endswith(_AUDIO_ENDINGS) else MediaKind.IMAGE


def _field(request: VideoRequest) -> str:
    return request.spelled.get("mode", "mode")
