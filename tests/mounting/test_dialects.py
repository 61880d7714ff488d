"""A dialect on HTTP: who is let in, what is released, and that every answer has the caller's shape and a request id."""

import time
from typing import Any

import pytest
from starlette.routing import Router
from tests.mounting.asgi import HANG_UP, Got, call, multipart
from tests.mounting.plain import MemoryBackend, plain_dialect, serve

from reelway.core.errors import Conflict, StorageFailed
from reelway.core.videos import Blob
from reelway.dialects.spec import Answer, CancelVideo, CreateVideo, Incoming, Outgoing, ReadVideo
from reelway.mounting.bodies import BodyLimits
from reelway.mounting.dialects import mount

FILE = ("a.png", "image/png", b"\x89PNG" * 10)


async def got(*arguments: Any, **options: Any) -> Got:
    answer = await call(*arguments, **options)
    assert answer is not None
    assert answer.headers["x-request-id"].startswith("req_")
    return answer


async def test_a_read_goes_through() -> None:
    """A GET with a key reaches the backend and its answer comes back as JSON."""
    backend = MemoryBackend()
    answer = await got(serve(backend), "GET", "/things/video_1")
    assert (answer.status, answer.json) == (200, {"id": "video_1"})
    assert answer.headers["x-plain"] == "yes"
    assert answer.headers["content-type"] == "application/json"
    assert backend.performed[0][0] == ReadVideo(id="video_1")


async def test_the_key_is_checked_before_the_body_is_read() -> None:
    """A stranger's upload is refused without taking a byte of it."""

    async def receive() -> Any:
        pytest.fail("the body was read")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/things",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
    }
    await serve(MemoryBackend())(scope, receive, send)
    assert sent[0]["status"] == 401


@pytest.mark.parametrize("key", [None, "sk-wrong"])
async def test_strangers_are_refused_in_the_dialects_words(key: str | None) -> None:
    """No key and a wrong key are both 401 with the envelope."""
    answer = await got(serve(MemoryBackend()), "GET", "/things/video_1", key=key)
    assert answer.status == 401
    assert answer.error["code"] == "invalid_api_key"


async def test_a_wrong_method_names_the_right_ones() -> None:
    """405 carries Allow and the envelope."""
    answer = await got(serve(MemoryBackend()), "DELETE", "/things/video_1")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.error["code"] == "method_not_allowed"


async def test_fixed_paths_win_over_parameters() -> None:
    """`/things/fixed` is not taken for a thing called `fixed`, whatever the order of the endpoints."""
    backend = MemoryBackend()
    answer = await got(serve(backend), "POST", "/things/fixed", body=b'{"a":1}', content_type="application/json")
    assert answer.status == 200
    assert isinstance(backend.performed[0][0], CreateVideo)


async def test_a_prefix_is_not_the_dialects_business() -> None:
    """Mounted under a prefix, a dialect reads the path it declared."""
    backend = MemoryBackend()
    answer = await got(serve(backend, prefix="/vendor"), "GET", "/vendor/things/video_1")
    assert answer.status == 200
    assert backend.performed[0][1].path == "/things/video_1"


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    """HEAD announces the length of the body it does not send."""
    answer = await got(serve(MemoryBackend()), "HEAD", "/things/video_1")
    assert answer.status == 200
    assert answer.body == b""
    assert answer.headers["content-length"] == str(len(b'{"id":"video_1"}'))


async def test_a_post_without_a_body_is_the_dialects_to_judge() -> None:
    """A cancel needs no body, with or without a content type."""
    backend = MemoryBackend()
    for content_type in (None, "application/json", "application/octet-stream"):
        answer = await got(serve(backend), "POST", "/things/video_1/stop", content_type=content_type)
        assert answer.status == 200
    assert [performed for performed, _ in backend.performed] == [CancelVideo(id="video_1")] * 3


@pytest.mark.parametrize("name", ["x" * 600, "a\0b"])
async def test_impossible_names_are_not_found(name: str) -> None:
    """An overlong name or one with NUL is 404 and never reaches the backend."""
    backend = MemoryBackend()
    answer = await got(serve(backend), "GET", f"/things/{name}")
    assert answer.status == 404
    assert backend.performed == []


@pytest.mark.parametrize("query", ["a=%ff", "a=%00", "&".join(f"a{i}=1" for i in range(101)), "a=" + "x" * 20_000])
async def test_queries_that_are_not_text_are_refused(query: str) -> None:
    """Broken UTF-8, NUL, too many fields and too long queries are 400."""
    answer = await got(serve(MemoryBackend()), "GET", f"/things/video_1?{query}")
    assert answer.status == 400


async def test_an_accident_tells_nothing_and_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """An unexpected exception is 500 with the request id; its text stays in the log."""
    backend = MemoryBackend()
    backend.fails_with = RuntimeError("the password is swordfish")
    answer = await got(serve(backend), "GET", "/things/video_1")
    assert answer.status == 500
    assert answer.error["code"] == "internal_error"
    assert b"swordfish" not in answer.body
    assert answer.headers["x-request-id"] in answer.error["message"]
    captured = capfd.readouterr()
    log = captured.out + captured.err
    assert "swordfish" in log
    assert answer.headers["x-request-id"] in log


async def test_a_full_disk_is_503(capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes that cannot be kept are our turn to mend, and the caller may come back."""
    backend = MemoryBackend()
    backend.fails_with = StorageFailed("No space left on /secret/place")
    answer = await got(serve(backend), "GET", "/things/video_1")
    assert answer.status == 503
    assert answer.error["code"] == "storage_failed"
    assert b"secret" not in answer.body


async def test_files_of_a_refused_request_are_released() -> None:
    """Whether the dialect or the backend refuses: the staged file goes."""
    body, content_type = multipart(("image", FILE), ("refuse", "yes"))
    by_dialect = MemoryBackend()
    assert (await got(serve(by_dialect), "POST", "/things", body=body, content_type=content_type)).status == 400
    body, content_type = multipart(("image", FILE))
    by_backend = MemoryBackend()
    by_backend.fails_with = Conflict("no")
    assert (await got(serve(by_backend), "POST", "/things", body=body, content_type=content_type)).status == 409
    for backend in (by_dialect, by_backend):
        assert len(backend.staged) == len(backend.unstaged) == 1


async def test_files_of_an_accident_are_kept() -> None:
    """After an unexpected exception a job may already refer to the file, so it is not touched."""
    backend = MemoryBackend()
    backend.fails_with = RuntimeError("somewhere in the middle")
    body, content_type = multipart(("image", FILE))
    assert (await got(serve(backend), "POST", "/things", body=body, content_type=content_type)).status == 500
    assert backend.unstaged == []


async def test_files_of_a_repeated_request_are_released() -> None:
    """The answer to a repeated idempotency key uses the first request's files."""
    backend = MemoryBackend()
    backend.replays = True
    body, content_type = multipart(("image", FILE))
    assert (await got(serve(backend), "POST", "/things", body=body, content_type=content_type)).status == 200
    assert len(backend.unstaged) == 1


async def test_a_client_that_hangs_up_gets_no_answer_and_leaves_nothing() -> None:
    """A disconnect in the middle of a form releases what was staged; nothing is performed."""
    backend = MemoryBackend()
    body, content_type = multipart(("image", FILE), ("prompt", "x"))
    answer = await call(serve(backend), "POST", "/things", body=[body[:-20], HANG_UP], content_type=content_type)
    assert answer is None
    assert backend.performed == []
    assert len(backend.unstaged) == 1


async def test_a_failing_release_does_not_hide_the_refusal(capfd: pytest.CaptureFixture[str]) -> None:
    """When unstaging fails too, the caller still learns why the request was refused."""

    class Stubborn(MemoryBackend):
        async def unstage(self, blob: Blob) -> None:
            raise OSError("read-only")

    body, content_type = multipart(("image", FILE), ("refuse", "yes"))
    answer = await got(serve(Stubborn()), "POST", "/things", body=body, content_type=content_type)
    assert answer.status == 400
    captured = capfd.readouterr()
    assert "unstage_failed" in captured.out + captured.err


async def test_a_signed_link_needs_no_key() -> None:
    """With a good signature the file comes without a key; with a bad one it does not come with a key either."""
    app = serve(MemoryBackend(b"bytes"))
    assert (await got(app, "GET", "/things/video_1/bytes?signature=good", key=None)).body == b"bytes"
    assert (await got(app, "GET", "/things/video_1/bytes?signature=bad")).status == 400
    assert (await got(app, "GET", "/things/video_1/bytes", key=None)).status == 401
    assert (await got(app, "GET", "/things/video_1/bytes")).body == b"bytes"
    assert (await got(app, "GET", "/things/video_2/bytes")).status == 404


async def test_an_answer_may_repeat_what_was_asked() -> None:
    """A dialect that renders by the request gets it as it was read, with the time it arrived; anyone else does not."""
    before = time.time()

    def render_asked(answer: Answer, incoming: Incoming) -> Outgoing:
        assert before <= incoming.arrived_at <= time.time()
        return Outgoing(body={"asked": incoming.path, "by": dict(incoming.query)})

    plain = plain_dialect()
    asking = [endpoint.evolve(render_asked=render_asked) for endpoint in plain.endpoints if endpoint.method == "GET"]
    app = Router(mount(plain.evolve(endpoints=tuple(asking)), MemoryBackend(), limits=BodyLimits()))
    answer = await got(app, "GET", "/things/video_1?a=b")
    assert answer.json == {"asked": "/things/video_1", "by": {"a": "b"}}


async def test_what_is_not_there_may_be_shown_instead_of_refused() -> None:
    """A dialect that has a state for it gets the request, with the id under which it is logged; anyone else answers 404."""

    def render_absent(incoming: Incoming) -> Outgoing:
        return Outgoing(body={"unknown": incoming.path_parameters["id"], "request_id": incoming.request_id})

    plain = plain_dialect()
    showing = tuple(endpoint.evolve(render_absent=render_absent) for endpoint in plain.endpoints)
    for dialect, status in ((plain, 404), (plain.evolve(endpoints=showing), 200)):
        answer = await got(Router(mount(dialect, MemoryBackend(), limits=BodyLimits())), "GET", "/things/video_2")
        assert answer.status == status
    assert answer.json == {"unknown": "video_2", "request_id": answer.headers["x-request-id"]}
