"""What is peculiar to xAI: bodies for three doors, errors that are told apart by their words, and what a video cost."""

from typing import Any

import pytest
from tests.vendors.openai_cases import CLIP, IMAGE, play, response

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.spec import (
    CanCancel,
    CanDelete,
    CanFind,
    CanReadCallback,
    DataUri,
    HttpResponse,
    Running,
    Submission,
    Succeeded,
    VendorFailed,
)
from reelway.vendors.xai import ADAPTER

BASE = "grok-imagine-1.0-video"
NEWER = "grok-imagine-video-1.5-preview"
LINK = "https://vidgen.x.ai/fixture/a.mp4"
REQUEST = ResolvedRequest(
    operation="create", model=BASE, card=BASE, mode=Mode.T2V, prompt="a fox", seconds=6, tier="480p", ratio="16:9"
)


def submission(request: ResolvedRequest = REQUEST) -> Submission:
    return Submission(request=request, model="grok-imagine-video", reference="video_1-1", started_at=1_790_000_000.0)


def body(request: ResolvedRequest = REQUEST) -> dict[str, Any]:
    """Return what is sent for a request."""
    sent: dict[str, Any] = next(ADAPTER.submit(submission(request))).json
    return sent


def looked(*answers: HttpResponse) -> Any:
    return play(ADAPTER.check({"id": "r-1"}), *answers)


def refusal(status: int, shown: Any) -> VendorRefused:
    """Return how an error answer to a create is understood."""
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(submission()), response(shown, status=status))
    return caught.value


def done(**changes: Any) -> HttpResponse:
    """Return the answer to a look at a finished video."""
    shown = {"status": "done", "video": {"url": LINK, "respect_moderation": True}}
    return response({**shown, **changes})


# --- submitting


def test_a_lost_create_cannot_be_looked_up() -> None:
    """There is no list, no mark and no callback, nothing stops a video, and nothing is forgotten on request."""
    for ability in (CanFind, CanReadCallback, CanCancel, CanDelete):
        assert not isinstance(ADAPTER, ability)


def test_our_reference_is_nowhere_in_a_create() -> None:
    """xAI shows no field of a create again, so nothing of it could be a mark."""
    assert "video_1-1" not in repr(next(ADAPTER.submit(submission())))


@pytest.mark.parametrize(("audio", "sent"), [(True, {}), (None, {}), (False, {"generate_audio": False})])
def test_only_silence_is_asked_for(audio: bool | None, sent: dict[str, bool]) -> None:
    """Sound is what xAI makes unasked, and the base model is not known to read the switch."""
    assert {name: value for name, value in body(REQUEST.evolve(audio=audio)).items() if "audio" in name} == sent


@pytest.mark.parametrize(("ratio", "sent"), [("adaptive", None), (None, None), ("3:2", "3:2")])
def test_the_pictures_own_ratio_is_none(ratio: str | None, sent: str | None) -> None:
    """A ratio beside a picture stretches it, so that one is sent only where it was asked for."""
    assert body(REQUEST.evolve(mode=Mode.I2V, ratio=ratio)).get("aspect_ratio") == sent


@pytest.mark.parametrize(
    ("mode", "door", "fields"),
    [
        (Mode.EDIT, "edits", {"model", "prompt", "video", "user"}),
        (Mode.REMIX, "edits", {"model", "prompt", "video", "user"}),
        (Mode.EXTEND, "extensions", {"model", "prompt", "video", "duration"}),
    ],
)
def test_a_door_gets_the_fields_it_has(mode: Mode, door: str, fields: set[str]) -> None:
    """Shape and sound follow the source; an extension has no end user."""
    clip = Input(kind=MediaKind.VIDEO, role=Role.SOURCE, blob=CLIP)
    request = REQUEST.evolve(mode=mode, inputs=(clip,), user="ann", audio=False)

    sent = next(ADAPTER.submit(submission(request)))

    assert sent.path == f"/v1/videos/{door}"
    assert set(sent.json) == fields
    assert sent.json["video"] == {"url": DataUri(blob=CLIP)}


def test_every_input_has_its_own_place() -> None:
    """Frames under their names, references in a list, each as an address, as bytes or by the id of a file of xAI's."""
    inputs = (
        Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, blob=IMAGE),
        Input(kind=MediaKind.IMAGE, role=Role.LAST_FRAME, url="https://media.example.test/z.png"),
        Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, file_id="file_1"),
    )
    sent = body(REQUEST.evolve(inputs=inputs))

    assert sent["image"] == {"url": DataUri(blob=IMAGE)}
    assert sent["last_frame"] == {"url": "https://media.example.test/z.png"}
    assert sent["reference_images"] == [{"file_id": "file_1"}]


def test_an_edit_needs_the_video_itself() -> None:
    """xAI cannot go on from a video by its id, so that one without a file is refused before it is sent."""
    with pytest.raises(VendorRefused, match="file or an address"):
        next(ADAPTER.submit(submission(REQUEST.evolve(mode=Mode.EDIT, source_video_id="video_0"))))


def keyframe(time: Any, **image: Any) -> dict[str, Any]:
    return {"image": image or {"url": "https://media.example.test/k.png"}, "timestamp_s": time}


@pytest.mark.parametrize("times", [(1,), (0.5, 5.9), (3, 1, 2), ()])
def test_keyframes_go_as_they_are_given(times: tuple[float, ...]) -> None:
    """In any order, as long as they lie inside the video and apart."""
    keyframes = [keyframe(time) for time in times]

    assert body(REQUEST.evolve(card=NEWER, options={"keyframes": keyframes}))["keyframes"] == keyframes


@pytest.mark.parametrize(
    ("keyframes", "why"),
    [
        ([keyframe(0)], "inside the video"),
        ([keyframe(6)], "inside the video"),
        ([keyframe(2), keyframe(2.3)], "third of a second"),
        ([keyframe("2")], "number"),
        ([keyframe(True)], "number"),
        ([keyframe(2, url="")], "url or a file_id"),
        ([keyframe(2, url="a", file_id="b")], "url or a file_id"),
        ([{"image": {"url": "a"}}], "image and timestamp_s"),
        (["a"], "image and timestamp_s"),
    ],
)
def test_wrong_keyframes_are_refused_before_they_are_sent(keyframes: list[Any], why: str) -> None:
    """Nobody waits minutes for a video that cannot be made."""
    with pytest.raises(VendorRefused, match=why) as refused:
        body(REQUEST.evolve(card=NEWER, options={"keyframes": keyframes}))

    assert refused.value.failure.kind is FailureKind.INVALID_REQUEST


@pytest.mark.parametrize(
    "voice", ["eve", {}, {"voice_id": ""}, {"voice_id": 1}, {"voice_id": "a", "url": "b"}, {"x": "y"}]
)
def test_wrong_voices_are_refused_before_they_are_sent(voice: Any) -> None:
    """A voice has an id or an address, and nothing beside it."""
    with pytest.raises(VendorRefused, match="reference_audios"):
        body(REQUEST.evolve(card=NEWER, options={"reference_audios": [voice]}))


# --- errors


@pytest.mark.parametrize(
    ("status", "shown", "kind"),
    [
        (400, {"code": "invalid-argument", "error": "Incorrect API key provided: xa***"}, FailureKind.AUTHENTICATION),
        (400, {"code": "invalid-argument", "error": "output.upload_url is required"}, FailureKind.PERMISSION),
        (400, {"error": {"message": "rejected by content moderation", "code": 7}}, FailureKind.CONTENT_POLICY),
        (403, {"error": "this violates our usage guidelines"}, FailureKind.CONTENT_POLICY),
        (403, {"code": "permission-denied", "error": "no credits yet"}, FailureKind.INSUFFICIENT_QUOTA),
        (429, {"error": "monthly spending limit reached"}, FailureKind.INSUFFICIENT_QUOTA),
        (429, {"error": "too many requests with this API key"}, FailureKind.RATE_LIMITED),
        (429, {"code": "invalid-argument", "error": "odd"}, FailureKind.RATE_LIMITED),
        (400, {"error": "what?"}, FailureKind.INVALID_REQUEST),
        (403, {"error": "no"}, FailureKind.PERMISSION),
        (415, {"error": "Expected request with Content-Type: application/json"}, FailureKind.INVALID_REQUEST),
        (422, "Failed to deserialize the JSON body", FailureKind.INVALID_REQUEST),
    ],
)
def test_the_words_of_an_error_come_before_its_status(status: int, shown: Any, kind: FailureKind) -> None:
    """One status stands for many reasons, and the three shapes agree on nothing but a text."""
    assert refusal(status, shown).failure.kind is kind


def test_zero_data_retention_is_named_to_the_operator() -> None:
    """Nothing a caller changes would help."""
    message = refusal(400, {"code": "invalid-argument", "error": "output.upload_url is required"}).failure.message

    assert "Zero Data Retention" in message
    assert "operator" in message


def test_no_key_is_shown_in_a_message() -> None:
    """xAI repeats a part of a wrong key."""
    shown = refusal(401, {"error": "Bearer xai-fixture-secret-1234 is not valid"}).failure

    assert "xai-fixture-secret" not in shown.message


# --- looking


@pytest.mark.parametrize("progress", [None, "41", True, -1, 101, [], 10**30])
def test_a_progress_that_cannot_be_one_is_none(progress: Any) -> None:
    """The video goes on all the same."""
    assert looked(response({"status": "pending", "progress": progress}, status=202)) == Running()


def test_nothing_but_a_202_may_be_empty() -> None:
    """An empty 200 is a proxy's."""
    assert looked(HttpResponse(status=202, body=b" \n")) == Running()
    with pytest.raises(UnexpectedResponse):
        looked(HttpResponse(status=200))


@pytest.mark.parametrize(
    ("ticks", "dollars"),
    [(3_500_000_000, "0.35"), (1, "0.0000000001"), (15_200_000_000, "1.52"), (20_000_000_000, "2")],
)
def test_ticks_are_dollars(ticks: int, dollars: str) -> None:
    """Ten billion of them are one."""
    found = looked(done(usage={"cost_in_usd_ticks": ticks}))

    assert found.usage == {"cost": {"currency": "USD", "settled": dollars}}


@pytest.mark.parametrize(
    "usage", [None, {}, {"cost_in_usd_ticks": None}, *({"cost_in_usd_ticks": odd} for odd in (0, -1, True, "1"))]
)
def test_a_cost_that_cannot_be_settles_nothing(usage: Any) -> None:
    """The quote stands, and nothing is given away for free because of a slip."""
    found = looked(done(usage=usage))

    assert isinstance(found, Succeeded)
    assert found.usage == {}


def test_what_moderation_blocked_is_nobodys_even_with_an_address() -> None:
    """The switch decides, not the address."""
    found = looked(done(video={"url": LINK, "respect_moderation": False}))

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is FailureKind.CONTENT_POLICY


def test_an_older_answer_without_the_switch_is_fine() -> None:
    """What does not say that it was blocked was not."""
    assert isinstance(looked(done(video={"url": LINK})), Succeeded)


def test_something_else_than_an_address_is_no_file() -> None:
    """Nobody can know what `vidgen/a.mp4` would be relative to."""
    with pytest.raises(UnexpectedResponse):
        looked(done(video={"url": "vidgen/a.mp4"}))


def test_the_key_stays_at_xai() -> None:
    """The file lies at another host, and its address is all it takes."""
    (output,) = looked(done()).outputs

    assert (output.video.request.path, output.video.authorize, output.video.own_origin) == (LINK, False, "")


def test_a_look_that_is_refused_twice_in_other_words_ends_nothing() -> None:
    """Only the same answer again is believed; an answer that makes sense counts, whatever came before it."""
    first = response({"code": "invalid-argument", "error": "no prompt"}, status=400)
    second = response({"code": "invalid-argument", "error": "no luck"}, status=400)

    with pytest.raises(VendorRefused):
        looked(first, second)
    assert isinstance(looked(first, done()), Succeeded)
    found = looked(first, first)
    assert isinstance(found, VendorFailed)
    assert found.failure.kind is FailureKind.INVALID_REQUEST
