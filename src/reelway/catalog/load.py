"""From card files to a `Catalog`: reading, inheritance, and a consistency check, all before the first request.

A card is data that decides money, so nothing in it is guessed: an unknown key, a wrong type or a contradiction is an error
that names the file, the model and the place. Run `python -m reelway.catalog.load` to check the packaged cards.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

import msgspec

from reelway.catalog.catalog import Catalog, CatalogInvalid
from reelway.catalog.checks import check_card
from reelway.catalog.inherit import RawCard, flatten
from reelway.catalog.spec import InputRule, ModeCard, ModelCard, OptionCard, PriceRule, RouteCard, VendorCard

__all__ = ["check_packaged", "load_catalog", "read_cards"]

_OPERATOR = "reelway.toml"

_PARTS: Mapping[str, type] = {
    "modes": ModeCard,
    "options": OptionCard,
    "price": PriceRule,
    "routes": RouteCard,
    "inputs": InputRule,
}
"""Members that are decoded alone to say where in a card something is wrong."""


def load_catalog(*, extra_cards: Sequence[Mapping[str, Any]] = (), aliases: Mapping[str, str] | None = None) -> Catalog:
    """Return the packaged cards with the operator's own cards and aliases on top.

    A card of the operator replaces the packaged one of the same name, and may extend it. An alias may take the name of a
    packaged card (`sora-2 = "veo3.1"` keeps old callers alive), never that of a card of the operator's own.
    """
    vendors, raw, complaints = _read_packaged()
    own = [RawCard(source=_OPERATOR, table=dict(table)) for table in extra_cards]
    cards, more = read_cards(raw, own)
    own_names = frozenset(str(card.table.get("name")) for card in own)
    # The packaged cards are checked when they are written (half a second for all); only new ones are checked here.
    complaints += [*more, *_contradictions(card for name, card in cards.items() if name in own_names)]
    if complaints:
        raise CatalogInvalid("the model cards do not hold together:\n  " + "\n  ".join(complaints))
    return Catalog(cards=cards, vendors=vendors, aliases=dict(aliases or {}), own_names=own_names)


def check_packaged() -> tuple[str, ...]:
    """Return everything that is wrong with the packaged cards; empty when they hold together."""
    _, raw, complaints = _read_packaged()
    cards, more = read_cards(raw)
    return (*complaints, *more, *_contradictions(cards.values()))


def _contradictions(cards: Iterable[ModelCard]) -> Iterator[str]:
    for card in cards:
        yield from (f"{card.vendor}: model {card.name}: {complaint}" for complaint in check_card(card))


def read_cards(packaged: Sequence[RawCard], own: Sequence[RawCard] = ()) -> tuple[dict[str, ModelCard], list[str]]:
    """Return the public cards by name, sorted, and what is wrong with the others."""
    flat, complaints = flatten(packaged, own)
    cards: dict[str, ModelCard] = {}
    for raw in flat:
        if raw.table.get("abstract"):
            continue
        try:
            card = msgspec.convert(raw.table, ModelCard)
        except msgspec.ValidationError as error:
            complaints.append(f"{raw.source}: model {raw.table.get('name')}: {_place(raw.table, error)}")
        else:
            cards[card.name] = card
    return dict(sorted(cards.items())), complaints


def _read_packaged() -> tuple[dict[str, VendorCard], list[RawCard], list[str]]:
    vendors: dict[str, VendorCard] = {}
    cards: list[RawCard] = []
    complaints: list[str] = []
    for name, text in _files():
        try:
            document = tomllib.loads(text)
            unknown = sorted(set(document) - {"vendor", "model"})
            if unknown:
                raise ValueError(f"has the unknown top-level keys {', '.join(unknown)}")
            if "vendor" not in document:
                raise ValueError("begins with no [vendor] table")
            head = msgspec.convert(document["vendor"], VendorCard)
        except (ValueError, msgspec.ValidationError) as error:
            complaints.append(f"{name}: {error}")
            continue
        vendors[head.name] = head
        cards += [RawCard(source=name, table={"vendor": head.name, **table}) for table in document.get("model", ())]
    return vendors, cards, complaints


def _files() -> Iterator[tuple[str, str]]:
    folder = resources.files("reelway.catalog.cards")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            yield file.name, file.read_text(encoding="utf-8")


def _place(table: Mapping[str, Any], error: msgspec.ValidationError) -> str:
    """Return the message with the member it is about: `msgspec` says `modes[...]` without saying which."""
    for part, kind in _PARTS.items():
        for name, member in _members(table.get(part)):
            try:
                msgspec.convert(member, kind)
            except msgspec.ValidationError as closer:
                return f"{part}.{name}: {_place(member, closer) if isinstance(member, Mapping) else closer}"
    return str(error)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(name), member) for name, member in value.items())
    elif isinstance(value, list):
        yield from ((str(index), member) for index, member in enumerate(value))


def _main() -> int:
    complaints = check_packaged()
    if complaints:
        sys.stdout.write("\n".join(complaints) + "\n")
        return 1
    catalog = load_catalog()
    sys.stdout.write(f"{len(catalog.cards)} model cards of {len(catalog.vendors)} vendors hold together.\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
