"""Sizes: the words people use for them, and the usual pixels behind a tier and a ratio.

A card's own `sizes` table always wins over the usual pixels; all sides are even, as video encoders want them.
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from reelway.catalog.messages import shown
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record

__all__ = [
    "ADAPTIVE",
    "RATIOS",
    "SHORT_SIDES",
    "SizeWish",
    "nearest_ratio",
    "parse_pixels",
    "parse_ratio",
    "parse_size",
    "parse_tier",
    "pixels",
    "same_ratio",
    "usual_pixels",
]

ADAPTIVE = "adaptive"
"""The ratio that follows the input."""

RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "9:21", "3:2", "2:3", "4:5", "5:4")
"""Ratios people ask for, the most usual first."""

SHORT_SIDES: Mapping[str, int] = MappingProxyType(
    {
        "240p": 240,
        "360p": 360,
        "480p": 480,
        "512p": 512,
        "540p": 540,
        "576p": 576,
        "580p": 580,
        "720p": 720,
        "768p": 768,
        "1080p": 1080,
        "2k": 1440,
        "4k": 2160,
    }
)
"""Pixels of the shorter side of each tier."""

_TIER_NAMES: Mapping[str, str] = MappingProxyType(
    {"1440p": "2k", "2160p": "4k", "uhd": "4k", "qhd": "2k", "fhd": "1080p", "hd": "720p", "sd": "480p"}
)
_RATIO_NAMES: Mapping[str, str] = MappingProxyType(
    {"landscape": "16:9", "portrait": "9:16", "square": "1:1", "adaptive": ADAPTIVE, "auto": ADAPTIVE}
)

_PIXELS = re.compile(r"(\d{1,5})\s*[x*×]\s*(\d{1,5})")
_RATIO = re.compile(r"(\d{1,5})\s*:\s*(\d{1,5})")
_TIER = re.compile(r"(\d{3,4})p?|(\d)k")
_SPACE_INSIDE = re.compile(r"\s*([x*×:])\s*(?=\d)")
_SEPARATOR = re.compile(r"[\s,@]+")

_LARGEST_SIDE = 16_384
_LONGEST_SIZE = 64
"""Characters; nobody needs more to say what they want, and texts that were understood are remembered."""


class SizeWish(Record):
    """What a size word asks for; None where it does not say."""

    width: int | None = None
    height: int | None = None
    ratio: str | None = None
    tier: str | None = None


@lru_cache(maxsize=1024)
def parse_size(text: str, field: str = "size") -> SizeWish:
    """Read `1280x720`, `1280*720`, `16:9`, `720p`, `4k`, or several of them (`1080p 9:16`), in any case.

    Raises `InvalidRequest` that names `field`.
    """
    wish = SizeWish()
    words = _SEPARATOR.split(_SPACE_INSIDE.sub(r"\1", text.strip().lower())) if len(text) <= _LONGEST_SIZE else []
    parts = [_read_word(word) for word in words if word]
    for part in parts or [None]:
        if part is None:
            raise InvalidRequest(
                f"{field} must look like 1280x720, 16:9, 720p or 4k (got {shown(text)!r})", param=field
            )
        wish = _join(wish, part, field, text)
    return wish


def parse_ratio(text: str) -> str | None:
    """Return a ratio in the usual spelling (`16:9`, `adaptive`); None when the text is none."""
    folded = text.strip().lower()
    if folded in _RATIO_NAMES:
        return _RATIO_NAMES[folded]
    match = _RATIO.fullmatch(folded)
    if match is None or not all(int(part) for part in match.groups()):
        return None
    return f"{int(match[1])}:{int(match[2])}"


def parse_tier(text: str) -> str | None:
    """Return a tier in the usual spelling (`720p`, `4k`); None when the text is none."""
    folded = text.strip().lower()
    match = _TIER.fullmatch(folded)
    if match is None:
        return _TIER_NAMES.get(folded)
    name = f"{match[1]}p" if match[1] else f"{match[2]}k"
    return _TIER_NAMES.get(name, name)


def parse_pixels(text: str) -> tuple[int, int] | None:
    """Return width and height of `1280x720` or `1280*720`; None when the text is something else."""
    match = _PIXELS.fullmatch(text.strip().lower())
    if match is None:
        return None
    width, height = int(match[1]), int(match[2])
    return (width, height) if 0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE else None


def usual_pixels(tier: str, ratio: str) -> tuple[int, int] | None:
    """Return the usual even width and height of a tier and a ratio; None for words that say nothing about pixels."""
    short = SHORT_SIDES.get(tier)
    match = _RATIO.fullmatch(ratio)
    if short is None or match is None:
        return None
    width, height = int(match[1]), int(match[2])
    long = 2 * round(short * max(width, height) / min(width, height) / 2)
    return (long, short) if width >= height else (short, long)


@lru_cache(maxsize=4096)
def pixels(card: ModelCard, tier: str, ratio: str) -> tuple[int, int] | None:
    """Return width and height of a tier and a ratio on this card: its own table first, else the usual ones."""
    own = card.sizes.get(tier, {}).get(ratio)
    return parse_pixels(own) if own is not None else usual_pixels(tier, ratio)


def same_ratio(one: str, other: str) -> bool:
    """Tell whether two ratios are the same shape: `1920:1080` and `32:18` are `16:9`."""
    first, second = _RATIO.fullmatch(one), _RATIO.fullmatch(other)
    if first is None or second is None:
        return one == other
    return int(first[1]) * int(second[2]) == int(first[2]) * int(second[1])


def nearest_ratio(width: int, height: int, among: Iterable[str] = RATIOS) -> str | None:
    """Return the ratio closest to these pixels, measured as a factor; None when there is none to choose from."""
    wanted = math.log(width / height)
    candidates = [ratio for ratio in among if _RATIO.fullmatch(ratio)]
    return min(candidates, key=lambda ratio: abs(wanted - math.log(_factor(ratio))), default=None)


def _factor(ratio: str) -> float:
    width, height = ratio.split(":")
    return int(width) / int(height)


def _read_word(word: str) -> SizeWish | None:
    if ratio := parse_ratio(word):
        return SizeWish(ratio=ratio)
    if tier := parse_tier(word):
        return SizeWish(tier=tier)
    if sides := parse_pixels(word):
        return SizeWish(width=sides[0], height=sides[1])
    return None


def _join(wish: SizeWish, part: SizeWish, field: str, text: str) -> SizeWish:
    for name in ("width", "ratio", "tier"):
        if getattr(wish, name) is not None and getattr(part, name) not in (None, getattr(wish, name)):
            raise InvalidRequest(f"{field} says two things at once (got {text!r})", param=field)
    return SizeWish(
        width=wish.width or part.width,
        height=wish.height or part.height,
        ratio=wish.ratio or part.ratio,
        tier=wish.tier or part.tier,
    )
