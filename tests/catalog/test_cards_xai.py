"""Spot facts of the Grok cards, written out by hand so that a wrong card cannot agree with itself."""

from decimal import Decimal

import pytest
from tests.catalog.card_facts import FRAMES, IMAGE, VIDEO, input_rule, lengths, price, vendor_model

from reelway.catalog.catalog import Catalog
from reelway.catalog.conditions import Facts
from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.catalog.sizes import pixels
from reelway.core.videos import MediaKind, Mode, Role, VideoRequest

GROK_BASE = ("grok-imagine-1.0-video", "grok-video-3")
GROK_15 = "grok-imagine-video-1.5-preview"
GROK = (*GROK_BASE, GROK_15)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("name", GROK_BASE)
def test_resellers_names_of_grok_mean_the_base_model(catalog: Catalog, name: str) -> None:
    """xAI knows neither name; both are its `grok-imagine-video`, 480p by default and 720p at most."""
    card = catalog.card(name)

    for mode in card.modes:
        assert vendor_model(card, Facts(mode=mode, tier="480p")) == "grok-imagine-video"
    for mode in (Mode.T2V, Mode.I2V, Mode.R2V):
        assert (card.modes[mode].tiers, card.modes[mode].tier) == (("480p", "720p"), "480p")
    assert card.modes[Mode.EDIT].tiers == card.modes[Mode.EXTEND].tiers == ()


@pytest.mark.parametrize(("name", "default"), [("grok-imagine-1.0-video", 8), ("grok-video-3", 6), (GROK_15, 8)])
def test_grok_makes_1_to_15_seconds(catalog: Catalog, name: str, default: int) -> None:
    """xAI's default is 8; resellers of grok-video-3 take 6, 10 and 15 only, so that name begins with 6."""
    card = catalog.card(name)

    assert lengths(card, Mode.T2V) == lengths(card, Mode.I2V) == (1, 15, default)
    assert lengths(card, Mode.R2V) == (1, 10, default)
    assert card.modes[Mode.R2V].unconfirmed
    assert set(card.modes[Mode.T2V].ratios) == {"16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3"}
    assert card.modes[Mode.I2V].ratio == "adaptive"


def test_grok_edits_short_videos_and_adds_2_to_10_seconds(catalog: Catalog) -> None:
    """A source of 8.7 seconds at most for edits, of 2 to 15 for extensions, which add 6 seconds unless told."""
    card = catalog.card("grok-imagine-1.0-video")

    assert input_rule(card, Mode.EDIT, Role.SOURCE, MediaKind.VIDEO).max_seconds == 8.7
    source = input_rule(card, Mode.EXTEND, Role.SOURCE, MediaKind.VIDEO)
    assert (source.min_seconds, source.max_seconds) == (2.0, 15.0)
    assert source.unconfirmed
    assert lengths(card, Mode.EXTEND) == (2, 10, 6)
    assert lengths(card, Mode.EDIT) is None


@pytest.mark.parametrize(
    ("mode", "tier", "model"),
    [
        (Mode.I2V, "480p", "grok-imagine-video-1.5-preview"),
        (Mode.I2V, "720p", "grok-imagine-video-1.5-preview"),
        (Mode.I2V, "1080p", "grok-imagine-video-1.5"),
        (Mode.T2V, "480p", "grok-imagine-video-1.5"),
        (Mode.FIRST_LAST, "720p", "grok-imagine-video-1.5"),
        (Mode.R2V, "720p", "grok-imagine-video-1.5"),
    ],
)
def test_the_preview_makes_what_it_was_announced_for(catalog: Catalog, mode: Mode, tier: str, model: str) -> None:
    """The preview is image to video at 480p and 720p; the general release does the rest."""
    assert vendor_model(catalog.card(GROK_15), Facts(mode=mode, tier=tier)) == model


def test_grok_1_5_has_1080p_but_not_with_references(catalog: Catalog) -> None:
    """1080p is for text and frames; references end at 720p."""
    modes = catalog.card(GROK_15).modes

    assert all(modes[mode].tiers == ("480p", "720p", "1080p") for mode in (Mode.T2V, *FRAMES))
    assert modes[Mode.R2V].tiers == ("480p", "720p")
    assert input_rule(catalog.card(GROK_15), Mode.R2V, Role.REFERENCE).max == 7


@pytest.mark.parametrize(
    ("name", "facts", "seconds", "images", "dollars"),
    [
        ("grok-imagine-1.0-video", Facts(mode=Mode.T2V, tier="720p"), "5", 0, "0.35"),
        ("grok-imagine-1.0-video", Facts(mode=Mode.T2V, tier="480p"), "8", 0, "0.40"),
        ("grok-video-3", Facts(mode=Mode.I2V, tier="480p", kinds=IMAGE), "6", 1, "0.302"),
        ("grok-imagine-1.0-video", Facts(mode=Mode.R2V, tier="720p", kinds=IMAGE), "10", 7, "0.714"),
        ("grok-imagine-1.0-video", Facts(mode=Mode.EXTEND, kinds=VIDEO), "6", 0, "0.42"),
        (GROK_15, Facts(mode=Mode.FIRST_LAST, tier="1080p", kinds=IMAGE), "6", 2, "1.52"),
        (GROK_15, Facts(mode=Mode.I2V, tier="720p", kinds=IMAGE), "8", 1, "1.13"),
        (GROK_15, Facts(mode=Mode.T2V, tier="480p"), "15", 0, "1.20"),
    ],
)
def test_grok_charges_seconds_and_input_images(
    catalog: Catalog, name: str, facts: Facts, seconds: str, images: int, dollars: str
) -> None:
    """The sums of the vendor's own examples (5 x 0.07; 6 x 0.25 + 2 x 0.01), and others by hand."""
    assert price(catalog.card(name), facts, seconds=seconds, images=images) == ("USD", Decimal(dollars))


@pytest.mark.parametrize("name", GROK)
def test_grok_styles_are_known_words_that_change_nothing(catalog: Catalog, name: str) -> None:
    """Clients of resellers send them as `mode`; xAI has no field for a style, and the notes say so."""
    card = catalog.card(name)

    assert card.mode_words == {"normal": {}, "fun": {}, "spicy": {}, "custom": {}}
    assert "style" not in card.options
    assert any("`spicy`" in note and "change nothing" in note for note in card.notes)
    for word in card.mode_words:
        plain = VideoRequest(model=name, prompt="a boat")
        styled = resolve(plain.evolve(mode=word), card)
        (warning,) = styled.warnings
        assert (warning.field, word in warning.message) == ("mode", True)
        assert styled.evolve(warnings=()) == resolve(plain, card)


@pytest.mark.parametrize(
    ("name", "tier", "ratio", "sides"),
    [
        ("grok-imagine-1.0-video", "480p", "16:9", (848, 480)),
        ("grok-imagine-1.0-video", "720p", "16:9", (1280, 720)),
        (GROK_15, "480p", "9:16", (480, 848)),
        (GROK_15, "1080p", "16:9", (1920, 1080)),
    ],
)
def test_grok_pixels_are_those_xai_publishes(
    catalog: Catalog, name: str, tier: str, ratio: str, sides: tuple[int, int]
) -> None:
    """480p is 848 wide at xAI, not the usual 854."""
    assert pixels(catalog.card(name), tier, ratio) == sides


@pytest.mark.parametrize("name", GROK)
def test_grok_sound_is_on_unless_switched_off(catalog: Catalog, name: str) -> None:
    """`generate_audio` is true by default and does not exist for edits and extensions."""
    audio = catalog.card(name).audio

    assert (audio.kind, audio.default) == ("switch", True)
    assert set(audio.modes).isdisjoint({Mode.EDIT, Mode.EXTEND, Mode.REMIX})


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("grok-imagine-video", "grok-imagine-1.0-video"),
        ("grok-imagine-video-1.5", GROK_15),
        ("grok-imagine-video-1.5-2026-05-30", GROK_15),
        ("grok-video-3", "grok-video-3"),
    ],
)
def test_xais_own_names_mean_our_models(catalog: Catalog, name: str, card: str) -> None:
    """Callers of xAI's API know no other names; each belongs to one card, and resellers' names to their own."""
    assert catalog.card(name).name == card


@pytest.mark.parametrize(
    ("option", "modes"),
    [("keyframes", {Mode.T2V, Mode.FIRST_LAST}), ("reference_audios", {Mode.T2V, Mode.R2V})],
)
def test_only_the_general_release_pins_pictures_and_borrows_voices(
    catalog: Catalog, option: str, modes: set[Mode]
) -> None:
    """Neither the base model nor the preview has them, and the preview makes what begins with a first frame alone."""
    card = catalog.card(GROK_15)

    assert set(card.options[option].modes) == modes
    assert card.options[option].unconfirmed
    for mode in modes:
        assert vendor_model(card, Facts(mode=mode, tier="480p")) == "grok-imagine-video-1.5"
    for name in GROK_BASE:
        assert not catalog.card(name).options


def test_xais_page_says_what_becomes_of_a_lost_submit(catalog: Catalog) -> None:
    """There is no way to look it up, which an operator should know before it happens."""
    vendor = catalog.vendors["xai"]

    assert "submission_unknown" in vendor.lost_submit
    assert "console.x.ai" in vendor.key
    assert any("Zero Data Retention" in quirk for quirk in vendor.quirks)
