"""Whether a `When` of a card holds for a request: one reading for limits, prices and routes alike.

Every part that is given must hold; a list holds when any of its members does.
"""

from collections.abc import Mapping
from typing import Any

from reelway.catalog.spec import When
from reelway.core.record import Record
from reelway.core.videos import MediaKind, Mode, ResolvedRequest, Role

__all__ = ["Facts", "facts_of", "holds", "is_unconditional"]

_ALWAYS = When()
"""Most routes and prices say no more than this."""


class Facts(Record):
    """What a condition can ask about."""

    mode: Mode
    tier: str | None = None
    ratio: str | None = None
    seconds: int | None = None
    audio: bool | None = None
    roles: frozenset[Role] = frozenset()
    kinds: frozenset[MediaKind] = frozenset()
    options: Mapping[str, Any] = {}


def facts_of(request: ResolvedRequest) -> Facts:
    """Return what conditions can ask about a resolved request."""
    roles = {given.role for given in request.inputs}
    kinds = {given.kind for given in request.inputs}
    if request.source_video_id is not None:
        roles.add(Role.SOURCE)
        kinds.add(MediaKind.VIDEO)
    return Facts(
        mode=request.mode,
        tier=request.tier,
        ratio=request.ratio,
        seconds=request.seconds,
        audio=request.audio,
        roles=frozenset(roles),
        kinds=frozenset(kinds),
        options=request.options,
    )


def holds(when: When, facts: Facts) -> bool:
    """Tell whether every given part of the condition holds."""
    return when == _ALWAYS or (
        _among(facts.mode, when.mode)
        and _among(facts.tier, when.tier)
        and _among(facts.ratio, when.ratio)
        and _among(facts.seconds, when.seconds)
        and not (when.not_seconds and facts.seconds in when.not_seconds)
        and (when.audio is None or bool(facts.audio) == when.audio)
        and (not when.role or not facts.roles.isdisjoint(when.role))
        and (not when.kind or not facts.kinds.isdisjoint(when.kind))
        and facts.kinds.isdisjoint(when.no_kind)
        and all(facts.options.get(name) == value for name, value in when.option.items())
    )


def is_unconditional(when: When) -> bool:
    """Tell whether the condition always holds."""
    return when == _ALWAYS


def _among(value: object, allowed: tuple[object, ...]) -> bool:
    return not allowed or value in allowed
