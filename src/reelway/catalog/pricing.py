"""What a resolved request costs, by its card. Decimal arithmetic, rounded up once per line, never below the vendor's list.

A quote is what gets reserved; where a length or shape is not known yet, the dearest one it can become is taken.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from reelway.catalog.catalog import CatalogInvalid
from reelway.catalog.combinations import seconds_values
from reelway.catalog.conditions import facts_of, holds
from reelway.catalog.sizes import nearest_ratio, pixels
from reelway.catalog.spec import ModelCard, PriceRule
from reelway.core.money import Micros, from_decimal, to_text
from reelway.core.record import Record
from reelway.core.videos import MediaKind, ResolvedRequest, Role

__all__ = ["DEFAULT_RATES", "RATES_AS_OF", "Quote", "QuoteLine", "quote"]

RATES_AS_OF = date(2026, 11, 1)

DEFAULT_RATES: Mapping[str, Decimal] = MappingProxyType(
    {"USD": Decimal(1), "CNY": Decimal("0.145"), "EUR": Decimal("1.20")}
)
"""US dollars for one unit of a currency: round figures of `RATES_AS_OF`, a little high so that a reserve is enough.

An operator who settles in another currency sets the rates of the day instead.
"""

_TOKENS_PER_PIXEL_SECOND = Decimal(24) / Decimal(1024)
"""Seedance counts a token for every 1024 pixels of its 24 frames a second, of input videos too."""

_MILLION = Decimal(1_000_000)
_NOTHING = Decimal(0)
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


class _Measures(Record):
    """The quantities a price can count, of one take."""

    output_seconds: Decimal
    input_seconds: Decimal
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
    facts = facts_of(resolved)
    main = next((line for line in card.price if not line.extra and holds(line.when, facts)), None)
    if main is None:
        return Quote(amount=0, note=f"the card of {card.name} has no price for this; nothing is charged")
    extras = [line for line in card.price if line.extra and holds(line.when, facts)]
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


def _line(rule: PriceRule, measures: _Measures, takes: int, rates: Mapping[str, Decimal]) -> QuoteLine:
    if rule.currency not in rates:
        raise CatalogInvalid(f"a price is in {rule.currency}, for which there is no rate; set one in reelway.toml")
    count, unit = _count(rule, measures)
    count = max(count - rule.free, _NOTHING) * takes
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
    match rule.unit:
        case "second":
            return measures.output_seconds, "seconds"
        case "clip":
            return Decimal(1), "clips"
        case "million_tokens":
            seconds = measures.input_seconds + measures.output_seconds
            return seconds * measures.pixels * _TOKENS_PER_PIXEL_SECOND / _MILLION, "million tokens"
        case "credit":
            per_second = Decimal(rule.credits_per_second) * measures.output_seconds
            return Decimal(rule.credits) + per_second, "credits"
        case "input_image":
            return Decimal(measures.input_images), "input images"
        case "input_second":
            return measures.input_seconds, "seconds of input"


def _measure(card: ModelCard, resolved: ResolvedRequest, source_seconds: float | None) -> _Measures:
    has_source = resolved.source_video_id is not None or any(item.role is Role.SOURCE for item in resolved.inputs)
    source = _NOTHING
    if has_source or resolved.seconds is None:
        source = _source_seconds(card, resolved, source_seconds)
    return _Measures(
        output_seconds=_output_seconds(card, resolved, source),
        input_seconds=_reference_seconds(card, resolved) + (source if has_source else _NOTHING),
        input_images=sum(item.kind is MediaKind.IMAGE for item in resolved.inputs),
        pixels=_pixels(card, resolved),
    )


def _output_seconds(card: ModelCard, resolved: ResolvedRequest, source: Decimal) -> Decimal:
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
