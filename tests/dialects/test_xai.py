"""xAI's dialect: what its callers are shown, and how they are refused."""

from typing import Any

import pytest

from reelway.core.errors import (
    AuthenticationRequired,
    BudgetExceeded,
    CallerError,
    Conflict,
    Gone,
    InvalidRequest,
    NoRoute,
    NotFound,
    PermissionDenied,
    RateLimited,
    TooLarge,
    UnsupportedType,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Cost, Output, Video
from reelway.dialects.spec import Answer, Deleted, Incoming, Outgoing, ReadVideo
from reelway.dialects.xai import make_dialect, render_error

VIDEOS = "/xai/v1/videos"
NEWER = "grok-imagine-video-1.5-preview"
VIDEO = Video(id="video_1", model=NEWER, status=Status.QUEUED, progress=0, created_at=1790000000.7)
OUTPUT = Output(
    index=0,
    seconds=5.042,
    width=848,
    height=480,
    fps=24.0,
    bytes=1,
    sha256="a",
    has_audio=True,
    url="https://reelway.example.test/v1/videos/video_1/content?signature=x",
)
DONE = VIDEO.evolve(status=Status.COMPLETED, progress=100, outputs=(OUTPUT,), cost=Cost(settled="0.35"))


def endpoint(method: str, path: str) -> Any:
    return next(found for found in make_dialect().endpoints if (found.method, found.path) == (method, path))


def looked(video: Answer) -> Outgoing:
    outgoing = endpoint("GET", f"{VIDEOS}/{{id}}").render(video)
    assert isinstance(outgoing, Outgoing)
    return outgoing


def failed(kind: FailureKind) -> Outgoing:
    return looked(VIDEO.evolve(status=Status.FAILED, failure=Failure(kind=kind, message="It broke.")))


def test_there_are_three_doors_and_one_look() -> None:
    """xAI has no list, no cancel and no delete, and calls nobody back."""
    dialect = make_dialect()

    assert sorted((found.method, found.path) for found in dialect.endpoints) == [
        ("GET", f"{VIDEOS}/{{id}}"),
        ("POST", f"{VIDEOS}/edits"),
        ("POST", f"{VIDEOS}/extensions"),
        ("POST", f"{VIDEOS}/generations"),
    ]
    assert dialect.render_callback is None


@pytest.mark.parametrize("door", ["generations", "edits", "extensions"])
def test_a_create_is_answered_with_the_id_alone(door: str) -> None:
    """Under xAI's name for it."""
    render = endpoint("POST", f"{VIDEOS}/{door}").render

    assert render(VIDEO) == Outgoing(body={"request_id": "video_1"})
    assert render(VIDEO.evolve(replayed=True)).headers == {"idempotent-replayed": "true"}


def test_a_look_is_for_one_video() -> None:
    """By the id that the create gave."""
    read = endpoint("GET", f"{VIDEOS}/{{id}}").read
    incoming = Incoming(method="GET", path=f"{VIDEOS}/video_1", path_parameters={"id": "video_1"})

    assert read(incoming) == ReadVideo(id="video_1")


@pytest.mark.parametrize(
    ("status", "progress", "shown"),
    [(Status.QUEUED, 7, 0), (Status.IN_PROGRESS, 41, 41), (Status.IN_PROGRESS, 100, 99), (Status.IN_PROGRESS, -1, 0)],
)
def test_what_is_not_done_is_accepted_and_pending(status: Status, progress: int, shown: int) -> None:
    """202, with a progress below 100."""
    assert looked(VIDEO.evolve(status=status, progress=progress)) == Outgoing(
        status=202, body={"status": "pending", "progress": shown}
    )


def test_only_the_sandbox_plays_the_empty_answer() -> None:
    """xAI sometimes sends no body while a video waits, on which older clients broke; no real caller needs to meet that."""
    assert looked(VIDEO.evolve(sandbox=True)) == Outgoing(status=202, body=None)
    assert looked(VIDEO.evolve(sandbox=True, status=Status.IN_PROGRESS)).body == {"status": "pending", "progress": 0}


def test_a_finished_video_shows_its_address_and_its_price() -> None:
    """Whole seconds, and ten billion ticks to the dollar."""
    assert looked(DONE) == Outgoing(
        body={
            "status": "done",
            "progress": 100,
            "model": NEWER,
            "video": {"url": OUTPUT.url, "duration": 5, "respect_moderation": True},
            "usage": {"cost_in_usd_ticks": 3_500_000_000},
        }
    )


@pytest.mark.parametrize(
    "cost", [Cost(), Cost(settled="0.00"), Cost(currency="EUR", settled="1"), Cost(settled="much")], ids=repr
)
def test_a_price_that_is_open_is_not_shown(cost: Cost) -> None:
    """Ticks are dollars that were charged, and nothing else."""
    assert "usage" not in looked(DONE.evolve(cost=cost)).body


def test_a_success_without_a_video_has_an_empty_address() -> None:
    """And was not blocked."""
    body = looked(DONE.evolve(outputs=())).body

    assert body["video"] == {"url": "", "duration": 0, "respect_moderation": True}


def test_what_has_no_link_any_more_has_expired() -> None:
    """xAI's word for a video that was made and is not kept."""
    assert looked(DONE.evolve(outputs=(OUTPUT.evolve(url=None),))).body == {"status": "expired"}


def test_what_breaks_the_rules_is_done_and_not_shown() -> None:
    """xAI's way of saying so; the reason stands beside it, and what it cost, if anything."""
    body = failed(FailureKind.CONTENT_POLICY).body

    assert (body["status"], body["video"]) == ("done", {"url": "", "duration": 0, "respect_moderation": False})
    assert body["error"] == {"code": "content_policy", "message": "It broke."}
    assert "usage" not in body


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FailureKind.INVALID_REQUEST, "invalid_argument"),
        (FailureKind.RATE_LIMITED, "resource_exhausted"),
        (FailureKind.TIMED_OUT, "deadline_exceeded"),
        (FailureKind.CANCELLED, "cancelled"),
        (FailureKind.VENDOR_UNAVAILABLE, "unavailable"),
        (FailureKind.VENDOR_ERROR, "internal_error"),
        (FailureKind.AUTHENTICATION, "internal_error"),
        (FailureKind.SUBMISSION_UNKNOWN, "internal_error"),
    ],
)
def test_a_failure_has_a_code_with_underscores(kind: FailureKind, code: str) -> None:
    """What concerns our keys and routes alone is an internal error to a caller of xAI."""
    outgoing = failed(kind)

    assert outgoing.status == 200
    assert outgoing.body == {
        "status": "failed",
        "progress": 0,
        "model": "",
        "video": {"url": "", "duration": 0, "respect_moderation": True},
        "error": {"code": code, "message": "It broke."},
    }


def test_a_failure_without_a_reason_is_one() -> None:
    """The word is what a client waits for."""
    body = looked(VIDEO.evolve(status=Status.FAILED)).body

    assert (body["status"], body["error"]["code"]) == ("failed", "internal_error")


def policy() -> CallerError:
    error = InvalidRequest("The prompt breaks the rules.")
    error.kind = FailureKind.CONTENT_POLICY
    return error


def broken() -> CallerError:
    error = CallerError("It broke.")
    error.status = 500
    return error


@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        (InvalidRequest("duration must be from 1 to 15", param="duration"), 400, "invalid-argument", "duration must"),
        (InvalidRequest("no", param="image.url"), 400, "invalid-argument", "image.url: no"),
        (InvalidRequest("no", code="invalid_type"), 422, "invalid-argument", "no"),
        (InvalidRequest("no", code="missing_required_parameter"), 422, "invalid-argument", "no"),
        (policy(), 400, "invalid-argument", "Blocked by content moderation"),
        (AuthenticationRequired("no key"), 401, "unauthenticated", "Incorrect API key"),
        (BudgetExceeded("used up"), 403, "permission-denied", "spending limit"),
        (PermissionDenied("no"), 403, "permission-denied", "no"),
        (NotFound("no model", code="model_not_found"), 404, "not-found", "no model"),
        (NotFound("no video", code="video_not_found"), 404, "not-found", "no video"),
        (Gone("deleted"), 404, "not-found", "deleted"),
        (Conflict("not now"), 409, "failed-precondition", "not now"),
        (TooLarge("too much"), 413, "invalid-argument", "too much"),
        (UnsupportedType("JSON, please"), 415, "invalid-argument", "JSON"),
        (broken(), 500, "internal", "It broke"),
    ],
)
def test_an_error_is_a_code_and_a_text(error: CallerError, status: int, code: str, words: str) -> None:
    """Codes have hyphens here; what xAI has no code for is said in words."""
    outgoing = render_error(error, "req_1")

    assert (outgoing.status, outgoing.body["code"]) == (status, code)
    assert words in outgoing.body["error"]
    assert outgoing.headers == {"x-request-id": "req_1"}


@pytest.mark.parametrize(
    "error", [RateLimited("slow", retry_after_seconds=2.1), NoRoute("nobody", retry_after_seconds=2.1)]
)
def test_too_much_is_said_as_openai_says_it(error: CallerError) -> None:
    """An envelope; also where nobody can make it now, because nothing was accepted."""
    outgoing = render_error(error, "req_1")

    assert outgoing.status == 429
    assert outgoing.headers["retry-after"] == "3"
    assert outgoing.body == {
        "error": {"message": error.message, "type": "rate_limit_error", "param": None, "code": None}
    }


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer rw_1"}, "rw_1"),
        ({"authorization": "bearer  rw_1 "}, "rw_1"),
        ({"authorization": "Basic rw_1"}, None),
        ({"authorization": "Bearer "}, None),
        ({"x-api-key": "rw_1"}, None),
        ({}, None),
    ],
)
def test_the_key_is_a_bearers(headers: dict[str, str], key: str | None) -> None:
    """xAI looks nowhere else."""
    assert make_dialect().key_of(headers) == key


def test_only_videos_are_shown() -> None:
    """Anything else is a mistake of ours."""
    with pytest.raises(TypeError):
        looked(Deleted(id="video_1"))
