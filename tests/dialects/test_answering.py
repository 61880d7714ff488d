"""What the OpenAI dialect answers: the video object, lists, deletions, errors, and which path is whose."""

from typing import Any

import pytest

from reelway.core.errors import Conflict, InvalidRequest, NoRoute, NotFound, RateLimited
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Cost, Output, RequestWarning, RouteView, Variant, Video
from reelway.dialects.openai_videos import key_of, make_dialect, render_error, render_video
from reelway.dialects.registry import make_dialects
from reelway.dialects.spec import (
    Answer,
    CancelVideo,
    Deleted,
    DeleteVideo,
    Incoming,
    ListVideos,
    OpenContent,
    Outgoing,
    QuoteVideo,
    ReadVideo,
    VideoPage,
)

OPENAI_FIELDS = {
    "id",
    "object",
    "model",
    "status",
    "progress",
    "created_at",
    "completed_at",
    "expires_at",
    "prompt",
    "size",
    "seconds",
    "remixed_from_video_id",
    "error",
}
VIDEO = Video(id="video_1", model="veo3.1", status=Status.QUEUED, progress=0, created_at=1790000000.7)
OUTPUT = Output(
    index=0,
    seconds=8.0,
    width=1280,
    height=720,
    fps=24.0,
    bytes=1234,
    sha256="abc",
    has_audio=True,
    url="https://reelway.example.test/v1/videos/video_1/content?signature=x",
)
DONE = VIDEO.evolve(status=Status.COMPLETED, progress=100, completed_at=1790000171.0, outputs=(OUTPUT,))


def endpoint(method: str, path: str) -> Any:
    return next(found for found in make_dialect().endpoints if (found.method, found.path) == (method, path))


def answer(method: str, path: str, value: Answer) -> Outgoing:
    outgoing = endpoint(method, path).render(value)
    assert isinstance(outgoing, Outgoing)
    return outgoing


def call(method: str, path: str, *, query: tuple[tuple[str, str], ...] = (), **headers: str) -> Any:
    parameters = {"id": "video_1"} if "{id}" in path else {}
    incoming = Incoming(method=method, path=path, path_parameters=parameters, query=query, headers=headers)
    return endpoint(method, path).read(incoming)


# --- the video object


@pytest.mark.parametrize("status", list(Status))
def test_the_thirteen_fields_are_always_there(status: Status) -> None:
    """Clients of OpenAI's API find every field they know, in every state."""
    body = render_video(VIDEO.evolve(status=status))

    assert set(body) >= OPENAI_FIELDS
    assert body["status"] in {"queued", "in_progress", "completed", "failed"}
    assert body["object"] == "video"
    assert body["task_id"] == body["id"] == "video_1"
    assert body["created_at"] == 1790000000


def test_a_finished_video_shows_its_link_under_every_name() -> None:
    """Old clients look for `url`, `video_url` or `metadata.url`."""
    body = render_video(DONE.evolve(width=1280, height=720, seconds="8", tags={"shot": "3", "url": "mine"}))

    assert body["url"] == body["video_url"] == body["metadata"]["url"] == OUTPUT.url
    assert body["metadata"]["shot"] == "3"
    assert (body["progress"], body["size"], body["seconds"]) == (100, "1280x720", "8")
    assert body["outputs"] == [
        {
            "index": 0,
            "url": OUTPUT.url,
            "seconds": 8.0,
            "width": 1280,
            "height": 720,
            "fps": 24.0,
            "bytes": 1234,
            "sha256": "abc",
            "has_audio": True,
            "media_type": "video/mp4",
        }
    ]


def test_an_unfinished_video_shows_what_is_to_come() -> None:
    """Time left, place in the queue and an honest progress; no link."""
    body = render_video(VIDEO.evolve(progress=100, eta_seconds=41.6, queue_position=3))

    assert (body["progress"], body["eta_seconds"], body["queue_position"]) == (99, 42, 3)
    assert "url" not in body
    assert "outputs" not in body
    assert (body["size"], body["seconds"]) == ("auto", "auto")


def test_a_failed_video_always_says_why() -> None:
    """Code and message, also for one that was cancelled and for one whose reason was lost."""
    cancelled = Failure(kind=FailureKind.CANCELLED, message="The video was cancelled.")
    body = render_video(VIDEO.evolve(status=Status.FAILED, failure=cancelled))
    lost = render_video(VIDEO.evolve(status=Status.FAILED))

    assert body["error"] == {"code": "cancelled", "message": "The video was cancelled."}
    assert lost["error"]["code"] == "vendor_error"
    assert render_video(DONE)["error"] is None


def test_marks_money_and_warnings_are_shown() -> None:
    """The sandbox says what it is, the cost is text, the route is shown where it was filled in."""
    body = render_video(
        VIDEO.evolve(
            sandbox=True,
            client_reference="task-1",
            cost=Cost(reserved="0.40"),
            warnings=(RequestWarning(field="fps", message="is not used"),),
            route=RouteView(vendor="google", account="main"),
        )
    )

    assert body["metadata"] == {"client_request_id": "task-1", "sandbox": True}
    assert body["cost"] == {"currency": "USD", "reserved": "0.40", "settled": None}
    assert body["warnings"] == [{"field": "fps", "message": "is not used"}]
    assert body["route"] == {"vendor": "google", "account": "main"}
    assert "route" not in render_video(VIDEO)


def test_bytes_are_shown_once() -> None:
    """Base64 stands beside the link of a single output and inside each of several."""
    one = render_video(DONE.evolve(b64_json=("AAAA",)))
    two = render_video(DONE.evolve(outputs=(OUTPUT, OUTPUT.evolve(index=1)), b64_json=("AAAA", "BBBB")))

    assert one["b64_json"] == "AAAA"
    assert "b64_json" not in one["outputs"][0]
    assert [output["b64_json"] for output in two["outputs"]] == ["AAAA", "BBBB"]
    assert "b64_json" not in two


def test_times_can_be_milliseconds() -> None:
    """As in the example of the page that started the project."""
    body = render_video(DONE.evolve(expires_at=1790003771.25), timestamps="ms")

    assert (body["created_at"], body["completed_at"], body["expires_at"]) == (
        1790000000700,
        1790000171000,
        1790003771250,
    )
    page = make_dialect(timestamps="ms").endpoints[1].render(VideoPage(videos=(DONE,), has_more=False))
    assert page.body["data"][0]["completed_at"] == 1790000171000


# --- answers


@pytest.mark.parametrize(
    ("video", "expected"),
    [
        (VIDEO.evolve(poll_after_seconds=5.0), "5000"),
        (VIDEO.evolve(status=Status.IN_PROGRESS, poll_after_seconds=0.0001), "1"),
        (VIDEO, "2000"),
        (DONE.evolve(poll_after_seconds=5.0), None),
    ],
)
def test_the_poll_header_is_a_whole_number_while_unfinished(video: Video, expected: str | None) -> None:
    """The official client parses it with `int` and keeps the first one."""
    for method, path in (("POST", "/v1/videos"), ("GET", "/v1/videos/{id}")):
        assert answer(method, path, video).headers.get("openai-poll-after-ms") == expected


def test_a_repeated_create_says_so() -> None:
    """The header tells a caller that nothing new was made."""
    assert answer("POST", "/v1/videos", VIDEO.evolve(replayed=True)).headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in answer("POST", "/v1/videos", VIDEO).headers


def test_a_page_names_its_ends() -> None:
    """The official pager goes on from `last_id` while `has_more` is true."""
    page = VideoPage(videos=(DONE, VIDEO.evolve(id="video_0")), has_more=True)
    body = answer("GET", "/v1/videos", page).body

    assert (body["object"], body["first_id"], body["last_id"], body["has_more"]) == ("list", "video_1", "video_0", True)
    empty = answer("GET", "/v1/videos", VideoPage(videos=(), has_more=False)).body
    assert empty == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_a_deletion_and_a_quote_are_plain_objects() -> None:
    """The deleted object has OpenAI's shape; a quote is handed through."""
    assert answer("DELETE", "/v1/videos/{id}", Deleted(id="video_1")).body == {
        "id": "video_1",
        "object": "video.deleted",
        "deleted": True,
    }
    assert answer("POST", "/v1/videos/quote", {"price": "0.40"}).body == {"price": "0.40"}


@pytest.mark.parametrize("path", ["/v1/videos", "/v1/videos/quote"])
def test_an_answer_of_the_wrong_kind_is_our_mistake(path: str) -> None:
    """It fails loudly instead of sending half an object."""
    with pytest.raises(TypeError):
        answer("POST", path, Deleted(id="video_1"))


# --- errors


def test_the_error_envelope_is_openais() -> None:
    """Message, type, param, code; and a refused create is not to be repeated."""
    outgoing = render_error(InvalidRequest("seconds must be 4 or 8", param="seconds"), "req_9")

    assert outgoing.status == 400
    assert outgoing.body == {
        "error": {
            "message": "seconds must be 4 or 8",
            "type": "invalid_request_error",
            "param": "seconds",
            "code": "invalid_value",
        }
    }
    assert outgoing.headers == {"x-request-id": "req_9", "x-should-retry": "false"}


def test_only_what_gets_better_by_waiting_may_be_repeated() -> None:
    """A conflict stays a conflict; a rate limit and a missing route pass, and say when."""
    limited = render_error(RateLimited("slow down", retry_after_seconds=1.2), "req_1")
    no_route = render_error(NoRoute("nobody can take it", retry_after_seconds=0.1), "req_1")

    assert limited.headers == {"x-request-id": "req_1", "retry-after": "2"}
    assert no_route.headers == {"x-request-id": "req_1", "retry-after": "1"}
    assert render_error(Conflict("not ready"), "req_1").headers["x-should-retry"] == "false"
    assert render_error(NotFound("no such video"), "req_1").headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer sk-1"}, "sk-1"),
        ({"authorization": "bearer  sk-1 "}, "sk-1"),
        ({"api-key": "sk-2"}, "sk-2"),
        ({"x-api-key": "sk-3"}, "sk-3"),
        ({"authorization": "Bearer sk-1", "api-key": "sk-2"}, "sk-1"),
        ({"authorization": "Basic abc"}, None),
        ({"authorization": "Bearer "}, None),
        ({}, None),
    ],
)
def test_a_key_is_found_where_clients_put_it(headers: dict[str, str], key: str | None) -> None:
    """OpenAI's header, and the two others that clients of this API use."""
    assert key_of(headers) == key


# --- the other calls


def test_a_read_may_wait() -> None:
    """By a parameter that must be right, or by a preference that may be cut short."""
    path = "/v1/videos/{id}"

    assert call("GET", path) == ReadVideo(id="video_1")
    assert call("GET", path, query=(("wait", "2.5"),)) == ReadVideo(id="video_1", wait_seconds=2.5)
    assert call("GET", path, prefer="respond-async, wait=10") == ReadVideo(id="video_1", wait_seconds=10)
    assert call("GET", path, prefer="wait=3600") == ReadVideo(id="video_1", wait_seconds=60)
    for wrong in ("61", "-1", "soon", "nan", ""):
        with pytest.raises(InvalidRequest, match="wait must be from 0 to 60"):
            call("GET", path, query=(("wait", wrong),))


def test_a_list_is_filtered_by_its_query() -> None:
    """All filters, times in seconds or milliseconds, statuses repeated or with commas."""
    query = (
        ("limit", "5"),
        ("order", "asc"),
        ("after", "video_0"),
        ("status", "queued,failed"),
        ("status", "completed"),
        ("model", "veo3.1"),
        ("user", "ann"),
        ("created_after", "1790000000"),
        ("created_before", "1790000000500"),
    )

    assert call("GET", "/v1/videos") == ListVideos()
    assert call("GET", "/v1/videos", query=query) == ListVideos(
        limit=5,
        order="asc",
        after="video_0",
        status=("queued", "failed", "completed"),
        model="veo3.1",
        user="ann",
        created_after=1790000000.0,
        created_before=1790000000.5,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "many"),
        ("order", "random"),
        ("status", "done"),
        ("created_after", "yesterday"),
    ],
)
def test_a_list_with_a_wrong_query_is_refused(name: str, value: str) -> None:
    """The message names the parameter."""
    with pytest.raises(InvalidRequest) as caught:
        call("GET", "/v1/videos", query=((name, value),))

    assert caught.value.param == name


def test_a_query_parameter_twice_is_refused() -> None:
    """As with fields, nobody can know which one was meant."""
    with pytest.raises(InvalidRequest) as caught:
        call("GET", "/v1/videos", query=(("limit", "1"), ("limit", "2")))

    assert (caught.value.code, caught.value.param) == ("duplicate_parameter", "limit")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_content_is_a_variant_of_an_output(method: str) -> None:
    """The video itself unless another file is asked for."""
    path = "/v1/videos/{id}/content"

    assert endpoint(method, path).streams
    assert call(method, path) == OpenContent(id="video_1")
    assert call(method, path, query=(("variant", "last_frame"), ("index", "2"))) == OpenContent(
        id="video_1", variant=Variant.LAST_FRAME, index=2
    )
    for query in ((("variant", "gif"),), (("index", "-1"),), (("index", "first"),)):
        with pytest.raises(InvalidRequest) as caught:
            call(method, path, query=query)
        assert caught.value.param == query[0][0]


def test_ids_are_handed_on_as_they_are() -> None:
    """Whether there is such a video is not for the dialect to say."""
    assert call("DELETE", "/v1/videos/{id}") == DeleteVideo(id="video_1")
    assert call("POST", "/v1/videos/{id}/cancel") == CancelVideo(id="video_1")


def test_a_quote_reads_what_a_create_reads() -> None:
    """The dry run takes the same body."""
    incoming = Incoming(method="POST", path="/v1/videos/quote", json={"model": "veo3.1", "prompt": "a fox"})
    quoted, created = (endpoint("POST", path).read(incoming) for path in ("/v1/videos/quote", "/v1/videos"))

    assert isinstance(quoted, QuoteVideo)
    assert quoted.request == created.request


def test_fixed_paths_stand_before_paths_with_an_id() -> None:
    """`quote`, `edits`, `extensions` and `characters` are no video ids."""
    paths = [found.path for found in make_dialect().endpoints]
    first_with_id = paths.index("/v1/videos/{id}")

    assert all(
        paths.index(f"/v1/videos/{name}") < first_with_id for name in ("quote", "edits", "extensions", "characters")
    )


def test_dialects_are_found_by_looking() -> None:
    """Nobody edits a list to add one, and each is made once."""
    assert "openai_videos" in [dialect.name for dialect in make_dialects()]
    assert make_dialects(timestamps="ms") is make_dialects(timestamps="ms")
