"""DashScope's dialect: what a create may say, and what of it is refused."""

from typing import Any

import pytest
from tests.dialects.inputs import PNG_TEXT

from reelway.core.errors import CallerError, InvalidRequest, PermissionDenied, UnsupportedType
from reelway.core.videos import MediaKind, Role, VideoRequest
from reelway.dialects.alibaba import make_dialect
from reelway.dialects.spec import CreateVideo, FormField, Incoming

MODEL = "happyhorse-1.0"
CREATE = next(found for found in make_dialect().endpoints if "video-synthesis" in found.path)
PICTURE = "https://media.example.test/a.png"


def call(**fields: Any) -> Any:
    headers = {"x-dashscope-async": "enable"}
    return CREATE.read(Incoming(**{"method": "POST", "path": CREATE.path, "headers": headers, **fields}))


def created(given: Any = None, parameters: Any = None, **fields: Any) -> VideoRequest:
    """Return what a create asks for."""
    body = {"model": MODEL, "input": {"prompt": "a fox"} if given is None else given, **fields}
    found = call(json=body if parameters is None else {**body, "parameters": parameters})
    assert isinstance(found, CreateVideo)
    return found.request


def media(kind: str, url: str = PICTURE) -> dict[str, Any]:
    return {"prompt": "a fox", "media": [{"type": kind, "url": url}]}


def test_every_field_means_what_it_means_at_dashscope() -> None:
    """Shape, length and seed are ours; the rest are options under the card's own names."""
    request = created(
        parameters={
            "resolution": "720P",
            "ratio": "9:16",
            "duration": 6,
            "seed": 4711,
            "watermark": True,
            "prompt_extend": False,
            "audio_setting": "origin",
        }
    )
    assert (request.model, request.operation, request.prompt) == (MODEL, "create", "a fox")
    assert (request.tier, request.ratio, request.seconds, request.seed) == ("720p", "9:16", 6, 4711)
    assert request.options == {"audio_setting": "origin", "prompt_extend": False, "watermark": True}


@pytest.mark.parametrize(
    ("word", "kind", "role"),
    [
        ("first_frame", MediaKind.IMAGE, Role.FIRST_FRAME),
        ("last_frame", MediaKind.IMAGE, Role.LAST_FRAME),
        ("reference_image", MediaKind.IMAGE, Role.REFERENCE),
        ("reference_video", MediaKind.VIDEO, Role.REFERENCE),
        ("reference_audio", MediaKind.AUDIO, Role.REFERENCE),
        ("video", MediaKind.VIDEO, Role.SOURCE),
    ],
)
def test_media_have_types_that_are_roles(word: str, kind: MediaKind, role: Role) -> None:
    """In the order in which the prompt counts them."""
    (item,) = created(media(word)).inputs

    assert (item.field, item.kind, item.role, item.url) == ("input.media[0].url", kind, role, PICTURE)


def test_pictures_may_be_inside_of_the_request() -> None:
    """As a data URI, or as an upload to the vendor that only the vendor can open."""
    (inline,) = created(media("first_frame", f"data:image/png;base64,{PNG_TEXT}")).inputs
    (uploaded,) = created(media("reference_image", "oss://dashscope-instant/a.png")).inputs

    assert inline.data is not None
    assert uploaded.file_id == "oss://dashscope-instant/a.png"


def test_fields_of_the_older_form_are_media_too() -> None:
    """Public clients send them for every model with a picture."""
    frames = created({"img_url": PICTURE, "last_frame_url": PICTURE}).inputs
    references = created({"prompt": "x", "reference_urls": [PICTURE, "https://media.example.test/a.mp4"]}).inputs

    assert [(given.field, given.role) for given in frames] == [
        ("input.img_url", Role.FIRST_FRAME),
        ("input.last_frame_url", Role.LAST_FRAME),
    ]
    assert [(given.kind, given.role) for given in references] == [(None, Role.REFERENCE)] * 2


def test_a_frame_of_the_older_form_may_be_bare_base64() -> None:
    """As the AI SDK sends its bytes; what is neither that nor an address is refused."""
    (frame,) = created({"img_url": PNG_TEXT}).inputs

    assert (frame.field, frame.kind, frame.role) == ("input.img_url", MediaKind.IMAGE, Role.FIRST_FRAME)
    assert frame.data is not None
    for nothing in ("a.png", "no base64 at all, and no address"):
        with pytest.raises(InvalidRequest, match=r"input\.img_url"):
            created({"img_url": nothing})


def test_a_prompt_may_be_missing() -> None:
    """Whether one is needed, the card knows."""
    assert created({"media": []}).prompt is None
    assert created({"prompt": "  "}).prompt is None


def test_null_is_as_good_as_absent() -> None:
    """The vendor's client sends one for what was not given."""
    request = created({"prompt": "x", "media": None}, {"seed": None, "duration": None, "watermark": None})

    assert (request.inputs, request.seed, request.seconds, request.options) == ((), None, None, {})


def test_what_a_model_may_not_have_is_for_its_card_to_say() -> None:
    """Nothing is dropped in silence, although the vendor would."""
    request = created(
        {"prompt": "x", "negative_prompt": "rain"}, {"shot_type": "multi", "size": "1280*720", "audio": False}
    )

    assert request.options == {"negative_prompt": "rain", "shot_type": "multi"}
    assert (request.width, request.height, request.audio) == (1280, 720, False)


@pytest.mark.parametrize(
    ("given", "parameters", "options"),
    [
        ({"prompt": "x", "extend_prompt": True}, {}, {}),
        ({"prompt": "x", "extend_prompt": False}, {}, {"prompt_extend": False}),
        ({"prompt": "x", "extend_prompt": False}, {"prompt_extend": True}, {"prompt_extend": True}),
    ],
)
def test_what_the_older_client_always_says_means_nothing(given: Any, parameters: Any, options: Any) -> None:
    """`extend_prompt` is true there unless somebody says otherwise."""
    assert created(given, parameters).options == options


@pytest.mark.parametrize("word", [None, "", "disable"])
def test_a_synchronous_call_is_not_permitted(word: str | None) -> None:
    """As at the vendor, before anything is read."""
    with pytest.raises(PermissionDenied, match="synchronous"):
        call(json={}, headers={} if word is None else {"x-dashscope-async": word})


def test_only_json_is_read() -> None:
    """A form has no place for media."""
    with pytest.raises(UnsupportedType):
        call(form=(FormField(name="model", value=MODEL),))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ([1], None),
        ({}, "model"),
        ({"model": 5, "input": {}}, "model"),
        ({"model": MODEL}, "input"),
        ({"model": MODEL, "input": "x"}, "input"),
        ({"model": MODEL, "input": {}, "parameters": []}, "parameters"),
        ({"model": MODEL, "input": {}, "resources": []}, "resources"),
        ({"model": MODEL, "input": {"prompt": ["x"]}}, "input.prompt"),
        ({"model": MODEL, "input": {"media": {}}}, "input.media"),
        ({"model": MODEL, "input": {"media": ["x"]}}, "input.media[0]"),
        ({"model": MODEL, "input": media("driving_audio")}, "input.media[0].type"),
        ({"model": MODEL, "input": media("first_frame", "")}, "input.media[0].url"),
        ({"model": MODEL, "input": media("first_frame", "a.png")}, "input.media[0].url"),
        ({"model": MODEL, "input": media("video", "data:video/mp4;base64,AAAA")}, "input.media[0].url"),
        ({"model": MODEL, "input": {"media": [{"type": "video", "url": PICTURE, "fps": 2}]}}, "input.media[0].fps"),
        ({"model": MODEL, "input": {"media": [{"type": "video", "url": PICTURE}] * 25}}, "input.media"),
        ({"model": MODEL, "input": {"reference_urls": ["a.png"]}}, "input.reference_urls[0]"),
        ({"model": MODEL, "input": {"reference_urls": PICTURE}}, "input.reference_urls"),
        ({"model": MODEL, "input": {"extend_prompt": "yes"}}, "input.extend_prompt"),
        ({"model": MODEL, "input": {}, "parameters": {"duration": "5"}}, "parameters.duration"),
        ({"model": MODEL, "input": {}, "parameters": {"duration": 5.0}}, "parameters.duration"),
        ({"model": MODEL, "input": {}, "parameters": {"duration": True}}, "parameters.duration"),
        ({"model": MODEL, "input": {}, "parameters": {"seed": 2**31}}, "parameters.seed"),
        ({"model": MODEL, "input": {}, "parameters": {"seed": -1}}, "parameters.seed"),
        ({"model": MODEL, "input": {}, "parameters": {"watermark": "false"}}, "parameters.watermark"),
        ({"model": MODEL, "input": {}, "parameters": {"ratio": "wide"}}, "parameters.ratio"),
        ({"model": MODEL, "input": {}, "parameters": {"size": "720p"}}, "parameters.size"),
        ({"model": MODEL, "input": {}, "parameters": {"resolution": 720}}, "parameters.resolution"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(body: Any, param: str | None) -> None:
    """A 400 that says which, never a guess."""
    with pytest.raises(CallerError) as refused:
        call(json=body)

    assert isinstance(refused.value, InvalidRequest)
    assert refused.value.param == param
