"""Spot facts of the Omni and Veo cards, written out by hand so that a wrong card cannot agree with itself."""

from datetime import date
from typing import Any

import pytest
from tests.catalog.card_facts import input_rule
from tests.catalog.card_requests import ask, dollars, price_line

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import fits
from reelway.catalog.conditions import Facts
from reelway.catalog.load import load_catalog
from reelway.core.errors import InvalidRequest, NotFound
from reelway.core.videos import MediaKind, Mode, Role

VEO_3 = ("veo3", "veo3-fast", "veo3-pro", "veo3-frames", "veo3-fast-frames", "veo3-pro-frames")
VEO_31 = ("veo3.1", "veo3.1-fast", "veo3.1-pro", "veo3.1-components", "veo3.1-4k", "veo3.1-pro-4k")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_omni_makes_3_to_15_seconds_in_four_tiers(catalog: Catalog) -> None:
    """The ranges are those of 1.2; 1.1 stopped at 10 seconds."""
    rules = catalog.card("gemini-omni").modes[Mode.T2V]

    assert rules.seconds is not None
    assert [seconds for seconds in range(20) if rules.seconds.allows(seconds)] == list(range(3, 16))
    assert rules.tiers == ("360p", "720p", "1080p", "4k")
    assert (rules.tier, rules.ratio) == ("720p", "16:9")
    assert set(rules.ratios) == {"16:9", "9:16"}


def test_omni_edits_follow_the_source_and_extensions_add_3_to_10_seconds(catalog: Catalog) -> None:
    """An edit has no length of its own; an extension ends at 40 seconds in all."""
    card = catalog.card("gemini-omni")
    extend = card.modes[Mode.EXTEND].seconds

    assert card.modes[Mode.EDIT].seconds is None
    assert input_rule(card, Mode.EDIT, Role.SOURCE, MediaKind.VIDEO).max_seconds == 15
    assert extend is not None
    assert (extend.min, extend.max) == (3, 10)
    assert card.extend_seconds_max == 40


def test_omni_references_are_ten_images_and_three_short_clips(catalog: Catalog) -> None:
    """Clips have 3 seconds at most; there are no sounds among the references."""
    card = catalog.card("gemini-omni")
    images = input_rule(card, Mode.R2V, Role.REFERENCE)
    clips = input_rule(card, Mode.R2V, Role.REFERENCE, MediaKind.VIDEO)

    assert images.max == 10
    assert images.unconfirmed
    assert (clips.max, clips.max_seconds) == (3, 3)
    assert all(rule.kind is not MediaKind.AUDIO for rule in card.modes[Mode.R2V].inputs)
    assert card.audio.kind == "always"


@pytest.mark.parametrize(("tier", "amount"), [("360p", "0.023"), ("720p", "0.07"), ("1080p", "0.105"), ("4k", "0.21")])
def test_omni_prices_are_marked_as_unconfirmed(catalog: Catalog, tier: str, amount: str) -> None:
    """The prices of 1.2 are inferred from resellers, and the card says so."""
    line = price_line(catalog.card("gemini-omni"), Facts(mode=Mode.T2V, tier=tier, audio=True))

    assert (line.amount, line.unit) == (amount, "second")
    assert line.unconfirmed


def test_omni_input_tokens_come_on_top(catalog: Catalog) -> None:
    """2,040 tokens an image and 5,792 a second of video, at 1.50 dollars a million."""
    extra = {line.unit: line.amount for line in catalog.card("gemini-omni").price if line.extra}

    assert extra == {"input_image": "0.00306", "input_second": "0.008688"}


def test_omni_is_made_by_1_2_on_both_surfaces(catalog: Catalog) -> None:
    """With an API key first, then on Vertex AI."""
    assert [(r.vendor, r.service, r.model) for r in catalog.card("gemini-omni").routes[:2]] == [
        ("google", "gemini-api", "gemini-omni-1.2-flash"),
        ("vertex", "vertex", "gemini-omni-1.2-flash"),
    ]


@pytest.mark.parametrize(
    ("names", "quality"),
    [
        (("veo3", "veo3-fast", "veo3-frames", "veo3-fast-frames", "veo3.1", "veo3.1-fast", "veo3.1-4k"), "-fast"),
        (("veo3-pro", "veo3-pro-frames", "veo3.1-pro", "veo3.1-pro-4k", "veo3.1-components"), ""),
    ],
)
def test_veo_names_lead_to_what_vertex_still_makes(catalog: Catalog, names: tuple[str, ...], quality: str) -> None:
    """`pro` and components are the standard model, the others the fast one; the Gemini API ended on 2026-10-22."""
    for name in names:
        vertex, gemini, shape, _ = catalog.card(name).routes
        assert (shape.vendor, shape.service, shape.model) == ("google", "compatible", "{model}")
        assert (vertex.vendor, vertex.model) == ("vertex", f"veo-3.1{quality}-generate-001")
        assert vertex.retires is None
        assert vertex.unconfirmed is not None
        assert "2026-11-17" in vertex.unconfirmed
        assert (gemini.vendor, gemini.model) == ("google", f"veo-3.1{quality}-generate-preview")
        assert gemini.retires == date(2026, 10, 22)
        assert gemini.replaced_by == "gemini-omni-1.1-flash"


@pytest.mark.parametrize("name", [*VEO_3, "veo3.1", "veo3.1-fast", "veo3.1-pro"])
@pytest.mark.parametrize("tier", ["1080p", "4k"])
def test_veo_makes_large_pictures_in_8_seconds_only(catalog: Catalog, name: str, tier: str) -> None:
    """720p takes 4, 6 or 8 seconds; 1080p and 4k take 8."""
    card = catalog.card(name)
    for mode, rules in card.modes.items():
        if mode in (Mode.R2V, Mode.EXTEND):
            continue
        assert rules.seconds is not None
        assert rules.seconds.values == (4, 6, 8)
        assert [s for s in (4, 6, 8) if fits(card, Facts(mode=mode, tier=tier, seconds=s))] == [8]
        assert [s for s in (4, 6, 8) if fits(card, Facts(mode=mode, tier="720p", seconds=s))] == [4, 6, 8]


@pytest.mark.parametrize("name", ["veo3.1", "veo3.1-fast", "veo3.1-pro", "veo3.1-components"])
def test_veo_takes_three_references_and_then_makes_8_seconds(catalog: Catalog, name: str) -> None:
    """References exclude every other length."""
    card = catalog.card(name)
    rules = card.modes[Mode.R2V]
    rule = input_rule(card, Mode.R2V, Role.REFERENCE)

    assert rules.seconds is not None
    assert rules.seconds.values == (8,)
    assert (rule.min, rule.max) == (1, 3)


@pytest.mark.parametrize("name", ["veo3.1-4k", "veo3.1-pro-4k"])
def test_the_4k_names_make_8_seconds_of_4k_and_nothing_else(catalog: Catalog, name: str) -> None:
    """The suffix is a tier; an extension would be 720p and is therefore missing."""
    for rules in catalog.card(name).modes.values():
        assert rules.tiers == ("4k",)
        assert rules.seconds is not None
        assert rules.seconds.values == (8,)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("veo3-frames", Mode.I2V),
        ("veo3-fast-frames", Mode.I2V),
        ("veo3-pro-frames", Mode.I2V),
        ("veo3.1-components", Mode.R2V),
        ("veo3", None),
        ("veo3.1", None),
    ],
)
def test_a_suffix_decides_the_mode(catalog: Catalog, name: str, mode: Mode | None) -> None:
    """`-frames` begins with a first frame, `-components` with references."""
    assert catalog.card(name).default_mode is mode


@pytest.mark.parametrize(
    ("name", "tier", "amount"),
    [
        ("veo3.1-fast", "720p", "0.10"),
        ("veo3.1-fast", "1080p", "0.12"),
        ("veo3.1-fast", "4k", "0.30"),
        ("veo3.1-pro", "720p", "0.40"),
        ("veo3.1-pro", "1080p", "0.40"),
        ("veo3.1-pro", "4k", "0.60"),
        ("veo3.1-4k", "4k", "0.30"),
        ("veo3.1-pro-4k", "4k", "0.60"),
        ("veo3.1-components", "720p", "0.40"),
    ],
)
def test_veo_is_charged_by_the_second_and_tier(catalog: Catalog, name: str, tier: str, amount: str) -> None:
    """The standard model costs four times the fast one at 720p, and twice at 4k."""
    line = price_line(catalog.card(name), Facts(mode=Mode.T2V, tier=tier, seconds=8, audio=True))

    assert (line.amount, line.unit, line.currency) == (amount, "second", "USD")


@pytest.mark.parametrize("name", [*VEO_3, *VEO_31])
def test_veo_options_have_the_names_of_the_callers(catalog: Catalog, name: str) -> None:
    """Snake case and the vendor's camel case mean the same; sound is a switch that is on."""
    card = catalog.card(name)

    assert card.options["person_generation"].values == ("dont_allow", "allow_adult", "allow_all")
    assert card.options["person_generation"].aliases == ("personGeneration",)
    assert card.options["negative_prompt"].aliases == ("negativePrompt",)
    assert (card.audio.kind, card.audio.default) == ("switch", True)
    assert card.seed_max == 4_294_967_295


@pytest.mark.parametrize("name", ["veo3.1", "veo3.1-fast", "veo3.1-pro"])
def test_veo_adds_7_seconds_in_720p(catalog: Catalog, name: str) -> None:
    """141 seconds and 7 more are the longest there is."""
    card = catalog.card(name)
    rules = card.modes[Mode.EXTEND]

    assert rules.seconds is not None
    assert rules.seconds.values == (7,)
    assert rules.tiers == ("720p",)
    assert input_rule(card, Mode.EXTEND, Role.SOURCE, MediaKind.VIDEO).max_seconds == 141
    assert card.extend_seconds_max == 148


@pytest.mark.parametrize(
    ("name", "images", "mode"),
    [
        ("veo3", 0, Mode.T2V),
        ("veo3", 1, Mode.I2V),
        ("veo3-frames", 1, Mode.I2V),
        ("veo3-frames", 2, Mode.FIRST_LAST),
        ("veo3-pro-frames", 2, Mode.FIRST_LAST),
        ("veo3.1", 0, Mode.T2V),
        ("veo3.1", 1, Mode.I2V),
        ("veo3.1", 2, Mode.FIRST_LAST),
        ("veo3.1", 3, Mode.R2V),
        ("veo3.1-components", 1, Mode.R2V),
        ("veo3.1-components", 2, Mode.R2V),
        ("veo3.1-pro-4k", 2, Mode.FIRST_LAST),
    ],
)
def test_the_images_decide_what_a_veo_name_makes(catalog: Catalog, name: str, images: int, mode: Mode) -> None:
    """As resellers read the names: none, one, two and three images mean text, first, first and last, references."""
    assert ask(catalog, name, images=images).mode is mode


def test_veo_refuses_six_seconds_of_1080p_with_the_reason(catalog: Catalog) -> None:
    """The caller learns both what is accepted and why."""
    with pytest.raises(
        InvalidRequest, match=r"seconds must be 8 for veo3\.1 \(got 6\): 1080p is made in 8 seconds only"
    ):
        ask(catalog, "veo3.1", tier="1080p", seconds=6)


@pytest.mark.parametrize(
    ("name", "images", "fields", "price"),
    [
        ("gemini-omni", 0, {}, "0.56"),
        ("gemini-omni", 3, {"seconds": 10, "tier": "1080p"}, "1.05918"),
        ("gemini-omni", 0, {"operation": "edit", "source_video_id": "video_1"}, "1.18032"),
        ("veo3.1", 0, {}, "0.80"),
        ("veo3.1-fast", 0, {"tier": "1080p"}, "0.96"),
        ("veo3.1-pro", 1, {"seconds": 6}, "2.40"),
        ("veo3.1-pro-4k", 2, {}, "4.80"),
        ("veo3.1-pro", 0, {"operation": "extend", "source_video_id": "video_1"}, "2.80"),
    ],
)
def test_a_google_video_costs_its_seconds_and_inputs(
    catalog: Catalog, name: str, images: int, fields: dict[str, Any], price: str
) -> None:
    """Omni adds 0.00306 an image and 0.008688 a second of input; a source of unknown length is taken for 15 s."""
    assert dollars(catalog, name, images=images, **fields) == price


@pytest.mark.parametrize(
    ("vendors_id", "name"),
    [
        ("gemini-omni-1.2-flash", "gemini-omni"),
        ("veo-3.1-generate-001", "veo3.1-pro"),
        ("veo-3.1-generate-preview", "veo3.1-pro"),
        ("veo-3.1-fast-generate-001", "veo3.1-fast"),
        ("veo-3.1-fast-generate-preview", "veo3.1-fast"),
        ("veo-3.0-generate-001", "veo3-pro"),
        ("veo-3.0-fast-generate-001", "veo3-fast"),
    ],
)
def test_googles_own_ids_mean_one_card_each(catalog: Catalog, vendors_id: str, name: str) -> None:
    """Callers of Google's API name models as Google does; its standard model is what our names call `pro`."""
    assert catalog.card(vendors_id).name == name


@pytest.mark.parametrize("vendors_id", ["gemini-omni-1.1-flash", "gemini-omni-flash-preview", "veo-2.0-generate-001"])
def test_an_id_that_means_another_model_is_not_taken_for_ours(catalog: Catalog, vendors_id: str) -> None:
    """1.1 is shorter and dearer than 1.2, and Veo 2 was silent: nobody gets another model without asking for it."""
    with pytest.raises(NotFound):
        catalog.card(vendors_id)
