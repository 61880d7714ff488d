"""Top level, `metadata`, `parameters`: who fills which gap, and what is said about the rest."""

from typing import Any

import pytest
from tests.dialects.encodings import from_json
from tests.dialects.inputs import A, B, C


def test_lower_layers_fill_gaps_and_never_override() -> None:
    """The top level wins, and what loses is named."""
    request = from_json(
        {
            "model": "m",
            "seconds": 8,
            "metadata": {"duration": 5, "seed": "7", "fps": 24, "model": "other", "mine": "tag"},
            "parameters": {"seed": 9, "aspectRatio": "9:16", "enhance": True, "durationSeconds": 8},
        }
    )

    assert (request.seconds, request.seed, request.fps, request.ratio) == (8, 7, 24, "9:16")
    assert request.model == "m"
    assert request.metadata == {"mine": "tag", "model": "other"}
    assert request.parameters == {"enhance": True}
    assert [(warning.field, warning.message) for warning in request.warnings] == [
        ("metadata.duration", "is not used because seconds is given"),
        ("parameters.seed", "is not used because metadata.seed is given"),
    ]


@pytest.mark.parametrize(
    ("top", "below", "expected", "vain"),
    [
        ({"size": "1280x720"}, {"resolution": "1080p"}, (1280, None, None), ["metadata.resolution"]),
        ({"aspect_ratio": "9:16"}, {"resolution": "1080p"}, (None, "9:16", "1080p"), []),
        ({"aspect_ratio": "9:16"}, {"size": "1280x720"}, (None, "9:16", None), ["metadata.size"]),
        ({}, {"size": "1280x720", "ratio": "16:9"}, (1280, "16:9", None), []),
        ({"size": "720p"}, {"resolution": "720p"}, (None, None, "720p"), []),
    ],
)
def test_sizes_below_never_change_sizes_above(
    top: dict[str, Any], below: dict[str, Any], expected: tuple[Any, ...], vain: list[str]
) -> None:
    """Pixels above leave nothing open; a ratio above leaves the tier open and nothing else."""
    request = from_json({"model": "m", **top, "metadata": below})

    assert (request.width, request.ratio, request.tier) == expected
    assert [warning.field for warning in request.warnings] == vain


def test_tags_that_only_look_like_fields_stay_tags() -> None:
    """A caller's own tag never makes a request fail."""
    request = from_json({"model": "m", "metadata": {"seconds": "until dawn", "user": "ann", "task": "homework"}})

    assert request.metadata == {"seconds": "until dawn", "user": "ann", "task": "homework"}
    assert [warning.field for warning in request.warnings] == ["metadata.seconds"]
    assert request.user is None


def test_inputs_below_fill_their_own_slot_only() -> None:
    """A first frame in metadata joins; the same picture again does not; another one for a taken slot is named."""
    request = from_json(
        {
            "model": "m",
            "image": A,
            "first_frame": B,
            "metadata": {"image_url": C, "last_frame": C},
            "parameters": {"img_url": A},
        }
    )

    assert [(given.field, given.url) for given in request.inputs] == [
        ("image", A),
        ("first_frame", B),
        ("metadata.last_frame", C),
    ]
    assert [warning.field for warning in request.warnings] == ["metadata.image_url"]


def test_unknown_fields_are_handed_on_under_their_own_names() -> None:
    """Only the model card knows whether they mean something."""
    request = from_json({"model": "m", "cfg_scale": 0.5, "zeta": [1], "alpha": {"b": 1, "a": 2}})

    assert request.options == {"alpha": {"a": 2, "b": 1}, "cfg_scale": 0.5, "zeta": [1]}
    assert list(request.options) == ["alpha", "cfg_scale", "zeta"]


def test_the_callers_own_names_are_kept_for_refusals() -> None:
    """A refusal should point at the field that was really sent."""
    request = from_json(
        {"model": "m", "duration": 5, "ratio": "9:16", "metadata": {"quality": "x", "resolution": "720p"}}
    )

    assert request.spelled == {"ratio": "ratio", "seconds": "duration", "tier": "metadata.resolution"}
