"""Size words and the usual pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.made_up import make_card

from reelway.catalog.sizes import (
    RATIOS,
    SHORT_SIDES,
    SizeWish,
    nearest_ratio,
    parse_ratio,
    parse_size,
    parse_tier,
    pixels,
    usual_pixels,
)
from reelway.core.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("1280x720", SizeWish(width=1280, height=720)),
        ("1280*720", SizeWish(width=1280, height=720)),
        ("1280X720", SizeWish(width=1280, height=720)),
        ("1280 × 720", SizeWish(width=1280, height=720)),
        ("16:9", SizeWish(ratio="16:9")),
        (" 16 : 9 ", SizeWish(ratio="16:9")),
        ("720p", SizeWish(tier="720p")),
        ("1080P", SizeWish(tier="1080p")),
        ("1080", SizeWish(tier="1080p")),
        ("4K", SizeWish(tier="4k")),
        ("2160p", SizeWish(tier="4k")),
        ("1440P", SizeWish(tier="2k")),
        ("1080p 9:16", SizeWish(tier="1080p", ratio="9:16")),
        ("9:16, 1080p", SizeWish(tier="1080p", ratio="9:16")),
        ("16:9@4k", SizeWish(tier="4k", ratio="16:9")),
        ("Portrait", SizeWish(ratio="9:16")),
        ("auto", SizeWish(ratio="adaptive")),
    ],
)
def test_size_words_are_understood_in_any_case(text: str, wish: SizeWish) -> None:
    """The contract's words for a size, and what callers make of them."""
    assert parse_size(text) == wish


@pytest.mark.parametrize(
    "text", ["", "  ", "big", "1280x", "0x720", "16:0", "99999x10", "720p 1080p", "16:9 9:16", "x"]
)
def test_an_unreadable_size_is_refused_by_name(text: str) -> None:
    """The refusal names the field the caller used."""
    with pytest.raises(InvalidRequest, match="resolution") as refused:
        parse_size(text, "resolution")
    assert refused.value.param == "resolution"


def test_other_words_are_not_taken_for_a_tier_or_a_ratio() -> None:
    """The parsers of parts answer None and leave the decision to the caller."""
    assert parse_tier("std") is None
    assert parse_ratio("wide") is None
    assert parse_ratio("0:9") is None


@pytest.mark.parametrize(
    ("tier", "ratio", "expected"),
    [
        ("720p", "16:9", (1280, 720)),
        ("480p", "16:9", (854, 480)),
        ("768p", "16:9", (1366, 768)),
        ("1080p", "9:16", (1080, 1920)),
        ("720p", "1:1", (720, 720)),
        ("4k", "16:9", (3840, 2160)),
        ("2k", "16:9", (2560, 1440)),
        ("720p", "adaptive", None),
        ("std", "16:9", None),
    ],
)
def test_usual_pixels(tier: str, ratio: str, expected: tuple[int, int] | None) -> None:
    """The number of a tier is its shorter side."""
    assert usual_pixels(tier, ratio) == expected


@pytest.mark.parametrize("tier", SHORT_SIDES)
@pytest.mark.parametrize("ratio", RATIOS)
def test_usual_pixels_are_even_and_have_their_ratio(tier: str, ratio: str) -> None:
    """Encoders want even sides, and the ratio can be read back from the pixels."""
    sides = usual_pixels(tier, ratio)
    assert sides is not None
    assert sides[0] % 2 == 0
    assert sides[1] % 2 == 0
    assert nearest_ratio(*sides) == ratio


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_the_nearest_ratio_of_turned_pixels_is_the_turned_ratio(width: int, height: int) -> None:
    """Portrait and landscape are treated alike."""
    upright, turned = nearest_ratio(width, height), nearest_ratio(height, width)
    assert upright is not None
    assert turned is not None
    factors = [int(ratio.split(":")[0]) / int(ratio.split(":")[1]) for ratio in (upright, turned)]
    assert factors[0] * factors[1] == pytest.approx(1)


def test_the_cards_own_pixels_win() -> None:
    """A vendor's 720p may be something else than 1280x720."""
    card = make_card(sizes={"720p": {"16:9": "1248x704"}})
    assert pixels(card, "720p", "16:9") == (1248, 704)
    assert pixels(card, "720p", "9:16") == (720, 1280)
