"""Requests in the words of Kling's older API: golden examples, resellers' flat bodies, and what is refused by name."""

from typing import Any

import pytest
from tests.dialects.inputs import PNG, PNG_TEXT
from tests.dialects.kling_calls import CARD, MEDIA, inputs_of, legacy, refused

from reelway.catalog.resolve import resolve
from reelway.core.errors import InvalidRequest
from reelway.core.videos import MediaKind, Mode, Role


def test_first_and_last_frame_of_the_older_api() -> None:
    """The sheet's golden example A, field by field."""
    request = legacy(
        "image2video",
        mode="pro",
        duration="5",
        sound="off",
        image=MEDIA + "door-closed.png",
        image_tail=MEDIA + "door-open.png",
        negative_prompt="people",
        watermark_info={"enabled": True},
        callback_url="https://gw.example.test/cb/kling/5d1e",
        external_task_id="gw-01JTEST0002-1",
    )

    assert inputs_of(request) == [
        (Role.FIRST_FRAME, MEDIA + "door-closed.png", None),
        (Role.LAST_FRAME, MEDIA + "door-open.png", None),
    ]
    assert (request.model, request.mode, request.seconds, request.audio) == ("kling-v3", "pro", 5, False)
    assert request.options == {"negative_prompt": "people", "watermark": True}
    assert (request.callback_url, request.callback_dialect) == ("https://gw.example.test/cb/kling/5d1e", "kling")
    assert request.client_reference == "gw-01JTEST0002-1"
    resolved = resolve(request, CARD)
    assert (resolved.mode, resolved.tier, resolved.warnings) == (Mode.FIRST_LAST, "1080p", ())


def test_a_storyboard_of_the_older_api() -> None:
    """The golden example B: no prompt of its own, so the shots are it; numbers become names."""
    request = legacy(
        "omni-video",
        model_name="kling-v3-omni",
        mode="std",
        duration="7",
        aspect_ratio="16:9",
        sound="on",
        multi_shot=True,
        shot_type="customize",
        prompt="",
        multi_prompt=[
            {"index": 1, "prompt": "<<<image_1>>> looks up at the sky", "duration": "3"},
            {"index": 2, "prompt": "rain starts on <<<image_2>>>", "duration": "4"},
        ],
        image_list=[{"image_url": MEDIA + "girl.jpg"}, {"image_url": MEDIA + "street.jpg"}],
        external_task_id="gw-01JTEST0003-1",
    )

    resolved = resolve(request, CARD)

    assert inputs_of(request) == [
        (Role.REFERENCE, MEDIA + "girl.jpg", None),
        (Role.REFERENCE, MEDIA + "street.jpg", None),
    ]
    assert resolved.prompt == "shot 1, 3, @image_1 looks up at the sky; shot 2, 4, rain starts on @image_2;"
    assert resolved.options["multi_prompt"][1]["prompt"] == "rain starts on @image_2"
    assert "shot_type" not in resolved.options
    assert (resolved.mode, resolved.tier, resolved.seconds, resolved.audio) == (Mode.R2V, "720p", 7, True)
    assert resolved.warnings == ()


def test_pictures_keep_the_numbers_the_prompt_calls_them_by() -> None:
    """Frames come first inside, so whoever is counted otherwise gets a name."""
    request = legacy(
        "omni-video",
        prompt="<<<image_1>>> and <<<image_3>>> meet",
        image_list=[
            {"image_url": MEDIA + "a.png"},
            {"image_url": MEDIA + "b.png", "type": "first_frame"},
            {"image_url": MEDIA + "c.png"},
            {"image_url": MEDIA + "d.png", "type": "end_frame"},
        ],
    )

    assert request.prompt == "@image_1 and @image_3 meet"
    assert inputs_of(request) == [
        (Role.FIRST_FRAME, MEDIA + "b.png", "image_2"),
        (Role.LAST_FRAME, MEDIA + "d.png", "image_4"),
        (Role.REFERENCE, MEDIA + "a.png", "image_1"),
        (Role.REFERENCE, MEDIA + "c.png", "image_3"),
    ]


@pytest.mark.parametrize(
    ("item", "role", "mode", "options"),
    [
        ({}, Role.SOURCE, Mode.EDIT, {}),
        ({"refer_type": "base", "keep_original_sound": "no"}, Role.SOURCE, Mode.EDIT, {"keep_original_sound": False}),
        ({"refer_type": "base", "keep_original_sound": "yes"}, Role.SOURCE, Mode.EDIT, {"keep_original_sound": True}),
        ({"refer_type": "feature", "keep_original_sound": "no"}, Role.REFERENCE, Mode.R2V, {}),
        ({"refer_type": "feature"}, Role.REFERENCE, Mode.R2V, {}),
    ],
)
def test_a_video_is_edited_unless_it_is_only_referred_to(
    item: dict[str, Any], role: Role, mode: Mode, options: dict[str, Any]
) -> None:
    """The vendor's default is `base`; a video that is referred to is never heard."""
    request = legacy("omni-video", video_list=[{"video_url": MEDIA + "dance.mp4", **item}])

    assert [(given.kind, given.role, given.name) for given in request.inputs] == [(MediaKind.VIDEO, role, None)]
    assert request.options == options
    assert resolve(request, CARD).mode is mode


def test_several_images_may_be_plain_or_in_objects() -> None:
    """The key trap: multi-image2video says `image`, omni-video `image_url`."""
    plain = legacy("multi-image2video", image_list=[MEDIA + "a.png", MEDIA + "b.png"])
    objects = legacy("multi-image2video", image_list=[{"image": MEDIA + "a.png"}, {"image": MEDIA + "b.png"}])

    assert inputs_of(plain) == inputs_of(objects)
    assert resolve(plain, CARD).mode is Mode.R2V


def test_raw_base64_is_a_picture() -> None:
    """Without a `data:` before it, which Kling forbids and we take all the same."""
    raw, uri = (legacy("image2video", image=value) for value in (PNG_TEXT, f"data:image/png;base64,{PNG_TEXT}"))

    assert [given.data for given in (*raw.inputs, *uri.inputs)] == [PNG, PNG]


def test_what_older_models_had_is_warned_about() -> None:
    """Never dropped in silence: the card says that the 3.0 models take none of it."""
    request = legacy("text2video", cfg_scale=0.5, camera_control={"type": "down_back"}, voice_list=[{"voice_id": "1"}])

    warned = {warning.field for warning in resolve(request, CARD).warnings}

    assert warned == {"cfg_scale", "camera_control", "voice_list"}


def test_elements_are_texts_and_called_by_name() -> None:
    """A number is no number here: eighteen digits are more than some readers keep."""
    request = legacy(
        "image2video",
        image=MEDIA + "a.png",
        prompt="<<<element_1>>>",
        element_list=[{"element_id": 940000000000000777}],
    )

    assert request.prompt == "@element_1"
    assert request.options == {"element_list": [{"element_id": "940000000000000777"}]}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"multi_shot": False}, {"multi_shot": False}),
        ({"multi_shot": True, "shot_type": "intelligence"}, {"multi_shot": True}),
        ({"multi_shot": "true", "shot_type": "customize"}, {"multi_shot": "true", "shot_type": "customize"}),
    ],
)
def test_what_follows_from_the_rest_is_not_repeated(options: dict[str, Any], kept: dict[str, Any]) -> None:
    """So that the same request in the other design comes out equal; a contradiction is left for the card to see."""
    assert legacy("text2video", **options).options == kept


# --- the flat bodies of resellers


def test_a_flat_body_is_read_as_everywhere() -> None:
    """The page that the project began with names these fields on Kling's path."""
    request = legacy(
        "image2video",
        model="kling-video",
        model_name=None,
        image=MEDIA + "a.png",
        duration=5,
        width=1280,
        height=720,
        fps=24,
        seed=7,
        n=2,
        response_format="url",
        user="u-1",
        metadata={"negative_prompt": "people", "shop": "12"},
    )

    resolved = resolve(request, CARD)

    assert (request.model, request.seconds, request.width, request.height) == ("kling-video", 5, 1280, 720)
    assert (resolved.mode, resolved.n, resolved.user, resolved.tier) == (Mode.I2V, 2, "u-1", "720p")
    assert (resolved.options["negative_prompt"], resolved.tags) == ("people", {"shop": "12"})
    assert {warning.field for warning in resolved.warnings} >= {"seed"}


def test_the_version_counts_before_the_family() -> None:
    """`model_name` says which of the family is meant."""
    assert legacy("text2video", model="kling-video", model_name="kling-v3-omni").model == "kling-v3-omni"
    assert legacy("text2video", model="kling-video", model_name=None).model == "kling-video"


@pytest.mark.parametrize("product", ["video-extend", "image2video"])
@pytest.mark.parametrize("name", ["video_id", "task_id"])
def test_an_earlier_video_is_lengthened(product: str, name: str) -> None:
    """By its id, which is its task's id here; the model follows the source where none is named."""
    request = legacy(product, model_name=None, **{name: "video_1"})

    assert (request.operation, request.source_video_id, request.model) == ("extend", "video_1", "")


def test_a_model_that_cannot_lengthen_says_so() -> None:
    """Kling 3.0 has no extension."""
    with pytest.raises(InvalidRequest, match="cannot extend a video"):
        resolve(legacy("video-extend", video_id="video_1"), CARD)


# --- what the older design refuses


@pytest.mark.parametrize(
    ("product", "body", "param"),
    [
        ("text2video", {"model_name": None}, "model_name"),
        ("text2video", {"image": MEDIA + "a.png"}, "image"),
        ("text2video", {"image_list": [MEDIA + "a.png"]}, "image_list[0]"),
        ("image2video", {}, "image"),
        ("multi-image2video", {}, "image_list"),
        ("video-extend", {}, "video_id"),
        ("video-extend", {"video_id": "video_1", "task_id": "video_2"}, "task_id"),
        ("omni-video", {"element_list": [{"element_id": "1"}]}, "element_list"),
        ("omni-video", {"element_list": ["1"]}, "element_list"),
        ("omni-video", {"image_list": MEDIA + "a.png"}, "image_list"),
        ("omni-video", {"image_list": [{"image_url": MEDIA + "a.png", "type": "middle"}]}, "image_list[0].type"),
        ("omni-video", {"image_list": [{"image_url": MEDIA + "a.png", "id": "x"}]}, "image_list[0]"),
        ("omni-video", {"image_list": [{"type": "first_frame"}]}, "image_list[0]"),
        (
            "omni-video",
            {"video_list": [{"video_url": MEDIA + "a.mp4", "refer_type": "style"}]},
            "video_list[0].refer_type",
        ),
        ("omni-video", {"video_list": [{}]}, "video_list[0]"),
        ("text2video", {"watermark_info": True}, "watermark_info"),
        ("text2video", {"watermark_info": {"enabled": "maybe"}}, "watermark_info.enabled"),
        ("text2video", {"watermark_info": {"text": "mine"}}, "watermark_info"),
        ("text2video", {"shot_type": "customize"}, "multi_shot"),
        ("text2video", {"multi_shot": False, "multi_prompt": [{"prompt": "a"}]}, "multi_shot"),
        ("text2video", {"multi_shot": True, "multi_prompt": "a"}, "multi_prompt"),
        ("text2video", {"multi_shot": True, "multi_prompt": ["a"]}, "multi_prompt"),
        ("text2video", {"duration": "5.5"}, "duration"),
        ("text2video", {"callback_url": "ftp://x"}, "callback_url"),
    ],
)
def test_a_mistake_is_named(product: str, body: dict[str, Any], param: str) -> None:
    """By its field, before anything is made."""
    assert refused(legacy, product, **body).param == param
