"""The catalogue: every public model by name, with the operator's aliases. What it answers never changes while it lives."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from reelway.catalog.messages import shown
from reelway.catalog.spec import AccountLimit, ModelCard, VendorCard
from reelway.core.errors import GatewayError, NotFound

__all__ = ["Catalog", "CatalogInvalid"]

_NEAREST = 3
_SIMILARITY = 0.4
_LONGEST_NAME = 100
"""A longer one resembles nothing, and comparing it would cost time."""


class CatalogInvalid(GatewayError):
    """Cards or aliases that contradict themselves; the operator, or we, have to mend them before anything can start."""


class Catalog:
    """Model cards by name, alias-aware."""

    def __init__(
        self,
        *,
        cards: Mapping[str, ModelCard],
        vendors: Mapping[str, VendorCard],
        aliases: Mapping[str, str] | None = None,
        own_names: frozenset[str] = frozenset(),
    ) -> None:
        self._cards = dict(sorted(cards.items()))
        self.vendors: Mapping[str, VendorCard] = MappingProxyType(dict(sorted(vendors.items())))
        self.aliases: Mapping[str, str] = MappingProxyType(_follow_all(dict(aliases or {}), self._cards, own_names))
        self.names: tuple[str, ...] = tuple(sorted({*self._cards, *self.aliases}))
        self._known_as = _vendor_ids(self._cards)

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """Every card that can be asked for by its own name, sorted by it."""
        return tuple(card for name, card in self._cards.items() if name not in self.aliases)

    def canonical(self, name: str) -> str:
        """Return the name of the card behind a public name or a vendor's own id. Raises `NotFound` with the nearest names."""
        target = self.aliases.get(name, name)
        target = target if target in self._cards else self._known_as.get(name, target)
        if target not in self._cards:
            raise NotFound(self._unknown(name), code="model_not_found", param="model")
        return target

    def card(self, name: str) -> ModelCard:
        """Return the card behind a public name. Raises `NotFound` with the nearest names."""
        return self._cards[self.canonical(name)]

    def resolved_card(self, name: str) -> ModelCard:
        """Return the card of exactly this name, aliases aside: for requests resolved before an alias took the name."""
        if name not in self._cards:
            raise NotFound(self._unknown(name), code="model_not_found", param="model")
        return self._cards[name]

    def limit_at(self, host: str) -> AccountLimit | None:
        """Return what a vendor publishes about accounts at its host; None where nothing is known."""
        limits = (limit for vendor in self.vendors.values() for limit in vendor.limits)
        return next((limit for limit in limits if host.endswith(limit.hosts)), None)

    def _unknown(self, name: str) -> str:
        folded = {known.lower(): known for known in self.names}
        wanted = name.lower()[:_LONGEST_NAME]
        near = [folded[match] for match in difflib.get_close_matches(wanted, folded, _NEAREST, _SIMILARITY)]
        hint = f"the nearest names are {', '.join(near)}" if near else "see GET /v1/models for the names there are"
        return f'unknown model "{shown(name)}"; {hint}'


def _vendor_ids(cards: Mapping[str, ModelCard]) -> dict[str, str]:
    """Return the card of every vendor's id, for callers who come with the vendor's own client."""
    known: dict[str, str] = {}
    for card in cards.values():
        for name in card.known_as:
            if known.setdefault(name, card.name) != card.name:
                raise CatalogInvalid(f"{known[name]} and {card.name} are both known as {name}; leave it to one of them")
    return known


def _follow_all(aliases: Mapping[str, str], cards: Mapping[str, ModelCard], own: frozenset[str]) -> dict[str, str]:
    shadowed = sorted(own & set(aliases))
    if shadowed:
        raise CatalogInvalid(
            f"alias {shadowed[0]} has the name of one of your own model cards; rename the alias or the card"
        )
    return {alias: _follow(alias, aliases, cards) for alias in sorted(aliases)}


def _follow(alias: str, aliases: Mapping[str, str], cards: Mapping[str, ModelCard]) -> str:
    path = [alias]
    while path[-1] in aliases:
        target = aliases[path[-1]]
        if target in path:
            raise CatalogInvalid(f"aliases go in a circle: {' → '.join((*path, target))}")
        path.append(target)
    if path[-1] not in cards:
        near = difflib.get_close_matches(path[-1], cards, _NEAREST, _SIMILARITY)
        hint = f"; the nearest names are {', '.join(near)}" if near else ""
        raise CatalogInvalid(f"alias {alias} leads to {path[-1]}, which is no model{hint}")
    return path[-1]
