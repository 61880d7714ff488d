"""Money is an integer number of micro-dollars; text and decimals appear at the edges only."""

from decimal import ROUND_CEILING, Decimal

__all__ = ["MICROS_PER_UNIT", "Micros", "from_decimal", "to_text"]

Micros = int
"""Millionths of a US dollar."""

MICROS_PER_UNIT = 1_000_000


def from_decimal(amount: Decimal) -> Micros:
    """Return micro-dollars for an amount in dollars, rounded up so that a price is never quoted below its cost."""
    return int((amount * MICROS_PER_UNIT).to_integral_value(rounding=ROUND_CEILING))


def to_text(amount: Micros) -> str:
    """Return the amount in dollars as a decimal string with at least two places: `0.40`, `1.2345`."""
    whole, micros = divmod(abs(amount), MICROS_PER_UNIT)
    places = f"{micros:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{places}"
