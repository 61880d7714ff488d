"""What a resolved request costs, by its card. Decimal arithmetic, rounded up once per line, never below the vendor's list.

A quote is what gets reserved; where a length or shape is not known yet, the dearest one it can become is taken. A settlement is
what gets charged: the same rules, counted by the vendor.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from reelway.catalog.catalog import CatalogInvalid
from reelway.catalog.combinations import seconds_values
from reelway.catalog.conditions import facts_of, holds
from reelway.catalog.sizes import nearest_ratio, pixels
from reelway.catalog.spec import ModelCard, PriceRule
from reelway.core.money import Micros, from_decimal, to_text
from reelway.core.record import Record
from reelway.core.videos import MediaKind, ResolvedRequest, Role

__all__ = ["DEFAULT_RATES", "RATES_AS_OF", "Quote", "QuoteLine", "Settlement", "quote", "settle"]

RATES_AS_OF = date(2026, 11, 1)

DEFAULT_RATES: Mapping[str, Decimal] = MappingProxyType(
    {"USD": Decimal(1), "CNY": Decimal("0.145"), "EUR": Decimal("1.20")}
)
"""US dollars for one unit of a currency: round figures of `RATES_AS_OF`, a little high so that a reserve is enough.

An operator who settles in another currency sets the rates of the day instead.
"""

_TOKENS_PER_PIXEL_SECOND = Decimal(24) / Decimal(1024)
"""Seedance counts a token for every 1024 pixels of its 24 frames a second, of reference videos too, but not of a draft."""

_MILLION = Decimal(1_000_000)
_NOTHING = Decimal(0)
_MOST = Decimal(10) ** 12
"""No vendor counts as far for one video."""

_COUNTED: Mapping[str, tuple[str, Decimal]] = MappingProxyType(
    {
        "million_tokens": ("tokens", _MILLION),
        "credit": ("credits", Decimal(1)),
        "second": ("seconds", Decimal(1)),
        "input_second": ("input_seconds", Decimal(1)),
    }
)
"""Unit of a price → the vendor's own figure that counts it, and how many of the figure make one unit."""

_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "second": "seconds",
        "clip": "clips",
        "million_tokens": "million tokens",
        "credit": "credits",
        "input_image": "input images",
        "input_second": "seconds of input",
    }
)
"""Unit of a price → its name in a line."""

_UNKNOWN_SOURCE_SECONDS = 15
"""Taken for a source of unknown length on a card that sets no limit."""


class QuoteLine(Record):
    """One line of a quote, for all takes together."""

    text: str
    """`8 seconds at 0.10 USD`."""
    amount: Micros
    as_of: date
    source: str = ""
    unconfirmed: str | None = None


class Quote(Record):
    """What a request will cost at most, as far as the card knows."""

    amount: Micros
    currency: str = "USD"
    lines: tuple[QuoteLine, ...] = ()
    as_of: date | None = None
    """The oldest date among the prices used."""
    unconfirmed: tuple[str, ...] = ()
    note: str | None = None

    @property
    def text(self) -> str:
        return to_text(self.amount)


class Settlement(Record):
    """What a finished video costs by the vendor's own figures."""

    amount: Micros
    text: str
    """How it came about: `0.1089 million tokens at 2.4 USD`."""


class _Measures(Record):
    """The quantities a price can count, of one take."""

    output_seconds: Decimal
    input_seconds: Decimal
    reference_seconds: Decimal
    """Those of the inputs that are no source."""
    input_images: int
    pixels: int


def quote(
    card: ModelCard,
    resolved: ResolvedRequest,
    rates: Mapping[str, Decimal] | None = None,
    *,
    source_seconds: float | None = None,
) -> Quote:
    """Return the price of a request. `rates` are dollars for one unit of a currency, on top of the default ones.

    `source_seconds` is the length of the video that is worked on, where it is known from elsewhere than the inputs.
    """
    main, extras = _rules(card, resolved)
    if main is None:
        return Quote(amount=0, note=f"the card of {card.name} has no price for this; nothing is charged")
    measures = _measure(card, resolved, source_seconds)
    known = {**DEFAULT_RATES, **(rates or {})}
    charged = [_line(rule, measures, resolved.n, known) for rule in (main, *extras)]
    lines = tuple(line for at, line in enumerate(charged) if line.amount or at == 0)
    return Quote(
        amount=sum(line.amount for line in lines),
        lines=lines,
        as_of=min(line.as_of for line in lines),
        unconfirmed=tuple(dict.fromkeys(line.unconfirmed for line in lines if line.unconfirmed)),
    )


def settle(
    card: ModelCard, resolved: ResolvedRequest, usage: Mapping[str, Any], rates: Mapping[str, Decimal] | None = None
) -> Settlement | None:
    """Return what a finished video costs by what the vendor reported, None where it counted nothing that has a price.

    Money it named itself (`cost`) comes first; else its count (`tokens`, `credits`, `seconds`) takes the place of ours in the line
    of the card, and additional lines in another unit are charged by its count of that (`input_seconds`) or as quoted. `audio` says
    whether what was made has sound, where that was the vendor's to decide. Raises `ValueError` for a figure that cannot be true.
    """
    known = {**DEFAULT_RATES, **(rates or {})}
    if usage.get("cost") is not None:
        return _settle_money(usage["cost"], known)
    if isinstance(usage.get("audio"), bool):
        resolved = resolved.evolve(audio=usage["audio"])
    main, extras = _rules(card, resolved)
    counted = None if main is None else _counted(main, usage)
    if main is None or counted is None:
        return None
    if not counted:
        raise ValueError(f"{_COUNTED[main.unit][0]} must be more than nothing for a video that was made")
    lines = [_priced(main, counted, _UNITS[main.unit], resolved.n, known)]
    for rule in extras:
        if rule.unit == main.unit:
            continue
        counted = _counted(rule, usage)
        if counted is None:
            lines.append(_line(rule, _measure(card, resolved, None), resolved.n, known))
        else:
            lines.append(_priced(rule, counted, _UNITS[rule.unit], resolved.n, known))
    return Settlement(
        amount=sum(line.amount for line in lines), text="; ".join(line.text for line in lines if line.amount)
    )


def _settle_money(cost: Any, rates: Mapping[str, Decimal]) -> Settlement:
    currency = cost.get("currency") if isinstance(cost, Mapping) else None
    if not isinstance(currency, str) or currency not in rates:
        raise ValueError(f"a cost must name a currency with a rate (got {cost!r:.80})")
    amount = _figure(cost.get("settled"), "cost")
    return Settlement(
        amount=from_decimal(amount * rates[currency]), text=f"{_short(amount)} {currency} as the vendor says"
    )


def _counted(rule: PriceRule, usage: Mapping[str, Any]) -> Decimal | None:
    """Return how many units of a price the vendor counted, None where it counted none of the kind."""
    figure, per_unit = _COUNTED.get(rule.unit, ("", Decimal(1)))
    return None if usage.get(figure) is None else _figure(usage[figure], figure) / per_unit


def _figure(value: Any, name: str) -> Decimal:
    """Return a number that a vendor reported. Raises `ValueError` for anything else."""
    try:
        number = Decimal("NaN" if isinstance(value, bool) else str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= _MOST:
        raise ValueError(f"{name} must be a number from 0 to {_MOST:.0e} (got {value!r:.80})")
    return number


def _rules(card: ModelCard, resolved: ResolvedRequest) -> tuple[PriceRule | None, list[PriceRule]]:
    """Return the line of the price list that holds, and the additional ones that do."""
    facts = facts_of(resolved)
    main = next((line for line in card.price if not line.extra and holds(line.when, facts)), None)
    return main, [line for line in card.price if line.extra and holds(line.when, facts)]


def _line(rule: PriceRule, measures: _Measures, takes: int, rates: Mapping[str, Decimal]) -> QuoteLine:
    count, unit = _count(rule, measures)
    return _priced(rule, count * takes, unit, takes, rates)


def _priced(rule: PriceRule, count: Decimal, unit: str, takes: int, rates: Mapping[str, Decimal]) -> QuoteLine:
    """Return the line for so many units of all takes together."""
    if rule.currency not in rates:
        raise CatalogInvalid(f"a price is in {rule.currency}, for which there is no rate; set one in reelway.toml")
    count = max(count - rule.free * takes, _NOTHING)
    amount = from_decimal(count * Decimal(rule.amount) * rates[rule.currency])
    return QuoteLine(
        text=f"{_short(count)} {unit} at {rule.amount} {rule.currency}",
        amount=amount,
        as_of=rule.as_of,
        source=rule.source,
        unconfirmed=rule.unconfirmed,
    )


def _count(rule: PriceRule, measures: _Measures) -> tuple[Decimal, str]:
    """Return how many units one take has, and their name."""
    name = _UNITS[rule.unit]
    match rule.unit:
        case "second":
            return measures.output_seconds, name
        case "clip":
            return Decimal(1), name
        case "million_tokens":
            seconds = measures.reference_seconds + measures.output_seconds
            return seconds * measures.pixels * _TOKENS_PER_PIXEL_SECOND / _MILLION, name
        case "credit":
            per_second = Decimal(rule.credits_per_second) * measures.output_seconds
            return Decimal(rule.credits) + per_second, name
        case "input_image":
            return Decimal(measures.input_images), name
        case "input_second":
            return measures.input_seconds, name


def _measure(card: ModelCard, resolved: ResolvedRequest, source_seconds: float | None) -> _Measures:
    has_source = resolved.source_video_id is not None or any(item.role is Role.SOURCE for item in resolved.inputs)
    source = _NOTHING
    if has_source or resolved.seconds is None:
        source = _source_seconds(card, resolved, source_seconds)
    references = _reference_seconds(card, resolved)
    return _Measures(
        output_seconds=_output_seconds(card, resolved, source),
        input_seconds=references + (source if has_source else _NOTHING),
        reference_seconds=references,
        input_images=sum(item.kind is MediaKind.IMAGE for item in resolved.inputs),
        pixels=_pixels(card, resolved),
    )


def _output_seconds(card: ModelCard, resolved: ResolvedRequest, source: Decimal) -> Decimal:
    frames = resolved.options.get("frames")
    if isinstance(frames, int):
        return Decimal(frames) / card.fps_made
    if resolved.seconds is None:
        return source
    if resolved.seconds > 0:
        return Decimal(resolved.seconds)
    # -1: the model chooses, so the longest it may choose is set aside.
    return Decimal(max(second or 0 for second in seconds_values(card.modes[resolved.mode].seconds)))


def _source_seconds(card: ModelCard, resolved: ResolvedRequest, known: float | None) -> Decimal:
    rules = card.modes[resolved.mode]
    measured = next((item.blob.seconds for item in resolved.inputs if item.role is Role.SOURCE and item.blob), None)
    limits = [rule.max_seconds for rule in rules.inputs if rule.role is Role.SOURCE]
    seconds = _decimal(measured) or _decimal(known) or _decimal(next(iter(limits), None))
    seconds = seconds or Decimal(_UNKNOWN_SOURCE_SECONDS)
    return seconds if rules.source_seconds is None else min(seconds, Decimal(str(rules.source_seconds)))


def _reference_seconds(card: ModelCard, resolved: ResolvedRequest) -> Decimal:
    """Return the seconds of all reference videos together."""
    references = [item for item in resolved.inputs if item.kind is MediaKind.VIDEO and item.role is not Role.SOURCE]
    if not references:
        return _NOTHING
    longest = _longest_reference(card, resolved)
    return sum((_decimal(item.blob.seconds if item.blob else None) or longest for item in references), _NOTHING)


def _longest_reference(card: ModelCard, resolved: ResolvedRequest) -> Decimal:
    """Return the seconds taken for a reference video of unknown length."""
    rules = card.modes[resolved.mode].inputs
    limits = [rule.max_seconds for rule in rules if rule.role is not Role.SOURCE and rule.kind is MediaKind.VIDEO]
    return _decimal(next(iter(limits), None)) or Decimal(_UNKNOWN_SOURCE_SECONDS)


def _pixels(card: ModelCard, resolved: ResolvedRequest) -> int:
    """Return the pixels of one picture: as resolved, else by the shape of the input, else the most its tier can have."""
    if resolved.width and resolved.height:
        return resolved.width * resolved.height
    rules = card.modes[resolved.mode]
    ratios = [ratio for ratio in rules.ratios if ":" in ratio] or list(
        card.sizes.get(resolved.tier or "", {"16:9": ""})
    )
    tiers = [resolved.tier] if resolved.tier else [tier for mode in card.modes.values() for tier in mode.tiers]
    picture = next((item.blob for item in resolved.inputs if item.blob and item.blob.width and item.blob.height), None)
    if picture is not None and picture.width and picture.height:
        nearest = nearest_ratio(picture.width, picture.height, among=ratios)
        ratios = [nearest] if nearest else ratios
    areas = [sides[0] * sides[1] for tier in tiers for ratio in ratios if (sides := pixels(card, tier, ratio))]
    return max(areas, default=1920 * 1080)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _short(count: Decimal) -> str:
    text = f"{count:.6f}".rstrip("0").rstrip(".")
    return text or "0"
