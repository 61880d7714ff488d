"""What the Vidu dialect reads: each path takes what Vidu documents for it, and nothing is dropped in silence."""

from typing import Any

import pytest
from tests.dialects.vidu_calls import MEDIA, asked, refused

from reelway.catalog.load import load_catalog
from reelway.catalog.resolve import resolve
from reelway.core.errors import InvalidRequest, UnsupportedType
from reelway.core.videos import MediaKind, Mode, Role, VideoRequest
from reelway.dialects.spec import Incoming
from reelway.dialects.vidu_reading import read_create

CARD = load_catalog().card("viduq3-turbo")
PICTURE = f"{MEDIA}a.png"
DATA = "data:image/png;base64,iVBORw0KGgo="


def inputs_of(request: VideoRequest) -> list[tuple[Role | None, str | None, str | None]]:
    return [(given.role, given.url, given.name) for given in request.inputs]


def warned(request: VideoRequest) -> list[str]:
    return [warning.field for warning in resolve(request, CARD).warnings]


def test_text_with_everything_beside_it() -> None:
    """The sheet's golden example A, and every option."""
    request = asked(
        "text2video",
        duration=5,
        resolution="720P",
        aspect_ratio="16:9",
        audio=True,
        seed=0,
        payload="gw:1",
        callback_url="https://gw.example.test/x?y=1",
        off_peak=True,
        watermark=True,
        wm_position=1,
        wm_url=PICTURE,
        meta_data="{}",
    )

    assert (request.model, request.prompt, request.seconds) == ("viduq3-turbo", "A boat", 5)
    assert (request.ratio, request.tier, request.audio, request.seed) == ("16:9", "720p", True, 0)
    assert request.options == {
        "meta_data": "{}",
        "off_peak": True,
        "watermark": True,
        "wm_position": 1,
        "wm_url": PICTURE,
    }
    assert (request.metadata, request.client_reference) == ({"payload": "gw:1"}, None)
    assert (request.callback_url, request.callback_dialect) == ("https://gw.example.test/x?y=1", "vidu")
    assert warned(request) == []


def test_frames_have_their_roles_by_order() -> None:
    """First, then last; addresses or data."""
    one = asked("img2video", images=[DATA])
    two = asked("start-end2video", images=[PICTURE, f"{MEDIA}b.png"])

    assert (one.inputs[0].role, one.inputs[0].data) == (Role.FIRST_FRAME, b"\x89PNG\r\n\x1a\n")
    assert inputs_of(two) == [(Role.FIRST_FRAME, PICTURE, None), (Role.LAST_FRAME, f"{MEDIA}b.png", None)]
    assert [resolve(request, CARD).mode for request in (asked("img2video", images=[PICTURE]), two)] == [
        Mode.I2V,
        Mode.FIRST_LAST,
    ]


def test_one_reference_is_a_reference() -> None:
    """The path says so, not the number."""
    request = asked("reference2video", images=[PICTURE])

    assert inputs_of(request) == [(Role.REFERENCE, PICTURE, None)]
    assert resolve(request, CARD).mode is Mode.R2V


@pytest.mark.parametrize("key", ["name", "id"])
def test_subjects_are_named_references(key: str) -> None:
    """The sheet's golden example C; copies of 2025 say `id`."""
    request = asked(
        "reference2video",
        subjects=[{key: "Mira", "images": [PICTURE, f"{MEDIA}b.png"]}, {key: "Otto", "images": [f"{MEDIA}c.png"]}],
    )

    assert inputs_of(request) == [
        (Role.REFERENCE, PICTURE, "Mira"),
        (Role.REFERENCE, f"{MEDIA}b.png", "Mira"),
        (Role.REFERENCE, f"{MEDIA}c.png", "Otto"),
    ]


def test_videos_are_left_to_the_card() -> None:
    """Another model takes them; this one says that it does not."""
    request = asked("reference2video", subjects=[{"name": "Mira", "videos": [f"{MEDIA}a.mp4"]}])

    assert [given.kind for given in request.inputs] == [MediaKind.VIDEO]
    with pytest.raises(InvalidRequest):
        resolve(request, CARD)


def test_the_vendors_usual_values_ask_for_nothing() -> None:
    """Its own client sends them every time."""
    request = asked("text2video", bgm=False, movement_amplitude="auto", style="general", auto_subjects="false")

    assert request.options == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [("bgm", True), ("movement_amplitude", "large"), ("style", "anime"), ("voice_id", "v1"), ("auto_subjects", True)],
)
def test_what_has_no_effect_on_q3_is_warned_about(name: str, value: Any) -> None:
    """Vidu passes over it in silence."""
    assert warned(asked("text2video", **{name: value})) == [name]


def test_a_ratio_beside_a_frame_is_warned_about() -> None:
    """The picture decides."""
    assert warned(asked("img2video", images=[PICTURE], aspect_ratio="1:1")) == ["aspect_ratio"]


@pytest.mark.parametrize(
    ("path", "body", "param", "code"),
    [
        ("text2video", {"model": ""}, "model", "missing_required_parameter"),
        ("text2video", {"images": [PICTURE]}, "images", "unsupported_parameter"),
        ("text2video", {"subjects": [{"name": "A", "images": [PICTURE]}]}, "subjects", "unsupported_parameter"),
        ("img2video", {}, "images", "missing_required_parameter"),
        ("img2video", {"images": [PICTURE] * 2}, "images", "too_many_inputs"),
        ("img2video", {"images": PICTURE}, "images", "invalid_type"),
        ("img2video", {"images": [{"url": PICTURE}]}, "images[0]", "invalid_type"),
        ("img2video", {"images": ["a.png"]}, "images[0]", "invalid_type"),
        ("start-end2video", {"images": [PICTURE]}, "images", "missing_required_parameter"),
        ("start-end2video", {"images": [PICTURE] * 3}, "images", "too_many_inputs"),
        ("reference2video", {}, "images", "missing_required_parameter"),
        (
            "reference2video",
            {"images": [PICTURE], "subjects": [{"name": "A", "images": [PICTURE]}]},
            "images",
            "conflicting_parameters",
        ),
        (
            "reference2video",
            {"subjects": [{"name": str(n), "images": [PICTURE]} for n in range(8)]},
            "subjects",
            "too_many_inputs",
        ),
        ("reference2video", {"subjects": [{"images": [PICTURE]}]}, "subjects[0].name", "missing_required_parameter"),
        ("reference2video", {"subjects": [{"name": "A"}]}, "subjects[0].images", "missing_required_parameter"),
        (
            "reference2video",
            {"subjects": [{"name": "A", "images": [PICTURE]}] * 2},
            "subjects[1]",
            "invalid_value",
        ),
        (
            "reference2video",
            {"subjects": [{"name": "A", "images": [PICTURE], "voice_id": "v"}]},
            "subjects[0].voice_id",
            "unsupported_parameter",
        ),
        ("text2video", {"fps": 24}, "fps", "unsupported_parameter"),
        ("text2video", {"duration": "five"}, "duration", "invalid_type"),
        ("text2video", {"audio": "loud"}, "audio", "invalid_type"),
        ("text2video", {"aspect_ratio": "wide"}, "aspect_ratio", "invalid_value"),
        ("text2video", {"payload": "x" * 513}, "payload", "invalid_value"),
        ("text2video", {"payload": {"id": 1}}, "payload", "invalid_type"),
        ("text2video", {"callback_url": "gw.example"}, "callback_url", "invalid_value"),
    ],
)
def test_what_a_path_does_not_take_is_refused(path: str, body: dict[str, Any], param: str, code: str) -> None:
    """By the name of the field, so that nobody gets, and pays for, another video than was meant."""
    error = refused(path, **body)

    assert (error.param, error.code) == (param, code)


def test_only_json_is_read() -> None:
    """Vidu has no forms."""
    with pytest.raises(UnsupportedType):
        read_create(Incoming(method="POST", path="/ent/v2/text2video", form=()), "text2video")
