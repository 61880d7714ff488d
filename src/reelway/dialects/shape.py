"""How large a video is asked to be: pixels, ratio and tier, which callers mix freely under a dozen names.

Within one layer two names may not disagree; a lower layer only adds what the one above leaves open.
"""

from collections.abc import Callable
from typing import Any

from reelway.catalog.sizes import SizeWish, parse_pixels, parse_ratio, parse_size, parse_tier
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.dialects.values import describe, read_integer, read_word

__all__ = ["SHAPE_SLOTS", "Shape", "Taken", "fill_shape", "read_shape"]

SHAPE_SLOTS = ("size", "ratio", "tier", "width", "height")
"""The slots that say something about it."""

_LARGEST_SIDE = 16_384


class Taken(Record):
    """A value that was read, and the field it was found under."""

    field: str
    value: Any


class Shape(Record):
    """What one layer says. Each part remembers the field that said it."""

    pixels: Taken | None = None
    """Its value is the pair of width and height."""
    ratio: Taken | None = None
    tier: Taken | None = None

    @property
    def parts(self) -> tuple[Taken, ...]:
        """The parts that are given."""
        return tuple(part for part in (self.pixels, self.ratio, self.tier) if part is not None)


def read_shape(take: Callable[[str, Callable[[Any, str], Any]], Taken | None]) -> Shape:
    """Read `size`, `width` and `height`, the ratio and the tier of one layer; `take` hands over a slot's value."""
    pixels = ratio = tier = None
    for slot, read in (("size", _read_size), ("ratio", _read_ratio), ("tier", _read_tier)):
        taken = take(slot, read)
        if taken is None:
            continue
        wish: SizeWish = taken.value
        sides = None if wish.width is None or wish.height is None else (wish.width, wish.height)
        pixels = _agreed(pixels, taken.field, sides)
        ratio = _agreed(ratio, taken.field, wish.ratio)
        tier = _agreed(tier, taken.field, wish.tier)
    width, height = take("width", _read_side), take("height", _read_side)
    if width is not None and height is not None:
        pixels = _agreed(pixels, width.field, (width.value, height.value))
    elif width is not None:
        raise _half_given(width, "height")
    elif height is not None:
        raise _half_given(height, "width")
    return Shape(pixels=pixels, ratio=ratio, tier=tier)


def fill_shape(shape: Shape, lower: Shape) -> tuple[Shape, tuple[Taken, ...]]:
    """Return the shape with its gaps filled, and the parts of `lower` that are not used."""
    if shape.pixels is not None:
        return shape, tuple(part for part in lower.parts if part.value != shape.pixels.value)
    pixels = lower.pixels if not shape.parts else None
    filled = Shape(pixels=pixels, ratio=shape.ratio or lower.ratio, tier=shape.tier or lower.tier)
    used = [part.value for part in filled.parts]
    return filled, tuple(part for part in lower.parts if part.value not in used)


def _agreed(before: Taken | None, field: str, value: Any) -> Taken | None:
    """Return what was said first; raise when this field says something else."""
    if value is None:
        return before
    if before is None:
        return Taken(field=field, value=value)
    if before.value != value:
        raise InvalidRequest(
            f"{before.field} and {field} ask for different things "
            f"({_words(before.value)} and {_words(value)}); send one of them",
            code="conflicting_parameters",
            param=field,
        )
    return before


def _half_given(given: Taken, missing: str) -> InvalidRequest:
    return InvalidRequest(
        f"{given.field} is given without {missing}; send both or neither",
        code="missing_required_parameter",
        param=missing,
    )


def _words(value: Any) -> str:
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else str(value)


def _read_size(value: Any, field: str) -> SizeWish:
    return parse_size(read_word(value, field), field)


def _read_ratio(value: Any, field: str) -> SizeWish:
    word = read_word(value, field)
    ratio = parse_ratio(word)
    if ratio is None:
        raise InvalidRequest(f"{field} must look like 16:9 (got {describe(word)})", param=field)
    return SizeWish(ratio=ratio)


def _read_tier(value: Any, field: str) -> SizeWish:
    """Read a tier; a vendor's own word for one is for the model card to understand."""
    word = read_word(value, field).lower()
    pixels = parse_pixels(word)
    if pixels is not None:
        return SizeWish(width=pixels[0], height=pixels[1])
    return SizeWish(tier=parse_tier(word) or word)


def _read_side(value: Any, field: str) -> int:
    side = read_integer(value, field)
    if not 0 < side <= _LARGEST_SIDE:
        raise InvalidRequest(f"{field} must be from 1 to {_LARGEST_SIDE} pixels (got {side})", param=field)
    return side
