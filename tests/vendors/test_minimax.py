"""What is peculiar to MiniMax: sound decides on the API, numbers decide on the error, a challenge is repeated."""

from typing import Any

import msgspec
import pytest
from tests.vendors.openai_cases import CLIP, IMAGE, play, response

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.minimax import ADAPTER
from reelway.vendors.spec import Callback, Submission, Succeeded, VendorFailed

STARTED = 1_795_140_000.0
SILENT = ResolvedRequest(
    operation="create",
    model="hailuo-video",
    card="hailuo-video",
    mode=Mode.T2V,
    prompt="a fox",
    seconds=6,
    tier="768p",
    ratio="16:9",
    audio=False,
)
LOUD = SILENT.evolve(audio=True)
OLDER = {"id": "1", "api": "v1"}
NEWER = {"id": "1", "api": "v2"}
LINK = "https://files.example.test/a.mp4"


def submission(request: ResolvedRequest = SILENT, model: str = "hailuo-video") -> Submission:
    return Submission(request=request, model=model, reference="video_1-1", started_at=STARTED)


def base(code: Any, message: str = "no") -> dict[str, Any]:
    return {"base_resp": {"status_code": code, "status_msg": message}}


def newer_error(status: int, message: str) -> Any:
    return response({"type": "error", "error": {"type": "x", "message": message}}, status=status)


def task(**changes: Any) -> dict[str, Any]:
    return {"id": "1", "status": "running", "created_at": STARTED + 2, **changes}


def shown(**changes: Any) -> Any:
    return response({"task": task(**changes)})


# --- submitting


@pytest.mark.parametrize(
    ("request_", "path"), [(SILENT, "/v1/video_generation"), (LOUD, "/v2/video_generation")], ids=["silent", "loud"]
)
def test_sound_decides_on_the_api_also_under_the_public_name(request_: ResolvedRequest, path: str) -> None:
    """Another Reelway is sent the public name, which both of its MiniMax APIs understand."""
    sent = next(ADAPTER.submit(submission(request_)))

    assert (sent.path, sent.json["model"], sent.billable) == (path, "hailuo-video", True)


def test_the_older_api_has_no_field_for_a_shape() -> None:
    """From text it makes 16:9, and the card asks it for nothing else."""
    assert "ratio" not in next(ADAPTER.submit(submission())).json
    assert next(ADAPTER.submit(submission(LOUD))).json["ratio"] == "16:9"


def test_more_than_the_newer_api_reads_is_refused_before_it_is_sent() -> None:
    """A body may have 64 MB, and base64 is a third larger than its files."""
    clips = tuple(
        Input(kind=MediaKind.VIDEO, role=Role.REFERENCE, blob=CLIP.evolve(bytes=25_000_000)) for _ in range(2)
    )
    with pytest.raises(VendorRefused, match="64 MB") as refused:
        next(ADAPTER.submit(submission(LOUD.evolve(mode=Mode.R2V, inputs=clips))))

    assert refused.value.failure.kind is FailureKind.INVALID_REQUEST


def test_files_of_the_vendors_own_are_for_the_newer_api_alone() -> None:
    """The older one reads addresses and bytes."""
    stored = Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, file_id="mm_file://7")
    request = LOUD.evolve(mode=Mode.I2V, inputs=(stored,), ratio=None)
    content = next(ADAPTER.submit(submission(request))).json["content"]

    assert content[1]["image_url"] == {"url": "mm_file://7"}
    with pytest.raises(VendorRefused, match="by their id"):
        next(ADAPTER.submit(submission(request.evolve(audio=False))))
    held = request.evolve(audio=False, inputs=(stored.evolve(file_id=None, blob=IMAGE),))
    assert "first_frame_image" in next(ADAPTER.submit(submission(held))).json


# --- numbers


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, None),
        (1001, None),
        (1002, FailureKind.RATE_LIMITED),
        (1004, FailureKind.AUTHENTICATION),
        (1008, FailureKind.INSUFFICIENT_QUOTA),
        (1013, None),
        (1024, None),
        (1026, FailureKind.CONTENT_POLICY),
        (1028, FailureKind.INSUFFICIENT_QUOTA),
        (1030, FailureKind.INSUFFICIENT_QUOTA),
        (1033, None),
        (1039, FailureKind.RATE_LIMITED),
        (1041, FailureKind.RATE_LIMITED),
        (1042, FailureKind.INVALID_REQUEST),
        (2013, FailureKind.INVALID_REQUEST),
        (2045, FailureKind.RATE_LIMITED),
        (2049, FailureKind.AUTHENTICATION),
        (2056, FailureKind.INSUFFICIENT_QUOTA),
        (2061, FailureKind.PERMISSION),
        ("2013", FailureKind.INVALID_REQUEST),
        (9999, None),
    ],
)
def test_a_number_says_whether_anything_was_made(code: Any, kind: FailureKind | None) -> None:
    """With HTTP 200. After a fault on the vendor's side, or a number nobody has met, the outcome is unknown."""
    with pytest.raises((VendorRefused, UnexpectedResponse)) as raised:
        play(ADAPTER.submit(submission()), response({"task_id": "", **base(code)}))

    assert (raised.value.failure.kind if isinstance(raised.value, VendorRefused) else None) == kind


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "invalid params (2013)", FailureKind.INVALID_REQUEST),
        (404, "no such model (2013)", FailureKind.MODEL_NOT_FOUND),
        (400, "too many illegal characters (1042)", FailureKind.INVALID_REQUEST),
        (400, "no number at all", FailureKind.INVALID_REQUEST),
        (401, "unauthorised (2049)", FailureKind.AUTHENTICATION),
        (402, "insufficient balance (1008)", FailureKind.INSUFFICIENT_QUOTA),
        (422, "input text sensitive (1026)", FailureKind.CONTENT_POLICY),
        (429, "rate limit (1002)", FailureKind.RATE_LIMITED),
        (429, "usage limit (2056)", FailureKind.INSUFFICIENT_QUOTA),
        (400, "unknown error (1000)", None),
        (500, "rate limit (1002)", None),
        (529, "overloaded", None),
    ],
)
def test_the_newer_api_has_the_number_at_the_end(status: int, message: str, kind: FailureKind | None) -> None:
    """A 5xx, whatever its number, leaves it open whether there is a task."""
    with pytest.raises((VendorRefused, UnexpectedResponse)) as raised:
        play(ADAPTER.submit(submission(LOUD)), newer_error(status, message))

    found = raised.value.failure if isinstance(raised.value, VendorRefused) else None
    assert (found.kind if found else None) == kind
    assert found is None or "(" not in found.message


@pytest.mark.parametrize("code", [1001, 1002, 1004, 1033, 2013, 9999])
def test_a_number_on_a_look_is_about_the_look(code: int) -> None:
    """Another gateway fails the task for any of them; the task goes on all the same."""
    with pytest.raises((VendorRefused, UnexpectedResponse)):
        play(ADAPTER.check(OLDER), response({"status": "Processing", **base(code)}))


@pytest.mark.parametrize("code", [1026, 1027])
def test_refused_content_ends_a_task_whatever_state_is_shown(code: int) -> None:
    """These two are never about the look."""
    found = play(ADAPTER.check(OLDER), response({"status": "Processing", **base(code)}))

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is FailureKind.CONTENT_POLICY


def test_a_failed_task_keeps_its_id_to_itself() -> None:
    """Callers read why, and no id of the vendor's."""
    operation = {"id": "301120260001001", "api": "v1"}
    found = play(ADAPTER.check(operation), response({"status": "Fail", **base(1000, "task 301120260001001 broke")}))

    assert isinstance(found, VendorFailed)
    assert "301120260001001" not in found.failure.message
    assert found.failure.vendor_code == "1000"


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_an_error_status_on_a_look_ends_nothing(status: int) -> None:
    """Neither of the older nor of the newer API."""
    for operation in (OLDER, NEWER):
        with pytest.raises((VendorRefused, UnexpectedResponse)):
            play(ADAPTER.check(operation), response({"hello": "world"}, status=status))


# --- results


def test_a_file_id_may_be_a_number_or_text() -> None:
    """A look gives text, the second call a number: both are looked up as they are."""
    for file_id in ("301120260009001", 301120260009001):
        flow = ADAPTER.check(OLDER)
        next(flow)
        asked = flow.send(response({"status": "Success", "file_id": file_id, **base(0)}))
        assert dict(asked.query) == {"file_id": "301120260009001"}


@pytest.mark.parametrize(
    ("usage", "reported"),
    [
        (
            {"total_seconds": 13, "input_seconds": 5, "output_seconds": 8, "input_image_count": 1},
            {"total_seconds": 13, "input_seconds": 5, "output_seconds": 8, "input_image_count": 1, "seconds": 8},
        ),
        ({"output_seconds": 0}, {"output_seconds": 0}),
        ({"output_seconds": "8", "total_tokens": 7}, {}),
        ({"output_seconds": True, "input_seconds": 10**30}, {}),
        (None, {}),
        ("odd", {}),
    ],
)
def test_the_seconds_that_are_charged_are_reported(usage: Any, reported: dict[str, Any]) -> None:
    """Those made and those read; what is no count is left out."""
    found = play(ADAPTER.check(NEWER), shown(status="succeeded", content={"url": LINK}, usage=usage))

    assert isinstance(found, Succeeded)
    assert found.usage == reported
    assert not found.outputs[0].video.authorize


@pytest.mark.parametrize("link", ["ftp://files.example.test/a.mp4", "a.mp4", "file:///etc/passwd"])
def test_a_result_that_is_no_address_is_a_surprise(link: str) -> None:
    """Nothing is fetched from where nobody said."""
    with pytest.raises(UnexpectedResponse, match="no address"):
        play(ADAPTER.check(NEWER), shown(status="succeeded", content={"url": link}))
    with pytest.raises(UnexpectedResponse, match="no address"):
        play(
            ADAPTER.check(OLDER),
            response({"status": "Success", "file_id": "7", **base(0)}),
            response({"file": {"download_url": link}, **base(0)}),
        )


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "invalid task_id (2013)"), (404, "no"), (410, "no"), (500, "Record not found (1000)")],
)
def test_what_has_gone_is_deleted_already(status: int, message: str) -> None:
    """Records last seven days, and the vendor says in several ways that there is none."""
    play(ADAPTER.delete(NEWER), newer_error(status, message))
    play(ADAPTER.delete(NEWER), shown(status="failed"), newer_error(status, message))


def test_an_accident_deletes_nothing() -> None:
    """A 5xx of another kind is asked again."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.delete(NEWER), newer_error(500, "unknown error (1000)"))
    with pytest.raises(UnexpectedResponse, match="not deleted"):
        play(ADAPTER.delete(NEWER), shown(status="failed"), newer_error(500, "unknown error (1000)"))


# --- finding and hearing


@pytest.mark.parametrize(
    ("changes", "may_be"),
    [
        ({}, True),
        ({"status": "failed"}, True),
        ({"resolution": "768P", "duration": 6, "ratio": "16:9"}, True),
        ({"resolution": "2K"}, False),
        ({"duration": 5}, False),
        ({"ratio": "9:16"}, False),
        ({"ratio": ""}, True),
        ({"created_at": None}, True),
        ({"created_at": STARTED - 600}, False),
        ({"created_at": STARTED + 7200}, False),
        ({"created_at": (STARTED + 2) * 1000}, True),
        ({"id": ""}, False),
    ],
)
def test_a_lost_create_is_known_by_what_the_list_shows(changes: dict[str, Any], may_be: bool) -> None:
    """What it does not show excludes nothing, and nothing makes it certain."""
    found = play(ADAPTER.find(submission(LOUD)), response({"items": [task(**changes)], "total": 1}))

    assert [candidate.certain for candidate in found] == ([False] if may_be else [])


def test_two_that_fit_are_not_told_apart() -> None:
    """The prompt is in neither."""
    page = {"items": [task(id="1"), task(id="2")], "total": 2}

    assert [found.key for found in play(ADAPTER.find(submission(LOUD)), response(page))] == ["1", "2"]


def test_the_list_is_read_to_its_end() -> None:
    """Its order is not documented; forty pages on, nobody calls a task absent."""
    other = response({"items": [task(duration=5)], "total": 2})

    assert play(ADAPTER.find(submission(LOUD)), other, response({"items": [task()], "total": 2}))
    endless = response({"items": [task(duration=5)], "total": 10**9})
    with pytest.raises(UnexpectedResponse, match="does not end"):
        play(ADAPTER.find(submission(LOUD)), *[endless] * 40)


def test_a_list_that_is_seen_to_be_newest_first_need_not_be_read_further() -> None:
    """What is older than the attempt is not it."""
    old = [task(id=str(age), created_at=STARTED - age, duration=5) for age in (0, 60, 500)]

    assert play(ADAPTER.find(submission(LOUD)), response({"items": old, "total": 9_000})) == ()


@pytest.mark.parametrize("challenge", ["fixture-challenge", 42])
@pytest.mark.parametrize("request_", [SILENT, LOUD], ids=["older", "newer"])
def test_a_challenge_is_repeated_as_it_came(challenge: Any, request_: ResolvedRequest) -> None:
    """It may come before the create is answered, and names nothing."""
    body = msgspec.json.encode({"challenge": challenge})
    heard = ADAPTER.read_callback(Callback(body=body), submission(request_))

    assert (heard.answer, heard.operation) == ({"challenge": challenge}, None)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"task": {}}', b'{"challenge": {"a": 1}}', b"[]", b"<html>"])
def test_a_call_that_names_nothing_is_a_surprise(body: bytes) -> None:
    """Which wakes the next look, and no more."""
    with pytest.raises(UnexpectedResponse):
        ADAPTER.read_callback(Callback(body=body), submission())
