"""Spot facts of the Sora, Omni, Veo and Seedance cards, written out by hand so that a wrong card cannot agree with itself."""

from datetime import date

import pytest

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import fits
from reelway.catalog.conditions import Facts, holds
from reelway.catalog.load import load_catalog
from reelway.catalog.sizes import pixels
from reelway.catalog.spec import InputRule, ModelCard, PriceRule
from reelway.core.videos import MediaKind, Mode, Role

SORA = ("sora-2", "sora-2-pro")
VEO_3 = ("veo3", "veo3-fast", "veo3-pro", "veo3-frames", "veo3-fast-frames", "veo3-pro-frames")
VEO_31 = ("veo3.1", "veo3.1-fast", "veo3.1-pro", "veo3.1-components", "veo3.1-4k", "veo3.1-pro-4k")
LITE_I2V = "doubao-seedance-1-0-lite-i2v-250428"
LITE_T2V = "doubao-seedance-1-0-lite-t2v-250428"
PRO = "doubao-seedance-1-0-pro-250528"
PRO_FAST = "doubao-seedance-1-0-pro-fast-251015"
SEEDANCE_15 = "doubao-seedance-1-5-pro-251215"
SEEDANCE_20 = "doubao-seedance-2-0-260128"
SEEDANCE_20_FAST = "doubao-seedance-2-0-fast-260128"
SEEDANCE_10 = (LITE_I2V, LITE_T2V, PRO, PRO_FAST)
SEEDANCE = (*SEEDANCE_10, SEEDANCE_15, SEEDANCE_20, SEEDANCE_20_FAST)
ALL = (*SORA, "gemini-omni", *VEO_3, *VEO_31, *SEEDANCE)

STILL = {Mode.T2V, Mode.I2V}
FRAMES = {Mode.I2V, Mode.FIRST_LAST}
TEXT_AND_FRAMES = {Mode.T2V, *FRAMES}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def price_line(card: ModelCard, facts: Facts) -> PriceRule:
    """Return the line that decides; `extra` lines come on top of it."""
    return next(line for line in card.price if not line.extra and holds(line.when, facts))


def input_rule(card: ModelCard, mode: Mode, kind: MediaKind, role: Role) -> InputRule:
    (rule,) = (rule for rule in card.modes[mode].inputs if (rule.kind, rule.role) == (kind, role))
    return rule


def route_models(card: ModelCard) -> list[tuple[str, str, str]]:
    return [(route.vendor, route.service, route.model) for route in card.routes]


@pytest.mark.parametrize("name", ALL)
def test_every_card_ends_with_the_route_of_compatible_servers(catalog: Catalog, name: str) -> None:
    """Resellers, other gateways and the sandbox can make every model, for every request and without an end date."""
    last = catalog.card(name).routes[-1]

    assert (last.vendor, last.service, last.model) == ("openai_videos", "compatible", "{model}")
    assert last.retires is None
    assert all(holds(last.when, Facts(mode=mode)) for mode in Mode)


@pytest.mark.parametrize("name", ALL)
def test_a_route_that_ends_names_a_living_successor(catalog: Catalog, name: str) -> None:
    """A warning that sends callers to another retired model would help nobody."""
    for route in catalog.card(name).routes:
        if route.retires is None:
            continue
        assert route.successor is not None
        first = catalog.card(route.successor).routes[0]
        assert first.vendor != "openai_videos"
        assert first.retires is None


@pytest.mark.parametrize("name", ALL)
def test_remix_stands_wherever_edit_does(catalog: Catalog, name: str) -> None:
    """`POST /v1/videos/{id}/remix` is an edit of a finished video by words."""
    modes = catalog.card(name).modes

    assert (Mode.EDIT in modes) == (Mode.REMIX in modes)
    if Mode.REMIX in modes:
        assert modes[Mode.REMIX].prompt == "required"
        assert modes[Mode.REMIX].seconds is None


@pytest.mark.parametrize(
    ("name", "modes"),
    [
        ("sora-2", {*STILL, Mode.EDIT, Mode.EXTEND, Mode.REMIX}),
        ("sora-2-pro", {*STILL, Mode.EDIT, Mode.EXTEND, Mode.REMIX}),
        ("gemini-omni", set(Mode)),
        ("veo3", STILL),
        ("veo3-fast", STILL),
        ("veo3-pro", STILL),
        ("veo3-frames", FRAMES),
        ("veo3-fast-frames", FRAMES),
        ("veo3-pro-frames", FRAMES),
        ("veo3.1", {*TEXT_AND_FRAMES, Mode.R2V, Mode.EXTEND}),
        ("veo3.1-fast", {*TEXT_AND_FRAMES, Mode.R2V, Mode.EXTEND}),
        ("veo3.1-pro", {*TEXT_AND_FRAMES, Mode.R2V, Mode.EXTEND}),
        ("veo3.1-components", {Mode.R2V}),
        ("veo3.1-4k", {*TEXT_AND_FRAMES, Mode.R2V}),
        ("veo3.1-pro-4k", {*TEXT_AND_FRAMES, Mode.R2V}),
        (LITE_I2V, {*FRAMES, Mode.R2V}),
        (LITE_T2V, {Mode.T2V}),
        (PRO, TEXT_AND_FRAMES),
        (PRO_FAST, STILL),
        (SEEDANCE_15, TEXT_AND_FRAMES),
        (SEEDANCE_20, {*TEXT_AND_FRAMES, Mode.R2V}),
        (SEEDANCE_20_FAST, {*TEXT_AND_FRAMES, Mode.R2V}),
    ],
)
def test_each_name_has_its_modes(catalog: Catalog, name: str, modes: set[Mode]) -> None:
    """What a name can make is what the vendor's matrix says of it, no more and no less."""
    assert set(catalog.card(name).modes) == modes


# --- Sora


@pytest.mark.parametrize("name", SORA)
def test_sora_makes_five_lengths_and_a_portrait_of_four_seconds_by_default(catalog: Catalog, name: str) -> None:
    """The defaults are OpenAI's: 4 seconds of 720x1280."""
    card = catalog.card(name)

    for mode in STILL:
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
    rule = input_rule(catalog.card(name), Mode.I2V, MediaKind.IMAGE, Role.FIRST_FRAME)

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
    rule = input_rule(card, Mode.EXTEND, MediaKind.VIDEO, Role.SOURCE)

    assert card.extend_seconds_max == 120
    assert rule.max_seconds == 120 - 4
    assert card.seed_max is None
    assert card.audio.kind == "always"


# --- Gemini Omni


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
    assert input_rule(card, Mode.EDIT, MediaKind.VIDEO, Role.SOURCE).max_seconds == 15
    assert extend is not None
    assert (extend.min, extend.max) == (3, 10)
    assert card.extend_seconds_max == 40


def test_omni_references_are_ten_images_and_three_short_clips(catalog: Catalog) -> None:
    """Clips have 3 seconds at most; there are no sounds among the references."""
    card = catalog.card("gemini-omni")
    images = input_rule(card, Mode.R2V, MediaKind.IMAGE, Role.REFERENCE)
    clips = input_rule(card, Mode.R2V, MediaKind.VIDEO, Role.REFERENCE)

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
    assert route_models(catalog.card("gemini-omni"))[:2] == [
        ("google", "gemini-api", "gemini-omni-1.2-flash"),
        ("vertex", "vertex", "gemini-omni-1.2-flash"),
    ]


# --- Veo


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
        vertex, gemini, _ = catalog.card(name).routes
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
    rule = input_rule(card, Mode.R2V, MediaKind.IMAGE, Role.REFERENCE)

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
    assert input_rule(card, Mode.EXTEND, MediaKind.VIDEO, Role.SOURCE).max_seconds == 141
    assert card.extend_seconds_max == 148


# --- Seedance


@pytest.mark.parametrize(
    ("name", "shortest", "longest", "auto"),
    [
        *((name, 2, 12, False) for name in SEEDANCE_10),
        (SEEDANCE_15, 4, 12, True),
        (SEEDANCE_20, 4, 15, True),
        (SEEDANCE_20_FAST, 4, 15, True),
    ],
)
def test_seedance_lengths(catalog: Catalog, name: str, shortest: int, longest: int, *, auto: bool) -> None:
    """Whole seconds, five by default; from 1.5 on the model may choose."""
    for rules in catalog.card(name).modes.values():
        assert rules.seconds is not None
        assert rules.seconds.default == 5
        allowed = [seconds for seconds in range(-1, 30) if rules.seconds.allows(seconds)]
        assert allowed == [*([-1] if auto else []), *range(shortest, longest + 1)]


@pytest.mark.parametrize(
    ("name", "tier", "ratio", "size"),
    [
        (PRO, "480p", "16:9", "864x480"),
        (PRO_FAST, "720p", "16:9", "1248x704"),
        (PRO, "720p", "21:9", "1504x640"),
        (LITE_I2V, "480p", "21:9", "960x416"),
        (LITE_T2V, "1080p", "9:16", "1088x1920"),
        (PRO, "1080p", "4:3", "1664x1248"),
        (SEEDANCE_15, "480p", "9:16", "496x864"),
        (SEEDANCE_15, "720p", "3:4", "834x1112"),
        (SEEDANCE_20, "720p", "16:9", "1280x720"),
        (SEEDANCE_20, "1080p", "21:9", "2206x946"),
        (SEEDANCE_20, "4k", "4:3", "3326x2494"),
        (SEEDANCE_20_FAST, "480p", "4:3", "752x560"),
    ],
)
def test_seedance_pixels_are_the_vendors_own(catalog: Catalog, name: str, tier: str, ratio: str, size: str) -> None:
    """The pixel table has two generations, and 4k is of 2.0 alone."""
    assert catalog.card(name).sizes[tier][ratio] == size


@pytest.mark.parametrize("name", SEEDANCE)
def test_every_seedance_shape_has_its_mirror(catalog: Catalog, name: str) -> None:
    """9:16 is 16:9 turned, 3:4 is 4:3 turned, in every tier: a slip of one digit shows."""
    for row in catalog.card(name).sizes.values():
        assert set(row) == {"16:9", "4:3", "1:1", "3:4", "9:16", "21:9"}
        for wide, tall in (("16:9", "9:16"), ("4:3", "3:4"), ("1:1", "1:1")):
            assert row[tall] == "x".join(reversed(row[wide].split("x")))


@pytest.mark.parametrize(
    ("name", "tiers", "default"),
    [
        (LITE_I2V, ("480p", "720p", "1080p"), "720p"),
        (PRO, ("480p", "720p", "1080p"), "1080p"),
        (PRO_FAST, ("480p", "720p", "1080p"), "1080p"),
        (SEEDANCE_15, ("480p", "720p", "1080p"), "720p"),
        (SEEDANCE_20, ("480p", "720p", "1080p", "4k"), "720p"),
        (SEEDANCE_20_FAST, ("480p", "720p"), "720p"),
    ],
)
def test_seedance_tiers_and_their_default(catalog: Catalog, name: str, tiers: tuple[str, ...], default: str) -> None:
    """1.0 Pro is the one that makes 1080p unasked."""
    rules = catalog.card(name).modes[Mode.I2V]

    assert rules.tiers == tiers
    assert rules.tier == default


def test_seedance_lite_has_no_1080p_and_no_adaptive_shape_with_references(catalog: Catalog) -> None:
    """One to four reference images, 480p or 720p, one of the six shapes."""
    card = catalog.card(LITE_I2V)
    rules = card.modes[Mode.R2V]
    rule = input_rule(card, Mode.R2V, MediaKind.IMAGE, Role.REFERENCE)

    assert (rule.min, rule.max) == (1, 4)
    assert rules.tiers == ("480p", "720p")
    assert "adaptive" not in rules.ratios
    assert Mode.R2V not in card.options["camera_fixed"].modes


def test_seedance_1_0_adapts_its_shape_to_images_alone(catalog: Catalog) -> None:
    """Text has no shape to adapt to on 1.0; 1.5 and 2.0 read one from the prompt."""
    assert "adaptive" not in catalog.card(PRO).modes[Mode.T2V].ratios
    assert catalog.card(PRO).modes[Mode.I2V].ratio == "adaptive"
    assert catalog.card(SEEDANCE_15).modes[Mode.T2V].ratio == "adaptive"
    assert catalog.card(SEEDANCE_20).modes[Mode.R2V].ratio == "adaptive"


@pytest.mark.parametrize("name", SEEDANCE)
def test_seedance_images_have_the_vendors_limits(catalog: Catalog, name: str) -> None:
    """300 to 6000 pixels a side, ratio 0.4 to 2.5, 30 MB; HEIC from 1.5 on."""
    card = catalog.card(name)
    for rules in card.modes.values():
        for rule in rules.inputs:
            if rule.kind is not MediaKind.IMAGE:
                continue
            assert (rule.min_side, rule.max_side) == (300, 6000)
            assert (rule.min_ratio, rule.max_ratio) == (0.4, 2.5)
            assert rule.max_bytes == 30_000_000
            assert ("image/heic" in rule.media_types) == (name not in SEEDANCE_10)
            assert ("image/heif" in rule.media_types) == (name not in SEEDANCE_10)


@pytest.mark.parametrize("name", [SEEDANCE_20, SEEDANCE_20_FAST])
def test_seedance_2_takes_references_of_every_kind(catalog: Catalog, name: str) -> None:
    """Nine images, three clips and three sounds, each of these at most 15 seconds together."""
    card = catalog.card(name)
    images = input_rule(card, Mode.R2V, MediaKind.IMAGE, Role.REFERENCE)
    clips = input_rule(card, Mode.R2V, MediaKind.VIDEO, Role.REFERENCE)
    sounds = input_rule(card, Mode.R2V, MediaKind.AUDIO, Role.REFERENCE)

    assert images.max == 9
    assert (clips.max, clips.min_seconds, clips.max_seconds, clips.total_seconds) == (3, 2, 15, 15)
    assert (sounds.max, sounds.min_seconds, sounds.max_seconds, sounds.total_seconds) == (3, 2, 15, 15)
    assert clips.max_bytes == 200_000_000
    assert sounds.max_bytes == 15_000_000


@pytest.mark.parametrize("name", SEEDANCE)
def test_seedance_sound_begins_with_1_5(catalog: Catalog, name: str) -> None:
    """1.0 is silent; later models have a switch that is on, as at the vendor."""
    audio = catalog.card(name).audio

    assert audio.kind == ("never" if name in SEEDANCE_10 else "switch")
    assert audio.default == (name not in SEEDANCE_10)


@pytest.mark.parametrize(
    ("name", "facts", "amount"),
    [
        (LITE_T2V, Facts(mode=Mode.T2V, tier="720p"), "1.8"),
        (PRO, Facts(mode=Mode.T2V, tier="1080p"), "2.5"),
        (PRO, Facts(mode=Mode.T2V, tier="1080p", options={"service_tier": "flex"}), "1.25"),
        (PRO_FAST, Facts(mode=Mode.T2V, tier="1080p"), "1.0"),
        (PRO_FAST, Facts(mode=Mode.I2V, tier="480p", options={"service_tier": "flex"}), "0.5"),
        (SEEDANCE_15, Facts(mode=Mode.T2V, tier="720p", audio=True), "2.4"),
        (SEEDANCE_15, Facts(mode=Mode.T2V, tier="720p", audio=False), "1.2"),
        (SEEDANCE_15, Facts(mode=Mode.T2V, tier="720p", audio=True, options={"service_tier": "flex"}), "1.2"),
        (SEEDANCE_15, Facts(mode=Mode.T2V, tier="720p", audio=False, options={"service_tier": "flex"}), "0.6"),
        (SEEDANCE_15, Facts(mode=Mode.T2V, tier="480p", audio=True, options={"draft": True}), "1.44"),
        (SEEDANCE_15, Facts(mode=Mode.T2V, tier="480p", audio=False, options={"draft": True}), "0.84"),
        (SEEDANCE_20, Facts(mode=Mode.T2V, tier="480p", audio=True), "7.0"),
        (SEEDANCE_20, Facts(mode=Mode.R2V, tier="720p", kinds=frozenset({MediaKind.VIDEO})), "4.3"),
        (SEEDANCE_20, Facts(mode=Mode.R2V, tier="1080p", kinds=frozenset({MediaKind.IMAGE})), "7.7"),
        (SEEDANCE_20, Facts(mode=Mode.R2V, tier="1080p", kinds=frozenset({MediaKind.VIDEO})), "4.7"),
        (SEEDANCE_20, Facts(mode=Mode.T2V, tier="4k", audio=True), "4.0"),
        (SEEDANCE_20, Facts(mode=Mode.R2V, tier="4k", kinds=frozenset({MediaKind.VIDEO})), "2.4"),
        (SEEDANCE_20_FAST, Facts(mode=Mode.T2V, tier="720p", audio=True), "5.6"),
        (SEEDANCE_20_FAST, Facts(mode=Mode.R2V, tier="480p", kinds=frozenset({MediaKind.VIDEO})), "3.3"),
    ],
)
def test_seedance_is_charged_by_the_million_tokens(catalog: Catalog, name: str, facts: Facts, amount: str) -> None:
    """Dollars of the list: flex halves them, sound doubles them on 1.5, input video lowers them on 2.0."""
    line = price_line(catalog.card(name), facts)

    assert (line.amount, line.unit, line.currency) == (amount, "million_tokens", "USD")


def test_a_seedance_draft_is_480p_only(catalog: Catalog) -> None:
    """The vendor forces 480p, so another tier is refused rather than replaced."""
    card = catalog.card(SEEDANCE_15)
    fitting = [
        tier
        for tier in ("480p", "720p", "1080p")
        if fits(card, Facts(mode=Mode.T2V, tier=tier, ratio="16:9", seconds=5, options={"draft": True}))
    ]

    assert fitting == ["480p"]


def test_seedance_options_stand_where_the_vendor_has_them(catalog: Catalog) -> None:
    """2.0 has no flex, camera or seed, but a queue priority and web search; drafts belong to 1.5."""
    of = {name: catalog.card(name).options for name in SEEDANCE}
    later = (SEEDANCE_20, SEEDANCE_20_FAST)

    for name in SEEDANCE:
        assert ("camera_fixed" in of[name]) == (name not in later)
        assert ("priority" in of[name]) == (name in later)
        assert ("web_search" in of[name]) == (name in later)
        assert ("draft" in of[name]) == (name == SEEDANCE_15)
        assert ("flex" in of[name]["service_tier"].values) == (name not in later)
        assert of[name]["safety_identifier"].max_length == 64
        expiry = of[name]["execution_expires_after"]
        assert (expiry.min, expiry.max, expiry.default) == (3600, 259_200, 172_800)
        assert catalog.card(name).seed_max == (None if name in later else 2_147_483_647)


@pytest.mark.parametrize("name", SEEDANCE)
def test_we_wait_longer_than_the_longest_seedance_task(catalog: Catalog, name: str) -> None:
    """Were our deadline the earlier one, a task could still finish, and be charged, after we gave it up."""
    card = catalog.card(name)
    longest = card.options["execution_expires_after"].max

    assert longest is not None
    assert card.deadline_seconds > longest


@pytest.mark.parametrize("name", SEEDANCE)
def test_byteplus_has_its_own_names(catalog: Catalog, name: str) -> None:
    """1.x lose `doubao-`, 2.x are called `dreamina-`; on Ark the public name is the id."""
    ark, byteplus, _ = catalog.card(name).routes
    bare = name.removeprefix("doubao-")

    assert (ark.vendor, ark.service, ark.model) == ("bytedance", "ark", name)
    assert (byteplus.vendor, byteplus.service) == ("bytedance", "byteplus")
    assert byteplus.model == (f"dreamina-{bare}" if "-2-0-" in name else bare)


def test_byteplus_retired_1_5_pro(catalog: Catalog) -> None:
    """Its page names the successor; the day is the one on which the page was read."""
    _, byteplus, _ = catalog.card(SEEDANCE_15).routes

    assert byteplus.retires == date(2026, 10, 8)
    assert byteplus.replaced_by == "dreamina-seedance-2-0-mini-260615"
    assert byteplus.unconfirmed
