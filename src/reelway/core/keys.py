"""API keys and callers. A key is stored as its SHA-256 only; the text is shown once, when it is made."""

from typing import Literal

from reelway.core.record import Record

__all__ = ["ApiKey", "Caller", "Scope"]

Scope = Literal["create", "read", "admin"]


class ApiKey(Record):
    """What we keep of a key. Times are Unix seconds."""

    id: str
    tenant: str
    name: str
    hash: str
    """Hexadecimal SHA-256 of the key's text; keys carry 160 random bits, so no salt or slow hash is needed."""
    hint: str
    """`sk-…abcd`: enough to recognise it by."""
    created_at: float
    scopes: tuple[Scope, ...] = ("create", "read")
    expires_at: float | None = None
    revoked_at: float | None = None


class Caller(Record):
    """Who is asking."""

    tenant: str
    key_id: str
    scopes: tuple[Scope, ...] = ("create", "read")

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes
