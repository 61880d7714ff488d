"""Spot facts of the Seedance cards, written out by hand so that a wrong card cannot agree with itself."""

from datetime import date
from typing import Any

import pytest
from tests.catalog.card_facts import input_rule
from tests.catalog.card_requests import ask, dollars, price_line

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import fits
from reelway.catalog.conditions import Facts
from reelway.catalog.load import load_catalog
from reelway.catalog.pricing import quote
from reelway.catalog.resolve import resolve
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Blob, InputReference, MediaKind, Mode, Role, VideoRequest

LITE_I2V = "doubao-seedance-1-0-lite-i2v-250428"
LITE_T2V = "doubao-seedance-1-0-lite-t2v-250428"
PRO = "doubao-seedance-1-0-pro-250528"
PRO_FAST = "doubao-seedance-1-0-pro-fast-251015"
SEEDANCE_15 = "doubao-seedance-1-5-pro-251215"
SEEDANCE_20 = "doubao-seedance-2-0-260128"
SEEDANCE_20_FAST = "doubao-seedance-2-0-fast-260128"
SEEDANCE_10 = (LITE_I2V, LITE_T2V, PRO, PRO_FAST)
SEEDANCE = (*SEEDANCE_10, SEEDANCE_15, SEEDANCE_20, SEEDANCE_20_FAST)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


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
    for mode, rules in catalog.card(name).modes.items():
        if mode is Mode.REMIX:
            assert rules.seconds is None  # the draft's
            continue
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
    rule = input_rule(card, Mode.R2V, Role.REFERENCE)

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
    images = input_rule(card, Mode.R2V, Role.REFERENCE)
    clips = input_rule(card, Mode.R2V, Role.REFERENCE, MediaKind.VIDEO)
    sounds = input_rule(card, Mode.R2V, Role.REFERENCE, MediaKind.AUDIO)

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


def test_a_video_given_to_seedance_2_is_a_reference(catalog: Catalog) -> None:
    """It has no mode of its own for edits, so a clip without a role is not refused but referred to."""
    resolved = ask(catalog, SEEDANCE_20, videos=1)

    assert resolved.mode is Mode.R2V
    assert [given.role for given in resolved.inputs] == [Role.REFERENCE]


def test_seedance_defaults_are_sent_explicitly(catalog: Catalog) -> None:
    """1.0 Pro makes five seconds of 1920x1088, whatever the vendor's own defaults become."""
    resolved = ask(catalog, PRO)

    assert (resolved.seconds, resolved.size, resolved.audio) == (5, "1920x1088", False)
    assert resolved.options == {
        "camera_fixed": False,
        "return_last_frame": False,
        "service_tier": "default",
        "watermark": False,
    }


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
        assert (expiry.min, expiry.max, expiry.default) == (3600, 259_200, None)
        assert ("frames" in of[name]) == (name in (PRO, PRO_FAST))
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


@pytest.mark.parametrize("name", SEEDANCE)
def test_byteplus_names_lead_to_the_same_card(catalog: Catalog, name: str) -> None:
    """Whoever speaks Ark's own API names the model as his cloud does."""
    byteplus = catalog.card(name).routes[1].model

    assert catalog.card(byteplus) is catalog.card(name)


def test_frames_are_what_the_vendor_can_count(catalog: Catalog) -> None:
    """From 29 to 289, and equal to 25 + 4n."""
    values = catalog.card(PRO).options["frames"].values

    assert values == tuple(range(29, 290, 4))
    assert all((value - 25) % 4 == 0 for value in values)


def test_frames_win_over_seconds_in_the_price(catalog: Catalog) -> None:
    """289 frames of 1920x1088 are twelve seconds and one frame, whatever the default length is."""
    assert dollars(catalog, PRO, options={"frames": 289}) == "1.4739"


def test_a_draft_becomes_a_video_by_its_id(catalog: Catalog) -> None:
    """All but the resolution is the draft's, and it is quoted as if the draft had sound."""
    clip = Blob(key="v", sha256="0", bytes=1, media_type="video/mp4", width=864, height=496, seconds=5.0)
    source = InputReference(field="video", kind=MediaKind.VIDEO, role=Role.SOURCE, blob=clip)
    request = VideoRequest(model=SEEDANCE_15, operation="remix", source_video_id="video_1", inputs=(source,))
    resolved = resolve(request, catalog.card(SEEDANCE_15))

    assert (resolved.mode, resolved.seconds, resolved.tier, resolved.audio) == (Mode.REMIX, None, "720p", True)
    assert resolved.warnings == ()
    assert quote(catalog.card(SEEDANCE_15), resolved).text == "0.2592"
    with pytest.raises(InvalidRequest, match="draft's sound"):
        resolve(request.evolve(audio=False), catalog.card(SEEDANCE_15))


def test_byteplus_retired_1_5_pro(catalog: Catalog) -> None:
    """Its page names the successor; the day is the one on which the page was read."""
    _, byteplus, _ = catalog.card(SEEDANCE_15).routes

    assert byteplus.retires == date(2026, 10, 8)
    assert byteplus.replaced_by == "dreamina-seedance-2-0-mini-260615"
    assert byteplus.unconfirmed


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        (SEEDANCE_15, {"options": {"draft": True}, "tier": "720p"}, "a draft is made in 480p only"),
        (SEEDANCE_15, {"options": {"draft": True, "return_last_frame": True}}, "a draft comes without its last frame"),
        (SEEDANCE_15, {"options": {"draft": True, "service_tier": "flex"}}, "a draft is made at once"),
        (SEEDANCE_20, {"sounds": 1}, "sounds cannot stand alone"),
        (SEEDANCE_20_FAST, {"sounds": 2}, "sounds cannot stand alone"),
        (SEEDANCE_20, {"options": {"service_tier": "flex"}}, "service_tier must be default"),
    ],
)
def test_what_seedance_cannot_do_together_is_refused(
    catalog: Catalog, name: str, fields: dict[str, Any], reason: str
) -> None:
    """The vendor answers 400 to each of these; we do before anything is sent, and say why."""
    with pytest.raises(InvalidRequest, match=reason):
        ask(catalog, name, **fields)


def test_a_sound_beside_an_image_is_welcome(catalog: Catalog) -> None:
    """Only the sound that stands alone is refused."""
    assert len(ask(catalog, SEEDANCE_20, images=1, sounds=1, mode="r2v").inputs) == 2


@pytest.mark.parametrize(
    ("name", "videos", "fields", "price"),
    [
        # 5 s x 1920 x 1088 x 24 / 1024 = 244,800 tokens.
        (PRO, 0, {}, "0.612"),
        (PRO, 0, {"options": {"service_tier": "flex"}}, "0.306"),
        # 5 s x 1248 x 704 x 24 / 1024 = 102,960 tokens.
        (PRO_FAST, 0, {"tier": "720p"}, "0.10296"),
        # 5 s x 1280 x 720 x 24 / 1024 = 108,000 tokens.
        (SEEDANCE_15, 0, {"ratio": "16:9"}, "0.2592"),
        (SEEDANCE_15, 0, {"ratio": "16:9", "audio": False}, "0.1296"),
        # 5 s x 864 x 496 x 24 / 1024 = 50,220 tokens at six tenths of 2.4.
        (SEEDANCE_15, 0, {"ratio": "16:9", "options": {"draft": True}}, "0.072317"),
        # An adaptive shape may become 1112x834, the largest: 5 s x 927,408 x 24 / 1024 = 108,680.625 tokens.
        (SEEDANCE_20, 0, {}, "0.760765"),
        # A clip of unknown length may have 15 s: 20 s of tokens at the lower price.
        (SEEDANCE_20, 1, {}, "1.869307"),
    ],
)
def test_a_seedance_video_costs_its_tokens(
    catalog: Catalog, name: str, videos: int, fields: dict[str, Any], price: str
) -> None:
    """A token for every 1024 pixels of 24 frames a second, of input clips too."""
    assert dollars(catalog, name, videos=videos, **fields) == price
