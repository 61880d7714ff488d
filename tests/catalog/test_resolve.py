"""A request against a card: defaults, plain values and sound; what stays, what is warned about, what is refused."""

import msgspec
import pytest
from tests.catalog.made_up import image, made, make_card, make_request, refused, video, warned

from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import refuse_warnings, resolve
from reelway.catalog.spec import AudioRule, ModeCard, OptionCard, SecondsRule
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Mode, RequestWarning, Role


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
