"""Links that open one file of one video without a key, until their time is over. Pure: time and secret come in."""

import hashlib
import hmac

__all__ = ["is_signed", "sign_link"]


def sign_link(secret: bytes, video_id: str, variant: str, index: int, expires: int) -> str:
    """Return the hexadecimal signature of a link; `expires` is in Unix seconds."""
    message = f"{video_id}\n{variant}\n{index}\n{expires}".encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def is_signed(secret: bytes, video_id: str, variant: str, index: int, expires: str, signature: str, now: float) -> bool:
    """Tell whether a link carries our signature and its time has not passed."""
    if not expires.isascii() or not expires.isdigit() or len(expires) > 12 or int(expires) < now:
        return False
    expected = sign_link(secret, video_id, variant, index, int(expires))
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
