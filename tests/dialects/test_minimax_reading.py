"""MiniMax's dialects: what a create of either API may say, and what of it is refused."""

from typing import Any

import pytest
from tests.dialects.inputs import PNG_TEXT

from reelway.core.errors import InvalidRequest, UnsupportedType
from reelway.core.videos import MediaKind, Role, VideoRequest
from reelway.dialects import minimax, minimax_v2
from reelway.dialects.spec import CreateVideo, FormField, Incoming

PICTURE = "https://media.example.test/a.png"
TEXT = {"type": "text", "text": "a fox"}
CREATES = {
    module: next(found for found in module.make_dialect().endpoints if found.method == "POST")
    for module in (minimax, minimax_v2)
}


def read(module: Any, **fields: Any) -> VideoRequest:
    endpoint = CREATES[module]
    call = endpoint.read(Incoming(method="POST", path=endpoint.path, **fields))
    assert isinstance(call, CreateVideo)
    return call.request


def older(**fields: Any) -> VideoRequest:
    """Return what a create of the older API asks for."""
    return read(minimax, json={"model": "hailuo-video", "prompt": "a fox", **fields})


def newer(*content: dict[str, Any], **fields: Any) -> VideoRequest:
    """Return what a create of the newer API asks for."""
    shape = {"resolution": "768P", "duration": 8, "ratio": "16:9"}
    return read(minimax_v2, json={"model": "MiniMax-H3", "content": list(content) or [TEXT], **shape, **fields})


def image(role: str | None = None, url: str = PICTURE) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
    return item if role is None else {**item, "role": role}


# --- the older API


def test_every_field_of_the_older_api_is_understood() -> None:
    """What comes by this path is silent; the switches are options under the card's own names."""
    request = older(
        model="MiniMax-Hailuo-02",
        first_frame_image=PICTURE,
        last_frame_image=f"data:image/png;base64,{PNG_TEXT}",
        duration=10,
        resolution="768P",
        prompt_optimizer=False,
        fast_pretreatment=True,
        aigc_watermark=True,
        callback_url="https://caller.example.test/hook",
    )

    assert (request.model, request.prompt, request.seconds, request.tier) == ("MiniMax-Hailuo-02", "a fox", 10, "768p")
    assert request.audio is False
    assert [(given.role, given.field) for given in request.inputs] == [
        (Role.FIRST_FRAME, "first_frame_image"),
        (Role.LAST_FRAME, "last_frame_image"),
    ]
    assert request.options == {"aigc_watermark": True, "fast_pretreatment": True, "prompt_optimizer": False}
    assert (request.callback_url, request.callback_dialect) == ("https://caller.example.test/hook", "minimax")
    assert request.warnings == ()


def test_a_face_is_a_reference_that_is_kept() -> None:
    """One list of one object with one picture."""
    request = older(model="S2V-01", subject_reference=[{"type": "character", "image": [PICTURE]}])

    assert [(given.role, given.url) for given in request.inputs] == [(Role.REFERENCE, PICTURE)]
    assert request.options == {"subject_reference": True}


def test_null_is_as_good_as_absent() -> None:
    """Programs send a null for what was not given."""
    names = ("first_frame_image", "subject_reference", "duration", "resolution", "prompt_optimizer", "callback_url")

    assert older(**dict.fromkeys(names)) == older()
    assert older().callback_dialect == ""


def test_words_are_kept_as_they_are() -> None:
    """Camera commands in brackets, and spaces, are the prompt's own."""
    assert older(prompt=" a fox [Pan left]\n").prompt == " a fox [Pan left]\n"


def test_who_names_02_is_told_when_another_model_makes_it() -> None:
    """Here it is taken for last frames and for 512P."""
    (warning,) = older(model="MiniMax-Hailuo-02").warnings

    assert warning.field == "model"
    assert older(model="MiniMax-Hailuo-02", first_frame_image=PICTURE, resolution="512P").warnings == ()
    assert older(model="MiniMax-Hailuo-2.3").warnings == ()
    assert older().warnings == ()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": None}, "model"),
        ({"model": " "}, "model"),
        ({"model": "MiniMax-H3"}, "model"),
        ({"model": "S2V-01"}, "subject_reference"),
        (
            {"model": "MiniMax-Hailuo-02", "subject_reference": [{"type": "character", "image": [PICTURE]}]},
            "subject_reference",
        ),
        ({"model": "MiniMax-Hailuo-2.3", "last_frame_image": PICTURE}, "last_frame_image"),
        ({"model": "MiniMax-Hailuo-2.3", "resolution": "512P"}, "resolution"),
        ({"prompt": 7}, "prompt"),
        ({"duration": "6"}, "duration"),
        ({"duration": 6.0}, "duration"),
        ({"duration": True}, "duration"),
        ({"resolution": 768}, "resolution"),
        ({"prompt_optimizer": "false"}, "prompt_optimizer"),
        ({"first_frame_image": PNG_TEXT}, "first_frame_image"),
        ({"first_frame_image": "a.png"}, "first_frame_image"),
        ({"first_frame_image": {"url": PICTURE}}, "first_frame_image"),
        ({"subject_reference": [{"type": "character", "image": [PICTURE, PICTURE]}]}, "subject_reference"),
        ({"subject_reference": [{"type": "object", "image": [PICTURE]}]}, "subject_reference"),
        ({"subject_reference": [{"type": "character", "image": PICTURE}]}, "subject_reference"),
        ({"subject_reference": []}, "subject_reference"),
        ({"callback_url": "no address"}, "callback_url"),
        ({"seed": 7}, "seed"),
        ({"ratio": "16:9"}, "ratio"),
    ],
)
def test_what_the_older_api_has_not_is_refused(fields: dict[str, Any], field: str) -> None:
    """With the field by name, before anything is made."""
    with pytest.raises(InvalidRequest) as refused:
        older(**fields)

    assert refused.value.param == field


# --- the newer API


def test_every_field_of_the_newer_api_is_understood() -> None:
    """What comes by this path has sound."""
    request = newer(
        resolution="2K", ratio="21:9", aigc_watermark=False, callback_url="https://caller.example.test/hook"
    )

    assert (request.model, request.prompt) == ("MiniMax-H3", "a fox")
    assert (request.seconds, request.tier, request.ratio, request.audio) == (8, "2k", "21:9", True)
    assert request.options == {"aigc_watermark": False}
    assert (request.callback_url, request.callback_dialect) == ("https://caller.example.test/hook", "minimax_v2")


def test_roles_say_what_media_are_for() -> None:
    """A picture without a role is a first frame; files of MiniMax's own are handed on by their id."""
    clip = {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}, "role": "reference_video"}
    sound = {"type": "audio_url", "audio_url": {"url": "https://media.example.test/a.mp3"}, "role": "reference_audio"}
    request = newer(TEXT, image(), image("last_frame"), image("reference_image", "mm_file://7"), clip, sound)

    assert [(given.kind, given.role) for given in request.inputs] == [
        (MediaKind.IMAGE, Role.FIRST_FRAME),
        (MediaKind.IMAGE, Role.LAST_FRAME),
        (MediaKind.IMAGE, Role.REFERENCE),
        (MediaKind.VIDEO, Role.REFERENCE),
        (MediaKind.AUDIO, Role.REFERENCE),
    ]
    assert request.inputs[2].file_id == "mm_file://7"
    assert request.inputs[3].data is not None
    assert request.inputs[0].field == "content[1].image_url.url"


def test_with_media_no_shape_has_to_be_chosen() -> None:
    """From frames it follows; from references it is adaptive where nothing is said."""
    assert newer(TEXT, image(), ratio=None).ratio is None
    assert newer(TEXT, image("reference_image"), ratio="adaptive").ratio == "adaptive"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "MiniMax-Hailuo-2.3"}, "model"),
        ({"model": "S2V-01"}, "model"),
        ({"model": None}, "model"),
        ({"content": None}, "content"),
        ({"content": []}, "content"),
        ({"content": "a fox"}, "content"),
        ({"content": [image()]}, "content"),
        ({"content": [{"type": "text", "text": "  "}, image()]}, "content"),
        ({"content": [TEXT, TEXT]}, "content[1]"),
        ({"content": ["a fox"]}, "content[0]"),
        ({"content": [{"type": "text"}]}, "content[0].text"),
        ({"content": [TEXT, {"type": "file"}]}, "content[1].type"),
        ({"content": [TEXT, image("base_image")]}, "content[1].role"),
        ({"content": [TEXT, {**image(), "role": ["first_frame"]}]}, "content[1].role"),
        ({"content": [TEXT, image(url="a.png")]}, "content[1].image_url.url"),
        ({"content": [TEXT, {"type": "image_url", "image_url": PICTURE}]}, "content[1].image_url.url"),
        ({"content": [TEXT] * 65}, "content"),
        ({"resolution": None}, "resolution"),
        ({"duration": None}, "duration"),
        ({"duration": "8"}, "duration"),
        ({"duration": 8.5}, "duration"),
        ({"ratio": None}, "ratio"),
        ({"ratio": "adaptive"}, "ratio"),
        ({"extra": {"prompt_expansion_mode": "quality"}}, "extra"),
        ({"aigc_watermark": 1}, "aigc_watermark"),
        ({"callback_url": "no address"}, "callback_url"),
        ({"prompt": "a fox"}, "prompt"),
        ({"generate_audio": False}, "generate_audio"),
    ],
)
def test_what_the_newer_api_has_not_is_refused(fields: dict[str, Any], field: str) -> None:
    """With the field by name, before anything is made."""
    with pytest.raises(InvalidRequest) as refused:
        newer(**fields)

    assert refused.value.param == field


@pytest.mark.parametrize("module", list(CREATES))
def test_only_json_is_read(module: Any) -> None:
    """Neither API takes forms, or lists."""
    with pytest.raises(UnsupportedType):
        read(module, form=(FormField(name="model", value="hailuo-video"),))
    with pytest.raises(InvalidRequest):
        read(module, json=[1])
