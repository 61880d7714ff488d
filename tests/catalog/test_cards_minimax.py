"""Spot facts of the Hailuo card, written out by hand so that a wrong card cannot agree with itself."""

from decimal import Decimal

import pytest
from tests.catalog.card_facts import IMAGE, VIDEO, bounds, input_rule, price, vendor_model

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import fits
from reelway.catalog.conditions import Facts, facts_of
from reelway.catalog.load import load_catalog
from reelway.catalog.pricing import quote, settle
from reelway.catalog.resolve import resolve
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Mode, Role, VideoRequest


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def hailuo(mode: Mode, tier: str, seconds: int, *, audio: bool, **more: object) -> Facts:
    defaults = {"ratio": {Mode.T2V: "16:9", Mode.R2V: "adaptive"}.get(mode)}
    if mode is Mode.R2V:
        defaults["options"] = {"subject_reference": False}
    return Facts(mode=mode, tier=tier, seconds=seconds, audio=audio, **(defaults | more))


@pytest.mark.parametrize(
    ("facts", "model"),
    [
        (hailuo(Mode.T2V, "768p", 6, audio=False), "MiniMax-Hailuo-2.3"),
        (hailuo(Mode.T2V, "768p", 10, audio=False), "MiniMax-Hailuo-2.3"),
        (hailuo(Mode.T2V, "1080p", 6, audio=False), "MiniMax-Hailuo-2.3"),
        (hailuo(Mode.I2V, "768p", 10, audio=False), "MiniMax-Hailuo-2.3"),
        (hailuo(Mode.I2V, "512p", 10, audio=False), "MiniMax-Hailuo-02"),
        (hailuo(Mode.FIRST_LAST, "1080p", 6, audio=False), "MiniMax-Hailuo-02"),
        (hailuo(Mode.FIRST_LAST, "768p", 10, audio=False), "MiniMax-Hailuo-02"),
        (hailuo(Mode.T2V, "768p", 8, audio=True), "MiniMax-H3"),
        (hailuo(Mode.T2V, "768p", 6, audio=True, ratio="9:16"), "MiniMax-H3"),
        (hailuo(Mode.T2V, "768p", 6, audio=True), "MiniMax-H3"),
        (hailuo(Mode.I2V, "2k", 15, audio=True), "MiniMax-H3"),
        (hailuo(Mode.FIRST_LAST, "2k", 6, audio=True), "MiniMax-H3"),
        (hailuo(Mode.R2V, "768p", 4, audio=True), "MiniMax-H3"),
        (hailuo(Mode.R2V, "1080p", 6, audio=False, options={"subject_reference": True}), "S2V-01"),
    ],
)
def test_hailuo_finds_the_model_that_can(catalog: Catalog, facts: Facts, model: str) -> None:
    """6 or 10 silent seconds are Hailuo's, a face is S2V-01's, and everything else is H3's."""
    card = catalog.card("hailuo-video")

    assert fits(card, facts)
    assert vendor_model(card, facts) == model


@pytest.mark.parametrize(
    "facts",
    [
        hailuo(Mode.T2V, "768p", 8, audio=False),  # H3 is never silent
        hailuo(Mode.T2V, "768p", 6, audio=False, ratio="1:1"),
        hailuo(Mode.T2V, "2k", 6, audio=False),
        hailuo(Mode.T2V, "1080p", 10, audio=False),  # V1 makes 6 seconds of it
        hailuo(Mode.T2V, "1080p", 6, audio=True),  # H3 has no 1080p
        hailuo(Mode.T2V, "1080p", 6, audio=False, ratio="9:16"),
        hailuo(Mode.I2V, "512p", 8, audio=True),
        hailuo(Mode.R2V, "1080p", 6, audio=True),
        hailuo(Mode.R2V, "768p", 6, audio=False),
        hailuo(Mode.R2V, "1080p", 10, audio=False, options={"subject_reference": True}),
        hailuo(Mode.I2V, "2k", 6, audio=True, options={"prompt_optimizer": False}),
        hailuo(Mode.T2V, "768p", 8, audio=True, options={"fast_pretreatment": True}),
    ],
)
def test_hailuo_refuses_what_none_of_its_models_makes(catalog: Catalog, facts: Facts) -> None:
    """Each of these would be refused by the vendor, or made otherwise than asked."""
    assert not fits(catalog.card("hailuo-video"), facts)


@pytest.mark.parametrize(
    ("facts", "dollars"),
    [
        (hailuo(Mode.I2V, "512p", 6, audio=False), "0.10"),
        (hailuo(Mode.I2V, "512p", 10, audio=False), "0.15"),
        (hailuo(Mode.T2V, "768p", 6, audio=False), "0.28"),
        (hailuo(Mode.FIRST_LAST, "768p", 10, audio=False), "0.56"),
        (hailuo(Mode.I2V, "1080p", 6, audio=False), "0.49"),
        (hailuo(Mode.T2V, "768p", 6, audio=True), "0.48"),  # H3: 6 x 0.08
        (hailuo(Mode.T2V, "768p", 15, audio=True), "1.20"),
        (hailuo(Mode.I2V, "2k", 8, audio=True), "1.04"),  # 8 x 0.13
        (hailuo(Mode.R2V, "768p", 5, audio=True, kinds=IMAGE), "0.40"),
    ],
)
def test_hailuo_charges_clips_and_h3_seconds(catalog: Catalog, facts: Facts, dollars: str) -> None:
    """The list prices of the Hailuo models by clip, and those of H3 by second."""
    card = catalog.card("hailuo-video")

    assert price(card, facts, seconds=str(facts.seconds)) == ("USD", Decimal(dollars))


def test_h3_charges_the_seconds_of_reference_videos(catalog: Catalog) -> None:
    """5 seconds made and 10 seconds read at 0.08 are 1.20; that both cost the same is not confirmed."""
    card = catalog.card("hailuo-video")
    facts = hailuo(Mode.R2V, "768p", 5, audio=True, kinds=VIDEO)

    assert price(card, facts, seconds="5", input_seconds="10") == ("USD", Decimal("1.20"))
    assert all(line.unconfirmed for line in card.price if line.unit == "input_second")


@pytest.mark.parametrize(("images", "dollars"), [(1, "0.40"), (5, "0.40"), (6, "0.44"), (9, "0.56")])
def test_h3_charges_images_after_the_fifth(catalog: Catalog, images: int, dollars: str) -> None:
    """Five seconds at 0.08, five images free, each further one 0.04: the same sum by hand, by card and by quote."""
    card = catalog.card("hailuo-video")
    pictures = tuple(
        InputReference(
            field=f"images[{at}]", kind=MediaKind.IMAGE, role=Role.REFERENCE, url=f"https://m.example.test/{at}"
        )
        for at in range(images)
    )
    resolved = resolve(VideoRequest(model="hailuo-video", prompt="a boat", seconds=5, inputs=pictures), card)

    assert price(card, facts_of(resolved), seconds="5", images=images) == ("USD", Decimal(dollars))
    assert Decimal(quote(card, resolved).text) == Decimal(dollars)


def test_hailuo_inputs_have_the_vendors_limits(catalog: Catalog) -> None:
    """A frame is 20 MB and over 300 pixels; H3 reads nine images, three videos and three sounds, 15 seconds of each kind."""
    card = catalog.card("hailuo-video")

    assert bounds(input_rule(card, Mode.I2V, Role.FIRST_FRAME)) == (20_000_000, 301, 5760, 0.4, 2.5)
    image = input_rule(card, Mode.R2V, Role.REFERENCE)
    assert (image.max, bounds(image)) == (9, (30_000_000, 256, 5760, 0.4, 2.5))
    video = input_rule(card, Mode.R2V, Role.REFERENCE, MediaKind.VIDEO)
    assert (video.max, video.max_bytes, video.min_seconds, video.max_seconds) == (3, 50_000_000, 2.0, 15.0)
    audio = input_rule(card, Mode.R2V, Role.REFERENCE, MediaKind.AUDIO)
    assert (audio.max, audio.max_bytes, audio.total_seconds) == (3, 15_000_000, 15.0)
    assert video.total_seconds == 15.0
    assert card.prompt_limit == 2000


@pytest.mark.parametrize(
    ("asked", "seconds", "tier", "ratio", "model"),
    [
        ({}, 6, "768p", "16:9", "MiniMax-Hailuo-2.3"),
        ({"seconds": 8}, 8, "768p", "16:9", "MiniMax-H3"),
        ({"ratio": "9:16"}, 6, "768p", "9:16", "MiniMax-H3"),
        ({"tier": "2k"}, 6, "2k", "16:9", "MiniMax-H3"),
        ({"audio": True, "seconds": 10}, 10, "768p", "16:9", "MiniMax-H3"),
        ({"tier": "1080p"}, 6, "1080p", "16:9", "MiniMax-Hailuo-2.3"),
        ({"tier": "768p", "seconds": 10}, 10, "768p", "16:9", "MiniMax-Hailuo-2.3"),
    ],
)
def test_sound_follows_what_is_asked_of_hailuo(
    catalog: Catalog, asked: dict[str, object], seconds: int, tier: str, ratio: str, model: str
) -> None:
    """Nobody has to know the vendor's two APIs: a request that only H3 can make gets its sound and its model."""
    card = catalog.card("hailuo-video")

    resolved = resolve(VideoRequest(model="hailuo-video", prompt="a boat", **asked), card)

    assert (resolved.seconds, resolved.tier, resolved.ratio) == (seconds, tier, ratio)
    assert resolved.audio is (model == "MiniMax-H3")
    assert vendor_model(card, facts_of(resolved)) == model


def test_eight_silent_seconds_are_refused_with_what_there_is(catalog: Catalog) -> None:
    """Silence and eight seconds belong to different models, and the refusal says so."""
    request = VideoRequest(model="hailuo-video", prompt="a boat", seconds=8, audio=False)

    with pytest.raises(InvalidRequest, match=r"seconds must be one of 6, 10 .*always adds sound"):
        resolve(request, catalog.card("hailuo-video"))


def test_a_face_goes_to_s2v_01_and_other_references_to_h3(catalog: Catalog) -> None:
    """One switch tells a face that must be kept from pictures that merely inspire."""
    card = catalog.card("hailuo-video")
    face = InputReference(
        field="images[0]", kind=MediaKind.IMAGE, role=Role.REFERENCE, url="https://media.example.test/face.png"
    )
    request = VideoRequest(model="hailuo-video", prompt="she smiles", inputs=(face,))

    plain = resolve(request, card)
    kept = resolve(request.evolve(options={"subject_reference": "true"}), card)

    assert (vendor_model(card, facts_of(plain)), plain.audio, plain.tier) == ("MiniMax-H3", True, "768p")
    assert (vendor_model(card, facts_of(kept)), kept.audio, kept.seconds) == ("S2V-01", False, 6)


@pytest.mark.parametrize(
    ("kinds", "options", "reason"),
    [
        ((MediaKind.IMAGE, MediaKind.IMAGE), {"subject_reference": True}, "one face"),
        ((MediaKind.VIDEO,), {"subject_reference": True}, "one face"),
        ((MediaKind.AUDIO,), {}, "only beside an image or a video"),
        ((MediaKind.IMAGE,) * 9 + (MediaKind.VIDEO,) * 3 + (MediaKind.AUDIO,), {}, "12 references"),
    ],
)
def test_references_that_go_together_with_nothing_are_refused(
    catalog: Catalog, kinds: tuple[MediaKind, ...], options: dict[str, bool], reason: str
) -> None:
    """S2V-01 takes one face; H3 takes 12 references, and audio never alone."""
    inputs = tuple(
        InputReference(
            field=f"references[{at}]", kind=kind, role=Role.REFERENCE, url=f"https://media.example.test/{at}"
        )
        for at, kind in enumerate(kinds)
    )
    request = VideoRequest(model="hailuo-video", prompt="a boat", inputs=inputs, options=options)

    with pytest.raises(InvalidRequest, match=reason):
        resolve(request, catalog.card("hailuo-video"))


@pytest.mark.parametrize("option", ["prompt_optimizer", "fast_pretreatment"])
@pytest.mark.parametrize("value", [True, False])
def test_a_switch_of_the_hailuo_models_means_one_of_them(catalog: Catalog, option: str, value: bool) -> None:
    """MiniMax-H3 has no field for either, so whichever way it is set it would be lost there."""
    card = catalog.card("hailuo-video")
    request = VideoRequest(model="hailuo-video", prompt="a boat", options={option: value})

    resolved = resolve(request, card)
    assert (vendor_model(card, facts_of(resolved)), resolved.options[option]) == ("MiniMax-Hailuo-2.3", value)
    with pytest.raises(InvalidRequest, match=option):
        resolve(request.evolve(seconds=8), card)
    with pytest.raises(InvalidRequest, match=option):
        resolve(request.evolve(ratio="9:16"), card)


def test_callers_of_the_vendors_own_api_may_use_its_names(catalog: Catalog) -> None:
    """Those of the models that are behind the card; the cheaper and the older ones are not."""
    for name in ("MiniMax-H3", "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-02", "S2V-01"):
        assert catalog.card(name).name == "hailuo-video"


def test_h3_settles_what_the_vendor_counted(catalog: Catalog) -> None:
    """Eight seconds made and five read, at 0.08 each."""
    card = catalog.card("hailuo-video")
    clip = InputReference(field="videos[0]", kind=MediaKind.VIDEO, role=Role.REFERENCE, url="https://m.example.test/v")
    resolved = resolve(VideoRequest(model="hailuo-video", prompt="a boat", seconds=8, inputs=(clip,)), card)

    settled = settle(card, resolved, {"seconds": 8, "output_seconds": 8, "input_seconds": 5, "total_seconds": 13})

    assert settled is not None
    assert settled.amount == 1_040_000
