"""A card as callers and readers see it: all of it, plainly, and nothing they should not see."""

import json
from datetime import date

import pytest
from tests.catalog.made_up import make_card

from reelway.catalog.catalog import Catalog
from reelway.catalog.describe import describe_card
from reelway.catalog.load import load_catalog
from reelway.catalog.pages import render_pages
from reelway.catalog.spec import Limit, ModelCard, PriceRule, When
from reelway.catalog.wording import in_words, limit_in_words, price_in_words, unconfirmed_facts
from reelway.core.videos import MediaKind, Mode, Role

TODAY = date(2026, 11, 23)
CARDS = load_catalog().cards


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_card_can_be_shown_as_json(card: ModelCard) -> None:
    """Modes, prices with dates, routes and doubts are all there, in plain JSON."""
    shown = json.loads(json.dumps(describe_card(card, TODAY)))

    assert list(shown["modes"]) == [str(mode) for mode in card.modes]
    assert len(shown["routes"]) == len(card.routes)
    assert all(line["as_of"] and line["text"] for line in shown["price"])
    for mode, rules in card.modes.items():
        said = shown["modes"][str(mode)]
        assert said["resolutions"] == list(rules.tiers)
        assert (said["seconds"] is None) == (rules.seconds is None)
        if rules.seconds is not None:
            assert all(rules.seconds.allows(second) for second in said["seconds"]["values"])


def test_what_is_shown_of_one_card() -> None:
    """The made-up card, spot by spot."""
    shown = describe_card(make_card(), TODAY)
    text = shown["modes"]["t2v"]
    assert text["seconds"] == {"default": 4, "values": [4, 6, 8], "auto": False}
    assert (text["size"], text["sizes"][-1]) == ("1280x720", "1080x1080")
    assert text["audio"] == [False, True]
    assert shown["modes"]["edit"]["seconds"] is None
    assert shown["options"]["style"]["allowed"] == "one of calm, wild"
    assert shown["price"][0]["text"] == "0.10 USD per second"
    assert shown["n"] == {"min": 1, "max": 4, "native": 1}
    assert shown["deprecation"] is None


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (When(), ""),
        (When(mode=(Mode.T2V, Mode.I2V), tier=("1080p",), audio=True), "t2v or i2v, 1080p, with sound"),
        (When(seconds=(4, 6), not_seconds=(8,), audio=False), "4 or 6 seconds, not 8 seconds, without sound"),
        (When(role=(Role.FIRST_FRAME,), kind=(MediaKind.IMAGE,)), "with a first frame, with image input"),
        (When(no_kind=(MediaKind.VIDEO,), option={"draft": True}), "without video input, draft true"),
        (When(ratio=("16:9",)), "16:9"),
    ],
)
def test_conditions_in_words(when: When, words: str) -> None:
    """Every part of a condition has its words."""
    assert in_words(when) == words


def test_limits_and_prices_in_words() -> None:
    """As they stand in the docs and in `/v1/models`."""
    limit = Limit(when=When(tier=("1080p",)), seconds=(8,), audio=True, inputs={MediaKind.IMAGE: 4}, because="so it is")
    line = PriceRule(amount="0.005", unit="credit", credits="10", credits_per_second="14", as_of=TODAY)
    assert limit_in_words(limit) == "1080p: 8 seconds, with sound, at most 4 image inputs (so it is)"
    assert limit_in_words(Limit(when=When(), refuse=True)) == "always: refused"
    assert price_in_words(line) == "10 credits and 14 credits per second, 0.005 USD each"
    assert price_in_words(line.evolve(unit="input_image", amount="0.01", extra=True, free=5)) == (
        "plus 0.01 USD per input image after the first 5"
    )


def test_doubts_are_collected_from_all_over_the_card() -> None:
    """A reader finds them in one place, each with what it is about."""
    card = make_card(unconfirmed=("the name",))
    routes = tuple(route.evolve(unconfirmed="may be gone") for route in card.routes)
    assert unconfirmed_facts(card.evolve(routes=routes)) == ["the name", "route acme: may be gone"]


def test_there_is_a_page_for_every_vendor_and_a_section_for_every_model(catalog: Catalog) -> None:
    """The index links to every name there is."""
    pages = render_pages(catalog)
    assert set(pages) == {"index.md", *(f"{name}.md" for name in catalog.vendors)}
    for card in catalog.cards:
        assert f"\n## {card.name}\n" in pages[f"{card.vendor}.md"]
        assert f"[`{card.name}`]({card.vendor}.md#" in pages["index.md"]


def test_pages_take_sections_from_elsewhere(catalog: Catalog) -> None:
    """What cards cannot know, which variables switch a vendor on say, stands on the vendor's page before its models."""
    pages = render_pages(catalog, {"kling": ["## Accounts\n\nTwo."], "index": ["## Abilities\n\nMany."]})
    assert 0 < pages["kling.md"].index("## Accounts") < pages["kling.md"].index("## kling-video")
    assert "## Abilities" in pages["index.md"]
    assert "## Accounts" not in pages["google.md"]
