"""The sections of the vendors' pages that model cards cannot know: which variables switch a vendor on, and what is proven."""

from collections.abc import Iterator, Mapping, Sequence

from scripts.docs_parts import environment_table, table
from scripts.proofs import ABILITIES, abilities_of, evidence

from reelway.catalog.catalog import Catalog
from reelway.settings import ENVIRONMENT_VENDORS
from reelway.vendors.registry import adapters

__all__ = ["vendor_sections"]

_ANYONE = "openai_videos"
"""Every card has a route to compatible servers; only one page is about them."""


def vendor_sections(catalog: Catalog) -> Mapping[str, Sequence[str]]:
    """Return the sections by the name of the vendor, and `index`."""
    sections = {name: tuple(_sections(_adapters_of(catalog, name))) for name in catalog.vendors}
    return {**sections, "index": (_proof_table(),)}


def _adapters_of(catalog: Catalog, vendor: str) -> tuple[str, ...]:
    """Return the adapters that make a vendor's models, in the order in which its cards name them."""
    found = dict.fromkeys(route.vendor for card in catalog.cards if card.vendor == vendor for route in card.routes)
    own = [name for name in found if name != _ANYONE]
    return tuple(own or found)


def _sections(adapter_names: tuple[str, ...]) -> Iterator[str]:
    entries = [entry for entry in ENVIRONMENT_VENDORS if entry.vendor in adapter_names]
    yield f"## Switching it on\n\n{environment_table(entries)}\n\nOr an `[[account]]` in [`reelway.toml`](../configuration.md)."
    built = [name for name in adapter_names if name in adapters()]
    if not built:
        yield "Its adapter is not built yet; until then its models are made by compatible servers that offer them."
        return
    proven = evidence()
    rows = [
        (f"`{name}`", ability, ", ".join(proven.get((name, ability), ("unconfirmed",))))
        for name in built
        for ability in abilities_of(name)
    ]
    yield f"## What the adapter can do\n\n{table(('adapter', 'ability', 'proven by'), rows)}"


def _proof_table() -> str:
    proven = evidence()
    rows = []
    for name in adapters():
        able = abilities_of(name)
        cells = [", ".join(proven.get((name, one), ("unconfirmed",))) if one in able else "–" for one in ABILITIES]
        rows.append((f"`{name}`", *cells))
    return (
        "## What is proven, and by whom\n\nDrawn from the tests. A client named here is the vendor's own, or a well-known one for "
        "that vendor (LiteLLM, the AI SDK), unmodified: it works with our server as with the vendor's, and our adapter is held "
        "against that same server in every model and mode. "
        "`document`: requests and answers as the vendor's documents show them are replayed one by one. `–`: the vendor has no "
        f"such thing, or none that is documented.\n\n{table(('adapter', *ABILITIES), rows)}"
    )
