"""Inputs against the rules of their mode, in the words of the card."""

from typing import Any

import pytest
from tests.catalog.made_up import FIRST, image, made, make_card, refused, video

from reelway.catalog.spec import InputRule, ModeCard
from reelway.core.videos import InputReference, MediaKind, Mode, Role


@pytest.mark.parametrize(
    ("rule", "facts", "message"),
    [
        ({"media_types": ("image/jpeg",)}, {}, "be image/jpeg for acme-1 in mode i2v (got image/png)"),
        ({"max_bytes": 999}, {}, "have at most 999 bytes for acme-1 in mode i2v (got 1000)"),
        ({"min_side": 300}, {"width": 400, "height": 299}, "have at least 300 pixels on each side"),
        ({"max_side": 300}, {"width": 400, "height": 299}, "have at most 300 pixels on each side"),
        ({"min_ratio": 0.4, "max_ratio": 2.5}, {"width": 900, "height": 300}, "height from 0.4 to 2.5"),
        ({"min_ratio": 0.4}, {"width": 100, "height": 300}, "height of at least 0.4"),
    ],
)
def test_a_picture_is_measured_against_its_rule(rule: dict[str, Any], facts: dict[str, Any], message: str) -> None:
    """Before anything is charged, in the words of the card."""
    card = make_card(modes={Mode.I2V: ModeCard(inputs=(FIRST.evolve(**rule),))}, mode_words={}, tier_words={})
    error = refused(card, inputs=(image(**facts),))
    assert message in error.message
    assert error.param == "images[0]"


@pytest.mark.parametrize(
    ("rule", "lengths", "message"),
    [
        ({"min_seconds": 2.0}, [1.5], "last at least 2 seconds"),
        ({"max_seconds": 10.0}, [10.5], "last at most 10 seconds"),
        ({"total_seconds": 15.0, "max": 3}, [8.0, 8.0], "together may last at most 15 seconds"),
    ],
)
def test_a_clip_is_measured_against_its_rule(rule: dict[str, Any], lengths: list[float], message: str) -> None:
    """One by one, and all together."""
    clips = InputRule(role=Role.REFERENCE, kind=MediaKind.VIDEO).evolve(**rule)
    card = make_card(modes={Mode.R2V: ModeCard(inputs=(clips,))}, mode_words={}, tier_words={})
    assert message in refused(card, inputs=tuple(video(seconds=length) for length in lengths)).message


def test_a_url_is_not_judged_by_what_nobody_knows() -> None:
    """A link that is handed on is the vendor's to judge."""
    card = make_card(modes={Mode.I2V: ModeCard(inputs=(FIRST.evolve(min_side=300, max_bytes=1),))}, mode_words={})
    linked = InputReference(field="image", url="https://example.com/a.png")
    assert made(card, inputs=(linked,)).inputs[0].url == "https://example.com/a.png"


def test_bytes_must_have_been_stored() -> None:
    """A resolved request is written to disk and cannot carry megabytes; forgetting this is a mistake of ours."""
    with pytest.raises(ValueError, match="store the bytes"):
        made(inputs=(InputReference(field="image", data=b"x"),))


def test_a_frame_that_must_match_chooses_the_size_the_caller_left_open() -> None:
    """Sora wants the first frame in the pixels of the video."""
    rules = make_card().modes[Mode.I2V].evolve(inputs=(FIRST.evolve(match_size=True),))
    card = make_card(modes={Mode.I2V: rules})

    assert made(card, inputs=(image(width=1080, height=1920),)).size == "1080x1920"
    error = refused(card, inputs=(image(width=640, height=480),))
    assert "images[0] must be one of 1280x720, 720x1280" in error.message
    error = refused(card, inputs=(image(width=1080, height=1920),), tier="720p")
    assert "must be one of 1280x720, 720x1280, 720x720 pixels, like the video," in error.message


def test_an_extension_may_not_grow_beyond_the_models_end() -> None:
    """Source and new part together are what the vendor limits."""
    card = make_card(extend_seconds_max=12)
    assert made(card, operation="extend", inputs=(video(seconds=7.0),), seconds=5).seconds == 5
    error = refused(card, operation="extend", inputs=(video(seconds=8.0),), seconds=5)
    assert "together may last at most 12 seconds for acme-1 in mode extend (got 8 and 5)" in error.message
