"""The app: what a caller of the OpenAI dialect gets, and what stands around it."""

import json
from typing import Any

import msgspec
import pytest
from tests.api.conftest import Ask
from tests.api.standin import IDS, MP4, StandIn, video_of
from tests.mounting.asgi import call, multipart

from reelway.api import shapes
from reelway.api.app import make_app
from reelway.core.errors import CallerError, NoRoute
from reelway.core.lifecycle import Status
from reelway.core.videos import RouteView, Video
from reelway.dialects.openai_videos import render_video

JSON = "application/json"
BODY = {"model": "sora-2", "prompt": "A fox"}
DONE = IDS[Status.COMPLETED]


def encoded(**fields: Any) -> bytes:
    return json.dumps({**BODY, **fields}).encode()


async def test_a_create_answers_with_the_video(ask: Ask, service: StandIn) -> None:
    """200 with the video object and when to ask again."""
    answer = await ask("POST", "/v1/videos", body=encoded(), content_type=JSON)
    assert answer.status == 200
    assert answer.json["status"] == "queued"
    assert answer.headers["openai-poll-after-ms"] == "2000"
    assert service.created[0][0].prompt == "A fox"


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("changes", [{}, {"b64_json": ("AAAA",)}, {"route": RouteView(vendor="v", account="a")}])
def test_every_video_has_the_documented_shape(status: Status, changes: dict[str, Any]) -> None:
    """Whatever its status, a shown video holds no field that the document does not know, and misses none."""
    shown = render_video(video_of(status, **changes))
    msgspec.convert(shown, shapes.Video)
    assert set(shown) <= set(shapes.Video.__struct_fields__)


def test_a_bare_video_has_the_documented_shape() -> None:
    """Also one of which next to nothing is known yet."""
    bare = Video(id="video_1", model="m", status=Status.QUEUED, progress=0, created_at=1.0)
    msgspec.convert(render_video(bare), shapes.Video)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/videos", shapes.VideoList),
        (f"/v1/videos/{DONE}", shapes.Video),
        ("/v1/models", shapes.ModelList),
        ("/v1/models/veo3.1", shapes.Model),
        ("/healthz", shapes.Health),
        ("/readyz", shapes.Readiness),
        ("/v1/videos/video_x", shapes.ErrorEnvelope),
        ("/v1/models/nope", shapes.ErrorEnvelope),
        ("/nowhere", shapes.ErrorEnvelope),
    ],
)
async def test_answers_have_their_documented_shape(ask: Ask, path: str, shape: type) -> None:
    """No field too many, none too few."""
    msgspec.json.decode((await ask("GET", path)).body, type=shape)


async def test_a_quote_has_its_documented_shape(ask: Ask, service: StandIn) -> None:
    """A dry run makes nothing."""
    answer = await ask("POST", "/v1/videos/quote", body=encoded(), content_type=JSON)
    msgspec.json.decode(answer.body, type=shapes.Quote)
    assert service.created == []


async def test_delete_and_cancel(ask: Ask) -> None:
    """Deleting answers in OpenAI's words; cancelling shows the video."""
    created = (await ask("POST", "/v1/videos", body=encoded(), content_type=JSON)).json["id"]
    assert (await ask("POST", f"/v1/videos/{created}/cancel")).json["error"]["code"] == "cancelled"
    gone = await ask("DELETE", f"/v1/videos/{created}")
    assert gone.json == {"id": created, "object": "video.deleted", "deleted": True}
    assert (await ask("GET", f"/v1/videos/{created}")).status == 404
    assert (await ask("GET", f"/v1/videos/{created}/content")).status == 410


async def test_content_with_a_key_and_by_link(ask: Ask) -> None:
    """The file comes with a key or with a good signature, and not otherwise."""
    path = f"/v1/videos/{DONE}/content"
    assert (await ask("GET", path)).body == MP4
    assert (await ask("GET", path, headers={"range": "bytes=0-9"})).body == MP4[:10]
    assert (await ask("HEAD", path)).headers["content-length"] == str(len(MP4))
    assert (await ask("GET", path, key=None)).status == 401
    assert (await ask("GET", f"{path}?expires=99999999999&signature=good", key=None)).body == MP4
    assert (await ask("GET", f"{path}?expires=99999999999&signature=bad", key=None)).status == 403
    assert (await ask("GET", f"{path}?signature=good", key=None)).status == 403


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        (f"/v1/videos/{IDS[Status.QUEUED]}/content", 409, "video_not_ready"),
        (f"/v1/videos/{IDS[Status.FAILED]}/content", 409, "video_failed"),
        ("/v1/videos/video_x/content", 404, "video_not_found"),
        (f"/v1/videos/{DONE}/content?variant=nope", 400, "invalid_value"),
        (f"/v1/videos/{DONE}/content?index=7", 404, "not_found"),
        ("/v1/videos?limit=0", 400, "invalid_value"),
        ("/v1/videos?after=video_x", 404, "video_not_found"),
        ("/v1/videos/" + "x" * 5000, 404, "not_found"),
        ("/v1/models/" + "x" * 5000, 404, "not_found"),
        ("/v1/videos/a\0b/events", 404, "not_found"),
        ("/v1/videos/", 404, "path_not_found"),
        ("/v1", 404, "path_not_found"),
        ("/v1/videos/a/b/c", 404, "path_not_found"),
        ("/v1/videos?model=%ff", 400, "invalid_query"),
    ],
)
async def test_what_cannot_be_had_says_so(ask: Ask, target: str, status: int, code: str) -> None:
    """Every refusal has the envelope and a code of its own."""
    answer = await ask("GET", target)
    assert (answer.status, answer.error["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("PUT", "/v1/videos", "GET, HEAD, POST"),
        ("PATCH", f"/v1/videos/{DONE}", "DELETE, GET, HEAD"),
        ("POST", f"/v1/videos/{DONE}/content", "GET, HEAD"),
        ("POST", f"/v1/videos/{DONE}/events", "GET"),
        ("DELETE", "/v1/models", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("GET", "/v1/videos/edits", "POST"),
    ],
)
async def test_wrong_methods_name_the_right_ones(ask: Ask, method: str, target: str, allowed: str) -> None:
    """405 with Allow and the envelope."""
    answer = await ask(method, target)
    assert answer.status == 405
    assert answer.headers["allow"] == allowed
    assert answer.error["code"] == "method_not_allowed"


@pytest.mark.parametrize("target", ["/v1/videos", f"/v1/videos/{DONE}", f"/v1/videos/{DONE}/events", "/v1/models"])
async def test_nothing_is_told_without_a_key(ask: Ask, target: str) -> None:
    """401 for every endpoint that shows anything."""
    assert (await ask("GET", target, key=None)).status == 401


async def test_health_needs_no_key_and_readiness_tells_when_it_is_over(ask: Ask, service: StandIn) -> None:
    """A stopping server is alive but not ready."""
    assert (await ask("GET", "/healthz", key=None)).json["status"] == "ok"
    assert (await ask("GET", "/readyz", key=None)).status == 200
    service.is_ready = False
    assert (await ask("GET", "/readyz", key=None)).status == 503


# --- idempotency and strictness


async def test_the_same_key_and_meaning_is_the_same_video(ask: Ask, service: StandIn) -> None:
    """However the request is written the second time: in another encoding, order or spelling."""
    headers = {"idempotency-key": "k1"}
    first = await ask("POST", "/v1/videos", body=encoded(seconds=4), content_type=JSON, headers=headers)
    form, content_type = multipart(("duration", "4s"), ("prompt", "A fox"), ("model", "sora-2"))
    again = await ask("POST", "/v1/videos", body=form, content_type=content_type, headers=headers)
    assert again.json["id"] == first.json["id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(service.created) == 1


async def test_the_same_file_is_the_same_request(ask: Ask, service: StandIn) -> None:
    """Files count by their bytes: sent again under another name they are the same, and the second copy is released."""
    for name in ("a.png", "b.png"):
        form, content_type = multipart(*BODY.items(), ("image", (name, "image/png", b"\x89PNG\r\n\x1a\n" + b"x" * 50)))
        answer = await ask("POST", "/v1/videos", body=form, content_type=content_type, headers={"idempotency-key": "k"})
        assert answer.status == 200
    assert len(service.created) == 1
    assert len(service.unstaged) == 1


async def test_the_same_key_and_another_meaning_is_refused(ask: Ask, service: StandIn) -> None:
    """409, and nothing is made."""
    headers = {"idempotency-key": "k1"}
    await ask("POST", "/v1/videos", body=encoded(), content_type=JSON, headers=headers)
    other = await ask("POST", "/v1/videos", body=encoded(seconds=8), content_type=JSON, headers=headers)
    assert (other.status, other.error["code"]) == (409, "idempotency_mismatch")
    assert other.headers["x-should-retry"] == "false"
    assert len(service.created) == 1


async def test_the_client_reference_serves_as_a_key(ask: Ask, service: StandIn) -> None:
    """`external_task_id` does what the header does, unless the header is there."""
    body = encoded(external_task_id="job-17")
    first = await ask("POST", "/v1/videos", body=body, content_type=JSON)
    again = await ask("POST", "/v1/videos", body=body, content_type=JSON)
    assert first.json["id"] == again.json["id"]
    with_header = await ask("POST", "/v1/videos", body=body, content_type=JSON, headers={"idempotency-key": "other"})
    assert with_header.json["id"] != first.json["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
async def test_unusable_idempotency_keys_are_refused(ask: Ask, service: StandIn, key: str) -> None:
    """400 that names the header; nothing is made."""
    answer = await ask("POST", "/v1/videos", body=encoded(), content_type=JSON, headers={"idempotency-key": key})
    assert (answer.status, answer.error["param"]) == (400, "Idempotency-Key")
    assert service.created == []


@pytest.mark.parametrize(("word", "strict"), [("true", True), ("1", True), ("TRUE", True), ("false", False)])
async def test_strictness_is_passed_on(ask: Ask, service: StandIn, word: str, strict: bool) -> None:
    """`Reelway-Strict` is read the way switches are written."""
    await ask("POST", "/v1/videos", body=encoded(), content_type=JSON, headers={"reelway-strict": word})
    assert service.created[0][1] is strict


async def test_strictness_that_says_neither_is_refused(ask: Ask) -> None:
    """A misspelt switch is not taken for off."""
    for path in ("/v1/videos", "/v1/videos/quote"):
        answer = await ask("POST", path, body=encoded(), content_type=JSON, headers={"reelway-strict": "yep"})
        assert (answer.status, answer.error["param"]) == (400, "Reelway-Strict")


# --- around it


async def test_other_web_pages_may_not_call_unless_they_are_named(service: StandIn) -> None:
    """CORS is off; named origins get it, also with a refusal."""
    headers = {"origin": "https://studio.example"}
    closed = await call(make_app(service), "GET", "/healthz", headers=headers)  # type: ignore[arg-type]
    assert closed is not None
    assert "access-control-allow-origin" not in closed.headers
    app = make_app(service, cors_origins=["https://studio.example"])  # type: ignore[arg-type]
    for key in ("sk-test", None):
        opened = await call(app, "GET", "/v1/videos", headers=headers, key=key)
        assert opened is not None
        assert opened.headers["access-control-allow-origin"] == "https://studio.example"
    stranger = await call(app, "GET", "/v1/videos", headers={"origin": "https://other.example"})
    assert stranger is not None
    assert "access-control-allow-origin" not in stranger.headers


async def test_a_busy_gateway_says_when_to_come_back(service: StandIn) -> None:
    """503 without a route carries Retry-After and may be repeated by the clients."""

    async def refuse(*arguments: Any, **options: Any) -> Any:
        error: CallerError = NoRoute("No account can take it now.", retry_after_seconds=7.2)
        raise error

    service.create = refuse  # type: ignore[method-assign]
    app = make_app(service)  # type: ignore[arg-type]
    answer = await call(app, "POST", "/v1/videos", body=encoded(), content_type=JSON)
    assert answer is not None
    assert answer.status == 503
    assert answer.headers["retry-after"] == "8"
    assert "x-should-retry" not in answer.headers


async def test_web_sockets_are_closed(service: StandIn) -> None:
    """There are none; the server is told at once."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/v1/videos", "headers": [], "query_string": b""}
    await make_app(service)(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["type"] == "websocket.close"


async def test_the_lifespan_is_entered_and_left(service: StandIn) -> None:
    """Start and stop of the server reach whoever was given to the app."""
    story: list[str] = []

    class Lifespan:
        def __init__(self, app: object) -> None:
            pass

        async def __aenter__(self) -> None:
            story.append("started")

        async def __aexit__(self, *details: object) -> None:
            story.append("stopped")

    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    app = make_app(service, lifespan=Lifespan)  # type: ignore[arg-type]
    await app({"type": "lifespan", "state": {}}, receive, send)
    assert story == ["started", "stopped"]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_priority_is_one_of_three_words(ask: Ask, service: StandIn) -> None:
    """Any other is refused with its name."""
    for word, urgency in (("high", -1), ("Low", 1), ("normal", 0)):
        await ask("POST", "/v1/videos", body=encoded(), content_type=JSON, headers={"reelway-priority": word})
        assert service.urgencies[-1] == urgency
    answer = await ask("POST", "/v1/videos", body=encoded(), content_type=JSON, headers={"reelway-priority": "asap"})
    assert (answer.status, answer.error["param"]) == (400, "Reelway-Priority")
