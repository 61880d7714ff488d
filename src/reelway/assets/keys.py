"""What a key of an asset may look like."""

import re

__all__ = ["require_key"]

_KEY = re.compile(r"[a-z0-9_-][a-z0-9_.-]{0,199}(/[a-z0-9_-][a-z0-9_.-]{0,199})*")
"""No part begins with a dot, so no key leads out of a folder, and a store has names of its own that no key can meet."""


def require_key(key: str) -> str:
    """Return the key. Raise `ValueError` when it is none."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not an asset key: lower-case letters, digits and _ - . in parts separated by /")
    return key
