"""API keys and callers, and how much they may have under way. Of a key its SHA-256 alone is stored; its text is shown once."""

from typing import Literal

from reelway.core.errors import RateLimited
from reelway.core.record import Record

__all__ = ["ApiKey", "Caller", "Scope", "UnfinishedLimit"]

Scope = Literal["create", "read", "admin"]

_RETRY_SECONDS = 10.0
"""When it is worth asking again whether a video has ended."""


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


class UnfinishedLimit(Record):
    """At most so many videos of one API key, or of one end user of a tenant, may be under way."""

    scope: Literal["key", "user"]
    tenant: str
    name: str
    """The key's id, or the user as callers name them."""
    most: int

    def refusal(self) -> RateLimited:
        """Return what a caller is told whose video would exceed it."""
        who = "this API key" if self.scope == "key" else f"the user {self.name[:80]!r}"
        return RateLimited(
            f"{who} has {self.most} videos under way and may have no more: wait for one to end, or cancel one",
            code="too_many_unfinished",
            retry_after_seconds=_RETRY_SECONDS,
        )
