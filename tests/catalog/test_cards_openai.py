"""Spot facts of the Sora cards, written out by hand so that a wrong card cannot agree with itself."""

from datetime import date
from typing import Any

import pytest
from tests.catalog.card_facts import input_rule
from tests.catalog.card_requests import ask, dollars, price_line

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import fits
from reelway.catalog.conditions import Facts, holds
from reelway.catalog.load import load_catalog
from reelway.catalog.sizes import pixels
from reelway.core.errors import InvalidRequest
from reelway.core.videos import MediaKind, Mode, Role

SORA = ("sora-2", "sora-2-pro")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("name", SORA)
def test_sora_makes_five_lengths_and_a_portrait_of_four_seconds_by_default(catalog: Catalog, name: str) -> None:
    """The defaults are OpenAI's: 4 seconds of 720x1280."""
    card = catalog.card(name)

    for mode in (Mode.T2V, Mode.I2V):
        rules = card.modes[mode]
        assert rules.seconds is not None
        assert rules.seconds.values == (4, 8, 12, 16, 20)
        assert rules.seconds.default == 4
        assert rules.tier is not None
        assert rules.ratio is not None
        assert pixels(card, rules.tier, rules.ratio) == (720, 1280)


def test_sora_sizes_are_exactly_those_of_the_vendor(catalog: Catalog) -> None:
    """Two sizes for sora-2, six for sora-2-pro; 1024p has shapes of its own."""

    def sizes(name: str) -> set[str]:
        card = catalog.card(name)
        rules = card.modes[Mode.T2V]
        combinations = [
            (tier, ratio)
            for tier in rules.tiers
            for ratio in rules.ratios
            if fits(card, Facts(mode=Mode.T2V, tier=tier, ratio=ratio, seconds=4, audio=True))
        ]
        assert sorted(combinations) == sorted((tier, ratio) for tier, row in card.sizes.items() for ratio in row)
        return {card.sizes[tier][ratio] for tier, ratio in combinations}

    assert sizes("sora-2") == {"720x1280", "1280x720"}
    assert sizes("sora-2-pro") == {"720x1280", "1280x720", "1024x1792", "1792x1024", "1080x1920", "1920x1080"}


@pytest.mark.parametrize("name", SORA)
def test_a_sora_first_frame_must_have_the_pixels_of_the_video(catalog: Catalog, name: str) -> None:
    """OpenAI refuses any other image, so we do before anything is charged."""
    rule = input_rule(catalog.card(name), Mode.I2V, Role.FIRST_FRAME)

    assert rule.match_size
    assert (rule.min, rule.max) == (1, 1)
    assert set(rule.media_types) == {"image/jpeg", "image/png", "image/webp"}


@pytest.mark.parametrize(
    ("name", "tier", "amount"),
    [
        ("sora-2", "720p", "0.10"),
        ("sora-2-pro", "720p", "0.30"),
        ("sora-2-pro", "1024p", "0.50"),
        ("sora-2-pro", "1080p", "0.70"),
        ("sora-2-pro", None, "0.70"),
    ],
)
def test_sora_is_charged_by_the_output_second(catalog: Catalog, name: str, tier: str | None, amount: str) -> None:
    """The last list price of each tier; where the size follows the source, the dearest is reserved."""
    line = price_line(catalog.card(name), Facts(mode=Mode.T2V, tier=tier, audio=True))

    assert (line.amount, line.unit, line.currency) == (amount, "second", "USD")


def test_openais_own_service_ended_and_azure_made_less(catalog: Catalog) -> None:
    """The dates skip the dead routes; Azure never had the pro model, 16 or 20 seconds, edits or extensions."""
    openai, azure, _ = catalog.card("sora-2").routes

    assert (openai.service, openai.retires) == ("openai", date(2026, 9, 24))
    assert (azure.service, azure.retires) == ("azure", date(2026, 11, 2))
    assert azure.unconfirmed
    assert holds(azure.when, Facts(mode=Mode.T2V, seconds=12))
    assert holds(azure.when, Facts(mode=Mode.REMIX))
    assert not holds(azure.when, Facts(mode=Mode.T2V, seconds=16))
    assert not holds(azure.when, Facts(mode=Mode.EDIT))
    assert [route.service for route in catalog.card("sora-2-pro").routes] == ["openai", "compatible"]


@pytest.mark.parametrize("name", SORA)
def test_sora_is_lengthened_to_two_minutes_at_most(catalog: Catalog, name: str) -> None:
    """Six extensions of at most 20 seconds make 120 s in all."""
    card = catalog.card(name)
    rule = input_rule(card, Mode.EXTEND, Role.SOURCE, MediaKind.VIDEO)

    assert card.extend_seconds_max == 120
    assert rule.max_seconds == 120 - 4
    assert card.seed_max is None
    assert card.audio.kind == "always"


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, "720x1280"),
        ({"ratio": "16:9"}, "1280x720"),
        ({"width": 1792, "height": 1024}, "1792x1024"),
        ({"ratio": "7:4"}, "1792x1024"),
        ({"tier": "1024p"}, "1024x1792"),
        ({"tier": "1080p", "ratio": "16:9"}, "1920x1080"),
    ],
)
def test_every_way_to_ask_for_a_sora_pro_size_leads_to_it(catalog: Catalog, fields: dict[str, Any], size: str) -> None:
    """Pixels, shape or tier alone are enough, because 7:4 and 1024p mean each other."""
    assert ask(catalog, "sora-2-pro", **fields).size == size


def test_sora_pro_has_no_1024p_in_16_9(catalog: Catalog) -> None:
    """The refusal says what 1024p is."""
    with pytest.raises(InvalidRequest, match="1024p is 1024x1792 or 1792x1024"):
        ask(catalog, "sora-2-pro", tier="1024p", ratio="16:9")


@pytest.mark.parametrize(
    ("name", "fields", "price"),
    [
        ("sora-2", {}, "0.40"),
        ("sora-2", {"seconds": 20, "n": 2}, "4.00"),
        ("sora-2-pro", {"seconds": 12, "tier": "1024p"}, "6.00"),
        ("sora-2-pro", {"seconds": 8, "width": 1920, "height": 1080}, "5.60"),
        ("sora-2", {"operation": "extend", "source_video_id": "video_1", "seconds": 8}, "0.80"),
    ],
)
def test_a_sora_video_costs_its_seconds(catalog: Catalog, name: str, fields: dict[str, Any], price: str) -> None:
    """Seconds times the price of the tier times the takes; of an extension the new seconds."""
    assert dollars(catalog, name, **fields) == price
