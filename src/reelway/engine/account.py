"""An account: one credential at one vendor's service, and what may be asked of it."""

import hashlib
from typing import Literal, Self

import msgspec

from reelway.core.record import Record
from reelway.vendors.spec import Credential

__all__ = ["Account", "RenderPolicy", "SubmitPolicy"]

SubmitPolicy = Literal["fail", "resubmit"]
"""What becomes of a submit whose outcome nobody can look up (contract 8)."""

RenderPolicy = Literal["never", "free", "always"]
"""Whether another account may try after a failed render: never, where the failed one cost nothing at the vendor, or always."""


class Account(Record):
    """Where requests go. The credential lives in memory only and never prints."""

    name: str
    vendor: str
    """The adapter's name."""
    base_url: str
    service: str = ""
    """The vendor's surface: `openai`, `azure`, `compatible`, `sandbox`, …"""
    credential: Credential = Credential()
    models: dict[str, str] = {}
    """Public name → the name used here; `*` stands for all others, `{model}` for the public name. Empty: as the cards say."""
    weight: int = 1
    priority: int | None = None
    """Lower is asked first. None stands for 0, and lets the card's order of routes decide among accounts without one."""
    max_in_flight: int = 0
    """Unfinished videos at a time; 0: no limit of ours."""
    requests_per_minute: int = 0
    """Submits in any minute; 0: no limit of ours."""
    draining: bool = False
    """Takes no new video; what it works on is finished there."""
    previous: tuple[Credential, ...] = ()
    """Keys it had before, for the work that was begun with them."""
    full_codes: tuple[str, ...] = ()
    """The vendor's codes for: too many videos are under way."""
    retry_failed_renders: RenderPolicy = "never"
    charges_failed_renders: bool = True
    """Whether the vendor may charge for a render that failed; False only where it says that it does not."""
    settings: dict[str, str] = {}
    submit_policy: SubmitPolicy = "fail"
    delete_after_collect: bool = False
    """The vendor is asked to delete its copy once ours is stored, and when a video is deleted."""
    sandbox: bool = False
    """Make-believe: its videos say so."""
    private_network: bool = False
    """Results may lie at addresses of a private network (the operator's own servers)."""

    @property
    def key_mark(self) -> str:
        """Tells the account's keys apart, on the disk too, and gives none of them away."""
        return _mark(self.credential)

    def signed_as(self, mark: str) -> Self:
        """Return the account with the key of this mark, if it still has that; else with today's, which may do as well."""
        if not mark or mark == self.key_mark:
            return self
        old = next((credential for credential in self.previous if _mark(credential) == mark), None)
        return self if old is None else self.evolve(credential=old)


def _mark(credential: Credential) -> str:
    """Return 32 bits of a hash: enough to tell a few keys apart, far too few to guess one by."""
    encoded = msgspec.json.encode(sorted(credential.values.items()))
    return hashlib.sha256(b"reelway key mark\n" + encoded).hexdigest()[:8]
