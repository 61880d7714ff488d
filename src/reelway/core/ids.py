"""Identifiers: a prefix that says what it names, then 26 characters that sort by time.

The layout is that of a ULID (48 bits of Unix milliseconds, 80 random bits, Crockford's base 32), which keeps inserts at the
right end of every index. Time and randomness come in as arguments.
"""

__all__ = ["ALPHABET", "ENTROPY_BYTES", "is_id", "make_id"]

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ENTROPY_BYTES = 10
_LENGTH = 26
_CHARACTERS = frozenset(ALPHABET)
_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_SHIFTS = range(120, -1, -10)
"""Two characters at a time are read off a table: an id is made for every request."""


def make_id(prefix: str, now: float, entropy: bytes) -> str:
    """Return `prefix_` and 26 characters made of `now` (Unix seconds) and ten random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"an id takes {ENTROPY_BYTES} random bytes (got {len(entropy)})")
    number = (int(now * 1000) << 80) | int.from_bytes(entropy, "big")
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"


def is_id(prefix: str, text: str) -> bool:
    """Tell whether `text` could be an id with this prefix, without looking it up."""
    head, separator, tail = text.partition("_")
    return head == prefix and bool(separator) and len(tail) == _LENGTH and _CHARACTERS.issuperset(tail)
