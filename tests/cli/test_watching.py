"""Following a video: over events, by asking, through breaks and outages, and only as long as one wants."""

import itertools

import pytest
from tests.cli.fake_server import BREAK, FakeServer, Reply, events, video

from reelway.cli.client import Client, ConnectionBroke
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.watching import watch

READ, EVENTS = "/v1/videos/video_01", "/v1/videos/video_01/events"


class FakeClock:
    """Time that passes only by sleeping, or by a fixed step on each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _statuses(
    server: FakeServer, clock: FakeClock | None = None, timeout: float | None = None
) -> list[tuple[str, int]]:
    clock = clock or FakeClock()
    client = Client(server.address, "sk-test", sleep=clock.sleep)
    seen = watch(client, "video_01", timeout_seconds=timeout, clock=clock, sleep=clock.sleep)
    return [(one["status"], one["progress"]) for one in seen]


def test_events_are_followed_to_the_end(server: FakeServer) -> None:
    """Every change is seen, and nobody asks in between."""
    server.on("GET", READ, Reply(body=video("queued")))
    server.on("GET", EVENTS, events(video("in_progress", 40), video("completed", 100)))

    assert _statuses(server) == [("queued", 0), ("in_progress", 40), ("completed", 100)]
    assert len(server.seen("GET", READ)) == 1


def test_a_finished_video_is_read_once(server: FakeServer) -> None:
    """Nothing is waited for when there is nothing to come."""
    server.on("GET", READ, Reply(body=video("failed")))

    assert _statuses(server) == [("failed", 0)]
    assert len(server.requests) == 1


def test_without_events_the_video_is_asked_for(server: FakeServer) -> None:
    """A server that offers no events is asked until the video is final."""
    server.on(
        "GET",
        READ,
        Reply(body=video("queued")),
        Reply(body=video("in_progress", 50)),
        Reply(body=video("completed", 100)),
    )

    assert _statuses(server)[-1] == ("completed", 100)
    assert "wait" in server.seen("GET", READ)[-1].query


def test_a_broken_stream_goes_on_where_it_stopped(server: FakeServer) -> None:
    """The next stream names the last event that was seen."""
    server.on("GET", READ, Reply(body=video("queued")), Reply(body=video("in_progress", 10)))
    server.on("GET", EVENTS, events(video("in_progress", 10)), events(video("completed", 100), first=2))

    assert _statuses(server)[-1] == ("completed", 100)
    assert server.seen("GET", EVENTS)[1].headers["last-event-id"] == "1"


def test_an_event_in_an_envelope_is_understood(server: FakeServer) -> None:
    """The video may stand under `data`, as in webhooks."""
    server.on("GET", READ, Reply(body=video("queued")))
    server.on("GET", EVENTS, events({"type": "video.completed", "data": video("completed", 100)}))

    assert _statuses(server)[-1] == ("completed", 100)


def test_a_restarting_server_is_waited_for(server: FakeServer) -> None:
    """Half a minute of silence in between changes nothing."""
    lost = itertools.repeat(BREAK, 9)
    server.on("GET", READ, Reply(body=video("queued")), *lost, Reply(503, {}), Reply(body=video("completed", 100)))
    clock = FakeClock()

    assert _statuses(server, clock) == [("queued", 0), ("completed", 100)]
    assert 0 < clock.now < 60


def test_a_long_outage_ends_the_watch(server: FakeServer) -> None:
    """After a minute without any answer the person is told."""
    server.on("GET", READ, Reply(body=video("queued")), BREAK)
    clock = FakeClock()

    with pytest.raises(ConnectionBroke):
        _statuses(server, clock)

    assert clock.now > 60


def test_the_time_limit_says_how_to_go_on(server: FakeServer) -> None:
    """The video is not lost when the command stops waiting."""
    server.on("GET", READ, Reply(body=video("in_progress", 10)))

    with pytest.raises(CommandFailed, match="reelway videos wait video_01") as failed:
        _statuses(server, FakeClock(step=0.5), timeout=10.0)

    assert failed.value.exit_code is Exit.TIMED_OUT


def test_another_tenants_video_ends_the_watch_at_once(server: FakeServer) -> None:
    """A 404 is an answer, not an outage."""
    with pytest.raises(CommandFailed) as failed:
        _statuses(server)

    assert failed.value.exit_code is Exit.INVALID
