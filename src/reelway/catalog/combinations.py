"""What a card allows together: its values by mode, narrowed by its limits.

The same narrowing serves the check of a card, the resolving of a request and the documentation, so they cannot disagree.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, combinations, product
from types import MappingProxyType
from typing import Any

from reelway.catalog.conditions import Facts, holds
from reelway.catalog.spec import ModeCard, ModelCard, SecondsRule, When
from reelway.core.record import Record
from reelway.core.videos import MediaKind, Mode, Role

__all__ = ["NEEDED_ROLES", "Choice", "audio_values", "fits", "input_profiles", "reachable", "seconds_values"]


NEEDED_ROLES: Mapping[Mode, tuple[Role, ...]] = MappingProxyType(
    {
        Mode.T2V: (),
        Mode.I2V: (Role.FIRST_FRAME,),
        Mode.FIRST_LAST: (Role.FIRST_FRAME, Role.LAST_FRAME),
        Mode.R2V: (Role.REFERENCE,),
        Mode.EDIT: (Role.SOURCE,),
        Mode.EXTEND: (Role.SOURCE,),
        Mode.REMIX: (Role.SOURCE,),
    }
)
"""Roles of which a mode needs at least one input, whatever its rules leave open."""


class Choice(Record):
    """The four values that limits narrow."""

    tier: str | None = None
    ratio: str | None = None
    seconds: int | None = None
    audio: bool | None = None


def seconds_values(rule: SecondsRule | None) -> tuple[int | None, ...]:
    """Return every length a rule allows, the default first; None alone where the length follows the source."""
    if rule is None:
        return (None,)
    if rule.values:
        listed = rule.values
    elif rule.min is not None and rule.max is not None:
        listed = tuple(range(rule.min, rule.max + 1))
    else:
        listed = ()
    return tuple(dict.fromkeys((rule.default, *listed, *((-1,) if rule.auto else ()))))


@lru_cache(maxsize=1024)
def audio_values(card: ModelCard, mode: Mode) -> tuple[bool, ...]:
    """Return whether the video can have sound in a mode, the default first."""
    audio = card.audio
    if audio.kind != "switch":
        return (audio.kind == "always",)
    if audio.modes and mode not in audio.modes:
        return (False,)
    return (audio.default, not audio.default)


def fits(card: ModelCard, facts: Facts) -> bool:
    """Tell whether every limit that applies allows these values."""
    return all(
        not holds(limit.when, facts)
        or (
            not limit.refuse
            and (not limit.seconds or facts.seconds is None or facts.seconds in limit.seconds)
            and (not limit.tiers or facts.tier is None or facts.tier in limit.tiers)
            and (not limit.ratios or facts.ratio is None or facts.ratio in limit.ratios)
            and (limit.audio is None or bool(facts.audio) == limit.audio)
        )
        for limit in card.limits
    )


def input_profiles(mode: Mode, mode_card: ModeCard) -> Iterator[tuple[frozenset[Role], frozenset[MediaKind]]]:
    """Yield the roles and kinds of every way to give the required inputs and any of the optional ones."""
    needed = NEEDED_ROLES[mode]
    required = [rule for rule in mode_card.inputs if rule.min > 0]
    optional = [rule for rule in mode_card.inputs if rule.min == 0]
    for chosen in chain.from_iterable(combinations(optional, count) for count in range(len(optional) + 1)):
        roles = frozenset(rule.role for rule in (*required, *chosen))
        if roles.issuperset(needed):
            yield roles, frozenset(rule.kind for rule in (*required, *chosen))


def reachable(card: ModelCard, *, limited: bool = True) -> Iterator[Facts]:
    """Yield every combination a request can ask for, as far as the card's conditions can tell them apart.

    With `limited=False` also those that the card's limits take away.
    """
    whens = [limit.when for limit in card.limits]
    whens += [route.when for route in card.routes]
    whens += [line.when for line in card.price]
    tells_inputs = any(when.role or when.kind or when.no_kind for when in whens)
    for mode, mode_card in card.modes.items():
        profiles = list(input_profiles(mode, mode_card))
        for tier, ratio, seconds, audio, options, (roles, kinds) in product(
            mode_card.tiers or (None,),
            mode_card.ratios or (None,),
            seconds_values(mode_card.seconds),
            audio_values(card, mode),
            _option_sets(card, mode, whens),
            profiles if tells_inputs else profiles[:1],
        ):
            facts = Facts(
                mode=mode,
                tier=tier,
                ratio=ratio,
                seconds=seconds,
                audio=audio,
                roles=roles,
                kinds=kinds,
                options=options,
            )
            if not limited or fits(card, facts):
                yield facts


def _option_sets(card: ModelCard, mode: Mode, whens: list[When]) -> list[dict[str, Any]]:
    """Return every assignment of the options that conditions mention and this mode has."""
    names = sorted({name for when in whens for name in when.option})
    values: list[list[tuple[str, Any]]] = []
    for name in names:
        option = card.options.get(name)
        if option is None or (option.modes and mode not in option.modes):
            continue
        known: tuple[Any, ...] = (True, False) if option.type == "boolean" else option.values
        mentioned = tuple(when.option[name] for when in whens if name in when.option)
        values.append([(name, value) for value in dict.fromkeys((option.default, *known, *mentioned))])
    return [{name: value for name, value in assigned if value is not None} for assigned in product(*values)]
