"""What the servers that speak the OpenAI Videos API do otherwise, one record each.

A difference that is a word, a header or something missing stands here; what a create looks like is written out beside
`openai_bodies`. Every word of a table was read in the server's own source or documents, named in the fixture folders.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from reelway.core.record import Record

__all__ = ["OURS", "SERVICES", "Service", "State", "service_of"]

State: TypeAlias = Literal["queued", "in_progress", "completed", "failed", "cancelled", "expired"]
_FOUR: Mapping[str, State] = MappingProxyType(
    {"queued": "queued", "in_progress": "in_progress", "completed": "completed", "failed": "failed"}
)


class Service(Record):
    """One kind of server. What is not said is as at OpenAI."""

    name: str
    title: str
    further_words: Mapping[str, State] = {}
    """States it has beyond OpenAI's four."""
    create_headers: tuple[tuple[str, str], ...] = ()
    is_ours: bool = False
    """This very program: it keeps our reference, takes every field, can cancel, and says what it charged."""
    is_strict: bool = False
    """It knows OpenAI's own fields and refuses others."""
    has_key_header: bool = False
    """A key goes into `api-key`; a token stays a bearer token."""
    fails_with_status: bool = False
    """A look at a failed video is answered with an error status, which stands in its code as well."""
    hides_codes: bool = False
    """It wraps the vendor's refusal into a text of its own, where the code can still be read."""
    cancels_by_deleting: bool = False
    """What is deleted while it is made is aborted."""
    lists: bool = True
    may_lack_lists: bool = False
    """It is not known before it was asked."""
    deletes: bool = True
    has_links: bool = False
    """A finished video is behind the link in its object; there is no content endpoint."""

    def state_of(self, word: str) -> State | None:
        """Return what a status word means here, None for one that nobody has met."""
        return _FOUR.get(word) or self.further_words.get(word)


_RELAYED: Mapping[str, State] = MappingProxyType(
    {
        "pending": "queued",
        "submitted": "queued",
        "processing": "in_progress",
        "running": "in_progress",
        "generating": "in_progress",
        "succeeded": "completed",
        "success": "completed",
        "failure": "failed",
        "cancelled": "cancelled",
        "canceled": "cancelled",
        "expired": "expired",
    }
)
"""Words that resellers hand on from their own vendors; new-api, which many of them run, has met them all."""

_ALL = (
    Service(name="openai", title="OpenAI", is_strict=True, further_words={"expired": "expired"}),
    Service(
        name="azure",
        title="Azure OpenAI",
        is_strict=True,
        has_key_header=True,
        further_words={"cancelled": "cancelled", "expired": "expired"},
    ),
    Service(name="compatible", title="any other compatible server", further_words=_RELAYED, may_lack_lists=True),
    Service(name="reelway", title="another Reelway", is_ours=True),
    Service(name="sandbox", title="the sandbox", is_ours=True),
    Service(name="vllm", title="vLLM-Omni", fails_with_status=True, cancels_by_deleting=True),
    Service(name="sglang", title="SGLang"),
    Service(
        name="litellm",
        title="LiteLLM proxy",
        further_words={"processing": "in_progress", "cancelled": "cancelled"},
        # By itself it sends a create three times when the vendor answers 408, 409, 429 or 5xx, and each may be charged.
        create_headers=(("x-litellm-num-retries", "0"),),
        hides_codes=True,
        lists=False,
        deletes=False,
    ),
    Service(name="newapi", title="new-api", further_words={"unknown": "queued"}, lists=False, deletes=False),
    Service(
        name="google",
        title="Google's OpenAI layer",
        further_words={"processing": "in_progress"},
        has_links=True,
        lists=False,
        deletes=False,
    ),
)
SERVICES: Mapping[str, Service] = MappingProxyType({service.name: service for service in _ALL})
OURS = frozenset(service.name for service in _ALL if service.is_ours)


def service_of(name: str) -> Service:
    """Return the service of this name; a server nobody named is an unknown clone."""
    return SERVICES.get(name) or SERVICES["compatible"].evolve(name=name)
