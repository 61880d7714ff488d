"""A request against a card: what stays, what moves, what is warned about, and what is refused in which words."""

from typing import Any

import msgspec
import pytest
from tests.catalog.made_up import FIRST, REFERENCE, image, make_card, make_request, video

from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import refuse_warnings, resolve
from reelway.catalog.spec import AudioRule, InputRule, Limit, ModeCard, ModelCard, OptionCard, SecondsRule, When
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Mode, RequestWarning, ResolvedRequest, Role

ONLY_8_AT_1080P = Limit(when=When(tier=("1080p",)), seconds=(8,), because="1080p is made in 8 seconds only")


def made(card: ModelCard | None = None, **fields: Any) -> ResolvedRequest:
    return resolve(make_request(**fields), card or make_card())


def refused(card: ModelCard | None = None, **fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as error:
        made(card, **fields)
    return error.value


def warned(resolved: ResolvedRequest) -> dict[str, str]:
    return {warning.field: warning.message for warning in resolved.warnings}


# --- defaults and plain values


def test_defaults_are_sent_explicitly() -> None:
    """What is priced, sent and shown is one number."""
    resolved = made()
    assert (resolved.seconds, resolved.tier, resolved.ratio, resolved.size) == (4, "720p", "16:9", "1280x720")
    assert resolved.audio is False
    assert resolved.options == {"style": "calm", "watermark": False}
    assert resolved.warnings == ()


def test_the_contracts_own_sentence() -> None:
    """The example of the contract, word for word, on the real card."""
    card = load_catalog().card("veo3.1")
    with pytest.raises(InvalidRequest) as error:
        resolve(make_request(model="veo3.1", seconds=7), card)
    assert error.value.message == "seconds must be one of 4, 6, 8 for veo3.1 (got 7)"
    assert (error.value.param, error.value.code, error.value.status) == ("seconds", "invalid_value", 400)


def test_a_refusal_points_at_the_field_that_was_sent() -> None:
    """`duration=7` is answered about `duration`."""
    error = refused(seconds=7, spelled={"seconds": "duration"})
    assert error.message == "duration must be one of 4, 6, 8 for acme-1 (got 7)"
    assert error.param == "duration"


def test_a_mode_with_rules_of_its_own_is_named() -> None:
    """Elsewhere on the same card the value might be fine."""
    error = refused(operation="extend", inputs=(video(),), seconds=8)
    assert error.message == "seconds must be a whole number from 2 to 7 for acme-1 in mode extend (got 8)"


def test_an_alias_speaks_under_the_name_that_was_asked_for() -> None:
    """The caller has never heard of the card behind it."""
    assert "for old-name (got 7)" in refused(model="old-name", seconds=7).message
    resolved = made(model="old-name")
    assert (resolved.model, resolved.card) == ("old-name", "acme-1")


@pytest.mark.parametrize("prompt", [None, "", "  \n"])
def test_an_empty_prompt_is_refused_where_one_is_required(prompt: str | None) -> None:
    """A video of nothing would be charged all the same."""
    error = refused(prompt=prompt)
    assert error.message == "prompt is required for acme-1 in mode t2v: say what the video should show"
    assert (error.param, error.code) == ("prompt", "missing_required_parameter")


def test_a_prompt_may_be_left_out_where_the_card_says_so() -> None:
    """A first frame can speak for itself."""
    assert made(prompt=None, inputs=(image(),)).prompt == ""


def test_a_prompt_that_is_not_read_is_warned_about() -> None:
    """It is kept and shown, but the caller knows."""
    card = make_card(modes={Mode.T2V: ModeCard(prompt="ignored")})
    assert warned(made(card)) == {"prompt": "acme-1 in mode t2v does not read the prompt"}


def test_a_long_prompt_is_refused_with_both_lengths() -> None:
    """100,000 characters are counted, not repeated."""
    error = refused(make_card(prompt_limit=2500), prompt="x" * 100_000)
    assert error.message == "prompt may have at most 2500 characters for acme-1 (got 100000)"
    assert error.code == "prompt_too_long"


def test_n_is_one_to_four_everywhere() -> None:
    """More than the vendor makes at a time are made one after another."""
    assert made(n=4).n == 4
    assert refused(n=9).message == "n must be a whole number from 1 to 4 for acme-1 (got 9)"


def test_numbers_without_a_field_are_warned_about() -> None:
    """The model makes its own frame rate, and no video twice."""
    resolved = made(make_card(seed_max=None), fps=60, seed=7)
    assert (resolved.fps, resolved.seed) == (None, None)
    assert warned(resolved) == {
        "fps": "fps cannot be chosen for acme-1; it makes 24 frames per second",
        "seed": "acme-1 takes no seed; every video is another one",
    }


def test_what_happens_anyway_is_no_warning() -> None:
    """Asking for 24 frames of a model that makes 24 is honoured; -1 asks for a random seed."""
    assert made(fps=24, seed=-1).warnings == ()


def test_numbers_with_a_field_are_held_against_the_card() -> None:
    """And the default frame rate is sent explicitly."""
    card = make_card(fps=(24, 30))
    assert made(card).fps == 24
    assert made(card, fps=30, seed=1000).seed == 1000
    assert refused(card, fps=25).message == "fps must be one of 24, 30 for acme-1 (got 25)"
    assert refused(card, seed=1001).message == (
        "seed must be a whole number from 0 to 1000, or -1 for a random one for acme-1 (got 1001)"
    )


def test_seconds_of_a_source_cannot_be_chosen() -> None:
    """An edit is as long as its source."""
    resolved = made(inputs=(video(),), seconds=5)
    assert resolved.seconds is None
    assert "seconds cannot be chosen for acme-1 in mode edit" in warned(resolved)["seconds"]


def test_a_warning_speaks_of_the_field_that_was_sent() -> None:
    """A caller who never heard of `seconds` is told about `duration`."""
    resolved = made(inputs=(video(),), seconds=5, tier="720p", spelled={"seconds": "duration", "tier": "size"})
    assert set(warned(resolved)) == {"duration", "size"}


def test_the_model_may_choose_the_length_where_the_card_says_so() -> None:
    """-1 is a length of its own."""
    card = make_card(modes={Mode.T2V: ModeCard(seconds=SecondsRule(default=5, min=4, max=15, auto=True))})
    assert made(card, seconds=-1).seconds == -1
    assert refused(card, seconds=3).message == (
        "seconds must be a whole number from 4 to 15, or -1 to let the model choose for acme-1 (got 3)"
    )
    assert refused(seconds=-1).message == "seconds must be one of 4, 6, 8 for acme-1 (got -1)"


# --- sound


@pytest.mark.parametrize(
    ("rule", "asked", "made_with", "warning"),
    [
        (AudioRule(kind="always"), None, True, None),
        (AudioRule(kind="always"), False, True, "acme-1 in mode t2v always makes sound"),
        (AudioRule(kind="never"), True, False, "acme-1 in mode t2v makes no sound"),
        (AudioRule(kind="never"), False, False, None),
        (AudioRule(kind="switch", default=True), None, True, None),
        (AudioRule(kind="switch", default=True), False, False, None),
        (AudioRule(kind="switch", modes=(Mode.I2V,)), True, False, "acme-1 in mode t2v makes no sound"),
    ],
)
def test_sound(rule: AudioRule, asked: bool | None, made_with: bool, warning: str | None) -> None:
    """A switch is used where there is one; a wish that cannot be granted is a warning."""
    resolved = made(make_card(audio=rule), audio=asked)
    assert resolved.audio is made_with
    assert warned(resolved).get("audio") == warning


def test_sound_is_understood_under_every_name_and_in_every_place() -> None:
    """`sound` and `generate_audio` mean the same unless the card has an option of that name."""
    assert made(metadata={"sound": "on"}).audio is True
    assert made(parameters={"generateAudio": True}).audio is True
    assert made(options={"generate_audio": "true"}).tags == {}
    resolved = made(audio=False, metadata={"sound": "true"})
    assert resolved.audio is False
    assert warned(resolved) == {"metadata.sound": "metadata.sound was left out because audio says something else"}
    assert "metadata.sound must be true or false" in refused(metadata={"sound": "loud"}).message
    own = make_card(options={"sound": OptionCard(type="string", summary="", values=("rain", "wind"))}, mode_words={})
    assert made(own, metadata={"sound": "rain"}).options == {"sound": "rain"}


# --- sizes


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


# --- limits


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


# --- options, tags and the mode field


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


# --- inputs


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


# --- one request, one value


def test_the_order_of_fields_leaves_no_trace() -> None:
    """Two equal requests encode to equal bytes."""
    first = made(
        metadata={"b": "2", "a": "1", "style": "wild"},
        options={"x": 1, "camera": {"z": 1, "y": {"b": 1, "a": 2}}},
        inputs=(image(Role.LAST_FRAME, "last_frame"), image(Role.FIRST_FRAME, "image")),
    )
    second = made(
        inputs=(image(Role.FIRST_FRAME, "image"), image(Role.LAST_FRAME, "last_frame")),
        options={"camera": '{"y": {"a": 2, "b": 1}, "z": 1}', "x": 1},
        metadata={"style": "wild", "a": 1, "b": 2},
    )
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_warnings_of_the_dialect_are_kept_in_one_order() -> None:
    """What was noticed while reading stands beside what was noticed here, each once."""
    early = RequestWarning(field="zoom", message="is not understood")
    resolved = made(warnings=(early, early), fps=60)
    assert [warning.field for warning in resolved.warnings] == ["fps", "zoom"]


def test_strictness_turns_warnings_into_a_refusal() -> None:
    """`Reelway-Strict: true` wants everything or nothing."""
    refuse_warnings(made())
    with pytest.raises(InvalidRequest, match="refused because of Reelway-Strict: fps: fps cannot be chosen") as error:
        refuse_warnings(made(fps=60))
    assert (error.value.param, error.value.code) == ("fps", "unsupported_parameter")
