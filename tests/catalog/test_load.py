"""From tables to cards: inheritance, operators' own cards and aliases, and errors that say where."""

from typing import Any

import pytest

from reelway.catalog.catalog import Catalog, CatalogInvalid
from reelway.catalog.inherit import RawCard
from reelway.catalog.load import check_packaged, load_catalog, read_cards
from reelway.core.errors import GatewayError, NotFound
from reelway.core.videos import Mode

BASE: dict[str, Any] = {
    "name": "base",
    "title": "Base",
    "family": "acme",
    "vendor": "acme",
    "summary": "A base.",
    "audio": {"kind": "never"},
    "modes": {
        "t2v": {"seconds": {"default": 5, "values": [5, 10]}, "tiers": ["720p", "1080p"], "tier": "720p"},
        "i2v": {"inputs": [{"role": "first_frame", "kind": "image", "min": 1}]},
    },
    "options": {"seed_lock": {"type": "boolean", "summary": "Keep it.", "default": True}},
    "sizes": {"720p": {"16:9": "1280x720", "1:1": "720x720"}},
    "tier_words": {"std": "720p", "pro": "1080p"},
    "notes": ["The price is not known."],
    "routes": [{"vendor": "acme", "model": "acme-base"}],
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def raw(**table: Any) -> RawCard:
    return RawCard(source="acme.toml", table=table)


def own(**changes: Any) -> dict[str, Any]:
    return {**BASE, "name": "house-model", **changes}


def test_the_packaged_cards_hold_together() -> None:
    """Every default is allowed, every limit reachable, every combination routed, priced and sized."""
    assert check_packaged() == ()


def test_a_card_inherits_tables_and_replaces_lists() -> None:
    """Tables merge to any depth; lists and plain values are replaced as a whole."""
    heir = raw(name="heir", extends="base", modes={"t2v": {"tiers": ["1080p"], "tier": "1080p"}})
    cards, complaints = read_cards([raw(**BASE), heir])

    assert complaints == []
    mode = cards["heir"].modes[Mode.T2V]
    assert mode.tiers == ("1080p",)
    assert mode.seconds == cards["base"].modes[Mode.T2V].seconds
    assert cards["heir"].title == "Base"


def test_false_takes_an_inherited_entry_away() -> None:
    """A mode, an option, a tier, a ratio, a word: whatever has a name can be left out by the heir."""
    heir = raw(
        name="heir",
        extends="base",
        modes={"i2v": False},
        options={"seed_lock": False},
        sizes={"720p": {"1:1": False}},
        tier_words={"pro": False},
    )
    cards, complaints = read_cards([raw(**BASE), heir])

    assert complaints == []
    assert list(cards["heir"].modes) == [Mode.T2V]
    assert cards["heir"].options == {}
    assert cards["heir"].sizes == {"720p": {"16:9": "1280x720"}}
    assert cards["heir"].tier_words == {"std": "720p"}


def test_false_is_a_value_where_a_value_stands() -> None:
    """An option whose default is turned off keeps existing."""
    cards, complaints = read_cards(
        [raw(**BASE), raw(name="heir", extends="base", options={"seed_lock": {"default": False}})]
    )

    assert complaints == []
    assert cards["heir"].options["seed_lock"].default is False


def test_taking_away_what_is_not_there_is_an_error() -> None:
    """It is most likely a misspelt name."""
    _, complaints = read_cards([raw(**BASE), raw(name="heir", extends="base", modes={"r2v": False})])
    assert complaints == ["acme.toml: model heir: modes.r2v = false takes away something that no base has"]


def test_an_abstract_card_is_a_base_only() -> None:
    """It is never public, and its heirs are not abstract by inheritance."""
    cards, _ = read_cards([raw(**{**BASE, "abstract": True}), raw(name="heir", extends="base")])
    assert list(cards) == ["heir"]


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        ([{"extends": "base"}], "a [[model]] table has no name"),
        ([{"name": "heir", "extends": "nobody"}], "model heir: extends nobody, which does not exist"),
        ([{"name": "heir", "extends": "heir"}], "model heir: extends itself through heir → heir"),
        ([{"name": "base"}], "model base is already defined in acme.toml"),
        ([{"name": "heir", "extends": "base", "colour": "red"}], "unknown field `colour`"),
        ([{"name": "heir", "extends": "base", "modes": {"t2v": {"tierz": []}}}], "model heir: modes.t2v: Object"),
        ([{"name": "heir", "extends": "base", "modes": {"t2v": {"prompt": "maybe"}}}], "modes.t2v: Invalid enum"),
        ([{"name": "heir", "extends": "base", "routes": [{"vendor": "acme"}]}], "routes.0: Object missing required"),
        (
            [{"name": "heir", "extends": "base", "modes": {"i2v": {"inputs": [{"role": "hero", "kind": "image"}]}}}],
            "modes.i2v: inputs.0: Invalid enum value 'hero'",
        ),
    ],
)
def test_a_complaint_names_the_file_the_model_and_the_place(tables: list[dict[str, Any]], complaint: str) -> None:
    """Whoever writes a card finds the mistake without searching."""
    _, complaints = read_cards([raw(**BASE), *(raw(**table) for table in tables)])
    assert len(complaints) == 1
    assert complaints[0].startswith("acme.toml: ")
    assert complaint in complaints[0]


def test_a_circle_of_bases_is_an_error() -> None:
    """Two cards that extend each other have no beginning."""
    _, complaints = read_cards([raw(name="a", extends="b"), raw(name="b", extends="a")])
    assert len(complaints) == 2
    assert "model a: extends itself through a → b → a" in complaints[0]


def test_an_operators_card_joins_the_catalogue() -> None:
    """It is asked for like any other."""
    catalog = load_catalog(extra_cards=[own()])
    assert catalog.card("house-model").routes[0].model == "acme-base"
    assert "house-model" in catalog.names


def test_an_operators_card_may_extend_and_replace_a_packaged_one(catalog: Catalog) -> None:
    """A price of one's own needs three lines, not a copy of the card, and stays with the card it was given to."""
    price = [{"amount": "0.01", "unit": "second", "as_of": "2026-11-01"}]
    mine = load_catalog(extra_cards=[{"name": "veo3.1", "extends": "veo3.1", "price": price}])

    assert mine.card("veo3.1").price[0].amount == "0.01"
    assert mine.card("veo3.1").modes == catalog.card("veo3.1").modes
    assert mine.card("veo3.1-4k") == catalog.card("veo3.1-4k")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"routes": []}, "has no routes"),
        ({"notes": []}, "no price"),
        ({"vendor": 7}, "Expected `str`"),
    ],
)
def test_an_operators_card_is_checked_before_anything_starts(changes: dict[str, Any], complaint: str) -> None:
    """A card that contradicts itself would cost money later."""
    with pytest.raises(CatalogInvalid, match=complaint):
        load_catalog(extra_cards=[own(**changes)])


def test_an_alias_stands_for_its_card() -> None:
    """Old callers go on under the old name, also through several aliases."""
    catalog = load_catalog(aliases={"house-video": "house-default", "house-default": "veo3.1"})
    assert catalog.card("house-video").name == "veo3.1"
    assert catalog.canonical("house-video") == "veo3.1"
    assert {"house-video", "house-default"} < set(catalog.names)


def test_an_alias_may_take_the_name_of_a_packaged_card() -> None:
    """`sora-2 = "veo3.1"` keeps callers alive whose model is gone; the card itself is found by its own name only."""
    catalog = load_catalog(aliases={"sora-2": "veo3.1"})

    assert catalog.card("sora-2").name == "veo3.1"
    assert catalog.resolved_card("sora-2").name == "sora-2"
    assert catalog.names.count("sora-2") == 1
    assert "sora-2" not in {card.name for card in catalog.cards}


@pytest.mark.parametrize(
    ("aliases", "complaint"),
    [
        ({"a": "b", "b": "a"}, "aliases go in a circle: a → b → a"),
        ({"sora-2": "sora-2"}, "aliases go in a circle: sora-2 → sora-2"),
        ({"sora-2": "veo3.1", "veo3.1": "sora-2"}, "in a circle"),
        ({"mine": "veo3.2"}, r"alias mine leads to veo3.2, which is no model; the nearest names are veo3.*"),
        ({"house-model": "veo3.1"}, "alias house-model has the name of one of your own model cards"),
    ],
)
def test_an_alias_that_leads_nowhere_is_an_error(aliases: dict[str, str], complaint: str) -> None:
    """The operator hears of it at the start, not the first caller."""
    with pytest.raises(CatalogInvalid, match=complaint) as refused:
        load_catalog(extra_cards=[own()], aliases=aliases)
    assert isinstance(refused.value, GatewayError)


def test_an_unknown_model_is_answered_with_the_nearest_names(catalog: Catalog) -> None:
    """Three names at most, so that the message stays a message."""
    with pytest.raises(NotFound) as refused:
        catalog.card("Veo-3.1")
    assert refused.value.status == 404
    assert refused.value.code == "model_not_found"
    assert refused.value.param == "model"
    assert refused.value.message == 'unknown model "Veo-3.1"; the nearest names are veo3.1, veo3.1-4k, veo3'


def test_a_name_like_no_other_is_answered_with_the_list(catalog: Catalog) -> None:
    """Nothing near is better than something far."""
    with pytest.raises(NotFound, match="see GET /v1/models"):
        catalog.card("§§§")


def test_a_caller_sees_a_short_message_for_a_long_name(catalog: Catalog) -> None:
    """What was got is repeated only as far as it helps."""
    with pytest.raises(NotFound) as refused:
        catalog.card("x" * 10_000)
    assert len(refused.value.message) < 300
