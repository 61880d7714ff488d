"""How Vidu signs what it calls: with the key of whoever created the task, over the address, the time and a nonce.

Only the sandbox signs so; the gateway does not keep its callers' keys.
"""

import base64
import hashlib
import hmac
from email.utils import formatdate
from urllib.parse import urlsplit

__all__ = ["signed_headers"]

_NAME = "vidu"
_SIGNED = ("Date", "x-request-nonce")


def signed_headers(url: str, key: str, now: float, nonce: str) -> dict[str, str]:
    """Return the headers that go with a POST to this address."""
    date, address = formatdate(now, usegmt=True), urlsplit(url)
    values = dict(zip(_SIGNED, (date, nonce), strict=True))
    lines = ("POST", address.path, address.query, _NAME, date, *(f"{name}:{values[name]}" for name in _SIGNED))
    text = "".join(f"{line}\n" for line in lines)
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return {
        **values,
        "X-HMAC-SIGNED-HEADERS": ";".join(_SIGNED),
        "X-HMAC-SIGNATURE": base64.b64encode(signature).decode(),
        "X-HMAC-ALGORITHM": "hmac-sha256",
        "X-HMAC-ACCESS-KEY": _NAME,
    }
