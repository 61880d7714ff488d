"""DashScope's dialect: what its callers are shown, and how they are refused."""

from typing import Any

import pytest

from reelway.core.errors import (
    AuthenticationRequired,
    BudgetExceeded,
    CallerError,
    Conflict,
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
from reelway.dialects.alibaba import make_dialect, render_error
from reelway.dialects.spec import Answer, CancelVideo, Incoming, ListVideos, Outgoing, ReadVideo, VideoPage

CREATE = "/api/v1/services/aigc/video-generation/video-synthesis"
TASKS = "/api/v1/tasks"
TASK = f"{TASKS}/{{id}}"
VIDEO = Video(
    id="video_1",
    model="happyhorse-1.0-t2v",
    status=Status.QUEUED,
    progress=0,
    created_at=1_795_140_000.125,
    prompt="a paper boat",
)
OUTPUT = Output(
    index=0,
    seconds=6.042,
    width=720,
    height=1280,
    fps=24.0,
    bytes=1,
    sha256="a",
    has_audio=True,
    url="https://r.test/v",
)
DONE = VIDEO.evolve(
    status=Status.COMPLETED, progress=100, completed_at=1_795_140_109.903, outputs=(OUTPUT,), ratio="9:16"
)
FAILED = VIDEO.evolve(
    status=Status.FAILED,
    completed_at=1_795_140_021.0,
    failure=Failure(kind=FailureKind.CONTENT_POLICY, message="It broke the rules."),
)


def endpoint(method: str, path: str) -> Any:
    return next(found for found in make_dialect().endpoints if (found.method, found.path) == (method, path))


def incoming(method: str, path: str, **fields: Any) -> Incoming:
    parameters = {"id": "video_1"} if "{id}" in path else {}
    return Incoming(method=method, path=path, path_parameters=parameters, request_id="req_1", **fields)


def call(method: str, path: str, **fields: Any) -> Any:
    return endpoint(method, path).read(incoming(method, path, **fields))


def answer(method: str, path: str, value: Answer, **fields: Any) -> Outgoing:
    outgoing = endpoint(method, path).render_asked(value, incoming(method, path, **fields))
    assert isinstance(outgoing, Outgoing)
    return outgoing


def shown(video: Video) -> dict[str, Any]:
    body: dict[str, Any] = answer("GET", TASK, video).body
    return body


# --- looking


def test_a_create_is_answered_with_a_task_that_waits() -> None:
    """And with the id of the request, as every answer."""
    made = answer("POST", CREATE, VIDEO)
    assert made.body == {"request_id": "req_1", "output": {"task_id": "video_1", "task_status": "PENDING"}}
    assert made.headers == {}
    again = answer("POST", CREATE, FAILED.evolve(replayed=True))
    assert (again.body, again.headers) == (made.body, {"idempotent-replayed": "true"})


def test_times_are_beijings_without_a_zone() -> None:
    """To the millisecond."""
    assert shown(DONE)["output"]["submit_time"] == "2026-11-20 10:00:00.125"
    assert shown(DONE)["output"]["end_time"] == "2026-11-20 10:01:49.903"


@pytest.mark.parametrize(("status", "word"), [(Status.QUEUED, "PENDING"), (Status.IN_PROGRESS, "RUNNING")])
def test_an_unfinished_task_shows_when_and_with_what(status: Status, word: str) -> None:
    """Neither a result nor seconds."""
    assert shown(VIDEO.evolve(status=status)) == {
        "request_id": "req_1",
        "output": {
            "task_id": "video_1",
            "task_status": word,
            "submit_time": "2026-11-20 10:00:00.125",
            "orig_prompt": "a paper boat",
        },
    }


def test_a_finished_task_shows_its_file_and_the_seconds() -> None:
    """Whole ones, as they were asked for."""
    body = shown(DONE)

    assert (body["output"]["task_status"], body["output"]["video_url"]) == ("SUCCEEDED", "https://r.test/v")
    assert body["usage"] == {
        "duration": 6,
        "input_video_duration": 0,
        "output_video_duration": 6,
        "video_count": 1,
        "SR": 720,
        "ratio": "9:16",
    }


def test_an_edit_counts_its_source_too() -> None:
    """Both sides are equally long there."""
    edited = DONE.evolve(mode=Mode.EDIT, outputs=(OUTPUT.evolve(seconds=7.75, width=1920, height=1080),))

    assert shown(edited)["usage"] == {
        "duration": 15.5,
        "input_video_duration": 7.75,
        "output_video_duration": 7.75,
        "video_count": 1,
        "SR": 1080,
    }


def test_the_vendors_own_seconds_come_first() -> None:
    """What was counted upstream is what is charged."""
    counted = shown(DONE.evolve(usage={"seconds": 5, "input_seconds": 2.5}))["usage"]
    assert (counted["duration"], counted["input_video_duration"], counted["output_video_duration"]) == (7.5, 2.5, 5)
    assert shown(DONE.evolve(usage={"tokens": 108_900}))["usage"]["duration"] == 6
    assert shown(DONE.evolve(usage={"seconds": "odd"}))["usage"]["duration"] == "odd"


def test_a_failed_task_is_a_good_answer_with_a_code() -> None:
    """The status of HTTP stays 200."""
    outgoing = answer("GET", TASK, FAILED)

    assert outgoing.status == 200
    assert outgoing.body["output"]["task_status"] == "FAILED"
    assert outgoing.body["output"]["code"] == "DataInspectionFailed"
    assert outgoing.body["output"]["message"] == "It broke the rules."


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (FailureKind.INVALID_REQUEST, "FAILED", "InvalidParameter"),
        (FailureKind.VENDOR_ERROR, "FAILED", "InternalError"),
        (FailureKind.TIMED_OUT, "FAILED", "InternalError"),
        (FailureKind.SUBMISSION_UNKNOWN, "FAILED", "InternalError"),
        (FailureKind.INSUFFICIENT_QUOTA, "FAILED", "Arrearage"),
        (FailureKind.CANCELLED, "CANCELED", None),
    ],
)
def test_every_end_has_its_word(kind: FailureKind, status: str, code: str | None) -> None:
    """A cancelled task has a state of its own, with one L and no code."""
    task = shown(FAILED.evolve(failure=Failure(kind=kind, message="It broke.")))["output"]

    assert (task["task_status"], task.get("code")) == (status, code)


def test_success_without_a_video_shows_no_address() -> None:
    """As odd as the vendor."""
    body = shown(DONE.evolve(outputs=()))

    assert body["output"]["task_status"] == "SUCCEEDED"
    assert "video_url" not in body["output"]
    assert "usage" not in body


def test_what_is_not_there_is_a_task_in_a_state_of_its_own() -> None:
    """No error: HTTP 200 and `UNKNOWN`."""
    outgoing = endpoint("GET", TASK).render_absent(incoming("GET", TASK))

    assert outgoing.status == 200
    assert outgoing.body == {"request_id": "req_1", "output": {"task_id": "video_1", "task_status": "UNKNOWN"}}


# --- listing and stopping


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ((), ListVideos(counted=True, limit=10)),
        ((("page_no", "3"), ("page_size", "50")), ListVideos(counted=True, limit=50, skip=100)),
        ((("status", "PENDING"),), ListVideos(counted=True, limit=10, status=("queued",))),
        ((("status", "FAILED"),), ListVideos(counted=True, limit=10, status=("failed",), cancelled=False)),
        ((("status", "CANCELED"),), ListVideos(counted=True, limit=10, status=("failed",), cancelled=True)),
        ((("model_name", "happyhorse-1.0"),), ListVideos(counted=True, limit=10, model="happyhorse-1.0")),
        (
            (("start_time", "20261120100000"), ("end_time", "20261120101500")),
            ListVideos(counted=True, limit=10, created_after=1_795_139_999.999, created_before=1_795_140_901.0),
        ),
    ],
)
def test_a_list_is_paged_and_filtered(query: tuple[tuple[str, str], ...], wanted: ListVideos) -> None:
    """By number and size, state, model and Beijing's time."""
    assert call("GET", TASKS, query=query) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_no", "0"),
        ("page_size", "101"),
        ("page_size", "many"),
        ("status", "UNKNOWN"),
        ("start_time", "2026-11-20 10:00:00"),
        ("start_time", "20261320100000"),
        ("end_time", "²0261120100000"),
        ("region", "cn-beijing"),
        ("api_key_id", "1001"),
    ],
)
def test_a_parameter_that_cannot_be_honoured_is_refused(name: str, value: str) -> None:
    """There are no regions here, and keys have no such ids."""
    with pytest.raises(InvalidRequest) as refused:
        call("GET", TASKS, query=((name, value),))

    assert refused.value.param == name


@pytest.mark.parametrize("end", ["20261120095959", "20261121100001"])
def test_a_window_is_a_day_at_most(end: str) -> None:
    """And ends after it begins."""
    with pytest.raises(InvalidRequest, match="24 hours"):
        call("GET", TASKS, query=(("start_time", "20261120100000"), ("end_time", end)))


def test_a_parameter_is_given_once() -> None:
    """Nobody can tell which of two was meant."""
    with pytest.raises(InvalidRequest, match="more than once"):
        call("GET", TASKS, query=(("page_no", "1"), ("page_no", "2")))


def test_a_page_says_where_it_is() -> None:
    """Rows show times in milliseconds, and once more in the words that the vendor's newest client looks for."""
    page = VideoPage(videos=(DONE, VIDEO), has_more=True, total=31)
    body = answer("GET", TASKS, page, query=(("page_no", "2"), ("page_size", "2"))).body

    row = {"task_id": "video_1", "model_name": "happyhorse-1.0-t2v", "gmt_create": 1_795_140_000_125}
    assert body["data"] == [{**row, "status": "SUCCEEDED", "end_time": 1_795_140_109_903}, {**row, "status": "PENDING"}]
    assert body["tasks"][0] == {
        "task_id": "video_1",
        "task_status": "SUCCEEDED",
        "model_name": "happyhorse-1.0-t2v",
        "submit_time": "2026-11-20 10:00:00.125",
        "end_time": "2026-11-20 10:01:49.903",
    }
    assert [row["task_status"] for row in body["tasks"]] == ["SUCCEEDED", "PENDING"]
    assert (body["request_id"], body["total"], body["total_page"]) == ("req_1", 31, 16)
    assert (body["page_no"], body["page_size"]) == (2, 2)


def test_only_what_waits_is_cancelled() -> None:
    """The answer says no more than that it was done."""
    path = f"{TASK}/cancel"

    assert call("GET", TASK) == ReadVideo(id="video_1")
    assert call("POST", path) == CancelVideo(id="video_1", only_queued=True)
    assert answer("POST", path, VIDEO).body == {"request_id": "req_1"}


# --- refusing


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest("no", param="parameters.ratio"), 400, "InvalidParameter"),
        (TooLarge("no"), 413, "InvalidParameter"),
        (AuthenticationRequired("no"), 401, "InvalidApiKey"),
        (PermissionDenied("no"), 403, "AccessDenied"),
        (BudgetExceeded("no"), 400, "Arrearage"),
        (NotFound("no", code="model_not_found"), 404, "ModelNotFound"),
        (NotFound("no", code="video_not_found"), 400, "UnsupportedOperation"),
        (Conflict("no", code="video_running"), 400, "UnsupportedOperation"),
        (RateLimited("no", retry_after_seconds=2.5), 429, "Throttling.RateQuota"),
        (NoRoute("no", retry_after_seconds=10), 429, "Throttling"),
    ],
)
def test_errors_have_dashscopes_shape(error: CallerError, status: int, code: str) -> None:
    """Its client repeats what is worth repeating, and nothing else; the field that is meant is named."""
    outgoing = render_error(error, "req_1")

    message = "parameters.ratio: no" if error.param else "no"
    assert (outgoing.status, outgoing.body) == (status, {"code": code, "message": message, "request_id": "req_1"})
    assert outgoing.headers["x-request-id"] == "req_1"
    assert (outgoing.headers.get("x-should-retry") == "false") == (status != 429)
    assert ("retry-after" in outgoing.headers) == (error.retry_after_seconds is not None)


def test_accidents_of_ours_are_dashscopes_own() -> None:
    """They keep their status."""
    error = InvalidRequest("broken")
    error.status = 503

    assert (render_error(error, "req_1").status, render_error(error, "req_1").body["code"]) == (503, "InternalError")


def test_the_key_is_a_bearer_token() -> None:
    """Nowhere else does DashScope look for one."""
    assert make_dialect().key_of({"authorization": "Bearer sk-1"}) == "sk-1"
    assert make_dialect().key_of({"authorization": "Basic sk-1"}) is None
    assert make_dialect().key_of({"x-api-key": "sk-1"}) is None
    assert make_dialect().key_of({"authorization": "Bearer "}) is None
