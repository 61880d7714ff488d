"""Links that open one file without a key, until their time is over. Pure: time and secret come in.

Two kinds: to a file of a video, for callers, and to a file by its key, for vendors. The signature of one is none of the other.
"""

import hashlib
import hmac

__all__ = ["is_file_signed", "is_signed", "sign_file", "sign_link"]


def sign_link(secret: bytes, video_id: str, variant: str, index: int, expires: int) -> str:
    """Return the hexadecimal signature of a link; `expires` is in Unix seconds."""
    return _sign(secret, video_id, variant, str(index), str(expires))


def is_signed(secret: bytes, video_id: str, variant: str, index: int, expires: str, signature: str, now: float) -> bool:
    """Tell whether a link carries our signature and its time has not passed."""
    return _holds(expires, now) and _equal(sign_link(secret, video_id, variant, index, int(expires)), signature)


def sign_file(secret: bytes, key: str, expires: int) -> str:
    """Return the hexadecimal signature of a link to the file under a key; `expires` is in Unix seconds."""
    return _sign(secret, "file", key, str(expires))


def is_file_signed(secret: bytes, key: str, expires: str, signature: str, now: float) -> bool:
    """Tell whether a link to the file under this key carries our signature and its time has not passed."""
    return _holds(expires, now) and _equal(sign_file(secret, key, int(expires)), signature)


def _sign(secret: bytes, *parts: str) -> str:
    return hmac.new(secret, "\n".join(parts).encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _holds(expires: str, now: float) -> bool:
    return expires.isascii() and expires.isdigit() and len(expires) <= 12 and int(expires) >= now


def _equal(expected: str, signature: str) -> bool:
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
