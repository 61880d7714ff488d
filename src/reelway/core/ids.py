"""Identifiers: a prefix that says what it names, then 26 characters that sort by time.

The layout is that of a ULID (48 bits of Unix milliseconds, 80 random bits, Crockford's base 32), which keeps inserts at the
right end of every index. Time and randomness come in as arguments.
"""

__all__ = ["ALPHABET", "ENTROPY_BYTES", "is_id", "make_id"]

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ENTROPY_BYTES = 10
_LENGTH = 26


def make_id(prefix: str, now: float, entropy: bytes) -> str:
    """Return `prefix_` and 26 characters made of `now` (Unix seconds) and ten random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"an id takes {ENTROPY_BYTES} random bytes (got {len(entropy)})")
    number = (int(now * 1000) << 80) | int.from_bytes(entropy, "big")
    characters = bytearray(_LENGTH)
    for position in range(_LENGTH - 1, -1, -1):
        characters[position] = ord(ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{characters.decode('ascii')}"


def is_id(prefix: str, text: str) -> bool:
    """Tell whether `text` could be an id with this prefix, without looking it up."""
    head, separator, tail = text.partition("_")
    return head == prefix and bool(separator) and len(tail) == _LENGTH and all(c in ALPHABET for c in tail)
