"""What the OpenAI dialect understands, refuses, and hands on."""

import base64
from typing import Any

import pytest
from tests.dialects.encodings import from_form, from_json

from reelway.core.errors import CallerError, InvalidRequest
from reelway.core.videos import Blob, MediaKind, RequestWarning, Role
from reelway.dialects.spec import Upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(16)
PNG_TEXT = base64.b64encode(PNG).decode()
MP4_TEXT = base64.b64encode(MP4).decode()
A, B, C = (f"https://files.example.test/{name}.png" for name in "abc")


def upload(name: str = "a.png", media_type: str = "image/png", size: int = 9) -> Upload:
    blob = Blob(key=f"staged/{name or 'none'}", sha256=name, bytes=size, media_type=media_type)
    return Upload(filename=name, media_type=media_type, blob=blob)


def refused(body: dict[str, Any]) -> CallerError:
    with pytest.raises(InvalidRequest) as caught:
        from_json({"model": "m", **body})
    return caught.value


# --- numbers, words, sizes


def test_seconds_and_duration_may_agree() -> None:
    """One length under two names is fine while it is one length."""
    assert from_json({"model": "m", "seconds": "8", "duration": 8.0, "video_length": "8s"}).seconds == 8


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"seconds": 8, "duration": 5}, "conflicting_parameters", "duration"),
        ({"seconds": 8.5}, "invalid_type", "seconds"),
        ({"seconds": True}, "invalid_type", "seconds"),
        ({"seconds": "long"}, "invalid_type", "seconds"),
        ({"seconds": 0}, "invalid_value", "seconds"),
        ({"seconds": -2}, "invalid_value", "seconds"),
        ({"n": 9}, "invalid_value", "n"),
        ({"n": 0}, "invalid_value", "n"),
        ({"fps": 0}, "invalid_value", "fps"),
        ({"fps": "fast"}, "invalid_type", "fps"),
        ({"seed": 2**70}, "invalid_value", "seed"),
        ({"seed": [1]}, "invalid_type", "seed"),
        ({"width": 512}, "missing_required_parameter", "height"),
        ({"height": 512}, "missing_required_parameter", "width"),
        ({"width": 0, "height": 512}, "invalid_value", "width"),
        ({"size": "huge"}, "invalid_value", "size"),
        ({"size": "1280x720", "width": 512, "height": 512}, "conflicting_parameters", "width"),
        ({"size": "16:9", "aspect_ratio": "9:16"}, "conflicting_parameters", "aspect_ratio"),
        ({"resolution": "720p", "quality": "1080p"}, "conflicting_parameters", "quality"),
        ({"aspect_ratio": "wide"}, "invalid_value", "aspect_ratio"),
        ({"audio": "loud"}, "invalid_type", "audio"),
        ({"response_format": "mp4"}, "invalid_value", "response_format"),
        ({"callback_url": "ftp://example.test"}, "invalid_value", "callback_url"),
        ({"prompt": 5}, "invalid_type", "prompt"),
        ({"metadata": "tag"}, "invalid_type", "metadata"),
        ({"metadata": '{"a":'}, "invalid_json", "metadata"),
        ({"metadata": '{"a":"\\u0000"}'}, "invalid_json", "metadata"),
        ({"parameters": [1]}, "invalid_type", "parameters"),
        ({"content": "text"}, "invalid_type", "content"),
        ({"content": [{"type": "poem", "poem": "x"}]}, "invalid_value", "content[0]"),
        ({"content": [{"type": "image_url", "image_url": A, "role": "hero"}]}, "invalid_value", "content[0].role"),
        ({"image": "picture"}, "invalid_type", "image"),
        ({"image": [A, B]}, "invalid_type", "image"),
        ({"image": {"url": A, "file_id": "f"}}, "invalid_value", "image"),
        ({"image": {"detail": "high"}}, "invalid_value", "image"),
        ({"image": {"id": "video_1"}}, "invalid_value", "image"),
        ({"image": "data:image/png,abc"}, "invalid_value", "image"),
        ({"image": "data:image/png;base64,%%%"}, "invalid_value", "image"),
        ({"images": [5]}, "invalid_type", "images[0]"),
        ({"first_frame": A, "image_url": B}, "conflicting_parameters", "image_url"),
        ({"images": [A] * 25}, "too_many_inputs", "images[24]"),
        ({"user": "u" * 600}, "invalid_value", "user"),
        (
            {"metadata": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": {"l": 1}}}}}}}}}}}}},
            "too_deep",
            None,
        ),
        ({"metadata": {"a": "x" * 70_000}}, "too_large", "metadata"),
        ({"metadata": {f"k{number}": "v" for number in range(70)}}, "too_large", "metadata"),
        ({"x_own": "x" * 70_000}, "too_large", None),
    ],
)
def test_what_cannot_be_meant_is_refused(body: dict[str, Any], code: str, param: str | None) -> None:
    """A value of the wrong kind, out of range or in conflict is a 400 that names the field."""
    error = refused(body)

    assert (error.status, error.code, error.param) == (400, code, param)
    assert error.message


def test_a_model_is_required() -> None:
    """Without a model there is nothing to hold a request against."""
    with pytest.raises(InvalidRequest) as caught:
        from_json({"prompt": "a fox"})

    assert (caught.value.code, caught.value.param) == ("missing_required_parameter", "model")


def test_the_body_must_be_an_object() -> None:
    """A list or a word is no request."""
    with pytest.raises(InvalidRequest, match="must be a JSON object"):
        from_json(["model"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"size": "1280*720"}, (1280, 720, None, None)),
        ({"size": "16:9"}, (None, None, "16:9", None)),
        ({"size": "1080P"}, (None, None, None, "1080p")),
        ({"width": "512", "height": 512}, (512, 512, None, None)),
        ({"resolution": "1280x720"}, (1280, 720, None, None)),
        ({"resolution": 720}, (None, None, None, "720p")),
        ({"quality": "Pro"}, (None, None, None, "pro")),
        ({"orientation": "portrait", "quality": "4K"}, (None, None, "9:16", "4k")),
        ({"size": "1280x720", "width": 1280, "height": "720"}, (1280, 720, None, None)),
    ],
)
def test_sizes_are_read_in_every_spelling(body: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Pixels, ratio and tier come from whichever field names them."""
    request = from_json({"model": "m", **body})

    assert (request.width, request.height, request.ratio, request.tier) == expected


# --- forms


@pytest.mark.parametrize("name", ["model", "prompt", "seconds", "size", "image", "metadata", "content"])
def test_a_single_field_twice_is_refused(name: str) -> None:
    """Which of two values was meant, nobody can know."""
    value = {"image": A, "metadata": "{}x", "content": "[1]", "seconds": "8", "size": "720p"}.get(name, "x")
    with pytest.raises(InvalidRequest) as caught:
        from_form(*([("model", "m")] if name != "model" else []), (name, value), (name, value))

    assert (caught.value.code, caught.value.param) == ("duplicate_parameter", name)


def test_a_key_of_metadata_twice_is_refused() -> None:
    """Brackets do not make a repetition any clearer."""
    with pytest.raises(InvalidRequest) as caught:
        from_form(("model", "m"), ("metadata[a]", "1"), ("metadata[a]", "2"))

    assert (caught.value.code, caught.value.param) == ("duplicate_parameter", "metadata[a]")


@pytest.mark.parametrize(
    "fields",
    [
        (("metadata", '{"a":"1"}'), ("metadata[b]", "2")),
        (("metadata[]", "1"), ("metadata[b]", "2")),
        (("meta[data", "1"),),
        (("[]", "1"),),
        (("a" + "[b]" * 20, "1"),),
        (("images[][url]", A), ("images[][url]", B), ("images[][name]", "x")),
        (("images[][url]", A), ("images[][name]", "x"), ("images[][role]", "y"), ("images[][name]", "z")),
        (("images[][a][]", A),),
    ],
)
def test_brackets_that_say_nothing_clear_are_refused(fields: tuple[tuple[str, str], ...]) -> None:
    """Where it is not certain which value belongs where, nothing is guessed."""
    with pytest.raises(InvalidRequest):
        from_form(("model", "m"), *fields)


def test_digits_in_bracketed_metadata_stay_text() -> None:
    """A form cannot say that `1` was a number, and a tag is text anyway."""
    assert from_form(("model", "m"), ("metadata[a][b]", "1"), ("metadata[0]", "x")).metadata == {
        "0": "x",
        "a": {"b": "1"},
    }


def test_fields_left_blank_are_not_there() -> None:
    """Form builders send every field of their form, empty or not."""
    request = from_form(
        ("model", "m"),
        ("seconds", ""),
        ("images", " "),
        ("mode", ""),
        ("metadata", "{}"),
        ("content", "{}"),
        ("input_reference", upload(name="", size=0)),
    )

    assert request == from_json({"model": "m"})


def test_nulls_are_not_there() -> None:
    """Typed clients send null for what they leave out."""
    assert from_json({"model": "m", "seed": None, "images": None, "metadata": {"a": None}}) == from_json({"model": "m"})


def test_uploads_are_inputs() -> None:
    """Files are accepted alone, repeated and in brackets, and the claimed type says what they probably are."""
    request = from_form(
        ("model", "m"),
        ("input_reference", upload("clip", "video/mp4")),
        ("images", upload("b.png")),
        ("images", upload("c.png")),
        ("image", upload("a.png")),
    )

    found = [(given.field, given.kind, given.blob and given.blob.sha256) for given in request.inputs]
    assert found == [
        ("input_reference", MediaKind.VIDEO, "clip"),
        ("image", MediaKind.IMAGE, "a.png"),
        ("images[0]", MediaKind.IMAGE, "b.png"),
        ("images[1]", MediaKind.IMAGE, "c.png"),
    ]


def test_an_upload_without_a_type_is_left_to_its_bytes() -> None:
    """The Python client sends raw bytes as `application/octet-stream`."""
    (given,) = from_form(("model", "m"), ("input_reference", upload("upload", "application/octet-stream"))).inputs

    assert given.kind is None
    assert given.role is None


def test_a_file_where_none_is_read_is_refused() -> None:
    """A file is never dropped in silence."""
    for name in ("poster", "metadata[a]", "x[][y]"):
        with pytest.raises(InvalidRequest, match="not a field for files"):
            from_form(("model", "m"), (name, upload()))
    with pytest.raises(InvalidRequest) as caught:
        from_form(("model", "m"), ("prompt", upload()))
    assert caught.value.message == "prompt must be text (got the file 'a.png')"


# --- inputs


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
    """Texts join the prompt, media keep role and name, the draft becomes an option."""
    request = from_json(
        {
            "model": "m",
            "prompt": "a fox",
            "content": [
                {"type": "text", "text": "a fox"},
                {"type": "text", "text": "in snow"},
                {"type": "image_url", "image_url": {"url": A}, "role": "reference_image", "name": "fox"},
                {"type": "video_url", "video_url": B},
                {"type": "draft_task", "draft_task": {"id": "cgt-1"}},
            ],
        }
    )

    assert request.prompt == "a fox\nin snow"
    assert [(given.field, given.kind, given.role, given.name) for given in request.inputs] == [
        ("content[2]", MediaKind.IMAGE, Role.REFERENCE, "fox"),
        ("content[3]", MediaKind.VIDEO, None, None),
    ]
    assert request.options == {"draft_task": {"id": "cgt-1"}}


def test_what_an_input_says_beyond_its_source_is_warned_about() -> None:
    """`detail` means something elsewhere; here it is named instead of dropped."""
    request = from_json({"model": "m", "image": {"url": A, "detail": "high"}})

    assert request.warnings == (RequestWarning(field="image.detail", message="is not understood and not used"),)


# --- layers


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


# --- edits, extensions, remixes


@pytest.mark.parametrize("path", ["/v1/videos/edits", "/v1/videos/extensions"])
def test_the_source_of_an_edit_is_an_id_a_file_or_an_address(path: str) -> None:
    """An id of ours needs no model; anything else does."""
    operation = "edit" if path.endswith("edits") else "extend"
    for request in (
        from_json({"prompt": "p", "video": {"id": "video_gw_0001"}}, path=path),
        from_json({"prompt": "p", "video": "video_gw_0001"}, path=path),
        from_form(("prompt", "p"), ("video[id]", "video_gw_0001"), path=path),
        from_form(("prompt", "p"), ("video", '{"id":"video_gw_0001"}'), path=path),
    ):
        assert (request.operation, request.source_video_id) == (operation, "video_gw_0001")
        assert (request.model, request.inputs) == ("", ())

    by_file = from_form(("prompt", "p"), ("model", "m"), ("video", upload("s.mp4", "video/mp4")), path=path)
    by_link = from_json({"prompt": "p", "model": "m", "video_url": "https://files.example.test/s.mp4"}, path=path)
    for request in (by_file, by_link):
        assert request.source_video_id is None
        assert [(given.kind, given.role) for given in request.inputs] == [(MediaKind.VIDEO, Role.SOURCE)]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": "p"}, "video"),
        ({"prompt": "p", "video": "https://files.example.test/s.mp4"}, "model"),
    ],
)
def test_an_edit_without_its_source_or_model_is_refused(body: dict[str, Any], param: str) -> None:
    """Both are named when they are missing."""
    with pytest.raises(InvalidRequest) as caught:
        from_json(body, path="/v1/videos/edits")

    assert (caught.value.code, caught.value.param) == ("missing_required_parameter", param)


def test_two_sources_are_one_too_many() -> None:
    """An edit works on one video."""
    with pytest.raises(InvalidRequest, match="one video can be given"):
        from_json({"prompt": "p", "model": "m", "videos": [A, B]}, path="/v1/videos/edits")


def test_a_remix_takes_its_source_from_the_path() -> None:
    """The official clients send a prompt and nothing else."""
    request = from_json({"prompt": "at night"}, path="/v1/videos/{id}/remix", id="video_gw_0001")

    assert (request.operation, request.source_video_id, request.model, request.prompt) == (
        "remix",
        "video_gw_0001",
        "",
        "at night",
    )


def test_a_video_of_ours_can_be_given_to_a_create() -> None:
    """By its id, as an object or as text."""
    for value in ({"id": "video_gw_0001"}, "video_gw_0001"):
        (given,) = from_json({"model": "m", "video": value}).inputs
        assert (given.video_id, given.kind, given.role) == ("video_gw_0001", MediaKind.VIDEO, None)
