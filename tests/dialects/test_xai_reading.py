"""xAI's dialect: what a create may say at each door, and what of it is refused."""

from typing import Any

import pytest
from tests.dialects.inputs import MP4_TEXT, PNG, PNG_TEXT

from reelway.core.errors import InvalidRequest, UnsupportedType
from reelway.core.videos import InputReference, MediaKind, Role, VideoRequest
from reelway.dialects.spec import CreateVideo, FormField, Incoming
from reelway.dialects.xai import make_dialect

MODEL = "grok-imagine-video"
CAT, ROOM = "https://media.example.test/cat.png", "https://media.example.test/room.png"
CLIP = {"url": "https://media.example.test/clip.mp4"}


def call(door: str, **fields: Any) -> Any:
    path = f"/xai/v1/videos/{door}"
    create = next(found for found in make_dialect().endpoints if found.path == path)
    return create.read(Incoming(method="POST", path=path, **fields))


def created(door: str = "generations", **fields: Any) -> VideoRequest:
    """Return what a create asks for."""
    found = call(door, json={"model": MODEL, "prompt": "a fox", **fields})
    assert isinstance(found, CreateVideo)
    return found.request


def refused(door: str = "generations", **fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        created(door, **fields)
    return caught.value


def sources(request: VideoRequest) -> list[tuple[Role | None, str | None]]:
    return [(given.role, given.url or given.file_id) for given in request.inputs]


def test_every_field_of_a_generation_means_what_it_means_at_xai() -> None:
    """Shape, length and sound are ours, lists of things pinned and heard are options."""
    keyframes = [{"image": {"url": CAT}, "timestamp_s": 2.5}]
    request = created(
        duration=6,
        aspect_ratio="3:2",
        resolution="1080P",
        generate_audio=False,
        user="u_7f3c",
        image={"url": CAT},
        last_frame={"url": ROOM},
        reference_images=[{"file_id": "file_1"}],
        keyframes=keyframes,
        reference_audios=[{"voice_id": "eve"}],
    )

    assert (request.model, request.operation, request.prompt, request.user) == (MODEL, "create", "a fox", "u_7f3c")
    assert (request.seconds, request.ratio, request.tier, request.audio) == (6, "3:2", "1080p", False)
    assert sources(request) == [
        (Role.FIRST_FRAME, CAT),
        (Role.LAST_FRAME, ROOM),
        (Role.REFERENCE, "file_1"),
    ]
    assert all(given.kind is MediaKind.IMAGE for given in request.inputs)
    assert request.options == {"keyframes": keyframes, "reference_audios": [{"voice_id": "eve"}]}


def test_null_is_as_good_as_absent() -> None:
    """Clients in languages without an absent value send it."""
    assert created(duration=None, image=None, keyframes=None, storage_options=None) == created()


def test_the_older_size_is_understood() -> None:
    """xAI still takes it, in place of ratio and resolution."""
    request = created(size="1280x720")

    assert (request.width, request.height) == (1280, 720)
    assert refused(size="large").param == "size"


def test_an_edit_has_a_video_and_a_text() -> None:
    """And nothing about its shape."""
    request = created("edits", video=CLIP, user="u_7f3c")

    assert (request.operation, request.user) == ("edit", "u_7f3c")
    assert request.inputs == (
        InputReference(field="video.url", kind=MediaKind.VIDEO, role=Role.SOURCE, url=CLIP["url"]),
    )
    for name, value in (("duration", 5), ("aspect_ratio", "1:1"), ("resolution", "720p"), ("generate_audio", True)):
        error = refused("edits", video=CLIP, **{name: value})
        assert (error.param, error.code) == (name, "unsupported_parameter")


def test_an_extension_has_seconds_of_its_own() -> None:
    """They are the new part, as ours are."""
    request = created("extensions", video=CLIP, duration=6)

    assert (request.operation, request.seconds) == ("extend", 6)
    assert refused("extensions", video=CLIP, resolution="720p").param == "resolution"


def test_files_come_inside_of_the_body() -> None:
    """As `data:`, the only other way than an address or an id."""
    (picture,) = created(image={"url": f"data:image/png;base64,{PNG_TEXT}", "type": "image_url"}).inputs
    (video,) = created("edits", video={"url": f"data:video/mp4;base64,{MP4_TEXT}"}).inputs

    assert (picture.data, picture.kind, picture.role) == (PNG, MediaKind.IMAGE, Role.FIRST_FRAME)
    assert (video.kind, video.role) == (MediaKind.VIDEO, Role.SOURCE)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"image": CAT}, "image"),
        ({"image": {}}, "image"),
        ({"image": {"url": CAT, "file_id": "file_1"}}, "image"),
        ({"image": {"image_url": CAT}}, "image"),
        ({"image": {"url": 5}}, "image.url"),
        ({"image": {"url": " "}}, "image.url"),
        ({"image": {"url": "cat.png"}}, "image.url"),
        ({"image": {"url": PNG_TEXT}}, "image.url"),
        ({"image": {"url": "data:image/png;base64,!"}}, "image.url"),
        ({"image_url": CAT}, "image_url"),
        ({"reference_images": {"url": CAT}}, "reference_images"),
        ({"reference_images": [CAT]}, "reference_images[0]"),
        ({"reference_images": [{"url": CAT}] * 17}, "reference_images"),
        ({"keyframes": "none"}, "keyframes"),
        ({"duration": "5"}, "duration"),
        ({"duration": 5.5}, "duration"),
        ({"duration": True}, "duration"),
        ({"generate_audio": "no"}, "generate_audio"),
        ({"prompt": 5}, "prompt"),
        ({"resolution": 720}, "resolution"),
        ({"video": CLIP}, "video"),
        ({"seed": 7}, "seed"),
        ({"storage_options": {"filename": "a.mp4"}}, "storage_options"),
        ({"output": {"upload_url": "https://bucket.example.test/a"}}, "output"),
    ],
)
def test_what_xai_does_not_take_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    """A field that is dropped in silence is a video that nobody asked for."""
    assert refused(**fields).param == param


@pytest.mark.parametrize("door", ["edits", "extensions"])
def test_what_is_worked_on_is_needed(door: str) -> None:
    """There is nothing to edit or to extend without it."""
    error = refused(door)

    assert (error.param, error.code) == ("video", "missing_required_parameter")


@pytest.mark.parametrize("model", [None, "", " "])
def test_a_model_is_needed(model: str | None) -> None:
    """xAI's own reference has it optional; which one would be made, and charged, is not for us to guess."""
    error = refused(model=model)

    assert (error.param, error.code) == ("model", "missing_required_parameter")


def test_only_json_is_read() -> None:
    """xAI refuses forms as well."""
    with pytest.raises(UnsupportedType):
        call("generations", form=(FormField(name="model", value=MODEL),))
    with pytest.raises(InvalidRequest) as caught:
        call("generations", json=["a fox"])
    assert caught.value.code == "invalid_json"
