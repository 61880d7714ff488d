"""A made-up model for tests of the catalogue's logic, so that they do not move when a vendor does."""

from datetime import date
from typing import Any

import pytest

from reelway.catalog.resolve import resolve
from reelway.catalog.spec import (
    AudioRule,
    InputRule,
    ModeCard,
    ModelCard,
    OptionCard,
    PriceRule,
    RouteCard,
    SecondsRule,
)
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Blob, InputReference, MediaKind, Mode, ResolvedRequest, Role, VideoRequest

__all__ = [
    "FIRST",
    "LAST",
    "REFERENCE",
    "SOURCE",
    "blob",
    "image",
    "made",
    "make_card",
    "make_request",
    "refused",
    "video",
    "warned",
]

FIRST = InputRule(role=Role.FIRST_FRAME, kind=MediaKind.IMAGE, min=1)
LAST = InputRule(role=Role.LAST_FRAME, kind=MediaKind.IMAGE, min=1)
REFERENCE = InputRule(role=Role.REFERENCE, kind=MediaKind.IMAGE, min=1, max=3)
SOURCE = InputRule(role=Role.SOURCE, kind=MediaKind.VIDEO, min=1, max_seconds=10)

_CHOICE: dict[str, Any] = {
    "seconds": SecondsRule(default=4, values=(4, 6, 8)),
    "tiers": ("720p", "1080p"),
    "tier": "720p",
    "ratios": ("16:9", "9:16", "1:1"),
    "ratio": "16:9",
}


def make_card(**changes: Any) -> ModelCard:
    """Return a card that can do everything, changed as asked."""
    card = ModelCard(
        name="acme-1",
        title="Acme 1",
        family="acme",
        vendor="acme",
        summary="Everything at once.",
        modes={
            Mode.T2V: ModeCard(**_CHOICE),
            Mode.I2V: ModeCard(inputs=(FIRST,), prompt="optional", **_CHOICE),
            Mode.FIRST_LAST: ModeCard(inputs=(FIRST, LAST), **_CHOICE),
            Mode.R2V: ModeCard(inputs=(REFERENCE,), **_CHOICE),
            Mode.EDIT: ModeCard(inputs=(SOURCE, REFERENCE.evolve(min=0))),
            Mode.EXTEND: ModeCard(inputs=(SOURCE,), seconds=SecondsRule(default=5, min=2, max=7)),
        },
        audio=AudioRule(kind="switch", default=False),
        routes=(RouteCard(vendor="acme", model="acme-one"),),
        seed_max=1000,
        options={
            "negative_prompt": OptionCard(type="string", summary="What to leave out.", max_length=20),
            "style": OptionCard(type="string", summary="The look.", values=("calm", "wild"), default="calm"),
            "strength": OptionCard(type="number", summary="How much.", min=0, max=1, modes=(Mode.I2V,), default=0.5),
            "watermark": OptionCard(type="boolean", summary="A mark.", default=False, aliases=("logo",)),
            "steps": OptionCard(type="integer", summary="How often.", min=1, max=9),
            "shots": OptionCard(type="array", summary="A list.", max_length=2),
            "camera": OptionCard(type="object", summary="A path."),
        },
        mode_words={"std": {"tier": "720p"}, "pro": {"tier": "1080p"}, "wild": {"option": "style", "value": "wild"}},
        tier_words={"hd+": "1080p"},
        price=(PriceRule(amount="0.10", unit="second", as_of=date(2026, 11, 1)),),
    )
    return card.evolve(**changes)


def make_request(**changes: Any) -> VideoRequest:
    """Return a plain request for the made-up model, changed as asked."""
    return VideoRequest(model="acme-1", prompt="A fox in snow").evolve(**changes)


def blob(media_type: str = "image/png", **facts: Any) -> Blob:
    """Return bytes that lie in the asset store."""
    return Blob(key="a1", sha256="00", bytes=1000, media_type=media_type).evolve(**facts)


def image(role: Role | None = None, field: str = "images[0]", **facts: Any) -> InputReference:
    """Return an uploaded image; facts are those of its bytes."""
    return InputReference(field=field, role=role, blob=blob(**facts))


def video(role: Role | None = None, field: str = "video", **facts: Any) -> InputReference:
    """Return an uploaded video; facts are those of its bytes."""
    return InputReference(field=field, role=role, blob=blob("video/mp4", **facts))


def made(card: ModelCard | None = None, **fields: Any) -> ResolvedRequest:
    """Resolve a request with these fields, on the made-up card unless another is given."""
    return resolve(make_request(**fields), card or make_card())


def refused(card: ModelCard | None = None, **fields: Any) -> InvalidRequest:
    """Return the refusal of such a request."""
    with pytest.raises(InvalidRequest) as error:
        made(card, **fields)
    return error.value


def warned(resolved: ResolvedRequest) -> dict[str, str]:
    """Return the warnings by field."""
    return {warning.field: warning.message for warning in resolved.warnings}
