"""Where each vendor's API begins on our server, and by which of its surfaces an account reaches it.

Every vendor brings this itself, in `fixtures/<vendor>/legs.toml`; no list is edited:

    base = "/acme"               # what an account's base URL ends with; nothing where the vendor's own paths are kept
    [[leg]]                      # one for each surface, as `Leg`; none where there is one surface without a name
    service = "current"
"""

import tomllib
from pathlib import Path

import msgspec

from reelway.core.record import Record
from reelway.vendors.registry import adapters
from reelway.vendors.spec import Adapter

__all__ = ["BASES", "LEGS", "Leg"]


class Leg(Record, forbid_unknown_fields=True):
    """One surface of one vendor, as an account names it."""

    vendor: str = ""
    service: str = ""
    settings: dict[str, str] = {}
    route_service: str = ""
    """What the cards call it, where that is another word."""
    marks: frozenset[str] = frozenset()
    """Fields and options that the adapter draws where nobody asks for them, to know a lost attempt again."""
    said_otherwise: frozenset[str] = frozenset()
    """Options without a field of their own on this wire, which stand in the prompt or follow from others; their values hang
    together besides. The vendor's own tests send them."""

    @property
    def adapter(self) -> Adapter:
        return adapters()[self.vendor]


class _Way(Record, forbid_unknown_fields=True):
    """One file."""

    base: str
    leg: tuple[Leg, ...] = (Leg(),)


_WAYS = {
    path.parent.name: msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Way)
    for path in sorted((Path(__file__).parent / "fixtures").glob("*/legs.toml"))
}

BASES = {vendor: way.base for vendor, way in _WAYS.items()}
"""Where the API of an adapter's vendor begins on our server: what an account's base URL ends with."""

LEGS = tuple(leg.evolve(vendor=vendor) for vendor, way in _WAYS.items() for leg in way.leg)
