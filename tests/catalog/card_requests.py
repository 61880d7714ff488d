"""How the card tests ask for a video: a request with plain inputs, resolved on its card, and what it is quoted at."""

from typing import Any

from reelway.catalog.catalog import Catalog
from reelway.catalog.conditions import Facts, holds
from reelway.catalog.pricing import quote
from reelway.catalog.resolve import resolve
from reelway.catalog.spec import ModelCard, PriceRule
from reelway.core.videos import InputReference, MediaKind, ResolvedRequest, VideoRequest

__all__ = ["ask", "dollars", "price_line"]

_ENDINGS = {MediaKind.IMAGE: "png", MediaKind.VIDEO: "mp4", MediaKind.AUDIO: "mp3"}


def ask(
    catalog: Catalog, name: str, *, images: int = 0, videos: int = 0, sounds: int = 0, **fields: Any
) -> ResolvedRequest:
    """Resolve a request with so many inputs to which nobody gave a role."""
    counts = {MediaKind.IMAGE: images, MediaKind.VIDEO: videos, MediaKind.AUDIO: sounds}
    given = [
        InputReference(field=f"{kind}s[{at}]", kind=kind, url=f"https://files.test/{at}.{_ENDINGS[kind]}")
        for kind, count in counts.items()
        for at in range(count)
    ]
    request = VideoRequest(model=name, prompt="a fox", inputs=tuple(given), **fields)
    return resolve(request, catalog.card(name))


def dollars(catalog: Catalog, name: str, *, images: int = 0, videos: int = 0, **fields: Any) -> str:
    """Return the quote of such a request as text."""
    return quote(catalog.card(name), ask(catalog, name, images=images, videos=videos, **fields)).text


def price_line(card: ModelCard, facts: Facts) -> PriceRule:
    """Return the line of the price list that decides; `extra` lines come on top of it."""
    return next(line for line in card.price if not line.extra and holds(line.when, facts))
