"""Money goes round without a loss."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.core.money import MICROS_PER_UNIT, from_decimal, to_text

_MICROS = st.integers(0, 10**15)


@given(_MICROS)
def test_what_is_shown_is_what_is_kept(amount: int) -> None:
    """Text and back is the same number, to the last micro-dollar."""
    assert from_decimal(Decimal(to_text(amount))) == amount


@given(_MICROS)
def test_text_has_at_least_two_places_and_no_idle_ones(amount: int) -> None:
    """`0.40`, never `0.4`, `4E-1` or `0.400000`."""
    whole, point, places = to_text(amount).partition(".")
    assert point == "."
    assert whole.isdigit()
    assert 2 <= len(places) <= 6
    assert len(places) == 2 or not places.endswith("0")


@given(st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=9))
def test_a_price_is_never_rounded_below_its_cost(dollars: Decimal) -> None:
    """Up to one micro-dollar above, never below."""
    assert dollars <= Decimal(from_decimal(dollars)) / MICROS_PER_UNIT < dollars + Decimal("0.000001")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.00"),
        (1, "0.000001"),
        (400_000, "0.40"),
        (1_234_500, "1.2345"),
        (10_000_000, "10.00"),
        (10**14, "100000000.00"),
    ],
)
def test_amounts_read_as_expected(amount: int, text: str) -> None:
    """The examples of the contract."""
    assert to_text(amount) == text
