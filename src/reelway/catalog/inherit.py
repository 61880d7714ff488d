"""Inheritance between card tables: `extends` names a base, tables merge, everything else replaces.

`false` in place of an inherited table or table entry takes it away; taking away what is not there is an error, since it is
most likely a misspelt name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reelway.core.record import Record

__all__ = ["RawCard", "flatten"]

_COLLECTIONS = frozenset({"modes", "options", "sizes", "mode_words", "tier_words"})
"""Tables whose keys are names of things, so that `false` can only mean "not this one"."""

_NOT_INHERITED = ("name", "extends", "abstract")


class RawCard(Record):
    """One `[[model]]` table as written, and where."""

    source: str
    table: dict[str, Any]


def flatten(packaged: Sequence[RawCard], own: Sequence[RawCard] = ()) -> tuple[list[RawCard], list[str]]:
    """Return every card with its bases merged in, and what is wrong with the others.

    A card in `own` replaces the packaged one of its name. Extending that same name means the packaged one, and packaged
    cards extend packaged ones only, so that an operator's change stays where it was made.
    """
    complaints: list[str] = []
    shipped = _by_name(packaged, complaints)
    mine = _by_name(own, complaints)
    flat: list[RawCard] = []
    for name, card in {**shipped, **mine}.items():
        try:
            flat.append(_flat(card, shipped, mine if name in mine else {}, (name,)))
        except ValueError as error:
            complaints.append(f"{card.source}: model {name}: {error}")
    return flat, complaints


def _by_name(cards: Sequence[RawCard], complaints: list[str]) -> dict[str, RawCard]:
    named: dict[str, RawCard] = {}
    for card in cards:
        name = card.table.get("name")
        if not isinstance(name, str) or not name:
            complaints.append(f"{card.source}: a [[model]] table has no name")
        elif name in named:
            complaints.append(f"{card.source}: model {name} is already defined in {named[name].source}")
        else:
            named[name] = card
    return named


def _flat(card: RawCard, shipped: Mapping[str, RawCard], own: Mapping[str, RawCard], heirs: tuple[str, ...]) -> RawCard:
    """Return the card with all its bases merged in; `heirs` are the names from the card at the bottom up to this one."""
    base_name = card.table.get("extends")
    if base_name is None:
        return card
    replaces_itself = base_name == card.table["name"] and own.get(base_name) is card
    base = shipped.get(base_name) if replaces_itself else own.get(base_name) or shipped.get(base_name)
    if base is None:
        raise ValueError(f"extends {base_name}, which does not exist")
    if base_name in heirs and not replaces_itself:
        raise ValueError(f"extends itself through {' → '.join((*heirs, base_name))}")
    inherited = _flat(base, shipped, {} if replaces_itself else own, (*heirs, str(base_name))).table
    kept = {key: value for key, value in inherited.items() if key not in _NOT_INHERITED}
    given = {key: value for key, value in card.table.items() if key != "extends"}
    return card.evolve(table=_merge(kept, given, ()))


def _merge(base: Mapping[str, Any], given: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in given.items():
        inherited = merged.get(key)
        place = (*path, key)
        if value is False and (isinstance(inherited, Mapping) or _is_entry(path)):
            if key not in merged:
                raise ValueError(f"{'.'.join(place)} = false takes away something that no base has")
            del merged[key]
        elif isinstance(value, Mapping) and isinstance(inherited, Mapping):
            merged[key] = _merge(inherited, value, place)
        else:
            merged[key] = value
    return merged


def _is_entry(path: tuple[str, ...]) -> bool:
    """Whether keys at this place name things: directly in a collection, or ratios of one tier in `sizes`."""
    return bool(path) and ((path[-1] in _COLLECTIONS and len(path) == 1) or path[0] == "sizes")
