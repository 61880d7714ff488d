"""What is peculiar to Ark: bodies without flags, marks, codes by their beginnings, one verb with two meanings."""

import re
from typing import Any

import pytest
from tests.vendors.openai_cases import CLIP, IMAGE, SOUND, play, response

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.core.failures import FailureKind
from reelway.core.videos import Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.vendors.bytedance import ADAPTER
from reelway.vendors.bytedance_bodies import mark_of
from reelway.vendors.spec import Accepted, DataUri, PublicUrl, Submission, Succeeded, VendorFailed

STARTED = 1_795_168_800.0
PRO = "doubao-seedance-1-0-pro-250528"
NEWEST = "doubao-seedance-2-0-260128"
REQUEST = ResolvedRequest(
    operation="create", model=PRO, card=PRO, mode=Mode.T2V, prompt="a fox", seconds=5, tier="720p", ratio="16:9"
)


def submission(request: ResolvedRequest = REQUEST, **changes: Any) -> Submission:
    given = {"model": request.card, "reference": "video_1-1", "started_at": STARTED, "service": "ark", **changes}
    return Submission(request=request, **given)


def body(request: ResolvedRequest = REQUEST, **changes: Any) -> dict[str, Any]:
    """Return what is sent for a request."""
    sent: dict[str, Any] = next(ADAPTER.submit(submission(request, **changes))).json
    return sent


def task(**changes: Any) -> dict[str, Any]:
    """Return the task of `REQUEST` as the list shows it while it runs."""
    mark = mark_of(submission())
    shown = {"id": "cgt-1", "model": PRO, "status": "running", "created_at": STARTED + 2, "service_tier": "default"}
    return {**shown, "execution_expires_after": mark.expiry_seconds, **changes}


# --- submitting


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("a fox --dur 12 --rs 1080p", "a fox -- dur 12 -- rs 1080p"),
        ("--Frames 289", "-- Frames 289"),
        ("a fox\t--wm", "a fox\t-- wm"),
        ("a fox --dur=12", "a fox -- dur=12"),
        ("well--known -- and --5 degrees", "well--known -- and --5 degrees"),
    ],
)
def test_no_text_is_read_as_a_flag(prompt: str, sent: str) -> None:
    """The vendor obeys flags, whatever was priced: the card lifts out those it knows, and what is left is none any more."""
    content = body(REQUEST.evolve(prompt=prompt))["content"]

    assert content == [{"type": "text", "text": sent}]
    assert not re.search(r"(?<!\S)--[A-Za-z]", sent)


def test_only_models_that_have_a_field_get_it() -> None:
    """1.0 has no sound switch; whether 2.0 takes a seed is not known. Ark answers 400 to a field a model has not."""
    silent = body(REQUEST.evolve(audio=False))
    speaking = body(REQUEST.evolve(model=NEWEST, card=NEWEST, audio=True))

    assert "generate_audio" not in silent
    assert speaking["generate_audio"] is True
    assert "seed" in silent
    assert "seed" not in speaking


def test_what_the_caller_leaves_open_carries_a_mark() -> None:
    """Any seed is as good as the vendor's, and a longer wait changes no video; both differ for every attempt."""
    bodies = [body(reference=f"video_{number}-1") for number in range(50)]

    assert len({(sent["seed"], sent["execution_expires_after"]) for sent in bodies}) == 50
    assert all(0 <= sent["seed"] < 2**31 for sent in bodies)
    assert all(172_800 < sent["execution_expires_after"] <= 259_200 for sent in bodies)
    assert body() == body()


def test_what_the_caller_asked_for_is_no_mark() -> None:
    """A seed or an expiry that was asked for is sent as it is, and identifies nothing."""
    asked = REQUEST.evolve(seed=7, options={"execution_expires_after": 3600})

    assert (body(asked)["seed"], body(asked)["execution_expires_after"]) == (7, 3600)
    assert not mark_of(submission(asked)).is_unique
    assert not mark_of(submission(REQUEST.evolve(seed=7))).is_unique
    assert mark_of(submission()).is_unique


def test_an_end_user_is_a_stable_hash() -> None:
    """The vendor wants a constant value for each, of 64 characters at most, and need not know who it is."""
    first, again, other = (body(REQUEST.evolve(user=user))["safety_identifier"] for user in ("ann", "ann", "bob"))

    assert first == again != other
    assert len(first) == 64
    assert "ann" not in first
    assert "safety_identifier" not in body()
    chosen = REQUEST.evolve(user="ann", options={"safety_identifier": "u-1"})
    assert body(chosen)["safety_identifier"] == "u-1"


def test_files_go_in_as_the_vendor_takes_them() -> None:
    """Pictures and sounds inside of the body, clips by address, its own assets by their id."""
    inputs = (
        Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, blob=IMAGE),
        Input(kind=MediaKind.VIDEO, role=Role.REFERENCE, blob=CLIP),
        Input(kind=MediaKind.AUDIO, role=Role.REFERENCE, blob=SOUND),
        Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, file_id="asset-1"),
    )
    content = body(REQUEST.evolve(card=NEWEST, mode=Mode.R2V, inputs=inputs))["content"]

    assert [item[item["type"]]["url"] for item in content[1:]] == [
        DataUri(blob=IMAGE),
        PublicUrl(blob=CLIP),
        DataUri(blob=SOUND, media_type="audio/mp3"),
        "asset://asset-1",
    ]


def test_more_than_the_vendor_reads_is_refused_before_it_is_sent() -> None:
    """A body may have 64 MB, and base64 is a third larger than its files."""
    large = tuple(
        Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, blob=IMAGE.evolve(bytes=25_000_000)) for _ in range(2)
    )
    with pytest.raises(VendorRefused, match="64 MB") as refused:
        next(ADAPTER.submit(submission(REQUEST.evolve(card=NEWEST, mode=Mode.R2V, inputs=large))))

    assert refused.value.failure.kind is FailureKind.INVALID_REQUEST


@pytest.mark.parametrize(
    ("source", "kind"),
    [(None, FailureKind.MODEL_NOT_FOUND), ({"id": "cgt-0"}, FailureKind.INVALID_REQUEST)],
    ids=["another account's", "no draft"],
)
def test_only_a_draft_of_this_account_becomes_a_video(source: dict[str, Any] | None, kind: FailureKind) -> None:
    """Another account may have made the draft, so others are asked; of what is no draft nobody can make one."""
    request = REQUEST.evolve(operation="remix", mode=Mode.REMIX, prompt="", source_video_id="video_0")
    with pytest.raises(VendorRefused) as refused:
        next(ADAPTER.submit(submission(request, source=source)))

    assert refused.value.failure.kind is kind


# --- codes


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "MissingParameter.content", "", FailureKind.INVALID_REQUEST),
        (400, "InvalidParameter.OversizeImage", "", FailureKind.INVALID_REQUEST),
        (400, "InvalidImageURL.EmptyURL", "", FailureKind.INVALID_REQUEST),
        (400, "InvalidEndpoint.ClosedEndpoint", "", FailureKind.MODEL_NOT_FOUND),
        (400, "SensitiveContentDetected.Violence", "", FailureKind.CONTENT_POLICY),
        (400, "InputVideoSensitiveContentDetected.PolicyViolation", "", FailureKind.CONTENT_POLICY),
        (401, "InvalidAccountStatus", "", FailureKind.PERMISSION),
        (403, "OperationDenied.ServiceNotOpen", "", FailureKind.PERMISSION),
        (403, "OperationDenied.ServiceOverdue", "", FailureKind.INSUFFICIENT_QUOTA),
        (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", "", FailureKind.MODEL_NOT_FOUND),
        (429, "RateLimitExceeded.EndpointRPMExceeded", "", FailureKind.RATE_LIMITED),
        (429, "APIAccountRpmRateLimitExceeded", "", FailureKind.RATE_LIMITED),
        (429, "ServerOverloaded", "", FailureKind.RATE_LIMITED),
        (429, "InflightBatchsizeExceeded", "", FailureKind.RATE_LIMITED),
        (429, "SetLimitExceeded", "", FailureKind.INSUFFICIENT_QUOTA),
        (429, "QuotaExceeded", "too many tasks are queued", FailureKind.RATE_LIMITED),
        (429, "QuotaExceeded", "the queue of your plan is full", FailureKind.RATE_LIMITED),
        (429, "QuotaExceeded", "the quota of your plan is exhausted", FailureKind.INSUFFICIENT_QUOTA),
        (418, "SomethingNew", "", None),
        (404, "SomethingNew", "", FailureKind.MODEL_NOT_FOUND),
        (408, "SomethingNew", "", None),
        (500, "InvalidParameter", "", None),
        (503, "ServerOverloaded", "", None),
    ],
)
def test_a_refused_create_is_known_by_the_beginning_of_its_code(
    status: int, code: str, message: str, kind: FailureKind | None
) -> None:
    """Dotted parts vary. After a 5xx, whatever its code, nobody knows whether the task exists."""
    error = response({"error": {"code": code, "message": message}}, status=status)
    with pytest.raises((VendorRefused, UnexpectedResponse)) as raised:
        play(ADAPTER.submit(submission()), error)

    found = raised.value.failure.kind if isinstance(raised.value, VendorRefused) else None
    assert found == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("OutputAudioSensitiveContentDetected.PolicyViolation", FailureKind.CONTENT_POLICY),
        ("InputImageSensitiveContentDetected", FailureKind.CONTENT_POLICY),
        ("InternalServiceError", FailureKind.VENDOR_ERROR),
        ("SomethingNew", FailureKind.VENDOR_ERROR),
        (None, FailureKind.VENDOR_ERROR),
    ],
)
def test_a_failed_task_says_why(code: str | None, kind: FailureKind) -> None:
    """Without the id of the task in what callers read."""
    error = None if code is None else {"code": code, "message": "cgt-1 broke"}
    found = play(ADAPTER.check({"id": "cgt-1"}), response(task(status="failed", error=error)))

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is kind
    assert "cgt-1" not in found.failure.message


# --- results


@pytest.mark.parametrize(
    ("changes", "usage"),
    [
        ({"usage": {"completion_tokens": 108_900}}, {"tokens": 108_900}),
        ({"usage": {"completion_tokens": 5}, "generate_audio": False}, {"tokens": 5, "audio": False}),
        ({"usage": {"completion_tokens": 5}, "draft": True}, {"draft_tokens": 5}),
        ({"usage": {"completion_tokens": "odd"}}, {"tokens": "odd"}),
        ({"usage": None}, {}),
    ],
)
def test_the_tokens_that_are_charged_are_reported(changes: dict[str, Any], usage: dict[str, Any]) -> None:
    """Those of a draft settle nothing: whether its discount is in them is not known."""
    done = task(status="succeeded", content={"video_url": "https://files.example.test/a.mp4"}, **changes)
    found = play(ADAPTER.check({"id": "cgt-1"}), response(done))

    assert isinstance(found, Succeeded)
    assert found.usage == usage
    assert not found.outputs[0].video.authorize


@pytest.mark.parametrize("url", ["ftp://files.example.test/a.mp4", "a.mp4", "file:///etc/passwd"])
def test_a_result_that_is_no_address_is_a_surprise(url: str) -> None:
    """Nothing is fetched from where nobody said."""
    with pytest.raises(UnexpectedResponse, match="no address"):
        play(ADAPTER.check({"id": "cgt-1"}), response(task(status="succeeded", content={"video_url": url})))


def test_a_draft_is_remembered_as_one() -> None:
    """Only from a draft a video can be made."""
    drafted = submission(REQUEST.evolve(options={"draft": True}))
    accepted = play(ADAPTER.submit(drafted), response({"id": "cgt-1"}))

    assert isinstance(accepted, Accepted)
    assert accepted.operation == {"id": "cgt-1", "draft": True}


# --- cancelling and deleting


@pytest.mark.parametrize("status", ["succeeded", "failed", "expired", "cancelled"])
def test_a_cancel_never_deletes_what_has_ended(status: str) -> None:
    """One request, a look; the verb would destroy the record."""
    assert play(ADAPTER.cancel({"id": "cgt-1"}), response(task(status=status))) == "asked"


def test_a_cancel_that_comes_too_late_is_refused() -> None:
    """Between the look and the verb it began to run."""
    answers = response(task(status="queued")), response({"error": {"code": "InvalidAction"}}, status=400)

    assert play(ADAPTER.cancel({"id": "cgt-1"}), *answers) == "refused"


@pytest.mark.parametrize("status", [404, 410])
def test_what_has_gone_is_deleted_already(status: int) -> None:
    """Records last seven days."""
    play(ADAPTER.delete({"id": "cgt-1"}), response({}, status=status))
    play(ADAPTER.delete({"id": "cgt-1"}), response(task(status="failed")), response({}, status=status))


def test_a_cancelled_record_goes_by_itself() -> None:
    """It cannot be deleted, and vanishes after a day."""
    play(ADAPTER.delete({"id": "cgt-1"}), response(task(status="cancelled")))
