"""Spot facts of the Kling card, written out by hand so that a wrong card cannot agree with itself."""

from decimal import Decimal

import pytest
from tests.catalog.card_facts import FRAMES, IMAGE, VIDEO, bounds, input_rule, lengths, price, vendor_model

from reelway.catalog.catalog import Catalog
from reelway.catalog.combinations import fits
from reelway.catalog.conditions import Facts
from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.core.errors import InvalidRequest, NotFound
from reelway.core.videos import InputReference, MediaKind, Mode, Role, VideoRequest


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_kling_makes_3_to_15_seconds_up_to_4k(catalog: Catalog) -> None:
    """The 3.0 family: 5 seconds of 720p by default; only edits have the length of their source."""
    card = catalog.card("kling-video")

    for mode in (Mode.T2V, *FRAMES, Mode.R2V):
        assert lengths(card, mode) == (3, 15, 5)
    assert lengths(card, Mode.EDIT) is None
    assert all(rules.tiers == ("720p", "1080p", "4k") for rules in card.modes.values())
    assert all(rules.tier == "720p" for rules in card.modes.values())
    assert card.modes[Mode.T2V].ratios == ("16:9", "9:16", "1:1")
    assert card.modes[Mode.I2V].ratios == ()
    assert card.prompt_limit == 3072


@pytest.mark.parametrize(("word", "tier"), [("std", "720p"), ("pro", "1080p"), ("4k", "4k")])
def test_the_mode_of_kling_is_its_tier(catalog: Catalog, word: str, tier: str) -> None:
    """On Kling's own API `mode` std, pro and 4k mean the resolution (contract 2)."""
    assert catalog.card("kling-video").mode_words[word] == {"tier": tier}


@pytest.mark.parametrize(
    ("mode", "current", "legacy"),
    [
        (Mode.T2V, "kling-3.0", "kling-v3"),
        (Mode.I2V, "kling-3.0", "kling-v3"),
        (Mode.FIRST_LAST, "kling-3.0", "kling-v3"),
        (Mode.R2V, "kling-3.0-omni", "kling-v3-omni"),
        (Mode.EDIT, "kling-3.0-omni", "kling-v3-omni"),
        (Mode.REMIX, "kling-3.0-omni", "kling-v3-omni"),
    ],
)
def test_kling_has_its_ids_by_mode_and_api(catalog: Catalog, mode: Mode, current: str, legacy: str) -> None:
    """References and edits are Omni's work; the older API spells both names in its own way and comes second."""
    card = catalog.card("kling-video")

    assert vendor_model(card, Facts(mode=mode)) == current
    assert vendor_model(card, Facts(mode=mode), "legacy") == legacy


@pytest.mark.parametrize(
    ("facts", "dollars"),
    [
        (Facts(mode=Mode.T2V, tier="720p", audio=False), "0.42"),  # 0.6 units x 5 s x 0.14
        (Facts(mode=Mode.T2V, tier="720p", audio=True), "0.63"),  # 0.9
        (Facts(mode=Mode.I2V, tier="1080p", audio=False), "0.56"),  # 0.8
        (Facts(mode=Mode.FIRST_LAST, tier="1080p", audio=True), "0.84"),  # 1.2
        (Facts(mode=Mode.T2V, tier="4k", audio=False), "2.10"),  # 3.0
        (Facts(mode=Mode.T2V, tier="4k", audio=True), "2.10"),
        (Facts(mode=Mode.R2V, tier="720p", audio=False, kinds=IMAGE), "0.42"),
        (Facts(mode=Mode.R2V, tier="720p", audio=True, kinds=IMAGE), "0.56"),  # 0.8
        (Facts(mode=Mode.R2V, tier="1080p", audio=False, kinds=IMAGE), "0.56"),
        (Facts(mode=Mode.R2V, tier="1080p", audio=True, kinds=IMAGE), "0.70"),  # 1.0
        (Facts(mode=Mode.R2V, tier="720p", audio=False, kinds=IMAGE | VIDEO), "0.63"),
        (Facts(mode=Mode.R2V, tier="1080p", audio=False, kinds=VIDEO), "0.84"),
        (Facts(mode=Mode.R2V, tier="4k", audio=False, kinds=VIDEO), "2.10"),
        (Facts(mode=Mode.EDIT, tier="720p", audio=False, kinds=VIDEO), "0.63"),
        (Facts(mode=Mode.EDIT, tier="1080p", audio=False, kinds=VIDEO), "0.84"),
        (Facts(mode=Mode.EDIT, tier="4k", audio=False, kinds=VIDEO), "2.10"),
    ],
)
def test_kling_charges_units_of_14_cents(catalog: Catalog, facts: Facts, dollars: str) -> None:
    """Five seconds, computed by hand from the table of units for each second."""
    assert price(catalog.card("kling-video"), facts, seconds="5") == ("USD", Decimal(dollars))


def test_a_reference_video_silences_kling(catalog: Catalog) -> None:
    """`feature_video` forces the sound off; with images alone it can be chosen."""
    card = catalog.card("kling-video")
    with_sound = Facts(mode=Mode.R2V, tier="720p", seconds=5, audio=True)

    assert fits(card, with_sound.evolve(kinds=IMAGE))
    assert not fits(card, with_sound.evolve(kinds=IMAGE | VIDEO))
    assert fits(card, with_sound.evolve(kinds=VIDEO, audio=False))
    assert card.audio.default is False


@pytest.mark.parametrize(("videos", "most"), [(0, 7), (1, 4)])
def test_kling_takes_seven_pictures_or_four_beside_a_video(catalog: Catalog, videos: int, most: int) -> None:
    """One more is refused here, before the vendor is asked; frames count as pictures."""
    card = catalog.card("kling-video")

    def ask(pictures: int) -> None:
        frame = InputReference(
            field="first_frame", kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, url="https://m.example/0"
        )
        references = [
            InputReference(field="images", kind=kind, role=Role.REFERENCE, url="https://m.example/1")
            for kind, count in ((MediaKind.IMAGE, pictures - 1), (MediaKind.VIDEO, videos))
            for _ in range(count)
        ]
        resolve(VideoRequest(model="kling-video", prompt="a boat", inputs=(frame, *references)), card)

    ask(most)
    with pytest.raises(InvalidRequest, match=f"at most {most} image"):
        ask(most + 1)


def test_kling_inputs_have_the_vendors_limits(catalog: Catalog) -> None:
    """Pictures of 50 MB from 300 pixels, four of them beside a video that is edited; videos of 200 MB from 3 to 15.5 seconds."""
    card = catalog.card("kling-video")

    frame = input_rule(card, Mode.FIRST_LAST, Role.LAST_FRAME)
    assert bounds(frame) == (50_000_000, 300, None, 0.4, 2.5)
    assert frame.media_types == ("image/jpeg", "image/png")
    clip = input_rule(card, Mode.R2V, Role.REFERENCE, MediaKind.VIDEO)
    assert (clip.max, clip.max_bytes, clip.min_seconds, clip.max_seconds) == (1, 200_000_000, 3.0, 15.5)
    assert bounds(clip)[1:] == (700, 4553, 0.4, 2.0)
    assert input_rule(card, Mode.R2V, Role.REFERENCE).max == 7
    assert input_rule(card, Mode.EDIT, Role.REFERENCE).max == 4


def test_kling_has_no_options_that_its_3_0_models_would_ignore(catalog: Catalog) -> None:
    """What the vendor cannot honour is warned about, which takes that the card does not claim it."""
    options = catalog.card("kling-video").options

    assert options.keys().isdisjoint({"cfg_scale", "camera_control", "voice_list", "static_mask"})
    assert options["multi_prompt"].max_length == 6
    assert options["element_list"].max_length == 3
    assert Mode.EDIT not in options["multi_shot"].modes
    assert options["keep_original_sound"].modes == (Mode.EDIT, Mode.REMIX)


@pytest.mark.parametrize("name", ["kling-3.0", "kling-3.0-omni", "kling-v3", "kling-v3-omni"])
def test_kling_is_known_by_the_ids_of_its_3_0_models(catalog: Catalog, name: str) -> None:
    """Both designs' names of the two models that one public name stands for."""
    assert catalog.canonical(name) == "kling-video"


@pytest.mark.parametrize(
    "name", ["kling-3.0-turbo", "kling-2.6", "kling-v2-6", "kling-o1", "kling-video-o1", "kling-v1"]
)
def test_other_models_of_kling_are_honestly_unknown(catalog: Catalog, name: str) -> None:
    """Another version makes something else at another price, so nobody gets the one for the other."""
    with pytest.raises(NotFound, match="kling-video"):
        catalog.canonical(name)


def test_a_reference_video_comes_with_several_shots(catalog: Catalog) -> None:
    """Kling takes multi_shot as true only, beside a `feature_video`; what is left out is true there."""
    card = catalog.card("kling-video")
    video = InputReference(field="video", kind=MediaKind.VIDEO, role=Role.REFERENCE, url="https://m.example/1")
    request = VideoRequest(model="kling-video", prompt="a boat", inputs=(video,))

    assert resolve(request, card).mode is Mode.R2V
    assert resolve(request.evolve(options={"multi_shot": True}), card).options["multi_shot"] is True
    with pytest.raises(InvalidRequest, match="multi_shot as true only"):
        resolve(request.evolve(options={"multi_shot": False}), card)
