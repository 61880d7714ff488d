"""How Vidu signs its callbacks: with the key that created the task, over the address, the time and a nonce, but not over the body.

So a good signature proves that Vidu called this address now, and nothing of what the body says.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from reelway.core.errors import UnexpectedResponse
from reelway.vendors.spec import Callback

__all__ = ["check_signature", "sign"]

_NAME = "vidu"
_WINDOW_SECONDS = 300.0
_MUST_SIGN = "date"


def check_signature(callback: Callback, url: str, key: str, now: float) -> None:
    """Raise `UnexpectedResponse` unless it is signed with this key, for this address, within five minutes of now."""
    headers = callback.headers
    signature = headers.get("x-hmac-signature", "")
    if not signature:
        raise UnexpectedResponse("the callback is not signed")
    names = tuple(name.strip() for name in headers.get("x-hmac-signed-headers", "").split(";") if name.strip())
    if _MUST_SIGN not in {name.lower() for name in names}:
        raise UnexpectedResponse("the signature of the callback is not over its date")
    if not hmac.compare_digest(sign(url, key, headers, names).encode(), signature.encode("utf-8", "replace")):
        raise UnexpectedResponse("the signature of the callback is not the account's")
    if abs(_time(headers) - now) > _WINDOW_SECONDS:
        raise UnexpectedResponse("the callback was signed too long ago, or by a clock that is wrong")


def sign(url: str, key: str, headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the signature of a POST to this address, over these of its headers. Their names are in lower case in `headers`."""
    address = urlsplit(url)
    lines = ["POST", address.path, address.query, _NAME, headers.get("date", "")]
    lines += [f"{name}:{headers.get(name.lower(), '')}" for name in names]
    text = "".join(f"{line}\n" for line in lines)
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _time(headers: Mapping[str, str]) -> float:
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        raise UnexpectedResponse("the callback has no date that can be read") from None
