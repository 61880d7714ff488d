"""Waiting for videos, following their events, stopping and deleting them, on a real server over a real vendor."""

import base64
import http.client
import json
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import pytest
from tests.acceptance.processes import KEY, Gateway, Sandbox, ask

pytestmark = pytest.mark.acceptance

REQUEST = {"model": "sora-2", "prompt": "A fox", "seconds": 4, "size": "1280x720"}
STUCK = {**REQUEST, "prompt": "A fox [[progress:stuck]]"}
NARROW = """
[[account]]
name = "narrow"
vendor = "openai_videos"
service = "reelway"
base_url = "{url}/v1"
key = "{key}"
max_in_flight = 1
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose vendor can cancel."""
    with Gateway(tmp_path_factory.mktemp("gateway"), sandbox=sandbox, service="reelway") as gateway:
        yield gateway


class Event(NamedTuple):
    id: str
    type: str
    video: dict[str, Any]


def follow(gateway: Gateway, video_id: str, last_event_id: str | None = None) -> Generator[Event]:
    """Yield the events of a stream until the server ends it; a 204 has none."""
    line = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    headers = {"Authorization": f"Bearer {KEY}", "Accept": "text/event-stream"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    try:
        line.request("GET", f"/v1/videos/{video_id}/events", headers=headers)
        answer = line.getresponse()
        if answer.status == 204:
            return
        assert answer.status == 200
        assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        fields: dict[str, str] = {}
        for raw in answer:
            text = raw.decode().rstrip("\n")
            if text.startswith((":", "retry:")):
                continue
            if text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif fields:
                yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
                fields = {}
    finally:
        line.close()


# --- waiting


def test_waiting_ends_with_the_video(gateway: Gateway) -> None:
    """`?wait=` and `Prefer: wait=` answer when the video is finished, long before the time is over."""
    for path, headers in (("?wait=50", {}), ("", {"Prefer": "respond-async, wait=50"})):
        video = gateway.create(**{**REQUEST, "prompt": f"A fox [[delay:1]] {path}"})
        began = time.monotonic()
        answer = gateway.ask("GET", f"/v1/videos/{video['id']}{path}", headers=headers)
        assert answer.json["status"] == "completed"
        assert "openai-poll-after-ms" not in answer.headers
        assert 0.5 < time.monotonic() - began < 40


def test_waiting_ends_with_the_time(gateway: Gateway) -> None:
    """An unfinished video comes as it is then, with a hint when to ask again."""
    video = gateway.create(**STUCK)
    began = time.monotonic()
    answer = gateway.ask("GET", f"/v1/videos/{video['id']}?wait=1.5")
    assert answer.json["status"] == "in_progress"
    assert answer.json["eta_seconds"] >= 0
    assert int(answer.headers["openai-poll-after-ms"]) > 0
    assert 1.4 < time.monotonic() - began < 10


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "nan"])
def test_a_wait_that_is_too_long_or_no_number(gateway: Gateway, wait: str) -> None:
    """A parameter must be right; a preference is cut to what is possible."""
    video = gateway.finished(gateway.create(**REQUEST)["id"])
    answer = gateway.ask("GET", f"/v1/videos/{video['id']}?wait={wait}")
    assert (answer.status, answer.json["error"]["param"]) == (400, "wait")
    assert "from 0 to 60" in answer.json["error"]["message"]
    assert gateway.ask("GET", f"/v1/videos/{video['id']}", headers={"Prefer": "wait=100000"}).status == 200


def test_progress_never_goes_back(gateway: Gateway) -> None:
    """Whole numbers from 0 to 99 that only grow, and 100 with `completed` alone."""
    video_id = gateway.create(**{**REQUEST, "prompt": "A fox [[delay:2]]"})["id"]
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["status"] not in {"completed", "failed"}:
        seen.append(gateway.ask("GET", f"/v1/videos/{video_id}?wait=0.2").json)
    figures = [video["progress"] for video in seen]
    assert figures == sorted(figures)
    assert all(0 <= figure < 100 for figure in figures[:-1])
    assert (figures[-1], seen[-1]["status"]) == (100, "completed")
    assert len(set(figures)) > 3


def test_the_bytes_in_the_object(gateway: Gateway) -> None:
    """`response_format=b64_json`: the finished object holds the very file; the list does not."""
    video = gateway.finished(gateway.create(**REQUEST, response_format="b64_json")["id"])
    content = gateway.ask("GET", f"/v1/videos/{video['id']}/content").body
    assert base64.b64decode(video["b64_json"]) == content
    listed = gateway.ask("GET", "/v1/videos?limit=1").json["data"][0]
    assert listed["id"] == video["id"]
    assert "b64_json" not in listed


# --- events


def test_a_story_to_its_end(gateway: Gateway) -> None:
    """From the first look to the last: statuses in order, progress that grows, one final event, then the stream ends."""
    video_id = gateway.create(**{**REQUEST, "prompt": "A fox [[delay:2]]"})["id"]
    events = list(follow(gateway, video_id))
    statuses = [event.video["status"] for event in events]
    assert statuses == sorted(statuses, key=["queued", "in_progress", "completed"].index)
    assert statuses.count("completed") == 1
    figures = [event.video["progress"] for event in events]
    assert figures == sorted(figures)
    assert len({event.id for event in events}) == len(events) > 3
    assert events[-1].type == "video.completed"
    assert {event.type for event in events} <= {
        "video.queued",
        "video.in_progress",
        "video.progress",
        "video.completed",
    }
    assert events[-1].video == gateway.ask("GET", f"/v1/videos/{video_id}").json


def test_a_story_taken_up_again(gateway: Gateway) -> None:
    """`Last-Event-ID` goes on from there: nothing is told twice, and the end is not missed."""
    video_id = gateway.create(**{**REQUEST, "prompt": "A fox [[delay:3]]"})["id"]
    begun = follow(gateway, video_id)
    first = [next(begun), next(begun)]
    begun.close()
    rest = list(follow(gateway, video_id, first[-1].id))
    told = [event.id for event in (*first, *rest)]
    assert len(set(told)) == len(told)
    assert rest[-1].type == "video.completed"
    assert rest[0].video["progress"] >= first[-1].video["progress"]
    assert list(follow(gateway, video_id, rest[-1].id)) == []
    assert [event.type for event in follow(gateway, video_id)] == ["video.completed"]


def test_a_story_that_ends_badly(gateway: Gateway) -> None:
    """The failure is the last event."""
    video_id = gateway.create(**{**REQUEST, "prompt": "A fox [[delay:1]] [[fail:content_policy]]"})["id"]
    last = list(follow(gateway, video_id))[-1]
    assert (last.type, last.video["error"]["code"]) == ("video.failed", "content_policy")
    assert (last.video["cost"]["reserved"], last.video["cost"]["settled"]) == ("0.40", "0.00")


# --- cancelling


def settled(video: dict[str, Any]) -> str:
    """Return what a cancelled video cost; it has failed with that word."""
    assert (video["status"], video["error"]["code"]) == ("failed", "cancelled")
    cost: str = video["cost"]["settled"]
    return cost


def test_cancelling_one_that_waits_its_turn(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Queued here: at once, free, and the vendor never hears of it; the next in the queue is not held up."""
    settings = NARROW.format(url=sandbox.url, key=KEY)
    with Gateway(tmp_path_factory.mktemp("narrow"), settings=settings) as gateway:
        first = gateway.create(**STUCK)
        while gateway.ask("GET", f"/v1/videos/{first['id']}?wait=0.2").json["status"] == "queued":
            pass
        before = len(sandbox.creates())
        second, third = gateway.create(**REQUEST), gateway.create(**REQUEST)
        waiting = gateway.ask("GET", f"/v1/videos/{third['id']}").json
        assert (waiting["status"], waiting["queue_position"]) == ("queued", 1)
        cancelled = gateway.ask("POST", f"/v1/videos/{second['id']}/cancel")
        assert (cancelled.status, settled(cancelled.json)) == (200, "0.00")
        assert len(sandbox.creates()) == before
        assert settled(gateway.ask("POST", f"/v1/videos/{first['id']}/cancel").json) == "0.00"
        assert gateway.finished(third["id"])["status"] == "completed"
        assert len(sandbox.creates()) == before + 1


def test_cancelling_one_that_is_made(gateway: Gateway, sandbox: Sandbox) -> None:
    """The vendor is asked and stops: free, and no file; asking again tells the same."""
    video = gateway.create(**STUCK)
    while gateway.ask("GET", f"/v1/videos/{video['id']}?wait=0.2").json["status"] == "queued":
        pass
    cancelled = gateway.ask("POST", f"/v1/videos/{video['id']}/cancel")
    assert (cancelled.status, settled(cancelled.json)) == (200, "0.00")
    assert "before it cost anything" in cancelled.json["error"]["message"]
    again = gateway.ask("POST", f"/v1/videos/{video['id']}/cancel")
    assert (again.status, again.json) == (200, cancelled.json)
    content = gateway.ask("GET", f"/v1/videos/{video['id']}/content")
    assert (content.status, content.json["error"]["code"]) == (409, "video_failed")


def test_cancelling_where_the_vendor_cannot(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The result is not kept, the cost stands, and the answer says so."""
    with Gateway(tmp_path_factory.mktemp("compatible"), sandbox=sandbox, service="compatible") as gateway:
        video = gateway.create(**STUCK)
        while gateway.ask("GET", f"/v1/videos/{video['id']}?wait=0.2").json["status"] == "queued":
            pass
        cancelled = gateway.ask("POST", f"/v1/videos/{video['id']}/cancel").json
        assert settled(cancelled) == cancelled["cost"]["reserved"] != "0.00"
        assert "its cost stands" in cancelled["error"]["message"]


def test_cancelling_a_finished_one(gateway: Gateway) -> None:
    """409, and it stays as it is."""
    for prompt, status in (("A fox", "completed"), ("A fox [[fail:vendor_error]]", "failed")):
        video = gateway.finished(gateway.create(**{**REQUEST, "prompt": prompt})["id"])
        answer = gateway.ask("POST", f"/v1/videos/{video['id']}/cancel")
        assert (answer.status, answer.json["error"]["code"]) == (409, "video_finished")
        assert f"is {status} already" in answer.json["error"]["message"]
        assert gateway.ask("GET", f"/v1/videos/{video['id']}").json == video


def test_cancelling_wakes_whoever_waits(gateway: Gateway) -> None:
    """A long poll and a stream of events hear of it at once."""
    video_id = gateway.create(**STUCK)["id"]
    heard: dict[str, str] = {}

    def wait() -> None:
        heard["wait"] = gateway.ask("GET", f"/v1/videos/{video_id}?wait=50").json["error"]["code"]

    def listen() -> None:
        heard["events"] = list(follow(gateway, video_id))[-1].video["error"]["code"]

    threads = [threading.Thread(target=wait), threading.Thread(target=listen)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert gateway.ask("POST", f"/v1/videos/{video_id}/cancel").status == 200
    for thread in threads:
        thread.join(60)
    assert heard == {"wait": "cancelled", "events": "cancelled"}
    assert time.monotonic() - began < 30


def test_deleting_one_that_is_made(gateway: Gateway, sandbox: Sandbox) -> None:
    """It is cancelled at the vendor first, and then there is nothing left of it."""
    video = gateway.create(**STUCK)
    while gateway.ask("GET", f"/v1/videos/{video['id']}?wait=0.2").json["status"] == "queued":
        pass
    answer = gateway.ask("DELETE", f"/v1/videos/{video['id']}")
    assert answer.json == {"id": video["id"], "object": "video.deleted", "deleted": True}
    assert gateway.ask("GET", f"/v1/videos/{video['id']}").status == 404
    assert gateway.ask("GET", f"/v1/videos/{video['id']}/content").status == 410
    task = sandbox.creates()[-1]["task"]
    assert ask("GET", f"{sandbox.url}/v1/videos/{task}").json["error"]["code"] == "cancelled"


def test_deleting_takes_of_one_video(gateway: Gateway) -> None:
    """A video of three takes is cancelled and deleted as one."""
    video = gateway.create(**STUCK, n=3)
    assert gateway.ask("DELETE", f"/v1/videos/{video['id']}").status == 200
    assert video["id"] not in [listed["id"] for listed in gateway.ask("GET", "/v1/videos?limit=100").json["data"]]
    assert gateway.ask("GET", "/readyz", key=None).json["status"] == "ready"
