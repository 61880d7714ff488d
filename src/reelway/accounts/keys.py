"""API keys: made, recognised, and asked for at the door.

The one rule: a key's text is shown once, when it is made. After that there is only its hash, here and on the disk.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Protocol

from reelway.core.errors import AuthenticationRequired
from reelway.core.ids import ALPHABET, ENTROPY_BYTES, make_id
from reelway.core.keys import ApiKey, Caller, Scope

__all__ = [
    "DEFAULT_TENANT",
    "FIXED_KEY_ID",
    "KEY_ENTROPY_BYTES",
    "REVOCATION_SECONDS",
    "KeyRing",
    "KeyStore",
    "hash_key",
    "hint_of",
    "mint_key",
]

KEY_ENTROPY_BYTES = 20
"""160 bits: nobody guesses one, so its hash needs neither salt nor slowness."""

REVOCATION_SECONDS = 3.0
"""How long a key may still be honoured by another process after it was revoked; in the one that revoked it, not at all."""

DEFAULT_TENANT = "default"
FIXED_KEY_ID = "key_fixed"

_PREFIX = "sk-"
_FIRST_KEY_FACT = "first_key"
_EVERYTHING: tuple[Scope, ...] = ("create", "read", "admin")
_REMEMBERED_KEYS = 4096
_HINT_CHARACTERS = 4
_LONGEST_KEY = 512


class KeyStore(Protocol):
    """What a key ring needs of a store; `JobStore` has it."""

    async def add_key(self, key: ApiKey) -> None: ...

    async def key_by_hash(self, key_hash: str) -> ApiKey | None: ...

    async def revoke_key(self, key_id: str, now: float) -> bool: ...

    async def fact(self, name: str) -> str | None: ...

    async def set_fact(self, name: str, value: str) -> str: ...


def mint_key(entropy: bytes) -> str:
    """Return the text of a new key, `sk-` and 32 characters, made of twenty random bytes."""
    if len(entropy) != KEY_ENTROPY_BYTES:
        raise ValueError(f"a key takes {KEY_ENTROPY_BYTES} random bytes (got {len(entropy)})")
    number = int.from_bytes(entropy, "big")
    length = KEY_ENTROPY_BYTES * 8 // 5
    return _PREFIX + "".join(ALPHABET[number >> 5 * place & 31] for place in range(length - 1, -1, -1))


def hash_key(text: str) -> str:
    """Return the hexadecimal SHA-256 under which a key is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def hint_of(text: str) -> str:
    """Return enough of a key to recognise it by, and too little to use: `sk-…abcd`; nothing of one that is short itself."""
    return f"{_PREFIX}…{text[-_HINT_CHARACTERS:] if len(text) >= 4 * _HINT_CHARACTERS else ''}"


class KeyRing:
    """Tells who holds a key, and makes new ones. Remembers keys for `REVOCATION_SECONDS`, so that most requests read nothing."""

    def __init__(
        self, store: KeyStore, *, fixed_key: str | None = None, entropy: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._store = store
        self._fixed_hash = None if fixed_key is None else hash_key(fixed_key)
        self._entropy = entropy
        self._remembered: dict[str, tuple[float, ApiKey]] = {}

    async def authenticate(self, text: str | None, now: float) -> Caller:
        """Return who holds this key. Raise `AuthenticationRequired` with what to do."""
        if not text:
            raise AuthenticationRequired("an API key is missing: send the header `Authorization: Bearer sk-…`")
        if len(text) > _LONGEST_KEY:
            raise AuthenticationRequired("this is not an API key: it is far too long; check what the client sends")
        key_hash = hash_key(text)
        if self._fixed_hash is not None and hmac.compare_digest(key_hash, self._fixed_hash):
            return Caller(tenant=DEFAULT_TENANT, key_id=FIXED_KEY_ID, scopes=_EVERYTHING)
        key = await self._find(key_hash, now)
        if key is None:
            raise AuthenticationRequired(
                f"nobody knows the API key {hint_of(text)}: check it, or make one with `reelway keys create`"
            )
        if key.revoked_at is not None:
            raise AuthenticationRequired(
                f"the API key {key.hint} ({key.name}) was revoked: use another, or make one with `reelway keys create`"
            )
        if key.expires_at is not None and key.expires_at <= now:
            raise AuthenticationRequired(
                f"the API key {key.hint} ({key.name}) has expired: use another, or make one with `reelway keys create`"
            )
        return Caller(tenant=key.tenant, key_id=key.id, scopes=key.scopes)

    async def issue(
        self, name: str, tenant: str, scopes: tuple[Scope, ...], now: float, expires_at: float | None = None
    ) -> tuple[str, ApiKey]:
        """Make a key and keep it; return its text, which is not kept, and its record."""
        text = mint_key(self._entropy(KEY_ENTROPY_BYTES))
        key = ApiKey(
            id=make_id("key", now, self._entropy(ENTROPY_BYTES)),
            tenant=tenant,
            name=name,
            hash=hash_key(text),
            hint=hint_of(text),
            created_at=now,
            scopes=scopes,
            expires_at=expires_at,
        )
        await self._store.add_key(key)
        return text, key

    async def revoke(self, key_id: str, now: float) -> bool:
        """Revoke a key, here at once, elsewhere within `REVOCATION_SECONDS`; False when there is none with this id."""
        is_known = await self._store.revoke_key(key_id, now)
        self._remembered = {hash_: entry for hash_, entry in self._remembered.items() if entry[1].id != key_id}
        return is_known

    async def ensure_first_key(self, now: float) -> str | None:
        """Make an administrator's key at the very first start and return its text; None at every later one.

        With a fixed key nobody needs it, and none is made. Of two processes that start at once, one gets the text.
        """
        if self._fixed_hash is not None or await self._store.fact(_FIRST_KEY_FACT) is not None:
            return None
        # The key comes before the fact: a crash in between leaves a key nobody knows, rather than no key at all.
        text, key = await self.issue("first key", DEFAULT_TENANT, _EVERYTHING, now)
        if await self._store.set_fact(_FIRST_KEY_FACT, key.id) != key.id:
            await self._store.revoke_key(key.id, now)
            return None
        return text

    async def _find(self, key_hash: str, now: float) -> ApiKey | None:
        """Look a key up, or remember it. What is not known is looked up every time, so that a new key works at once."""
        read_at, remembered = self._remembered.get(key_hash, (0.0, None))
        if remembered is not None and 0 <= now - read_at < REVOCATION_SECONDS:
            return remembered
        key = await self._store.key_by_hash(key_hash)
        if key is not None:
            if len(self._remembered) >= _REMEMBERED_KEYS:
                self._remembered.clear()
            self._remembered[key_hash] = (now, key)
        return key
