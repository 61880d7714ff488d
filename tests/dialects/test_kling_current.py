"""Requests in the words of Kling's current API: golden examples, the vendor's own ones, and what is refused by its place."""

from typing import Any

import pytest
from tests.dialects.kling_calls import CARD, MEDIA, current, inputs_of, omni, refused

from reelway.catalog.resolve import resolve
from reelway.core.errors import InvalidRequest
from reelway.core.videos import Mode, Role


def test_text_of_the_current_api() -> None:
    """The golden example C, for the model that stands behind the public name."""
    request = current(
        "text-to-video",
        {
            "prompt": "shot 1, 2, a paper plane leaves a hand; shot 2, 3, it glides over roofs;",
            "settings": {
                "resolution": "720p",
                "aspect_ratio": "9:16",
                "duration": 5,
                "audio": "native",
                "multi_shot": True,
            },
            "options": {
                "external_task_id": "gw-01JTEST0004-1",
                "callback_url": "https://gw.example.test/cb/kling/77aa",
                "watermark_info": {"enabled": False},
            },
        },
    )

    assert (request.model, request.seconds, request.ratio, request.tier) == ("kling-3.0", 5, "9:16", "720p")
    assert (request.audio, request.client_reference, request.callback_dialect) == (True, "gw-01JTEST0004-1", "kling")
    assert request.options == {"multi_shot": True, "watermark": False}
    assert request.spelled["seconds"] == "settings.duration"
    assert resolve(request, CARD).warnings == ()


def test_an_edit_of_the_current_api() -> None:
    """The sheet's second golden example C: one shot and the sound of the source, which is what an edit is."""
    request = omni(
        {"type": "refer_image", "url": MEDIA + "coat.png", "id": "image_1"},
        {"type": "base_video", "url": MEDIA + "dance.mp4", "id": "video_1"},
        multi_shot=False,
        audio="original",
        resolution="1080p",
    )

    resolved = resolve(request, CARD)

    assert inputs_of(request) == [
        (Role.REFERENCE, MEDIA + "coat.png", None),
        (Role.SOURCE, MEDIA + "dance.mp4", None),
    ]
    assert (resolved.mode, resolved.tier, resolved.warnings) == (Mode.EDIT, "1080p", ())
    assert resolved.options == {"keep_original_sound": True, "watermark": False}


def test_silence_is_what_kling_makes_of_an_edit() -> None:
    """Where nothing is said about sound; our own default is the other one."""
    request = omni({"type": "base_video", "url": MEDIA + "dance.mp4"})

    assert resolve(request, CARD).options["keep_original_sound"] is False


def test_frames_references_and_elements_of_the_current_api() -> None:
    """Ids that only repeat the place are left out, others stay."""
    request = omni(
        {"type": "refer_image", "url": MEDIA + "coat.png", "id": "coat"},
        {"type": "first_frame", "url": MEDIA + "first.png"},
        {"type": "last_frame", "url": MEDIA + "last.png", "id": "image_2"},
        {"type": "element", "element_id": "162", "id": "element_1"},
        {"type": "element", "element_id": 163, "id": "Zhang"},
    )

    assert inputs_of(request) == [
        (Role.FIRST_FRAME, MEDIA + "first.png", None),
        (Role.LAST_FRAME, MEDIA + "last.png", None),
        (Role.REFERENCE, MEDIA + "coat.png", "coat"),
    ]
    assert request.options == {"element_list": [{"element_id": "162"}, {"element_id": "163", "id": "Zhang"}]}
    assert resolve(request, CARD).mode is Mode.R2V


def test_empty_options_say_nothing() -> None:
    """The vendor's own examples send an empty reference."""
    request = current("text-to-video", {"prompt": "A boat", "options": {"external_task_id": "", "callback_url": ""}})

    assert (request.client_reference, request.callback_url, request.callback_dialect) == (None, None, "")


@pytest.mark.parametrize(
    ("product", "body", "param"),
    [
        ("text-to-video", {}, "prompt"),
        ("text-to-video", {"prompt": "a", "contents": [1]}, "contents"),
        ("text-to-video", {"prompt": "a", "duration": 5}, "duration"),
        ("text-to-video", {"prompt": "a", "settings": {"fps": 24}}, "settings.fps"),
        ("text-to-video", {"prompt": "a", "options": {"seed": 1}}, "options.seed"),
        ("text-to-video", {"prompt": "a", "settings": {"audio": "original"}}, "settings.audio"),
        ("text-to-video", {"prompt": "a", "settings": {"aspect_ratio": "wide"}}, "settings.aspect_ratio"),
        ("text-to-video", {"prompt": "a", "settings": {"duration": "long"}}, "settings.duration"),
        ("text-to-video", {"prompt": "a", "settings": {"multi_shot": "perhaps"}}, "settings.multi_shot"),
        ("text-to-video", {"prompt": "a", "options": {"callback_url": "x"}}, "options.callback_url"),
        ("text-to-video", {"prompt": "a", "options": {"external_task_id": "x" * 513}}, "options.external_task_id"),
        ("text-to-video", {"prompt": "a", "options": {"watermark_info": {"text": "x"}}}, "options.watermark_info.text"),
        ("image-to-video", {"prompt": "a"}, "prompt"),
        ("image-to-video", {"contents": "a"}, "contents"),
        ("image-to-video", {"contents": [{"type": "prompt", "text": "a"}]}, "contents"),
        ("image-to-video", {"contents": [{"type": "refer_image", "url": MEDIA + "a.png"}]}, "contents[0].type"),
        ("image-to-video", {"contents": [{"type": "first_frame"}]}, "contents[0].url"),
        ("image-to-video", {"contents": [{"type": "first_frame", "url": "no address"}]}, "contents[0].url"),
        (
            "image-to-video",
            {"contents": [{"type": "first_frame", "url": MEDIA + "a.png", "role": "x"}]},
            "contents[0].role",
        ),
        ("omni-video", {"contents": [{"type": "element", "element_id": "1"}]}, "contents[0]"),
        ("omni-video", {"contents": [{"type": "element", "element_id": "1", "id": "a"}]}, "contents"),
        ("omni-video", {"contents": [{"type": "prompt", "text": "a"}, {"type": "prompt", "text": "b"}]}, "contents"),
    ],
)
def test_the_current_api_takes_what_it_documents(product: str, body: dict[str, Any], param: str) -> None:
    """Kling refuses keys it does not know, and so do we; each mistake by its place."""
    error = refused(current, product, body)

    assert isinstance(error, InvalidRequest)
    assert error.param == param


@pytest.mark.parametrize(
    ("settings", "param"), [({"audio": "native"}, "settings.audio"), ({"multi_shot": True}, "settings.multi_shot")]
)
def test_an_edit_has_no_new_sound_and_no_cuts(settings: dict[str, Any], param: str) -> None:
    """As the vendor's page says of `base_video`."""
    assert refused(omni, {"type": "base_video", "url": MEDIA + "a.mp4"}, **settings).param == param
