"""Each fault happens on the wire as described, as often as asked, and proves itself in the log."""

import asyncio
from pathlib import Path

import pytest
from tests.sandbox.stage import Stage

from reelway.media.probe import read_video_facts
from reelway.media.spec import MediaUnreadableError
from reelway.sandbox.app import SandboxSettings

FIELDS = {"model": "m", "seconds": "1", "size": "320x180"}


@pytest.mark.parametrize("kind", ["content_policy", "vendor_error", "timed_out"])
async def test_fail(stage: Stage, kind: str) -> None:
    """The video fails after its time, with that code; nothing is rendered."""
    video = await stage.create(f"x [[fail:{kind}]]")
    shown = await stage.finish(video["id"])
    assert (shown["status"], shown["error"]["code"]) == ("failed", kind)
    assert stage.worker.specs == []


@pytest.mark.parametrize(
    ("directive", "status", "code"),
    [
        ("[[moderation]]", 400, "moderation_blocked"),
        ("[[refuse:insufficient_quota]]", 429, "insufficient_quota"),
        ("[[refuse:authentication]]", 401, "invalid_api_key"),
        ("[[refuse:model_not_found]]", 404, "model_not_found"),
        ("[[refuse:vendor_unavailable]]", 503, "no_route"),
        ("[[refuse:vendor_error]]", 500, "server_error"),
    ],
)
async def test_refuse(stage: Stage, directive: str, status: int, code: str) -> None:
    """The create is refused in the words of an OpenAI-compatible server, and makes nothing."""
    got = await stage.post({**FIELDS, "prompt": f"x {directive}"})
    assert (got.status, got.error["code"]) == (status, code)
    assert (await stage.ask("GET", "/v1/videos")).json["data"] == []


async def test_http_errors_come_so_often(stage: Stage) -> None:
    """Two creates are answered with 503, the third is accepted; another prompt has its own count."""
    fields = {**FIELDS, "prompt": "x [[http:503x2]]"}
    answers = [await stage.post(fields) for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert (await stage.post({**fields, "prompt": "y [[http:503x2]]"})).status == 503
    assert [seen["outcome"] for seen in await stage.seen()] == ["http_503", "http_503", "accepted", "http_503"]


async def test_count_outlives_a_kill(tmp_path: Path) -> None:
    """The log counts, so a restarted sandbox does not begin again."""
    stage = Stage(tmp_path)
    fields = {**FIELDS, "prompt": "x [[http:500x2]]"}
    assert (await stage.post(fields)).status == 500
    stage.restart()
    assert [(await stage.post(fields)).status for _ in range(2)] == [500, 200]
    await stage.close()


async def test_rate_limit_says_when_to_return(stage: Stage) -> None:
    """429 comes with Retry-After and the usual code."""
    got = await stage.post({**FIELDS, "prompt": "x [[rate:429]]"})
    assert (got.status, got.error["code"], got.headers["retry-after"]) == (429, "rate_limit_exceeded", "1")


async def test_lost_answer_makes_a_video(stage: Stage) -> None:
    """The answer breaks off after fewer bytes than it announced; the video is in the list."""
    got = await stage.post({**FIELDS, "prompt": "x [[submit:lost_answer]]"})
    assert len(got.body) < int(got.headers["content-length"])
    (listed,) = (await stage.ask("GET", "/v1/videos")).json["data"]
    assert listed["prompt"] == "x [[submit:lost_answer]]"
    (seen,) = await stage.seen()
    assert (seen["outcome"], seen["task"]) == ("lost_answer", listed["id"])
    assert (await stage.post({**FIELDS, "prompt": "x [[submit:lost_answer]]"})).json["id"] != listed["id"]


async def test_slow_answer_comes_after_the_video_was_begun(stage: Stage) -> None:
    """While a create is still unanswered its video is already in the list."""
    asking = asyncio.create_task(stage.post({**FIELDS, "prompt": "x [[submit:slow:0.3]] [[progress:stuck]]"}))
    while not (listed := (await stage.ask("GET", "/v1/videos")).json["data"]):
        await asyncio.sleep(0.005)
    assert not asking.done()
    assert (await asking).json["id"] == listed[0]["id"]


async def test_delay_and_stuck(stage: Stage) -> None:
    """A delayed video takes so long by the clock; a stuck one never ends."""
    delayed, stuck = await stage.create("x [[delay:20]]"), await stage.create("x [[progress:stuck]]")
    stage.clock.now += 19
    assert (await stage.read(delayed["id"]))["status"] == "in_progress"
    stage.clock.now += 2
    assert (await stage.finish(delayed["id"]))["status"] == "completed"
    assert (await stage.read(stuck["id"]))["progress"] == 42


async def test_looks_fail_so_often(stage: Stage) -> None:
    """The first looks are answered with an error, then the truth comes."""
    video = await stage.create("x [[poll:500x2]]")
    path = f"/v1/videos/{video['id']}"
    assert [(await stage.ask("GET", path)).status for _ in range(3)] == [500, 500, 200]


async def test_odd_status(stage: Stage) -> None:
    """A word nobody knows is shown, as often as asked."""
    video = await stage.create("x [[poll:oddx2]]")
    words = [(await stage.read(video["id"]))["status"] for _ in range(3)]
    assert words[:2] == ["pondering", "pondering"]
    assert words[2] in ("queued", "in_progress", "completed")


@pytest.mark.parametrize("fault", ["truncated", "text", "empty"])
async def test_spoiled_files(stage: Stage, tmp_path: Path, fault: str) -> None:
    """The download is complete and is not the video; the second one is."""
    video = await stage.create(f"x [[result:{fault}x1]]")
    await stage.finish(video["id"])
    path = tmp_path / "content.mp4"
    got = await stage.content(video["id"])
    assert (got.status, len(got.body)) == (200, int(got.headers["content-length"]))
    path.write_bytes(got.body)
    with pytest.raises(MediaUnreadableError):
        read_video_facts(path)
    path.write_bytes((await stage.content(video["id"])).body)
    assert read_video_facts(path).seconds == 1.0


async def test_gone_file(stage: Stage) -> None:
    """The video is completed, and its file is not there."""
    video = await stage.create("x [[result:gone]]")
    assert (await stage.finish(video["id"]))["status"] == "completed"
    assert (await stage.content(video["id"])).status == 410


async def test_cut_download_can_be_resumed(stage: Stage) -> None:
    """The first download breaks off in the middle; the rest can be had by a range."""
    video = await stage.create("x [[result:cut]]")
    await stage.finish(video["id"])
    first = await stage.content(video["id"])
    length = int(first.headers["content-length"])
    assert 0 < len(first.body) < length
    rest = await stage.content(video["id"], headers={"range": f"bytes={len(first.body)}-"})
    assert rest.status == 206
    whole = await stage.content(video["id"])
    assert first.body + rest.body == whole.body
    assert len(whole.body) == length


async def test_slow_file(stage: Stage) -> None:
    """The bytes begin late."""
    video = await stage.create("x [[result:slow:0.2]]")
    await stage.finish(video["id"])
    asking = asyncio.create_task(stage.content(video["id"]))
    await asyncio.sleep(0.05)
    assert not asking.done()
    assert (await asking).status == 200


async def test_whole_server_misbehaves(tmp_path: Path) -> None:
    """Directives in the settings hold for every request."""
    stage = Stage(tmp_path, settings=SandboxSettings(pace=0, draft=True, faults="[[fail:vendor_error]]"))
    video = await stage.create("a fox")
    assert (await stage.finish(video["id"]))["error"]["code"] == "vendor_error"


async def test_misspelt_directive_makes_nothing(stage: Stage) -> None:
    """The answer names the directive and what is known."""
    got = await stage.post({**FIELDS, "prompt": "x [[fial:content_policy]]"})
    assert (got.status, got.error["code"], got.error["param"]) == (400, "unknown_directive", "prompt")
    assert "[[fail:KIND]]" in got.error["message"]
