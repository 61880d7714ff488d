"""What the OpenAI dialect understands, refuses, and hands on."""

from typing import Any

import pytest
from tests.dialects.encodings import from_form, from_json
from tests.dialects.inputs import A, B, upload

from reelway.core.errors import CallerError, InvalidRequest
from reelway.core.videos import MediaKind, Role


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
        ({"n": 9}, "invalid_value", "n"),
        ({"n": 0}, "invalid_value", "n"),
        ({"fps": 0}, "invalid_value", "fps"),
        ({"fps": "fast"}, "invalid_type", "fps"),
        ({"seed": 2**70}, "invalid_value", "seed"),
        ({"seed": [1]}, "invalid_type", "seed"),
        ({"characters": [{"name": "Mira"}]}, "invalid_value", "characters[0].name"),
        ({"characters": [5]}, "invalid_type", "characters[0]"),
        ({"characters": ["char_1", {"id": "char_1"}]}, "invalid_value", "characters[1]"),
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


@pytest.mark.parametrize("seconds", [0, -2, 100_000])
def test_which_lengths_there_are_only_the_card_knows(seconds: int) -> None:
    """A number no model takes is handed on, because only the card can say what would be taken instead."""
    assert from_json({"model": "m", "seconds": seconds}).seconds == seconds


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


def test_characters_are_named_in_every_way_a_client_has() -> None:
    """Node writes `characters[][id]`, others a list or JSON text; an empty list is nobody."""
    ways = [
        from_json({"model": "m", "characters": [{"id": "char_1"}, {"id": "char_2"}]}),
        from_json({"model": "m", "characters": ["char_1", "char_2"]}),
        from_form(("model", "m"), ("characters[][id]", "char_1"), ("characters[][id]", "char_2")),
        from_form(("model", "m"), ("characters[0][id]", "char_1"), ("characters[1][id]", "char_2")),
        from_form(("model", "m"), ("characters[]", "char_1"), ("characters[]", "char_2")),
        from_form(("model", "m"), ("characters", '[{"id": "char_1"}, {"id": "char_2"}]')),
    ]
    assert [way.characters for way in ways] == [("char_1", "char_2")] * len(ways)
    assert from_form(("model", "m"), ("characters", "char_1")).characters == ("char_1",)
    assert from_json({"model": "m", "characters": []}).characters == ()
