"""What holds for the Kling, HappyHorse, Grok, Vidu and Hailuo cards alike; each vendor's own facts have a file of their own."""

import pytest
from tests.catalog.card_facts import FRAMES, VIDEO, input_rule, price, vendor_model

from reelway.catalog.catalog import Catalog
from reelway.catalog.conditions import Facts, holds
from reelway.catalog.load import load_catalog
from reelway.core.videos import MediaKind, Mode, Role

HAPPYHORSE = (
    "happyhorse-1.0",
    "happyhorse-1.0-t2v",
    "happyhorse-1.0-i2v",
    "happyhorse-1.0-r2v",
    "happyhorse-1.0-video-edit",
)
GROK = ("grok-imagine-1.0-video", "grok-video-3", "grok-imagine-video-1.5-preview")
ALL = ("kling-video", *HAPPYHORSE, *GROK, "viduq3-turbo", "hailuo-video")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("name", ALL)
def test_every_card_ends_with_the_route_of_compatible_servers(catalog: Catalog, name: str) -> None:
    """Resellers, other gateways and the sandbox can make every model, for every request and without an end date."""
    last = catalog.card(name).routes[-1]

    assert (last.vendor, last.service, last.model) == ("openai_videos", "compatible", "{model}")
    assert last.retires is None
    assert all(holds(last.when, Facts(mode=mode)) for mode in Mode)


@pytest.mark.parametrize("name", ALL)
def test_remix_stands_wherever_edit_does(catalog: Catalog, name: str) -> None:
    """`POST /v1/videos/{id}/remix` is an edit of a finished video by words, and goes the same way at the same price."""
    card = catalog.card(name)

    assert (Mode.EDIT in card.modes) == (Mode.REMIX in card.modes)
    if Mode.REMIX in card.modes:
        edit, remix = card.modes[Mode.EDIT], card.modes[Mode.REMIX]
        assert (remix.prompt, remix.seconds, remix.tiers) == ("required", edit.seconds, edit.tiers)
        assert input_rule(card, Mode.REMIX, Role.SOURCE, MediaKind.VIDEO) == input_rule(
            card, Mode.EDIT, Role.SOURCE, MediaKind.VIDEO
        )
        for tier in edit.tiers or (None,):
            facts = Facts(mode=Mode.EDIT, tier=tier, kinds=VIDEO)
            assert vendor_model(card, facts) == vendor_model(card, facts.evolve(mode=Mode.REMIX))
            assert price(card, facts, seconds="5", input_seconds="5") == price(
                card, facts.evolve(mode=Mode.REMIX), seconds="5", input_seconds="5"
            )


@pytest.mark.parametrize(
    ("name", "modes"),
    [
        ("kling-video", {Mode.T2V, *FRAMES, Mode.R2V, Mode.EDIT, Mode.REMIX}),
        ("happyhorse-1.0", {Mode.T2V, Mode.I2V, Mode.R2V, Mode.EDIT, Mode.REMIX}),
        ("happyhorse-1.0-t2v", {Mode.T2V}),
        ("happyhorse-1.0-i2v", {Mode.I2V}),
        ("happyhorse-1.0-r2v", {Mode.R2V}),
        ("happyhorse-1.0-video-edit", {Mode.EDIT, Mode.REMIX}),
        ("grok-imagine-1.0-video", {Mode.T2V, Mode.I2V, Mode.R2V, Mode.EDIT, Mode.EXTEND, Mode.REMIX}),
        ("grok-video-3", {Mode.T2V, Mode.I2V, Mode.R2V, Mode.EDIT, Mode.EXTEND, Mode.REMIX}),
        ("grok-imagine-video-1.5-preview", {Mode.T2V, *FRAMES, Mode.R2V}),
        ("viduq3-turbo", {Mode.T2V, *FRAMES, Mode.R2V}),
        ("hailuo-video", {Mode.T2V, *FRAMES, Mode.R2V}),
    ],
)
def test_each_name_has_its_modes(catalog: Catalog, name: str, modes: set[Mode]) -> None:
    """What a name can make is what the vendor's matrix says of it, no more and no less."""
    assert set(catalog.card(name).modes) == modes


@pytest.mark.parametrize(
    ("name", "seed_max"),
    [
        ("kling-video", None),
        *((name, 2**31 - 1) for name in HAPPYHORSE),
        *((name, None) for name in GROK),
        ("viduq3-turbo", 2**31 - 1),
        ("hailuo-video", None),
    ],
)
def test_only_happyhorse_and_vidu_take_a_seed(catalog: Catalog, name: str, seed_max: int | None) -> None:
    """Kling, xAI and MiniMax have no such field, and nobody takes a frame rate."""
    card = catalog.card(name)

    assert card.seed_max == seed_max
    assert (card.fps, card.n_max) == ((), 1)
