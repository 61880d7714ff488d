"""Ark's dialect: what its callers are shown, and how they are refused."""

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
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Mode, Output, Video
from reelway.dialects.bytedance import make_dialect, render_error
from reelway.dialects.spec import (
    Answer,
    Deleted,
    DeleteVideo,
    Incoming,
    ListVideos,
    Outgoing,
    ReadVideo,
    VideoPage,
)

TASKS = "/api/v3/contents/generations/tasks"
PRO = "doubao-seedance-1-0-pro-250528"
NEWEST = "doubao-seedance-2-0-260128"
VIDEO = Video(
    id="video_1", model=NEWEST, status=Status.QUEUED, progress=0, created_at=1790000000.7, updated_at=1790000004.9
)
OUTPUT = Output(
    index=0,
    seconds=5.042,
    width=1280,
    height=720,
    fps=24.0,
    bytes=1,
    sha256="a",
    has_audio=True,
    url="https://reelway.example.test/v1/videos/video_1/content?signature=x",
    last_frame_url="https://reelway.example.test/v1/videos/video_1/content?variant=last_frame&signature=y",
)
DONE = VIDEO.evolve(
    status=Status.COMPLETED,
    progress=100,
    completed_at=1790000099.0,
    updated_at=1790000099.0,
    outputs=(OUTPUT,),
    tier="720p",
    ratio="16:9",
    audio=True,
)


def endpoint(method: str, path: str) -> Any:
    return next(found for found in make_dialect().endpoints if (found.method, found.path) == (method, path))


def call(method: str, path: str = TASKS, **fields: Any) -> Any:
    parameters = {"id": "video_1"} if "{id}" in path else {}
    incoming = Incoming(method=method, path=path, path_parameters=parameters, **fields)
    return endpoint(method, path).read(incoming)


def answer(method: str, value: Answer, path: str = TASKS) -> Outgoing:
    outgoing = endpoint(method, path).render(value)
    assert isinstance(outgoing, Outgoing)
    return outgoing


def shown(video: Video) -> dict[str, Any]:
    body: dict[str, Any] = answer("GET", video, f"{TASKS}/{{id}}").body
    return body


# --- looking


def test_a_create_is_answered_with_the_id_alone() -> None:
    """And with the hash of the end user, where one was given."""
    assert answer("POST", VIDEO).body == {"id": "video_1"}
    named = VIDEO.evolve(options={"safety_identifier": "u-1"}, replayed=True)
    assert answer("POST", named).body == {"id": "video_1", "safety_identifier": "u-1"}
    assert answer("POST", named).headers == {"idempotent-replayed": "true"}


@pytest.mark.parametrize(("status", "word"), [(Status.QUEUED, "queued"), (Status.IN_PROGRESS, "running")])
def test_an_unfinished_task_shows_little(status: Status, word: str) -> None:
    """Times in whole seconds, the tier, and when it expires."""
    assert shown(VIDEO.evolve(status=status, seed=7)) == {
        "id": "video_1",
        "model": NEWEST,
        "status": word,
        "created_at": 1790000000,
        "updated_at": 1790000004,
        "service_tier": "default",
        "execution_expires_after": 172_800,
    }


def test_a_finished_task_shows_what_was_made() -> None:
    """The link, the tokens of every frame, and the real shape."""
    task = shown(DONE.evolve(seed=7, options={"service_tier": "flex", "execution_expires_after": 3600}))

    assert task == {
        "id": "video_1",
        "model": NEWEST,
        "status": "succeeded",
        "created_at": 1790000000,
        "updated_at": 1790000099,
        "content": {"video_url": OUTPUT.url},
        "usage": {"completion_tokens": 108_900, "total_tokens": 108_900},
        "seed": 7,
        "resolution": "720p",
        "ratio": "16:9",
        "duration": 5,
        "framespersecond": 24,
        "service_tier": "flex",
        "execution_expires_after": 3600,
        "generate_audio": True,
    }


def test_the_vendors_own_tokens_come_first() -> None:
    """What was counted upstream is what is charged."""
    assert shown(DONE.evolve(usage={"tokens": 5}))["usage"]["completion_tokens"] == 5
    assert shown(DONE.evolve(usage={"draft_tokens": 6}))["usage"]["completion_tokens"] == 6
    assert shown(DONE.evolve(usage={"credits": "4"}))["usage"]["completion_tokens"] == 108_900


def test_the_last_frame_is_shown_to_whoever_asked_for_it() -> None:
    """Ours is always there; Ark shows it on demand."""
    asked = DONE.evolve(options={"return_last_frame": True})

    assert shown(asked)["content"] == {"video_url": OUTPUT.url, "last_frame_url": OUTPUT.last_frame_url}
    assert "last_frame_url" not in shown(DONE.evolve(options={"return_last_frame": False}))["content"]


def test_what_the_model_chose_is_shown_as_it_became() -> None:
    """`adaptive` is resolved by the pixels; frames stand in place of seconds where they were asked for."""
    portrait = OUTPUT.evolve(width=834, height=1112)
    task = shown(DONE.evolve(ratio="adaptive", outputs=(portrait,), options={"frames": 121}))

    assert (task["ratio"], task["frames"]) == ("3:4", 121)
    assert "duration" not in task


def test_silent_models_have_no_sound_to_show() -> None:
    """1.0 knows no `generate_audio`."""
    assert "generate_audio" not in shown(DONE.evolve(model=PRO, audio=False))
    assert shown(DONE.evolve(audio=False))["generate_audio"] is False


def test_what_was_asked_beyond_the_usual_is_repeated() -> None:
    """Priority, tools, drafts and the end user's hash."""
    options = {"priority": 3, "web_search": True, "draft": False, "safety_identifier": "u-1"}
    task = shown(DONE.evolve(options=options, mode=Mode.REMIX, remixed_from_video_id="video_0"))

    assert task["tools"] == [{"type": "web_search"}]
    assert (task["priority"], task["draft"], task["safety_identifier"]) == (3, False, "u-1")
    assert task["draft_task_id"] == "video_0"


def test_success_without_a_video_shows_no_address() -> None:
    """As odd as the vendor."""
    task = shown(DONE.evolve(outputs=()))

    assert (task["status"], task["content"]) == ("succeeded", {})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (FailureKind.CONTENT_POLICY, "failed", "OutputVideoSensitiveContentDetected"),
        (FailureKind.INVALID_REQUEST, "failed", "InvalidParameter"),
        (FailureKind.VENDOR_ERROR, "failed", "InternalServiceError"),
        (FailureKind.SUBMISSION_UNKNOWN, "failed", "InternalServiceError"),
        (FailureKind.INSUFFICIENT_QUOTA, "failed", "AccountOverdueError"),
        (FailureKind.CANCELLED, "cancelled", None),
        (FailureKind.TIMED_OUT, "expired", None),
    ],
)
def test_every_end_has_arks_word(kind: FailureKind, status: str, code: str | None) -> None:
    """Two of our failures are states of their own there."""
    task = shown(VIDEO.evolve(status=Status.FAILED, failure=Failure(kind=kind, message="It broke.")))

    assert task["status"] == status
    assert task.get("error") == (None if code is None else {"code": code, "message": "It broke."})


def test_a_callback_is_the_task_object() -> None:
    """As a look would show it."""
    render = make_dialect().render_callback
    assert render is not None

    assert render(DONE) == shown(DONE)


# --- listing and deleting


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ((), ListVideos(counted=True)),
        ((("page_num", "3"), ("page_size", "50")), ListVideos(counted=True, limit=50, skip=100)),
        ((("filter.status", "running"),), ListVideos(counted=True, status=("in_progress",))),
        ((("filter.status", "failed"),), ListVideos(counted=True, status=("failed",), cancelled=False)),
        ((("filter.status", "cancelled"),), ListVideos(counted=True, status=("failed",), cancelled=True)),
        ((("filter.model", NEWEST), ("filter.service_tier", "flex")), ListVideos(counted=True, model=NEWEST)),
        ((("filter.task_ids", "a"), ("filter.task_ids", "b")), ListVideos(counted=True, ids=("a", "b"))),
    ],
)
def test_a_list_is_paged_and_filtered(query: tuple[tuple[str, str], ...], wanted: ListVideos) -> None:
    """By number and size, with the number of all."""
    assert call("GET", query=query) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_num", "0"),
        ("page_num", "501"),
        ("page_size", "501"),
        ("page_size", "many"),
        ("filter.status", "expired"),
        ("filter.service_tier", "slow"),
        ("filter.user", "ann"),
    ],
)
def test_a_parameter_ark_has_not_is_refused(name: str, value: str) -> None:
    """Its own bounds and words, too."""
    with pytest.raises(InvalidRequest) as refused:
        call("GET", query=((name, value),))

    assert refused.value.param == name


def test_a_page_says_how_many_there_are() -> None:
    """Items are whole tasks."""
    page = VideoPage(videos=(DONE, VIDEO), has_more=True, total=31)

    assert answer("GET", page).body == {"total": 31, "items": [shown(DONE), shown(VIDEO)]}


def test_one_verb_has_two_meanings() -> None:
    """Which of them, the state decides, where it is known."""
    path = f"{TASKS}/{{id}}"

    assert call("DELETE", path) == DeleteVideo(id="video_1", cancels_queued=True)
    assert call("GET", path) == ReadVideo(id="video_1")
    assert answer("DELETE", Deleted(id="video_1"), path).body == {}


# --- refusing


@pytest.mark.parametrize(
    ("error", "status", "code", "word"),
    [
        (InvalidRequest("no", param="ratio"), 400, "InvalidParameter", "BadRequest"),
        (InvalidRequest("no", code="missing_required_parameter"), 400, "MissingParameter", "BadRequest"),
        (
            InvalidRequest("no", code="unsupported_parameter"),
            400,
            "InvalidParameter.UnsupportedParameter",
            "BadRequest",
        ),
        (TooLarge("no"), 413, "InvalidParameter", "BadRequest"),
        (AuthenticationRequired("no"), 401, "AuthenticationError", "Unauthorized"),
        (PermissionDenied("no"), 403, "AccessDenied", "Forbidden"),
        (BudgetExceeded("no"), 403, "AccountOverdueError", "Forbidden"),
        (NotFound("no", code="model_not_found"), 404, "InvalidEndpointOrModel.NotFound", "NotFound"),
        (NotFound("no", code="video_not_found"), 404, "NotFound.id", "NotFound"),
        (Gone("no"), 404, "NotFound.id", "NotFound"),
        (Conflict("no", code="video_running"), 409, "OperationDenied.InvalidState", "Conflict"),
        (RateLimited("no", retry_after_seconds=2.5), 429, "RateLimitExceeded", "TooManyRequests"),
        (NoRoute("no", retry_after_seconds=10), 429, "ServerOverloaded", "TooManyRequests"),
    ],
)
def test_errors_have_arks_shape(error: CallerError, status: int, code: str, word: str) -> None:
    """Its client repeats what is worth repeating, and nothing else."""
    outgoing = render_error(error, "req_1")

    assert outgoing.status == status
    assert outgoing.body == {
        "error": {"code": code, "message": "no. Request id: req_1", "param": error.param or "", "type": word}
    }
    assert outgoing.headers["x-request-id"] == "req_1"
    assert (outgoing.headers.get("x-should-retry") == "false") == (status != 429)
    assert ("retry-after" in outgoing.headers) == (error.retry_after_seconds is not None)
    assert ("x-error-code" in outgoing.headers) == (status == 401)


def test_accidents_of_ours_are_arks_own() -> None:
    """They keep their status: 503 is not worth more than it says."""
    error = InvalidRequest("broken")
    error.status = 503

    assert render_error(error, "req_1").body["error"]["code"] == "InternalServiceError"
    assert render_error(error, "req_1").status == 503


def test_the_key_is_a_bearer_token() -> None:
    """Nowhere else does Ark look for one."""
    assert make_dialect().key_of({"authorization": "Bearer ark-1"}) == "ark-1"
    assert make_dialect().key_of({"authorization": "Basic ark-1"}) is None
    assert make_dialect().key_of({"x-api-key": "ark-1"}) is None
    assert make_dialect().key_of({"authorization": "Bearer "}) is None
