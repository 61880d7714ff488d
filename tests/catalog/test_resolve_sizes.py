"""Sizes and limits: every way to say a size ends in one, and defaults give way where values may not."""

from typing import Any

import pytest
from tests.catalog.made_up import FIRST, REFERENCE, image, made, make_card, refused, video, warned

from reelway.catalog.spec import InputRule, Limit, ModeCard, When
from reelway.core.videos import MediaKind, Mode, Role

ONLY_8_AT_1080P = Limit(when=When(tier=("1080p",)), seconds=(8,), because="1080p is made in 8 seconds only")


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"tier": "1080p"}, "1920x1080"),
        ({"tier": "1080P"}, "1920x1080"),
        ({"tier": "hd+"}, "1920x1080"),
        ({"ratio": "9:16"}, "720x1280"),
        ({"ratio": "1080:1920"}, "720x1280"),
        ({"tier": "1080p", "ratio": "1:1"}, "1080x1080"),
        ({"width": 1080, "height": 1920}, "1080x1920"),
        ({"width": 1280, "height": 720, "tier": "720p", "ratio": "16:9"}, "1280x720"),
        ({"mode": "pro"}, "1920x1080"),
    ],
)
def test_every_way_to_say_a_size_ends_in_one(asked: dict[str, Any], size: str) -> None:
    """Tier, ratio, width and height always agree in the end."""
    resolved = made(**asked)
    assert resolved.size == size
    assert resolved.warnings == ()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"tier": "4k"}, "resolution must be one of 720p, 1080p for acme-1 (got 4k)"),
        ({"ratio": "4:3"}, "aspect_ratio must be one of 16:9, 9:16, 1:1 for acme-1 (got 4:3)"),
        ({"ratio": "adaptive"}, "aspect_ratio must be one of 16:9, 9:16, 1:1 for acme-1 (got adaptive)"),
        (
            {"width": 512, "height": 512},
            "size must be one of 1280x720, 720x1280, 720x720, 1920x1080, 1080x1920, 1080x1080 for acme-1 (got 512x512)",
        ),
        ({"width": 512}, "width and height go together for acme-1, and height is missing"),
    ],
)
def test_a_size_that_is_not_on_the_card_is_refused(asked: dict[str, Any], message: str) -> None:
    """With everything that would be accepted in its place."""
    assert refused(**asked).message == message


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"width": 1280, "height": 720, "tier": "1080p"}, "size"),
        ({"width": 1280, "height": 720, "ratio": "9:16"}, "size"),
        ({"mode": "pro", "tier": "720p"}, "resolution"),
        ({"mode": "wild", "options": {"style": "calm"}}, "style"),
    ],
)
def test_a_contradiction_is_refused_instead_of_decided(asked: dict[str, Any], param: str) -> None:
    """Guessing which of two values was meant costs the caller money."""
    error = refused(**asked)
    assert error.code == "conflicting_parameters"
    assert error.param == param


def test_usual_pixels_mean_the_tier_and_the_card_says_what_is_made() -> None:
    """1280x720 is what people write for 720p; a model with pixels of its own warns and makes those."""
    card = make_card(sizes={"720p": {"16:9": "1248x704"}})
    resolved = made(card, width=1280, height=720)
    assert resolved.size == "1248x704"
    assert warned(resolved) == {"size": "acme-1 makes 1248x704 for 720p at 16:9, not exactly 1280x720"}


def test_a_size_says_nothing_where_the_source_decides() -> None:
    """An edit has the size of its source."""
    resolved = made(inputs=(video(),), width=1280, height=720, tier="720p", ratio="16:9")
    assert resolved.size is None
    assert set(warned(resolved)) == {"size", "resolution", "aspect_ratio"}


def test_a_size_is_its_tier_where_the_picture_decides_the_shape() -> None:
    """Kling takes a tier and the shape of the first frame."""
    card = make_card(modes={Mode.I2V: ModeCard(inputs=(FIRST,), tiers=("720p", "1080p"), tier="720p")}, mode_words={})
    resolved = made(card, inputs=(image(),), width=1080, height=1920)
    assert (resolved.tier, resolved.ratio, resolved.size) == ("1080p", None, None)
    assert "what is given decides the shape" in warned(resolved)["size"]
    assert refused(card, inputs=(image(),), width=500, height=500).message.startswith("size must be one of 720p, 1080p")


def test_a_size_is_its_shape_where_the_model_decides_the_pixels() -> None:
    """A model without tiers takes the ratio only."""
    card = make_card(modes={Mode.T2V: ModeCard(ratios=("16:9", "9:16"), ratio="16:9")}, mode_words={}, tier_words={})
    resolved = made(card, width=720, height=1280)
    assert (resolved.ratio, resolved.size) == ("9:16", None)
    assert "the model decides the pixels" in warned(resolved)["size"]
    assert "size must be one of 16:9, 9:16" in refused(card, width=700, height=700).message


def test_a_default_gives_way_to_a_limit() -> None:
    """1080p was asked for, the length was not."""
    resolved = made(make_card(limits=(ONLY_8_AT_1080P,)), tier="1080p")
    assert (resolved.tier, resolved.seconds, resolved.warnings) == ("1080p", 8, ())


def test_an_explicit_value_outside_a_limit_is_refused_with_the_reason() -> None:
    """The message names what is left and why."""
    error = refused(make_card(limits=(ONLY_8_AT_1080P,)), tier="1080p", seconds=4)
    assert error.message == "seconds must be 8 for acme-1 (got 4): 1080p is made in 8 seconds only"
    assert error.param == "seconds"


def test_the_condition_of_a_limit_gives_way_when_it_is_the_default() -> None:
    """4 seconds were asked for, 1080p was not: the tier moves instead of the request failing."""
    rules = make_card().modes[Mode.T2V].evolve(tier="1080p")
    resolved = made(make_card(modes={Mode.T2V: rules}, limits=(ONLY_8_AT_1080P,)), seconds=4)
    assert (resolved.tier, resolved.seconds) == ("720p", 4)


def test_the_first_value_a_limit_lists_is_preferred() -> None:
    """The order in a limit is the card's advice."""
    limit = Limit(when=When(ratio=("1:1",)), seconds=(8, 6))
    assert made(make_card(limits=(limit,)), ratio="1:1").seconds == 8


def test_limits_that_meet_are_all_kept() -> None:
    """One default moves for one limit, and the next for another."""
    limits = (
        ONLY_8_AT_1080P,
        Limit(when=When(seconds=(8,)), audio=True),
        Limit(when=When(audio=True), ratios=("9:16",)),
    )
    resolved = made(make_card(limits=limits), tier="1080p")
    assert (resolved.seconds, resolved.audio, resolved.ratio) == (8, True, "9:16")


def test_what_a_card_refuses_cannot_be_had() -> None:
    """An option that excludes another is refused with the card's own words."""
    no_wild_mark = Limit(
        when=When(option={"style": "wild", "watermark": True}), refuse=True, because="wild videos have no mark"
    )
    card = make_card(limits=(no_wild_mark,))
    assert made(card, options={"style": "wild"}).options["style"] == "wild"
    error = refused(card, options={"style": "wild", "watermark": True})
    assert error.code == "conflicting_parameters"
    assert error.message == (
        "style wild, watermark true cannot be had together for acme-1 in mode t2v: wild videos have no mark"
    )


def test_a_limit_on_inputs_depends_on_what_else_is_given() -> None:
    """Four pictures beside a clip, seven without."""
    clips = InputRule(role=Role.REFERENCE, kind=MediaKind.VIDEO)
    card = make_card(
        modes={Mode.R2V: ModeCard(inputs=(REFERENCE, clips))},
        limits=(Limit(when=When(kind=(MediaKind.VIDEO,)), inputs={MediaKind.IMAGE: 1}, because="a clip takes room"),),
        mode_words={},
    )
    pictures = (image(), image(field="images[1]"))
    assert len(made(card, inputs=pictures).inputs) == 2
    error = refused(card, inputs=(*pictures, video()))
    assert "takes at most 1 image inputs with what else is asked for (got 2): a clip takes room" in error.message
    assert error.param == "images[1]"
