"""Spot facts of the HappyHorse cards, written out by hand so that a wrong card cannot agree with itself."""

from decimal import Decimal

import pytest
from tests.catalog.card_facts import VIDEO, bounds, input_rule, lengths, price, vendor_model

from reelway.catalog.catalog import Catalog
from reelway.catalog.conditions import Facts
from reelway.catalog.load import load_catalog
from reelway.core.videos import MediaKind, Mode, Role

HAPPYHORSE_SUFFIXES = {
    "happyhorse-1.0-t2v": Mode.T2V,
    "happyhorse-1.0-i2v": Mode.I2V,
    "happyhorse-1.0-r2v": Mode.R2V,
    "happyhorse-1.0-video-edit": Mode.EDIT,
}
HAPPYHORSE = ("happyhorse-1.0", *HAPPYHORSE_SUFFIXES)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("name", HAPPYHORSE)
def test_happyhorse_makes_3_to_15_seconds_of_1080p(catalog: Catalog, name: str) -> None:
    """Five seconds of 1080p by default, always with sound; an edit follows its source and has no 480p."""
    card = catalog.card(name)

    for mode, rules in card.modes.items():
        edits = mode in (Mode.EDIT, Mode.REMIX)
        assert lengths(card, mode) == (None if edits else (3, 15, 5))
        assert rules.tiers == (("720p", "1080p") if edits else ("480p", "720p", "1080p"))
        assert rules.tier == "1080p"
        assert rules.source_seconds == (15 if edits else None)
        assert rules.unconfirmed
        assert len(rules.ratios) == (9 if mode in (Mode.T2V, Mode.R2V) else 0)
        assert rules.prompt == ("optional" if mode is Mode.I2V else "required")
    assert card.audio.kind == "always"
    assert card.two_images == "references"


@pytest.mark.parametrize(("name", "mode"), HAPPYHORSE_SUFFIXES.items())
def test_a_happyhorse_suffix_is_both_mode_and_id(catalog: Catalog, name: str, mode: Mode) -> None:
    """The vendor's id is the name itself; the bare name finds the same id by the mode."""
    card, family = catalog.card(name), catalog.card("happyhorse-1.0")

    assert card.default_mode is mode
    assert family.default_mode is None
    assert vendor_model(card, Facts(mode=mode)) == name
    assert vendor_model(family, Facts(mode=mode)) == name


@pytest.mark.parametrize("name", HAPPYHORSE)
def test_the_happyhorse_mark_is_decided_here(catalog: Catalog, name: str) -> None:
    """The vendor's own default is a mark in the picture, so ours has to be sent."""
    assert catalog.card(name).options["watermark"].default is False


def test_only_edits_choose_their_sound(catalog: Catalog) -> None:
    """`audio_setting` exists on the edit id alone."""
    assert catalog.card("happyhorse-1.0").options["audio_setting"].modes == (Mode.EDIT, Mode.REMIX)
    assert catalog.card("happyhorse-1.0-video-edit").options["audio_setting"].values == ("auto", "origin")
    for name in ("happyhorse-1.0-t2v", "happyhorse-1.0-i2v", "happyhorse-1.0-r2v"):
        assert "audio_setting" not in catalog.card(name).options


@pytest.mark.parametrize("name", HAPPYHORSE)
def test_happyhorse_charges_yuan_by_the_second_and_edits_twice(catalog: Catalog, name: str) -> None:
    """0.9 or 1.6 CNY a second; an edit of 7.75 seconds pays its 7.75 seconds of input too (15.5 x 1.6 = 24.8)."""
    card = catalog.card(name)

    for mode in card.modes:
        facts = Facts(mode=mode, audio=True, kinds=VIDEO if Mode.EDIT in card.modes else frozenset())
        if mode in (Mode.EDIT, Mode.REMIX):
            edit = {"seconds": "7.75", "input_seconds": "7.75"}
            assert price(card, facts.evolve(tier="720p"), **edit) == ("CNY", Decimal("13.95"))
            assert price(card, facts.evolve(tier="1080p"), **edit) == ("CNY", Decimal("24.8"))
        else:
            assert price(card, facts.evolve(tier="720p"), seconds="6") == ("CNY", Decimal("5.4"))
            assert price(card, facts.evolve(tier="1080p"), seconds="6") == ("CNY", Decimal("9.6"))
            (small,) = (line for line in card.price if line.when.tier == ("480p",))
            assert small.unconfirmed


def test_happyhorse_inputs_have_the_vendors_limits(catalog: Catalog) -> None:
    """One frame, nine references of 400 pixels, or a video of 3 to 60 seconds with up to five pictures of 10 MB."""
    card = catalog.card("happyhorse-1.0")
    types = ("image/jpeg", "image/png", "image/webp")

    frame = input_rule(card, Mode.I2V, Role.FIRST_FRAME)
    assert (bounds(frame), frame.media_types) == ((20_000_000, 300, None, 0.4, 2.5), types)
    reference = input_rule(card, Mode.R2V, Role.REFERENCE)
    assert (reference.min, reference.max) == (1, 9)
    assert bounds(reference) == (20_000_000, 400, None, None, None)
    source = input_rule(card, Mode.EDIT, Role.SOURCE, MediaKind.VIDEO)
    assert bounds(source) == (100_000_000, 320, 2160, 0.4, 2.5)
    assert (source.min_seconds, source.max_seconds) == (3.0, 60.0)
    beside = input_rule(card, Mode.EDIT, Role.REFERENCE)
    assert (beside.max, beside.max_bytes) == (5, 10_000_000)
    assert beside.unconfirmed
