"""An account: one credential at one vendor's service, and what may be asked of it."""

from typing import Literal

from reelway.core.record import Record
from reelway.vendors.spec import Credential

__all__ = ["Account", "SubmitPolicy"]

SubmitPolicy = Literal["fail", "resubmit"]
"""What becomes of a submit whose outcome nobody can look up (contract 8)."""


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
    priority: int = 0
    """Lower is asked first."""
    max_in_flight: int = 0
    """Unfinished videos at a time; 0: no limit of ours."""
    settings: dict[str, str] = {}
    submit_policy: SubmitPolicy = "fail"
    delete_after_collect: bool = False
    """The vendor is asked to delete its copy once ours is stored, and when a video is deleted."""
    sandbox: bool = False
    """Make-believe: its videos say so."""
    private_network: bool = False
    """Results may lie at addresses of a private network (the operator's own servers)."""
