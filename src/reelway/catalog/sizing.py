"""From the size words of a request to a tier and a ratio of its model.

Width and height, `size`, ratio and tier are four ways to say one thing. They are brought together here before limits are
looked at, and a contradiction is refused instead of decided.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from reelway.catalog.messages import listing
from reelway.catalog.place import Place
from reelway.catalog.sizes import (
    ADAPTIVE,
    RATIOS,
    nearest_ratio,
    parse_ratio,
    parse_tier,
    pixels,
    same_ratio,
    usual_pixels,
)
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import Mode, RequestWarning, VideoRequest

__all__ = ["SizeRequest", "read_size", "sizes_of"]

_SAME_SHAPE = 0.02
"""How far pixels may be from a ratio and still mean it, as a share."""


class SizeRequest(Record):
    """What was asked for, in the card's own words; None where the card's default is meant."""

    tier: str | None = None
    ratio: str | None = None
    warnings: tuple[RequestWarning, ...] = ()


@lru_cache(maxsize=1024)
def sizes_of(card: ModelCard, mode: Mode) -> Mapping[tuple[str, str], tuple[int, int]]:
    """Return the pixels of each tier and ratio that can be asked for in a mode."""
    rules = card.modes[mode]
    every = ((tier, ratio, pixels(card, tier, ratio)) for tier in rules.tiers for ratio in rules.ratios)
    return MappingProxyType({(tier, ratio): sides for tier, ratio, sides in every if sides is not None})


def read_size(request: VideoRequest, place: Place, tier_of_mode: str | None) -> SizeRequest:
    """Return the tier and ratio asked for. Raises `InvalidRequest` for what the mode does not have.

    `tier_of_mode` is the tier that the `mode` field named, on models where it does.
    """
    tier = _read_tier(request, place, tier_of_mode)
    ratio = _read_ratio(request, place)
    asked = SizeRequest(tier=tier.tier, ratio=ratio.ratio, warnings=(*tier.warnings, *ratio.warnings))
    if request.width is None and request.height is None:
        return asked
    if request.width is None or request.height is None:
        missing = "width" if request.width is None else "height"
        raise InvalidRequest(
            f"width and height go together for {place.model}, and {missing} is missing",
            code="missing_required_parameter",
            param=missing,
        )
    return _join_pixels((request.width, request.height), place, asked)


def _read_tier(request: VideoRequest, place: Place, tier_of_mode: str | None) -> SizeRequest:
    field = place.field("tier", "resolution")
    asked = None if request.tier is None else _tier_word(place.card, request.tier)
    if asked is not None and tier_of_mode is not None and asked != tier_of_mode:
        raise InvalidRequest(
            f"mode {request.mode} means {tier_of_mode} for {place.model}, but {field} is {request.tier}; give one of them",
            code="conflicting_parameters",
            param=field,
        )
    tier = asked or tier_of_mode
    if tier is None or tier in place.rules.tiers:
        return SizeRequest(tier=tier)
    if not place.rules.tiers:
        return SizeRequest(warnings=(place.not_chosen(field, "tiers"),))
    said = field if asked is not None else place.field("mode")
    raise place.refuse(said, listing(place.rules.tiers), request.tier or request.mode, "tiers")


def _tier_word(card: ModelCard, word: str) -> str:
    own = {name.lower(): tier for name, tier in card.tier_words.items()}
    folded = word.strip().lower()
    return own.get(folded) or parse_tier(folded) or folded


def _read_ratio(request: VideoRequest, place: Place) -> SizeRequest:
    if request.ratio is None:
        return SizeRequest()
    field = place.field("ratio", "aspect_ratio")
    ratio = parse_ratio(request.ratio) or request.ratio
    known = place.rules.ratios
    if not known:
        return SizeRequest(warnings=() if ratio == ADAPTIVE else (place.not_chosen(field, "ratios"),))
    found = next((other for other in known if same_ratio(ratio, other)), None)
    if found is None:
        raise place.refuse(field, listing(known), request.ratio, "ratios")
    return SizeRequest(ratio=found)


def _join_pixels(sides: tuple[int, int], place: Place, asked: SizeRequest) -> SizeRequest:
    """Bring width and height together with the tier and ratio that were asked for beside them."""
    field = place.field("size")
    wanted = f"{sides[0]}x{sides[1]}"
    if not place.rules.tiers and not place.rules.ratios:
        return asked.evolve(warnings=(*asked.warnings, place.not_chosen(field, "tiers")))
    meanings = _meanings(sides, place)
    agreeing = ((t, r) for t, r in meanings if asked.tier in (None, t) and asked.ratio in (None, r))
    tier, ratio = next(agreeing, (None, None))
    if tier is None and ratio is None:
        if next(_meanings(sides, place), None) is None:
            raise place.refuse(field, _allowed_sizes(place), wanted, "tiers")
        other = " and ".join(word for word in (asked.tier, asked.ratio) if word)
        raise InvalidRequest(
            f"{field} {wanted} does not go together with {other} for {place.model}; give one of them",
            code="conflicting_parameters",
            param=field,
        )
    return SizeRequest(tier=tier, ratio=ratio, warnings=(*asked.warnings, *_inexact(sides, place, tier, ratio)))


def _meanings(sides: tuple[int, int], place: Place) -> Iterator[tuple[str | None, str | None]]:
    """Yield every tier and ratio that pixels can mean: exactly, then by the usual pixels, then by their shape."""
    tiers, ratios = place.rules.tiers, place.rules.ratios
    exact = sizes_of(place.card, place.mode)
    yield from (choice for choice, own in exact.items() if own == sides)
    yield from (choice for choice, own in exact.items() if own != sides and usual_pixels(*choice) == sides)
    for tier in () if ratios else tiers:
        every = {*RATIOS, *place.card.sizes.get(tier, {})}
        if any(sides in (pixels(place.card, tier, ratio), usual_pixels(tier, ratio)) for ratio in every):
            yield tier, None
    ratio = None if tiers else nearest_ratio(*sides, among=ratios)
    if ratio is not None and _is_shape(sides, ratio):
        yield None, ratio


def _is_shape(sides: tuple[int, int], ratio: str) -> bool:
    width, height = (int(part) for part in ratio.split(":"))
    return abs(sides[0] * height / (sides[1] * width) - 1) <= _SAME_SHAPE


def _allowed_sizes(place: Place) -> str:
    exact = sizes_of(place.card, place.mode)
    if exact:
        return listing(dict.fromkeys(f"{width}x{height}" for width, height in exact.values()))
    return listing(place.rules.tiers or place.rules.ratios)


def _inexact(sides: tuple[int, int], place: Place, tier: str | None, ratio: str | None) -> tuple[RequestWarning, ...]:
    made = sizes_of(place.card, place.mode).get((tier, ratio)) if tier and ratio else None
    if made == sides:
        return ()
    if made is not None:
        makes = f"{made[0]}x{made[1]} for {tier} at {ratio}"
    else:
        makes = f"{tier}, and what is given decides the shape" if tier else f"{ratio}, and the model decides the pixels"
    message = f"{place.model} makes {makes}, not exactly {sides[0]}x{sides[1]}"
    return (RequestWarning(field=place.field("size"), message=message),)
