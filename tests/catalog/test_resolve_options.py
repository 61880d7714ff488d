"""Options, tags and the `mode` field: three places to say them, one meaning, nothing lost."""

from tests.catalog.made_up import image, made, refused, warned

from reelway.core.videos import Mode


def test_options_are_taken_from_three_places_in_order() -> None:
    """Top level before metadata, metadata before parameters; a lower place fills gaps and is told when it does not."""
    resolved = made(
        options={"style": "wild"},
        metadata={"style": "calm", "steps": "3"},
        parameters={"steps": 3, "watermark": "true", "shots": "[1]"},
    )
    assert resolved.options == {"shots": [1], "steps": 3, "style": "wild", "watermark": True}
    assert warned(resolved) == {"metadata.style": "metadata.style was left out because style says something else"}
    assert resolved.tags == {}


def test_an_option_is_known_under_every_spelling() -> None:
    """`negativePrompt`, `negative-prompt` and the card's aliases are one option."""
    assert made(parameters={"negativePrompt": "rain"}).options["negative_prompt"] == "rain"
    assert made(metadata={"Negative-Prompt": "rain"}).options["negative_prompt"] == "rain"
    assert made(options={"logo": "yes"}).options["watermark"] is True


def test_two_spellings_in_one_place_must_agree() -> None:
    """The same value twice is no contradiction, two values are."""
    assert made(options={"logo": True, "watermark": "true"}).warnings == ()
    error = refused(options={"logo": True, "watermark": False})
    assert error.message == "logo and watermark both set watermark for acme-1, to true and false; give one of them"


def test_a_bad_option_is_refused_where_it_stands() -> None:
    """The field is named with its place."""
    error = refused(metadata={"steps": "many"})
    assert error.message == "metadata.steps must be a whole number from 1 to 9 for acme-1 (got many)"
    assert error.param == "metadata.steps"


def test_an_option_of_another_mode_is_warned_about() -> None:
    """It would change nothing here."""
    resolved = made(options={"strength": 0.3})
    assert "strength" not in resolved.options
    assert warned(resolved) == {"strength": "strength is used in i2v only; it was left out in t2v"}
    assert made(inputs=(image(),)).options["strength"] == 0.5


def test_the_mode_field_can_set_an_option() -> None:
    """`fun` and `wild` are styles, not modes."""
    resolved = made(mode="WILD")
    assert (resolved.mode, resolved.options["style"]) == (Mode.T2V, "wild")


def test_unknown_fields_are_warned_about_and_unknown_metadata_is_the_callers() -> None:
    """Nothing is dropped in silence, and tags come back as text."""
    resolved = made(
        options={"sharpness": 3},
        parameters={"bitrate": "high"},
        metadata={"order": 17, "paid": True, "ratio": 1.5, "note": "Ü", "deep": {"b": 1, "a": 2}, "empty": None},
    )
    assert warned(resolved) == {
        "parameters.bitrate": "bitrate is nothing that acme-1 takes; it was left out",
        "sharpness": "sharpness is nothing that acme-1 takes; it was left out",
    }
    assert resolved.tags == {
        "deep": '{"a": 2, "b": 1}',
        "note": "Ü",
        "order": "17",
        "paid": "true",
        "ratio": "1.5",
    }


def test_common_options_are_never_taken_for_tags() -> None:
    """`cfg_scale` in metadata is a wish, also where the card cannot grant it."""
    resolved = made(metadata={"cfg_scale": "0.5", "cameraControl": {"type": "simple"}})
    assert resolved.tags == {}
    assert set(warned(resolved)) == {"metadata.cfg_scale", "metadata.cameraControl"}


def test_tags_are_limited_in_number_and_length() -> None:
    """Sixteen are kept, in the order of their names, and the rest is named."""
    resolved = made(metadata={f"tag{index:02}": "x" for index in range(18)})
    assert len(resolved.tags) == 16
    assert set(warned(resolved)) == {"metadata.tag16", "metadata.tag17"}
    assert "64 characters of name and 512 of text" in warned(made(metadata={"long": "x" * 513}))["metadata.long"]
