"""Spot facts of the Vidu card, written out by hand so that a wrong card cannot agree with itself."""

from decimal import Decimal

import pytest
from tests.catalog.card_facts import FRAMES, bounds, input_rule, lengths, price, vendor_model

from reelway.catalog.catalog import Catalog
from reelway.catalog.conditions import Facts
from reelway.catalog.load import load_catalog
from reelway.core.videos import Mode, Role


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_vidu_q3_turbo_makes_1_to_16_seconds_with_sound(catalog: Catalog) -> None:
    """Five seconds of 720p by default; with references 3 seconds are the least and there are three ratios."""
    card = catalog.card("viduq3-turbo")

    for mode in (Mode.T2V, *FRAMES):
        assert lengths(card, mode) == (1, 16, 5)
    assert lengths(card, Mode.R2V) == (3, 16, 5)
    assert all((rules.tiers, rules.tier) == (("540p", "720p", "1080p"), "720p") for rules in card.modes.values())
    assert card.modes[Mode.T2V].ratios == ("16:9", "9:16", "3:4", "4:3", "1:1")
    assert card.modes[Mode.R2V].ratios == ("16:9", "9:16", "1:1")
    assert card.modes[Mode.I2V].ratios == ()
    assert {mode for mode, rules in card.modes.items() if rules.prompt == "optional"} == FRAMES
    assert (card.audio.kind, card.audio.default, card.prompt_limit) == ("switch", True, 5000)
    assert all(vendor_model(card, Facts(mode=mode)) == "viduq3-turbo" for mode in card.modes)


def test_vidu_pictures_have_the_vendors_limits(catalog: Catalog) -> None:
    """PNG, JPEG or WebP of 50 MB between 1:4 and 4:1; one to seven references of at least 128 pixels."""
    card = catalog.card("viduq3-turbo")

    assert bounds(input_rule(card, Mode.FIRST_LAST, Role.LAST_FRAME)) == (50_000_000, None, None, 0.25, 4.0)
    reference = input_rule(card, Mode.R2V, Role.REFERENCE)
    assert bounds(reference) == (50_000_000, 128, None, 0.25, 4.0)
    assert (reference.min, reference.max) == (1, 7)
    assert reference.media_types == ("image/png", "image/jpeg", "image/webp")


@pytest.mark.parametrize(
    ("tier", "options", "dollars"),
    [
        ("540p", {"off_peak": False, "is_rec": False}, "0.35"),  # 14 credits x 5 s x 0.005
        ("720p", {"off_peak": False, "is_rec": False}, "0.75"),
        ("1080p", {"off_peak": False, "is_rec": False}, "0.80"),
        ("540p", {"off_peak": True, "is_rec": False}, "0.175"),
        ("720p", {"off_peak": True, "is_rec": False}, "0.375"),
        ("1080p", {"off_peak": True, "is_rec": False}, "0.40"),
        ("720p", {"off_peak": False, "is_rec": True}, "0.80"),  # 10 credits more
    ],
)
def test_vidu_reserves_the_credits_of_q3_pro(
    catalog: Catalog, tier: str, options: dict[str, bool], dollars: str
) -> None:
    """Five seconds at half a cent a credit: Turbo's own credits are not published, so every line is marked."""
    card = catalog.card("viduq3-turbo")
    facts = Facts(mode=Mode.I2V, tier=tier, audio=True, options=options)

    assert price(card, facts, seconds="5") == ("USD", Decimal(dollars))
    assert all(line.unconfirmed for line in card.price if not line.extra)


def test_we_wait_longer_than_vidu_takes_off_peak(catalog: Catalog) -> None:
    """An off-peak video is made or cancelled within 48 hours; giving it up earlier would lose a paid one."""
    card = catalog.card("viduq3-turbo")

    assert card.deadline_seconds > 48 * 3600
    assert card.options["off_peak"].default is False


def test_vidu_has_no_options_that_q3_would_ignore(catalog: Catalog) -> None:
    """Movement, style, music and voice have no effect on Q3, which a caller should hear."""
    options = catalog.card("viduq3-turbo").options

    assert options.keys().isdisjoint({"movement_amplitude", "style", "bgm", "voice_id"})
    assert (options["audio_type"].modes, options["audio_type"].default) == ((Mode.I2V, Mode.R2V), "all")
    assert options["is_rec"].modes == (Mode.I2V, Mode.FIRST_LAST)
    assert (options["wm_position"].min, options["wm_position"].max) == (1, 4)


def test_vidu_has_subjects(catalog: Catalog) -> None:
    """References that are called by name; only Mix, which is no model here, has none."""
    assert catalog.card("viduq3-turbo").subjects
