"""Who asks, in Kling's two ways: a plain API key, or a token that the caller's client makes from an access key and a secret key.

A client that insists on two keys is given the same Reelway key twice: the token then names it (`iss`) and is signed with it. Kling
itself refuses tokens on its current API (401, 1002); here a good one opens every path.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from reelway.core.errors import AuthenticationRequired
from reelway.core.record import Record

__all__ = ["TOKEN_EARLY", "TOKEN_EXPIRED", "TOKEN_INVALID", "key_of"]

TOKEN_INVALID = "token_invalid"  # noqa: S105  # codes of errors, not secrets
TOKEN_EARLY = "token_not_yet_valid"  # noqa: S105
TOKEN_EXPIRED = "token_expired"  # noqa: S105

T = TypeVar("T")

_LONGEST_TOKEN = 8192


class _Header(Record):
    alg: str = ""


class _Claims(Record):
    iss: str
    exp: int
    nbf: int = 0


def key_of(headers: Mapping[str, str], query: tuple[tuple[str, str], ...] = (), now: float = 0.0) -> str | None:
    """Return the caller's key. Raise `AuthenticationRequired` for a token that is not good now."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        return None
    return _key_in_token(token, now) if token.startswith("ey") and token.count(".") == 2 else token


def _key_in_token(token: str, now: float) -> str:
    if len(token) > _LONGEST_TOKEN:
        raise _refused("it is far too long", TOKEN_INVALID)
    header, claims, signature = token.split(".")
    if _read(header, _Header).alg != "HS256":
        raise _refused("it must be signed with HS256", TOKEN_INVALID)
    said = _read(claims, _Claims)
    expected = hmac.new(said.iss.encode(), f"{header}.{claims}".encode(), hashlib.sha256).digest()
    if not said.iss or not hmac.compare_digest(expected, _decoded(signature)):
        raise _refused(
            "its signature does not fit; set access key and secret key both to your Reelway key", TOKEN_INVALID
        )
    if said.nbf > now:
        raise _refused("it is not valid yet (nbf); set the clock that made it right", TOKEN_EARLY)
    if said.exp <= now:
        raise _refused("it has expired (exp); make a new one", TOKEN_EXPIRED)
    return said.iss


def _read(segment: str, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(_decoded(segment), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _refused("it cannot be read; it needs the claims iss, exp and nbf", TOKEN_INVALID) from None


def _decoded(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused("it is not three parts of base64url", TOKEN_INVALID) from None


def _refused(why: str, code: str) -> AuthenticationRequired:
    return AuthenticationRequired(f"the token in Authorization was refused: {why}", code=code)
