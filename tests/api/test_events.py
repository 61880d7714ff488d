"""Server-sent events: a story told once, from where the listener left off, and ended."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.api.conftest import Ask
from tests.api.standin import IDS, StandIn, video_of
from tests.mounting.asgi import HANG_UP, call

from reelway.api.app import make_app
from reelway.core.keys import Caller
from reelway.core.lifecycle import Status
from reelway.service import VideoEvent

PATH = f"/v1/videos/{IDS[Status.COMPLETED]}/events"
STORY = [
    VideoEvent(id="1", type="video.queued", video=video_of(Status.QUEUED)),
    VideoEvent(id="2", type="video.in_progress", video=video_of(Status.IN_PROGRESS)),
    VideoEvent(id="3", type="video.completed", video=video_of(Status.COMPLETED)),
]


def read(stream: bytes) -> list[dict[str, str]]:
    blocks = [block for block in stream.decode().split("\n\n") if block and not block.startswith((":", "retry"))]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


async def test_the_whole_story(ask: Ask, service: StandIn) -> None:
    """Every event has an id, a type and the video as JSON; after the final one the stream ends."""
    service.story = STORY
    answer = await ask("GET", PATH)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.body.startswith(b"retry: ")
    events = read(answer.body)
    assert [event["id"] for event in events] == ["1", "2", "3"]
    assert [event["event"] for event in events] == ["video.queued", "video.in_progress", "video.completed"]
    assert json.loads(events[2]["data"])["status"] == "completed"


async def test_it_goes_on_where_the_listener_left_off(ask: Ask, service: StandIn) -> None:
    """`Last-Event-ID` leaves out what was seen."""
    service.story = STORY
    assert [event["id"] for event in read((await ask("GET", PATH, headers={"last-event-id": "2"})).body)] == ["3"]


async def test_after_the_last_event_there_is_nothing_to_tell(ask: Ask, service: StandIn) -> None:
    """204 keeps a browser from asking for the rest for ever."""
    service.story = STORY
    answer = await ask("GET", PATH, headers={"last-event-id": "3"})
    assert (answer.status, answer.body) == (204, b"")


async def test_refusals_come_before_the_stream(ask: Ask) -> None:
    """An unknown video is an ordinary 404, no key an ordinary 401."""
    assert (await ask("GET", "/v1/videos/video_x/events")).status == 404
    assert (await ask("GET", PATH, key=None)).status == 401


class Silent(StandIn):
    """Tells one event and then nothing, until nobody listens."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()

    async def events(
        self, video_id: str, caller: Caller, *, last_event_id: str | None = None
    ) -> AsyncIterator[VideoEvent]:
        try:
            yield STORY[0]
            await asyncio.Event().wait()
        finally:
            self.closed.set()


async def test_a_listener_that_leaves_is_noticed() -> None:
    """The service stops telling when the client is gone."""
    service = Silent()
    app = make_app(service)  # type: ignore[arg-type]
    answer = await call(app, "GET", PATH, body=[b"", HANG_UP])
    assert answer is not None
    assert service.closed.is_set()


async def test_a_silent_stream_is_kept_alive() -> None:
    """While nothing happens, comments keep proxies from closing the connection."""
    service = Silent()
    app = make_app(service, heartbeat_seconds=0.001)  # type: ignore[arg-type]
    heard: list[bytes] = []
    enough = asyncio.Event()

    async def receive() -> Any:
        await enough.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        heard.append(message.get("body", b""))
        if heard.count(b": waiting\n\n") >= 3:
            enough.set()

    scope = {
        "type": "http",
        "method": "GET",
        "path": PATH,
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer sk-test")],
    }
    await app(scope, receive, send)
    assert service.closed.is_set()


async def test_a_story_that_breaks_ends(ask: Ask, service: StandIn, capfd: Any) -> None:
    """An accident in the middle ends the stream; the listener comes back by itself and goes on."""

    async def broken(*arguments: Any, **options: Any) -> AsyncIterator[VideoEvent]:
        yield STORY[0]
        raise RuntimeError("lost the database")

    service.events = broken  # type: ignore[method-assign, assignment]
    answer = await ask("GET", PATH)
    assert [event["id"] for event in read(answer.body)] == ["1"]
    captured = capfd.readouterr()
    assert "lost the database" in captured.out + captured.err
