"""MiniMax's dialects: what callers of either API are shown, and how they are refused."""

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
from reelway.core.videos import Output, Video
from reelway.dialects import minimax, minimax_v2
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

V1 = "/minimax/v1"
TASKS = "/minimax/v2/video_generation"
QUERY = "/minimax/v2/query/video_generation"
FINE = {"status_code": 0, "status_msg": "success"}
VIDEO = Video(
    id="video_1",
    model="hailuo-video",
    status=Status.QUEUED,
    progress=0,
    created_at=1790000000.7,
    updated_at=1790000004.9,
    seconds="8",
    tier="768p",
    ratio="16:9",
    audio=True,
)
OUTPUT = Output(
    index=0,
    seconds=8.0,
    width=1366,
    height=768,
    fps=24.0,
    bytes=9,
    sha256="a",
    has_audio=True,
    url="https://reelway.example.test/v1/videos/video_1/content?signature=x",
)
DONE = VIDEO.evolve(
    status=Status.COMPLETED, progress=100, completed_at=1790000099.0, updated_at=1790000099.0, outputs=(OUTPUT,)
)


def endpoint(method: str, path: str) -> Any:
    found = (*minimax.make_dialect().endpoints, *minimax_v2.make_dialect().endpoints)
    return next(one for one in found if (one.method, one.path) == (method, path))


def call(method: str, path: str, query: tuple[tuple[str, str], ...] = ()) -> Any:
    parameters = {"id": "video_1"} if "{id}" in path else {}
    return endpoint(method, path).read(Incoming(method=method, path=path, path_parameters=parameters, query=query))


def answer(method: str, path: str, value: Answer) -> Any:
    outgoing = endpoint(method, path).render(value)
    assert isinstance(outgoing, Outgoing)
    return outgoing.body


def failed(kind: FailureKind) -> Video:
    return VIDEO.evolve(status=Status.FAILED, failure=Failure(kind=kind, message="It broke."))


# --- the older API


def test_a_create_is_answered_with_the_id() -> None:
    """And with the word that all is well, which every answer has."""
    assert answer("POST", f"{V1}/video_generation", VIDEO) == {"task_id": "video_1", "base_resp": FINE}
    replayed = endpoint("POST", f"{V1}/video_generation").render(VIDEO.evolve(replayed=True))
    assert replayed.headers == {"idempotent-replayed": "true"}


@pytest.mark.parametrize(
    ("video", "state", "file_id", "pushed"),
    [
        (VIDEO, "Queueing", "", "processing"),
        (VIDEO.evolve(status=Status.IN_PROGRESS), "Processing", "", "processing"),
        (DONE, "Success", "video_1", "success"),
        (DONE.evolve(outputs=()), "Success", "", "success"),
        (failed(FailureKind.VENDOR_ERROR), "Fail", "", "failed"),
    ],
)
def test_states_have_the_older_apis_words(video: Video, state: str, file_id: str, pushed: str) -> None:
    """Callbacks have fewer, in lower case, and are otherwise the same."""
    shown = answer("GET", f"{V1}/query/video_generation", video)
    render = minimax.make_dialect().render_callback
    assert render is not None

    assert (shown["task_id"], shown["status"], shown["file_id"]) == ("video_1", state, file_id)
    assert render(video) == {**shown, "status": pushed}


def test_a_finished_task_shows_its_pixels() -> None:
    """As they were really made."""
    shown = answer("GET", f"{V1}/query/video_generation", DONE)

    assert (shown["video_width"], shown["video_height"], shown["base_resp"]) == (1366, 768, FINE)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FailureKind.CONTENT_POLICY, 1026),
        (FailureKind.INVALID_REQUEST, 2013),
        (FailureKind.VENDOR_ERROR, 1000),
        (FailureKind.AUTHENTICATION, 1000),
        (FailureKind.CANCELLED, 1000),
    ],
)
def test_why_a_task_failed_stands_where_errors_stand(kind: FailureKind, code: int) -> None:
    """In the answer to the look that shows it; what is about our own accounts is an unknown error."""
    shown = answer("GET", f"{V1}/query/video_generation", failed(kind))

    assert shown["base_resp"] == {"status_code": code, "status_msg": "It broke."}


def test_a_file_is_found_by_the_id_of_its_task() -> None:
    """Its own id is a number there, which programs read as one."""
    assert call("GET", f"{V1}/files/retrieve", (("file_id", "video_1"), ("GroupId", "7"))) == ReadVideo(id="video_1")
    body = answer("GET", f"{V1}/files/retrieve", DONE)
    file = body["file"]

    assert 0 < file.pop("file_id") < 2**63
    assert body == {"file": file, "base_resp": FINE}
    assert file == {
        "bytes": 9,
        "created_at": 1790000099,
        "filename": "output_aigc.mp4",
        "purpose": "video_generation",
        "download_url": OUTPUT.url,
    }


def test_a_task_without_a_file_has_none_to_show() -> None:
    """Not finished yet, or finished without a video."""
    for video in (VIDEO, DONE.evolve(outputs=())):
        assert answer("GET", f"{V1}/files/retrieve", video)["base_resp"]["status_code"] == 2013


@pytest.mark.parametrize(("path", "name"), [("query/video_generation", "task_id"), ("files/retrieve", "file_id")])
def test_a_look_says_what_it_looks_for(path: str, name: str) -> None:
    """In the query, not in the path."""
    assert call("GET", f"{V1}/{path}", ((name, "video_1"),)) == ReadVideo(id="video_1")
    with pytest.raises(InvalidRequest) as refused:
        call("GET", f"{V1}/{path}")
    assert refused.value.param == name


# --- the newer API


def test_a_create_of_the_newer_api_is_answered_with_the_id_alone() -> None:
    """No word that all is well."""
    assert answer("POST", TASKS, VIDEO) == {"task_id": "video_1"}


def test_a_running_task_shows_what_was_asked() -> None:
    """Times in whole seconds, and nothing used yet."""
    assert answer("GET", f"{QUERY}/{{id}}", VIDEO.evolve(status=Status.IN_PROGRESS)) == {
        "task": {
            "id": "video_1",
            "model": "hailuo-video",
            "status": "running",
            "created_at": 1790000000,
            "updated_at": 1790000004,
            "resolution": "768P",
            "duration": 8,
            "ratio": "16:9",
            "usage": {},
            "task_type": "generation",
        }
    }


def test_a_finished_task_shows_its_link_and_what_it_used() -> None:
    """The vendor's own figures first; else the seconds that were asked for."""
    task = answer("GET", f"{QUERY}/{{id}}", DONE)["task"]
    counted = DONE.evolve(usage={"output_seconds": 8, "input_seconds": 5, "seconds": 8})

    assert (task["status"], task["content"]) == ("succeeded", {"url": OUTPUT.url})
    assert task["usage"] == {"output_seconds": 8}
    assert answer("GET", f"{QUERY}/{{id}}", counted)["task"]["usage"] == {"input_seconds": 5, "output_seconds": 8}


def test_success_without_a_video_shows_no_link() -> None:
    """As odd as the vendor."""
    task = answer("GET", f"{QUERY}/{{id}}", DONE.evolve(outputs=()))["task"]

    assert (task["status"], "content" in task) == ("succeeded", False)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (FailureKind.CONTENT_POLICY, "failed", "1026"),
        (FailureKind.VENDOR_ERROR, "failed", "1000"),
        (FailureKind.CANCELLED, "cancelled", None),
        (FailureKind.TIMED_OUT, "failed", "1000"),
    ],
)
def test_every_end_has_the_newer_apis_word(kind: FailureKind, status: str, code: str | None) -> None:
    """A cancelled one has a state of its own; `expired` is a word of older pages."""
    task = answer("GET", f"{QUERY}/{{id}}", failed(kind))["task"]

    assert task["status"] == status
    assert task.get("error") == (None if code is None else {"code": code, "message": "It broke."})


def test_a_callback_is_the_answer_to_a_look() -> None:
    """Envelope and all."""
    render = minimax_v2.make_dialect().render_callback
    assert render is not None

    assert render(DONE) == answer("GET", f"{QUERY}/{{id}}", DONE)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ((), ListVideos(counted=True)),
        ((("page_num", "3"), ("page_size", "50")), ListVideos(counted=True, limit=50, skip=100)),
        ((("filter.status", "running"),), ListVideos(counted=True, status=("in_progress",))),
        ((("filter.status", "failed"),), ListVideos(counted=True, status=("failed",), cancelled=False)),
        ((("filter.status", "cancelled"),), ListVideos(counted=True, status=("failed",), cancelled=True)),
        ((("filter.model", "m"), ("filter.task_type", "generation")), ListVideos(counted=True, model="m")),
        ((("filter.task_ids", "a"), ("filter.task_ids", "b")), ListVideos(counted=True, ids=("a", "b"))),
    ],
)
def test_a_list_is_paged_and_filtered(query: tuple[tuple[str, str], ...], wanted: ListVideos) -> None:
    """By number and size, with the number of all."""
    assert call("GET", QUERY, query) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_num", "0"),
        ("page_size", "101"),
        ("page_size", "many"),
        ("filter.status", "expired"),
        ("filter.task_type", "regeneration"),
        ("filter.user", "ann"),
    ],
)
def test_a_parameter_the_list_has_not_is_refused(name: str, value: str) -> None:
    """Its own bounds and words, too."""
    with pytest.raises(InvalidRequest) as refused:
        call("GET", QUERY, ((name, value),))

    assert refused.value.param == name
    with pytest.raises(InvalidRequest):
        call("GET", QUERY, (("page_num", "1"), ("page_num", "1")))


def test_a_page_says_how_many_there_are() -> None:
    """Items are whole tasks."""
    page = VideoPage(videos=(DONE,), has_more=True, total=31)

    assert answer("GET", QUERY, page) == {"items": [answer("GET", f"{QUERY}/{{id}}", DONE)["task"]], "total": 31}


def test_one_verb_says_which_of_its_meanings_it_had() -> None:
    """A queued task is cancelled, a finished one deleted."""
    path = f"{TASKS}/{{id}}"

    assert call("DELETE", path) == DeleteVideo(id="video_1", cancels_queued=True)
    assert answer("DELETE", path, Deleted(id="video_1", cancelled=True)) == {
        "task_id": "video_1",
        "action": "cancelled",
        "status": "cancelled",
    }
    assert answer("DELETE", path, Deleted(id="video_1"))["action"] == "deleted"


# --- refusing


def policy() -> CallerError:
    error = InvalidRequest("no", code="content_policy")
    error.kind = FailureKind.CONTENT_POLICY
    return error


def broken() -> CallerError:
    error = InvalidRequest("no")
    error.status = 503
    return error


@pytest.mark.parametrize(
    ("error", "code", "older", "newer", "word"),
    [
        (InvalidRequest("no", param="ratio"), 2013, 200, 400, "bad_request_error"),
        (TooLarge("no"), 2013, 200, 400, "bad_request_error"),
        (policy(), 1026, 200, 422, "unprocessable_entity_error"),
        (AuthenticationRequired("no"), 1004, 200, 401, "authorized_error"),
        (PermissionDenied("no"), 2061, 200, 403, "authorized_error"),
        (BudgetExceeded("no"), 1008, 200, 402, "insufficient_balance_error"),
        (NotFound("no", code="model_not_found"), 2013, 404, 404, "bad_request_error"),
        (NotFound("no", code="video_not_found"), 2013, 200, 400, "bad_request_error"),
        (Gone("no"), 2013, 200, 400, "bad_request_error"),
        (Conflict("no", code="video_running"), 2013, 200, 400, "bad_request_error"),
        (RateLimited("no", retry_after_seconds=2.5), 1002, 200, 429, "rate_limit_error"),
        (NoRoute("no", retry_after_seconds=10), 1002, 200, 429, "rate_limit_error"),
        (broken(), 1000, 503, 503, "server_error"),
    ],
)
def test_errors_have_the_shape_of_their_api(error: CallerError, code: int, older: int, newer: int, word: str) -> None:
    """A number with HTTP 200, or a status with the number at the end of the message."""
    first, second = minimax.render_error(error, "req_1"), minimax_v2.render_error(error, "req_1")

    assert (first.status, first.body) == (older, {"base_resp": {"status_code": code, "status_msg": "no"}})
    assert (second.status, second.body) == (
        newer,
        {
            "type": "error",
            "error": {"type": word, "message": f"no ({code})", "http_code": str(newer)},
            "request_id": "req_1",
        },
    )
    for outgoing in (first, second):
        assert outgoing.headers["trace-id"] == "req_1"
        assert ("retry-after" in outgoing.headers) == (error.retry_after_seconds is not None)


def test_the_key_is_a_bearer_token() -> None:
    """Nowhere else does MiniMax look for one."""
    for key_of in (minimax.make_dialect().key_of, minimax_v2.make_dialect().key_of):
        assert key_of({"authorization": "Bearer mm-1"}) == "mm-1"
        assert key_of({"authorization": "Basic mm-1"}) is None
        assert key_of({"x-api-key": "mm-1"}) is None
