"""Inputs in every shape, and what each is for."""

from typing import Any

import pytest
from tests.dialects.encodings import from_form, from_json
from tests.dialects.inputs import MP4_TEXT, PNG, PNG_TEXT, A, B, C, upload

from reelway.core.errors import InvalidRequest
from reelway.core.videos import MediaKind, RequestWarning, Role


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (A, {"url": A}),
        (f"data:image/png;base64,{PNG_TEXT}", {"data": PNG, "media_type": "image/png"}),
        (f"data:;base64,{PNG_TEXT}", {"data": PNG}),
        (PNG_TEXT, {"data": PNG}),
        (PNG_TEXT.rstrip("="), {"data": PNG}),
        ({"url": A}, {"url": A}),
        ({"image_url": A}, {"url": A}),
        ({"image_url": {"url": A}}, {"url": A}),
        ({"file_id": "file-1"}, {"file_id": "file-1"}),
        ({"bytesBase64Encoded": PNG_TEXT, "mimeType": "image/png"}, {"data": PNG, "media_type": "image/png"}),
        ("asset://abc", {"file_id": "asset://abc"}),
        ("gs://bucket/a.png", {"file_id": "gs://bucket/a.png"}),
    ],
)
def test_an_image_comes_in_many_shapes(value: Any, source: dict[str, Any]) -> None:
    """Every shape ends as exactly one source, with the kind known."""
    (given,) = from_json({"model": "m", "image": value}).inputs

    found = {name: getattr(given, name) for name in ("url", "data", "file_id", "video_id", "blob", "media_type")}
    assert {name: part for name, part in found.items() if part is not None} == source
    assert given.kind is MediaKind.IMAGE


def test_an_input_reference_is_what_its_bytes_are() -> None:
    """Without a declared type the first bytes tell an image from a video."""
    for text, kind in ((PNG_TEXT, MediaKind.IMAGE), (MP4_TEXT, MediaKind.VIDEO)):
        (given,) = from_json({"model": "m", "input_reference": text}).inputs
        assert given.kind is kind
    (given,) = from_json({"model": "m", "input_reference": A}).inputs
    assert given.kind is None


def test_commas_separate_addresses_and_nothing_else() -> None:
    """A data URI has a comma of its own, and an address may have one."""
    text = f"{A}?crop=1,2,3, data:image/png;base64,{PNG_TEXT},{B}"
    request = from_form(("model", "m"), ("images", text))

    assert [given.url for given in request.inputs] == [f"{A}?crop=1,2,3", None, B]
    assert request.inputs[1].data == PNG


def test_lists_may_be_mixed_from_parts() -> None:
    """JSON text, brackets and files under one name are one list."""
    request = from_form(("model", "m"), ("images", f'["{A}","{B}"]'), ("images", upload("c.png")), ("images[]", C))

    assert [given.url or (given.blob and given.blob.sha256) for given in request.inputs] == [A, B, "c.png", C]


def test_one_picture_under_two_names_is_one_picture() -> None:
    """Old clients send `image` and `images` with the same content; the same picture twice in one list is meant."""
    assert len(from_json({"model": "m", "image": A, "images": [A, B]}).inputs) == 2
    assert len(from_json({"model": "m", "image": A, "images": [A, A]}).inputs) == 2
    assert len(from_json({"model": "m", "images": [A, A]}).inputs) == 2
    assert len(from_json({"model": "m", "first_frame": A, "last_frame": A}).inputs) == 2


def test_kling_names_the_frames_inside_its_image_list() -> None:
    """An item's own type wins over the role of the list."""
    request = from_json(
        {
            "model": "m",
            "image_list": [{"image_url": A, "type": "first_frame"}, {"image_url": B, "type": "end_frame"}, C],
        }
    )

    assert [given.role for given in request.inputs] == [Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE]


def test_content_has_texts_media_and_a_draft() -> None:
    """Texts join the prompt, media keep role and name, and what is asked for is a remix of the draft."""
    request = from_json(
        {
            "model": "m",
            "prompt": "a fox",
            "content": [
                {"type": "text", "text": "a fox"},
                {"type": "text", "text": "in snow"},
                {"type": "image_url", "image_url": {"url": A}, "role": "reference_image", "name": "fox"},
                {"type": "video_url", "video_url": B},
                {"type": "draft_task", "draft_task": {"id": "video_1"}},
            ],
        }
    )

    assert request.prompt == "a fox\nin snow"
    assert [(given.field, given.kind, given.role, given.name) for given in request.inputs] == [
        ("content[2]", MediaKind.IMAGE, Role.REFERENCE, "fox"),
        ("content[3]", MediaKind.VIDEO, None, None),
    ]
    assert (request.operation, request.source_video_id, request.options) == ("remix", "video_1", {})


@pytest.mark.parametrize(
    ("drafts", "field"),
    [([{}], "content[0]"), ([{"id": " "}], "content[0].draft_task.id"), ([{"id": "a"}, {"id": "b"}], "content[1]")],
)
def test_a_draft_is_named_once(drafts: list[dict[str, str]], field: str) -> None:
    """A draft that is not named would be another video, paid for and not wanted."""
    content = [{"type": "draft_task", "draft_task": draft} for draft in drafts]
    with pytest.raises(InvalidRequest) as refused:
        from_json({"model": "m", "content": content})

    assert (refused.value.param or "").startswith(field)


def test_what_an_input_says_beyond_its_source_is_warned_about() -> None:
    """`detail` means something elsewhere; here it is named instead of dropped."""
    request = from_json({"model": "m", "image": {"url": A, "detail": "high"}})

    assert request.warnings == (RequestWarning(field="image.detail", message="is not understood and not used"),)
