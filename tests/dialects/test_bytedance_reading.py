"""Ark's dialect: what a create may say, and what of it is refused."""

from typing import Any

import pytest
from tests.dialects.inputs import PNG_TEXT

from reelway.core.errors import InvalidRequest, UnsupportedType
from reelway.core.videos import MediaKind, Role, VideoRequest
from reelway.dialects.bytedance import make_dialect
from reelway.dialects.spec import CreateVideo, FormField, Incoming

PRO = "doubao-seedance-1-0-pro-250528"
CREATE = next(found for found in make_dialect().endpoints if found.method == "POST")


def call(**fields: Any) -> Any:
    return CREATE.read(Incoming(method="POST", path=CREATE.path, **fields))


def created(*content: dict[str, Any], **fields: Any) -> VideoRequest:
    """Return what a create asks for."""
    items = list(content) or [{"type": "text", "text": "a fox"}]
    found = call(json={"model": PRO, "content": items, **fields})
    assert isinstance(found, CreateVideo)
    return found.request


def image(role: str | None = None, url: str = "https://media.example.test/a.png") -> dict[str, Any]:
    item = {"type": "image_url", "image_url": {"url": url}}
    return item if role is None else {**item, "role": role}


def test_every_field_means_what_it_means_at_ark() -> None:
    """Shape, length and sound are ours; the rest are options under the card's own names."""
    request = created(
        resolution="1080P",
        ratio="adaptive",
        duration=-1,
        frames=121,
        seed=7,
        camera_fixed=True,
        watermark=False,
        generate_audio=False,
        return_last_frame=True,
        draft=False,
        service_tier="flex",
        execution_expires_after=3600,
        priority=3,
        safety_identifier="u-1",
        tools=[{"type": "web_search"}],
        callback_url="https://caller.example.test/hook",
        output_format="mp4",
    )

    assert (request.model, request.operation, request.prompt) == (PRO, "create", "a fox")
    assert (request.tier, request.ratio, request.seconds, request.seed, request.audio) == (
        "1080p",
        "adaptive",
        -1,
        7,
        False,
    )
    assert (request.callback_url, request.callback_dialect) == ("https://caller.example.test/hook", "bytedance")
    assert request.options == {
        "camera_fixed": True,
        "draft": False,
        "execution_expires_after": 3600,
        "frames": 121,
        "priority": 3,
        "return_last_frame": True,
        "safety_identifier": "u-1",
        "service_tier": "flex",
        "watermark": False,
        "web_search": True,
    }


def test_null_is_as_good_as_absent() -> None:
    """Ark's client sends a null for every field that was not given."""
    names = ("seed", "ratio", "duration", "tools", "callback_url", "output_format", "omni_reference_task_type")

    assert created(**dict.fromkeys(names)) == created()
    assert created().callback_dialect == ""


def test_a_seed_of_minus_one_is_any_seed() -> None:
    """As if none were given."""
    assert created(seed=-1).seed is None


def test_flags_stay_in_the_text_for_the_card() -> None:
    """Ark obeys them on every model; the card knows which there are."""
    assert created({"type": "text", "text": "a fox --dur 5"}).prompt == "a fox --dur 5"


def test_roles_say_what_media_are_for() -> None:
    """An image without a role is a first frame; clips and sounds can only be references."""
    inputs = created(
        {"type": "text", "text": "one"},
        {"type": "text", "text": "two"},
        image(),
        image("first_frame"),
        image("last_frame", f"data:image/png;base64,{PNG_TEXT}"),
        image("reference_image", "asset://asset-1"),
        {"type": "video_url", "video_url": {"url": "https://media.example.test/a.mp4"}, "role": "reference_video"},
        {"type": "audio_url", "audio_url": {"url": "https://media.example.test/a.mp3"}},
    ).inputs

    assert [(given.kind, given.role) for given in inputs] == [
        (MediaKind.IMAGE, Role.FIRST_FRAME),
        (MediaKind.IMAGE, Role.FIRST_FRAME),
        (MediaKind.IMAGE, Role.LAST_FRAME),
        (MediaKind.IMAGE, Role.REFERENCE),
        (MediaKind.VIDEO, Role.REFERENCE),
        (MediaKind.AUDIO, Role.REFERENCE),
    ]
    assert inputs[2].data is not None
    assert inputs[3].file_id == "asset://asset-1"
    assert inputs[0].field == "content[2].image_url.url"


def test_a_draft_is_made_into_a_video_by_our_id() -> None:
    """Which is a remix of it, in our words."""
    request = created({"type": "draft_task", "draft_task": {"id": "video_0"}})

    assert (request.operation, request.source_video_id, request.prompt) == ("remix", "video_0", None)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"content": [{"type": "text", "text": "x"}]}, "model", "missing_required_parameter"),
        ({"model": PRO}, "content", "missing_required_parameter"),
        ({"model": PRO, "content": []}, "content", "missing_required_parameter"),
        ({"model": PRO, "content": "a fox"}, "content", "invalid_type"),
        ({"model": PRO, "content": ["a fox"]}, "content[0]", "invalid_type"),
        ({"model": PRO, "content": [{"type": "text"}]}, "content[0].text", "invalid_type"),
        ({"model": PRO, "content": [{"type": "file"}]}, "content[0].type", "invalid_value"),
        ({"model": PRO, "content": [{"type": ["text"]}]}, "content[0].type", "invalid_value"),
        ({"model": PRO, "content": [image("reference_video")]}, "content[0].role", "invalid_value"),
        ({"model": PRO, "content": [image("end_frame")]}, "content[0].role", "invalid_value"),
        ({"model": PRO, "content": [image(url="a.png")]}, "content[0].image_url.url", "invalid_value"),
        ({"model": PRO, "content": [image(url=PNG_TEXT)]}, "content[0].image_url.url", "invalid_value"),
        (
            {"model": PRO, "content": [{"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}]},
            "content[0].video_url.url",
            "invalid_value",
        ),
        (
            {"model": PRO, "content": [{"type": "image_url", "image_url": "https://a.example.test/a.png"}]},
            "content[0].image_url.url",
            "missing_required_parameter",
        ),
        (
            {"model": PRO, "content": [{"type": "draft_task", "draft_task": {"id": "a"}}, image()]},
            "content",
            "invalid_value",
        ),
    ],
)
def test_what_ark_would_refuse_is_refused(body: dict[str, Any], field: str, code: str) -> None:
    """With the field by name, before anything is made."""
    with pytest.raises(InvalidRequest) as refused:
        call(json=body)

    assert (refused.value.param, refused.value.code) == (field, code)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"duration": "5"}, "duration"),
        ({"duration": 5.0}, "duration"),
        ({"duration": True}, "duration"),
        ({"watermark": "false"}, "watermark"),
        ({"generate_audio": 1}, "generate_audio"),
        ({"seed": 2**32}, "seed"),
        ({"seed": -2}, "seed"),
        ({"ratio": 16}, "ratio"),
        ({"tools": [{"type": "calculator"}]}, "tools[0].type"),
        ({"tools": "web_search"}, "tools"),
        ({"callback_url": "not an address"}, "callback_url"),
        ({"output_format": "mov"}, "output_format"),
        ({"omni_reference_task_type": "edit"}, "omni_reference_task_type"),
        ({"negative_prompt": "rain"}, "negative_prompt"),
        ({"n": 2}, "n"),
    ],
)
def test_a_field_of_another_type_or_name_is_refused(fields: dict[str, Any], field: str) -> None:
    """A wrong body field is always a 400 there."""
    with pytest.raises(InvalidRequest) as refused:
        created(**fields)

    assert refused.value.param == field


def test_only_json_is_read() -> None:
    """Ark takes no forms."""
    with pytest.raises(UnsupportedType):
        call(form=(FormField(name="model", value=PRO),))
