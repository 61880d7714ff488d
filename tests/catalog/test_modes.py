"""What is made from what: the order in which door, words, suffix, roles and inputs decide."""

from typing import Any

import pytest
from tests.catalog.made_up import FIRST, REFERENCE, SOURCE, image, make_card, make_request, video

from reelway.catalog.resolve import resolve
from reelway.catalog.spec import InputRule, ModeCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Mode, Role


def url(name: str, role: Role | None = None, kind: MediaKind | None = None) -> InputReference:
    return InputReference(field=name, url=f"https://example.com/{name}", role=role, kind=kind)


def mode_of(*inputs: InputReference, card: dict[str, Any] | None = None, **fields: Any) -> Mode:
    return resolve(make_request(inputs=inputs, **fields), make_card(**(card or {}))).mode


@pytest.mark.parametrize(
    ("inputs", "mode"),
    [
        ((), Mode.T2V),
        ((image(),), Mode.I2V),
        ((image(), image()), Mode.FIRST_LAST),
        ((image(), image(), image()), Mode.R2V),
        ((video(),), Mode.EDIT),
        ((video(), image()), Mode.EDIT),
        ((url("a.mp4"),), Mode.EDIT),
        ((url("a.png"),), Mode.I2V),
        ((url("a"),), Mode.I2V),
    ],
)
def test_what_is_given_decides_when_nothing_else_does(inputs: tuple[InputReference, ...], mode: Mode) -> None:
    """A video is edited; one image is the first frame, two are first and last, three are references."""
    assert mode_of(*inputs) == mode


@pytest.mark.parametrize(
    ("inputs", "mode"),
    [
        ((image(Role.FIRST_FRAME),), Mode.I2V),
        ((image(Role.REFERENCE),), Mode.R2V),
        ((image(Role.FIRST_FRAME), image(Role.LAST_FRAME)), Mode.FIRST_LAST),
        ((image(), image(Role.LAST_FRAME)), Mode.FIRST_LAST),
        ((image(Role.REFERENCE), image(Role.REFERENCE)), Mode.R2V),
        ((video(Role.SOURCE),), Mode.EDIT),
    ],
)
def test_roles_decide_before_numbers(inputs: tuple[InputReference, ...], mode: Mode) -> None:
    """A caller who says what an image is for is believed."""
    assert mode_of(*inputs) == mode


@pytest.mark.parametrize(
    ("word", "inputs", "mode"),
    [
        ("t2v", (), Mode.T2V),
        ("text_to_video", (), Mode.T2V),
        ("TEXT2VIDEO", (), Mode.T2V),
        ("i2v", (image(),), Mode.I2V),
        ("image-to-video", (image(),), Mode.I2V),
        ("img2video", (image(),), Mode.I2V),
        ("i2v_first_last", (image(), image()), Mode.FIRST_LAST),
        ("FIRST_AND_LAST_FRAMES_2_VIDEO", (image(), image()), Mode.FIRST_LAST),
        ("start-end2video", (image(), image()), Mode.FIRST_LAST),
        ("r2v", (image(),), Mode.R2V),
        ("reference_material", (image(), image()), Mode.R2V),
        ("reference2video", (image(), image()), Mode.R2V),
        ("edit", (video(),), Mode.EDIT),
        ("video_edit", (video(),), Mode.EDIT),
        ("extend", (video(),), Mode.EXTEND),
    ],
)
def test_the_mode_field_decides_before_inputs(word: str, inputs: tuple[InputReference, ...], mode: Mode) -> None:
    """The contract's words and those of its aliases, in any case."""
    assert mode_of(*inputs, mode=word) == mode


@pytest.mark.parametrize("operation", ["edit", "extend"])
def test_the_door_decides_before_the_mode_field(operation: str) -> None:
    """`POST /v1/videos/extensions` extends, whatever else is said."""
    resolved = resolve(make_request(operation=operation, mode="t2v", inputs=(video(),)), make_card())
    assert resolved.mode == operation
    assert resolved.inputs[0].role is Role.SOURCE


def test_a_door_the_model_does_not_have_is_refused() -> None:
    """The message names what the model can be used for."""
    with pytest.raises(InvalidRequest) as refused:
        resolve(make_request(operation="remix", source_video_id="video_1"), make_card())
    assert refused.value.message == (
        "acme-1 cannot remix a video; it can be used for t2v, i2v, i2v_first_last, r2v, edit, extend"
    )
    assert refused.value.code == "unsupported_operation"


def test_an_unknown_word_is_refused_with_the_words_there_are() -> None:
    """Modes of the card first, then its own words."""
    with pytest.raises(InvalidRequest) as refused:
        resolve(make_request(mode="sideways", spelled={"mode": "task"}), make_card())
    assert refused.value.message == (
        "task must be one of t2v, i2v, i2v_first_last, r2v, edit, extend, std, pro, wild for acme-1 (got sideways)"
    )
    assert refused.value.param == "task"


def test_a_word_for_a_mode_the_model_lacks_is_refused() -> None:
    """A known word is no reason to make something else."""
    with pytest.raises(InvalidRequest, match="mode must be one of t2v"):
        resolve(make_request(mode="remix"), make_card())


def test_two_images_are_references_where_the_card_says_so() -> None:
    """HappyHorse and its like take no last frame."""
    resolved = resolve(make_request(inputs=(image(), image())), make_card(two_images="references"))
    assert resolved.mode is Mode.R2V
    assert {item.role for item in resolved.inputs} == {Role.REFERENCE}


def test_one_image_is_a_reference_on_a_reference_only_model() -> None:
    """`veo3.1-components` and its like know no frames."""
    card = make_card(modes={Mode.R2V: ModeCard(inputs=(REFERENCE,))})
    assert resolve(make_request(inputs=(image(),)), card).inputs[0].role is Role.REFERENCE


def test_a_video_is_a_reference_where_nothing_can_be_edited() -> None:
    """Seedance 2.0 takes clips, and has no edit."""
    clips = InputRule(role=Role.REFERENCE, kind=MediaKind.VIDEO, max=3)
    card = make_card(modes={Mode.T2V: ModeCard(), Mode.R2V: ModeCard(inputs=(clips,))})
    assert resolve(make_request(inputs=(video(),)), card).mode is Mode.R2V


@pytest.mark.parametrize(
    ("inputs", "mode"),
    [((image(),), Mode.I2V), ((image(), image()), Mode.FIRST_LAST), ((image(Role.REFERENCE),), Mode.I2V)],
)
def test_a_suffix_decides_before_roles_and_numbers(inputs: tuple[InputReference, ...], mode: Mode) -> None:
    """`-frames` means frames; a second image is the last one, where the card takes one."""
    request, card = make_request(inputs=inputs), make_card(default_mode=Mode.I2V)
    if inputs[0].role is Role.REFERENCE:
        with pytest.raises(InvalidRequest, match=r"images\[0\] cannot be used: acme-1 in mode i2v takes 1 first frame"):
            resolve(request, card)
    else:
        assert resolve(request, card).mode is mode


def test_the_mode_field_decides_before_the_suffix() -> None:
    """The suffix is a default, the field a wish."""
    assert mode_of(card={"default_mode": Mode.I2V}, mode="t2v") is Mode.T2V


def test_a_mode_is_never_swapped_for_another_one() -> None:
    """Two images in the mode of one image are an error, not a first and a last frame."""
    with pytest.raises(InvalidRequest) as refused:
        mode_of(image(), image(field="images[1]"), mode="i2v")
    assert refused.value.message == "acme-1 in mode i2v takes 1 first frame image (got 2)"
    assert refused.value.param == "images[1]"


def test_sound_joins_the_mode_that_takes_it() -> None:
    """An image with a sound is a reference where only references take sound."""
    sound = InputRule(role=Role.REFERENCE, kind=MediaKind.AUDIO)
    card = make_card(modes={Mode.I2V: ModeCard(inputs=(FIRST,)), Mode.R2V: ModeCard(inputs=(REFERENCE, sound))})
    resolved = resolve(make_request(inputs=(image(), url("a.mp3"))), card)
    assert resolved.mode is Mode.R2V
    assert [item.kind for item in resolved.inputs] == [MediaKind.IMAGE, MediaKind.AUDIO]


def test_bytes_decide_what_an_input_is() -> None:
    """A picture that was called a video is a picture."""
    mislabelled = image().evolve(kind=MediaKind.VIDEO)
    assert mode_of(mislabelled) is Mode.I2V


def test_a_video_of_ours_is_named_by_its_id() -> None:
    """It becomes the source; its bytes go along where they are known."""
    named = InputReference(field="video", video_id="video_1")
    bare = resolve(make_request(inputs=(named,)), make_card())
    with_bytes = resolve(make_request(inputs=(named.evolve(blob=video(seconds=4.0).blob),)), make_card())

    assert (bare.mode, bare.source_video_id, bare.inputs) == (Mode.EDIT, "video_1", ())
    assert with_bytes.source_video_id == "video_1"
    assert [item.role for item in with_bytes.inputs] == [Role.SOURCE]


def test_two_sources_contradict_each_other() -> None:
    """One video can be worked on at a time."""
    named = InputReference(field="video", video_id="video_1")
    with pytest.raises(InvalidRequest, match="one video can be worked on at a time") as refused:
        resolve(make_request(inputs=(named,), source_video_id="video_2"), make_card())
    assert refused.value.code == "conflicting_parameters"


def test_a_source_that_is_missing_is_asked_for() -> None:
    """An edit of nothing is refused before anything is charged."""
    with pytest.raises(InvalidRequest, match="acme-1 in mode edit needs a source video") as refused:
        resolve(make_request(operation="edit"), make_card(modes={Mode.EDIT: ModeCard(inputs=(SOURCE,))}))
    assert refused.value.code == "missing_required_parameter"
    assert refused.value.param == "video"
