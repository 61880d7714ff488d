"""The documentation of the models, drawn from their cards: one page a vendor and an index.

A page says nothing that depends on the day it was written, so that it can be compared with the cards at any time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import audio_values
from reelway.catalog.sizing import sizes_of
from reelway.catalog.spec import ModeCard, ModelCard, VendorCard
from reelway.catalog.values import describe_option
from reelway.catalog.wording import (
    in_words,
    input_in_words,
    limit_in_words,
    price_in_words,
    route_name,
    unconfirmed_facts,
)
from reelway.core.videos import Mode

__all__ = ["render_pages"]

_MARK = "<!-- Drawn from the model cards by `make docs`; edit the cards instead. -->"


def render_pages(catalog: Catalog, more: Mapping[str, Sequence[str]] = MappingProxyType({})) -> dict[str, str]:
    """Return every page by its file name. `more` has further sections by the name of the vendor, or `index`."""
    by_vendor = sorted(catalog.cards, key=lambda card: (card.vendor, card.name))
    pages: dict[str, str] = {}
    for name, cards in groupby(by_vendor, key=lambda card: card.vendor):
        if name in catalog.vendors:
            pages[f"{name}.md"] = _join(_vendor_page(catalog.vendors[name], tuple(cards), more.get(name, ())))
    pages["index.md"] = _join(_index(catalog, more.get("index", ())))
    return pages


def _index(catalog: Catalog, more: Sequence[str]) -> Iterator[str]:
    yield _MARK
    yield "# Vendors and models"
    yield "Every name that can be asked for, and where it is described. `GET /v1/models` says the same as JSON."
    rows = [
        (
            f"[`{card.name}`]({card.vendor}.md#{_anchor(card)})",
            card.title,
            ", ".join(card.modes),
            _lengths(card),
            ", ".join(dict.fromkeys(tier for rules in card.modes.values() for tier in rules.tiers)) or "as the input",
        )
        for card in catalog.cards
        if card.vendor in catalog.vendors
    ]
    yield _table(("name", "model", "modes", "seconds", "resolutions"), rows)
    yield from more


def _vendor_page(vendor: VendorCard, cards: tuple[ModelCard, ...], more: Sequence[str]) -> Iterator[str]:
    yield _MARK
    source = f" Source: <{vendor.docs}>." if vendor.docs else ""
    yield f"# {vendor.title}\n\n{vendor.summary}\n\nFacts as of {vendor.checked.isoformat()}.{source}"
    yield f"## Getting a key\n\n{vendor.key}" if vendor.key else ""
    yield from more
    yield f"## When the answer to a submit is lost\n\n{vendor.lost_submit}" if vendor.lost_submit else ""
    yield "## Quirks\n\n" + "\n".join(f"- {quirk}" for quirk in vendor.quirks) if vendor.quirks else ""
    for card in cards:
        yield from _card(card)


def _card(card: ModelCard) -> Iterator[str]:
    yield f"## {card.name}\n\n{card.title}. {card.summary}"
    yield _table(
        ("mode", "takes", "prompt", "seconds", "resolutions", "ratios", "sound"),
        [_mode_row(card, mode, rules) for mode, rules in card.modes.items()],
    )
    yield _sizes(card)
    yield _list("Together", [limit_in_words(limit) for limit in card.limits])
    yield _list("Also", list(_abilities(card)))
    if card.options:
        rows = [
            (
                f"`{name}`",
                describe_option(option),
                _shown(option.default),
                ", ".join(option.modes) or "all",
                option.summary,
            )
            for name, option in sorted(card.options.items())
        ]
        yield _table(("option", "value", "default", "modes", "what it does"), rows)
    yield _table(
        ("price", "when", "as of", "source"),
        [
            (price_in_words(line), in_words(line.when), line.as_of.isoformat(), _link(line.source))
            for line in card.price
        ],
    )
    yield _table(
        ("route", "vendor's id", "when", "retires", "move to"),
        [
            (
                route_name(route),
                f"`{route.model.replace('{model}', card.name)}`",
                in_words(route.when),
                route.retires.isoformat() if route.retires else "",
                route.successor or "",
            )
            for route in card.routes
        ],
    )
    yield _list("Notes", card.notes)
    yield _list("In doubt", unconfirmed_facts(card))


def _mode_row(card: ModelCard, mode: Mode, rules: ModeCard) -> tuple[str, ...]:
    sounds = audio_values(card, mode)
    sound = f"{_shown(sounds[0])}, or {_shown(sounds[1])}" if len(sounds) > 1 else _shown(sounds[0])
    return (
        f"`{mode}`",
        "; ".join(input_in_words(rule) for rule in rules.inputs) or "nothing",
        rules.prompt,
        _seconds(rules),
        _with_default(rules.tiers, rules.tier),
        _with_default(rules.ratios, rules.ratio),
        sound,
    )


def _seconds(rules: ModeCard) -> str:
    if rules.seconds is None:
        return "as the source"
    return f"{rules.seconds.describe()}; {rules.seconds.default} unless asked"


def _with_default(values: tuple[str, ...], default: str | None) -> str:
    return ", ".join(f"**{value}**" if value == default else value for value in values) or "decided by what is given"


def _abilities(card: ModelCard) -> Iterator[str]:
    yield f"prompt: at most {card.prompt_limit} characters"
    yield f"fps: {', '.join(map(str, card.fps))}" if card.fps else f"fps: {card.fps_made}, cannot be chosen"
    yield "seed: none" if card.seed_max is None else f"seed: 0 to {card.seed_max}"
    if card.subjects:
        yield f"subjects: references with a name, and characters; up to {card.subjects} pictures of each"
    if card.default_mode:
        yield f"the name means the mode `{card.default_mode}`"
    if card.prompt_flags:
        yield f"flags in the prompt are read as fields: {', '.join(f'`--{flag}`' for flag in card.prompt_flags)}"
    if card.mode_words:
        yield f"further words of `mode`: {', '.join(f'`{word}`' for word in card.mode_words)}"
    if card.tier_words:
        yield f"further words of `resolution`: {', '.join(f'`{word}` ({tier})' for word, tier in card.tier_words.items())}"


def _sizes(card: ModelCard) -> str:
    every: dict[tuple[str, str], tuple[int, int]] = {}
    for mode in card.modes:
        every.update(sizes_of(card, mode))
    tiers = list(dict.fromkeys(tier for tier, _ in every))
    ratios = list(dict.fromkeys(ratio for _, ratio in every))
    rows = [(ratio, *(_cell(every.get((tier, ratio))) for tier in tiers)) for ratio in ratios]
    return _table(("ratio", *tiers), rows)


def _cell(sides: tuple[int, int] | None) -> str:
    return f"{sides[0]}x{sides[1]}" if sides else ""


def _lengths(card: ModelCard) -> str:
    rules = next((rules.seconds for rules in card.modes.values() if rules.seconds), None)
    if rules is None:
        return "as the source"
    return ", ".join(map(str, rules.values)) if rules.values else f"{rules.min} to {rules.max}"


def _shown(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _link(source: str) -> str:
    return f"<{source}>" if source.startswith("https://") else source


def _anchor(card: ModelCard) -> str:
    return card.name.lower().replace(".", "")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(("| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *lines))


def _list(title: str, items: Iterable[str]) -> str:
    lines = [f"- {item}" for item in items]
    return "\n".join((f"**{title}**\n", *lines)) if lines else ""


def _join(parts: Iterator[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
