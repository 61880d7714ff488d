"""MiniMax as the sandbox plays it: two APIs with words of their own, and a challenge before an address is called."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp.web
import pytest
from tests.sandbox.stage import Stage

from reelway.sandbox.app import SandboxSettings

V1 = "/minimax/v1"
TASKS = "/minimax/v2/video_generation"
QUERY = "/minimax/v2/query/video_generation"
FINE = {"status_code": 0, "status_msg": "success"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A sandbox with every dialect, which may call loopback."""
    settings = SandboxSettings(pace=0, draft=True, allowed_hosts=frozenset({"127.0.0.1"}))
    stage = Stage(tmp_path, settings=settings)
    yield stage
    await stage.close()


async def older(stage: Stage, text: str = "a fox", **fields: Any) -> Any:
    body = {"model": "MiniMax-Hailuo-2.3", "prompt": text, **fields}
    return await stage.send("POST", f"{V1}/video_generation", body)


async def newer(stage: Stage, text: str = "a fox", **fields: Any) -> Any:
    shape = {"resolution": "768P", "duration": 4, "ratio": "16:9"}
    body = {"model": "MiniMax-H3", "content": [{"type": "text", "text": text}], **shape, **fields}
    return await stage.send("POST", TASKS, body)


async def queried(stage: Stage, task_id: str) -> Any:
    return (await stage.ask("GET", f"{V1}/query/video_generation?task_id={task_id}")).json


# --- words


async def test_a_hailuo_video_is_made_in_three_calls(stage: Stage) -> None:
    """Create, query, and the link of the file by its id."""
    made = (await older(stage)).json
    assert made["base_resp"] == FINE
    await stage.finish(made["task_id"])
    task = await queried(stage, made["task_id"])
    assert (task["status"], task["base_resp"]) == ("Success", FINE)
    file = (await stage.ask("GET", f"{V1}/files/retrieve?file_id={task['file_id']}")).json["file"]
    got = await stage.ask("GET", file["download_url"].removeprefix("http://test"), key=None)
    assert (got.status, got.body[4:8]) == (200, b"ftyp")


async def test_an_h3_video_is_made_in_two_calls(stage: Stage) -> None:
    """And is listed, then deleted."""
    name = (await newer(stage)).json["task_id"]
    await stage.finish(name)
    task = (await stage.ask("GET", f"{QUERY}/{name}")).json["task"]
    assert (task["status"], task["usage"]) == ("succeeded", {"output_seconds": 4})
    got = await stage.ask("GET", task["content"]["url"].removeprefix("http://test"), key=None)
    assert (got.status, got.body[4:8]) == (200, b"ftyp")
    page = (await stage.ask("GET", f"{QUERY}?filter.model=MiniMax-H3&filter.task_type=generation")).json
    assert ([item["id"] for item in page["items"]], page["total"]) == ([name], 1)
    assert (await stage.send("DELETE", f"{TASKS}/{name}")).json["action"] == "deleted"
    assert (await stage.ask("GET", f"{QUERY}/{name}")).status == 400


async def test_one_verb_cancels_what_waits_and_spares_what_runs(stage: Stage) -> None:
    """A running one is refused."""
    waiting = (await newer(stage, "x [[delay:100]]")).json["task_id"]
    assert (await stage.send("DELETE", f"{TASKS}/{waiting}")).json == {
        "task_id": waiting,
        "action": "cancelled",
        "status": "cancelled",
    }
    running = (await newer(stage, "x [[progress:stuck]]")).json["task_id"]
    got = await stage.send("DELETE", f"{TASKS}/{running}")
    assert (got.status, got.json["error"]["message"][-6:]) == (400, "(2013)")


@pytest.mark.parametrize(
    ("text", "number", "status"),
    [
        ("x [[rate:429]]", 1002, 429),
        ("x [[refuse:content_policy]]", 1026, 422),
        ("x [[refuse:authentication]]", 1004, 401),
        ("x [[refuse:insufficient_quota]]", 1008, 402),
        ("x [[refuse:permission]]", 2061, 403),
    ],
)
async def test_refusals_in_the_words_of_either_api(stage: Stage, text: str, number: int, status: int) -> None:
    """A number with HTTP 200, or a status with the number at the end."""
    first, second = await older(stage, text), await newer(stage, f"{text} again")
    assert (first.status, first.json["base_resp"]["status_code"]) == (200, number)
    assert second.status == status
    assert second.json["error"]["message"].endswith(f"({number})")


async def test_what_the_card_cannot_is_a_bad_parameter(stage: Stage) -> None:
    """Seven seconds of a Hailuo model, 99 of H3."""
    assert (await older(stage, duration=7)).json["base_resp"]["status_code"] == 2013
    assert (await newer(stage, duration=99)).status == 400


async def test_odd_ends_in_the_words_of_either_api(stage: Stage) -> None:
    """A success without a video, a refused result, and a state nobody knows."""
    empty = (await older(stage, "x [[result:missing]]")).json["task_id"]
    assert (await queried(stage, empty))["file_id"] == ""
    blocked = (await older(stage, "x [[fail:content_policy]]")).json["task_id"]
    await stage.finish(blocked)
    task = await queried(stage, blocked)
    assert (task["status"], task["base_resp"]["status_code"]) == ("Fail", 1026)
    odd = (await older(stage, "x [[poll:odd]]")).json["task_id"]
    assert (await queried(stage, odd))["status"] == "pondering"
    odd = (await newer(stage, "x [[poll:odd]]")).json["task_id"]
    assert (await stage.ask("GET", f"{QUERY}/{odd}")).json["task"]["status"] == "pondering"


async def test_the_key_is_checked_in_either_api(tmp_path: Path) -> None:
    """1004 with HTTP 200 and with 401."""
    locked = Stage(tmp_path, keys=frozenset({"mm-1"}))
    wrong = {"authorization": "Bearer other"}
    first = await locked.send("POST", f"{V1}/video_generation", {}, **wrong)
    second = await locked.send("POST", TASKS, {}, **wrong)
    assert (first.status, first.json["base_resp"]["status_code"]) == (200, 1004)
    assert (second.status, second.json["error"]["type"]) == (401, "authorized_error")
    await locked.close()


# --- challenges


class Ear:
    """A server that hears callbacks, and repeats challenges, or says something else."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.repeats = True
        self.url = ""

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        body = await request.json()
        await self.heard.put(body)
        return aiohttp.web.json_response(body if "challenge" in body and self.repeats else {"challenge": ""})

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.heard.get(), 20)


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    """Somebody who listens on loopback."""
    ear = Ear()
    site = aiohttp.web.Application()
    site.router.add_post("/hook", ear.answer)
    runner = aiohttp.web.AppRunner(site)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield ear
    await runner.cleanup()


async def outcomes(stage: Stage, count: int) -> list[tuple[str, str]]:
    """Return what was sent, and what became of it, when there is so much."""
    while len(sent := (await stage.ask("GET", "/sandbox/callbacks")).json["data"]) < count:
        await asyncio.sleep(0.005)
    return [(one["status"], one["outcome"]) for one in sent]


async def test_an_address_that_repeats_the_challenge_is_told(stage: Stage, ear: Ear) -> None:
    """Of every change, in the words of the API it was asked by."""
    await older(stage, callback_url=ear.url)
    assert list(await ear.next()) == ["challenge"]
    assert [(await ear.next())["status"] for _ in range(3)] == ["processing", "processing", "success"]
    await newer(stage, callback_url=ear.url)
    assert list(await ear.next()) == ["challenge"]
    assert [(await ear.next())["task"]["status"] for _ in range(3)] == ["queued", "running", "succeeded"]
    assert (await outcomes(stage, 8))[0] == ("challenge", "http_200")


async def test_an_address_that_does_not_is_never_told(stage: Stage, ear: Ear) -> None:
    """The video is made all the same."""
    ear.repeats = False
    name = (await older(stage, callback_url=ear.url)).json["task_id"]
    assert await outcomes(stage, 1) == [("challenge", "not_repeated")]
    assert (await stage.finish(name))["status"] == "completed"
    assert await outcomes(stage, 1) == [("challenge", "not_repeated")]
