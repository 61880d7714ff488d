"""Tier, ratio, seconds and sound together: what was asked for stays, what was not gives way to the card's limits.

A value the caller gave is never changed: either the rest can be arranged around it, or the request is refused with what
would have been accepted in its place.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

from reelway.catalog.combinations import Choice, audio_values, fits, seconds_values
from reelway.catalog.conditions import Facts
from reelway.catalog.messages import listing, shown
from reelway.catalog.place import Dimension, Place
from reelway.catalog.spec import Limit
from reelway.core.errors import InvalidRequest

__all__ = ["choose"]

_NAMES = ("seconds", "tier", "ratio", "audio")
_FIELDS = {"seconds": "seconds", "tier": "resolution", "ratio": "aspect_ratio", "audio": "audio"}
_DIMENSIONS: dict[str, Dimension] = {"seconds": "seconds", "tier": "tiers", "ratio": "ratios", "audio": "seconds"}


def choose(place: Place, asked: Choice, facts: Facts) -> Choice:
    """Return the four values; `asked` holds what the caller gave, `facts` the mode, inputs and options.

    Raises `InvalidRequest` when what was asked for cannot be had together.
    """
    plain = _plain(place, asked)
    if not place.card.limits or fits(place.card, _with(facts, plain)):
        return plain
    best = next(_solutions(place, asked, facts), None)
    if best is None:
        raise _refusal(place, asked, facts)
    return best


def _solutions(place: Place, asked: Choice, facts: Facts) -> Iterator[Choice]:
    """Yield every allowed choice, those with the fewest departures from the defaults first."""
    candidates = [_candidates(place, asked, name) for name in _NAMES]
    everywhere = product(*(range(len(values)) for values in candidates))
    for indexes in sorted(everywhere, key=lambda spots: (sum(spot > 0 for spot in spots), spots)):
        values = {name: candidates[at][spot] for at, (name, spot) in enumerate(zip(_NAMES, indexes, strict=True))}
        choice = Choice(**values)
        if fits(place.card, _with(facts, choice)):
            yield choice


def _plain(place: Place, asked: Choice) -> Choice:
    """Return what was asked for, and the defaults for the rest."""
    rules = place.rules
    seconds = asked.seconds if asked.seconds is not None or rules.seconds is None else rules.seconds.default
    audio = asked.audio if asked.audio is not None else audio_values(place.card, place.mode)[0]
    return Choice(tier=asked.tier or rules.tier, ratio=asked.ratio or rules.ratio, seconds=seconds, audio=audio)


def _with(facts: Facts, choice: Choice) -> Facts:
    return facts.evolve(tier=choice.tier, ratio=choice.ratio, seconds=choice.seconds, audio=choice.audio)


def _candidates(place: Place, asked: Choice, name: str) -> tuple[Any, ...]:
    """Return what a value may be: what was asked, else the default, then what limits prefer, then the rest."""
    given = getattr(asked, name)
    if given is not None:
        return (given,)
    default, *others = _values(place, name)
    preferred = [value for limit in place.card.limits for value in _narrowed(limit, name) if value in others]
    return tuple(dict.fromkeys((default, *preferred, *others)))


def _values(place: Place, name: str) -> tuple[Any, ...]:
    """Return everything the mode has for a value, the default first."""
    rules = place.rules
    if name == "seconds":
        return seconds_values(rules.seconds)
    if name == "audio":
        return audio_values(place.card, place.mode)
    default, listed = (rules.tier, rules.tiers) if name == "tier" else (rules.ratio, rules.ratios)
    return tuple(dict.fromkeys((default, *listed)))


def _narrowed(limit: Limit, name: str) -> tuple[Any, ...]:
    if name == "audio":
        return () if limit.audio is None else (limit.audio,)
    return {"seconds": limit.seconds, "tier": limit.tiers, "ratio": limit.ratios}[name]


def _refusal(place: Place, asked: Choice, facts: Facts) -> InvalidRequest:
    """Blame the first value that would only have to be another one, and name what it may be."""
    limit = _in_the_way(place, asked, facts)
    reason = limit.because if limit else ""
    for name in _NAMES:
        got = getattr(asked, name)
        if got is None:
            continue
        freed = asked.evolve(**{name: None})
        allowed = list(dict.fromkeys(getattr(choice, name) for choice in _solutions(place, freed, facts)))
        if allowed:
            ordered = [value for value in _in_card_order(place, name) if value in allowed]
            field = place.field(name, _FIELDS[name])
            return place.refuse(field, listing(ordered), got, _DIMENSIONS[name], because=reason)
    words = [f"{_FIELDS[name]} {getattr(asked, name)}" for name in _NAMES if getattr(asked, name) is not None]
    named = limit.when.option if limit else {}
    words += [f"{name} {shown(value)}" for name, value in named.items()]
    because = f": {reason}" if reason else ""
    return InvalidRequest(
        f"{', '.join(words) or 'what was given'} cannot be had together for {place.text}{because}",
        code="conflicting_parameters",
        param=next(iter(named), None),
    )


def _in_card_order(place: Place, name: str) -> tuple[Any, ...]:
    rules = place.rules
    if name == "seconds" and rules.seconds is not None:
        return tuple(sorted((second for second in seconds_values(rules.seconds) if second is not None), key=_auto_last))
    if name == "tier":
        return rules.tiers
    return rules.ratios if name == "ratio" else _values(place, name)


def _auto_last(seconds: int) -> tuple[bool, int]:
    return (seconds < 0, seconds)


def _in_the_way(place: Place, asked: Choice, facts: Facts) -> Limit | None:
    """Return the first limit that what was asked for, with the defaults for the rest, runs into."""
    tried = _with(facts, _plain(place, asked))
    return next((limit for limit in place.card.limits if not fits(place.card.evolve(limits=(limit,)), tried)), None)
