"""A create that gave an address is called back on every change, in the vendor's own words; what can go wrong does when asked to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp.web
import pytest
from tests.sandbox.made_up import ACME
from tests.sandbox.stage import Stage

from reelway.dialects.openai_videos import make_dialect
from reelway.sandbox.app import SandboxSettings

DIALECTS = (ACME, make_dialect())
SETTINGS = SandboxSettings(pace=0, draft=True, allowed_hosts=frozenset({"127.0.0.1"}))


class Ear:
    """A server that hears callbacks, and answers with the statuses it was given, then 200."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answers: list[int] = []
        self.url = ""

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            await self.heard.put(await request.json())
        return aiohttp.web.Response(status=status)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.heard.get(), 20)

    async def states(self, count: int) -> list[str]:
        return [(await self.next())["made"]["state"] for _ in range(count)]


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


@pytest.fixture
async def calling(tmp_path: Path) -> AsyncIterator[Stage]:
    """A sandbox that may call loopback."""
    stage = Stage(tmp_path, dialects=DIALECTS, settings=SETTINGS)
    yield stage
    await stage.close()


async def order(stage: Stage, url: str, text: str = "a fox", **fields: Any) -> str:
    fields = {"model": "veo3.1", "seconds": 4, "text": text, "notify": url, **fields}
    got = await stage.send("POST", "/acme/v1/tasks", fields)
    assert got.status == 200, got.body
    made: str = got.json["data"]["id"]
    return made


async def sent(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await stage.ask("GET", "/sandbox/callbacks")).json["data"]
    return found


async def sent_in_all(stage: Stage, count: int) -> list[dict[str, Any]]:
    """Return the callbacks when there are so many."""
    while len(found := await sent(stage)) < count:
        await asyncio.sleep(0.005)
    return found


async def test_every_change_is_told_in_order(calling: Stage, ear: Ear) -> None:
    """Waiting, working, ready: none left out, each in the body of the dialect, and the last with a link that works."""
    name = await order(calling, ear.url, mark="mine")
    bodies = [await ear.next() for _ in range(3)]
    assert [body["made"]["state"] for body in bodies] == ["WAITING", "WORKING", "READY"]
    assert {(body["id"], body["mark"]) for body in bodies} == {(name, "mine")}
    assert [len(body["files"]) for body in bodies] == [0, 0, 1]
    link = bodies[2]["files"][0]["video"].removeprefix("http://test")
    assert (await calling.ask("GET", link, key=None)).status == 200
    told = await sent_in_all(calling, 3)
    assert [(one["status"], one["outcome"], one["tries"]) for one in told] == [
        ("queued", "http_200", 1),
        ("in_progress", "http_200", 1),
        ("completed", "http_200", 1),
    ]
    assert (await calling.ask("DELETE", "/callbacks")).json["total"] == 0


async def test_failure_and_cancel_are_told(calling: Stage, ear: Ear) -> None:
    """A video that ends badly is told of like any other."""
    await order(calling, ear.url, "x [[fail:content_policy]]")
    assert await ear.states(3) == ["WAITING", "WORKING", "BROKEN"]
    name = await order(calling, ear.url, "x [[delay:1000]]")
    assert await ear.states(1) == ["WAITING"]
    await calling.send("DELETE", f"/acme/v1/tasks/{name}")
    assert await ear.states(2) == ["WORKING", "BROKEN"]


async def test_lost_answer_is_called_back_too(calling: Stage, ear: Ear) -> None:
    """Whoever never heard the id hears it now."""
    got = await calling.send(
        "POST",
        "/acme/v1/tasks",
        {"model": "veo3.1", "seconds": 4, "text": "x [[submit:lost_answer]]", "notify": ear.url},
    )
    assert len(got.body) < int(got.headers["content-length"])
    assert (await ear.next())["id"] == (await calling.seen())[0]["task"]


async def test_address_is_tried_three_times(calling: Stage, ear: Ear) -> None:
    """An address that fails is tried again; whether it ever answers changes nothing about the video."""
    ear.answers = [500, 302, 200, 500, 500, 500]
    name = await order(calling, ear.url)
    assert await ear.states(2) == ["WAITING", "READY"]
    told = await sent_in_all(calling, 3)
    assert [(one["outcome"], one["tries"]) for one in told] == [("http_200", 3), ("http_500", 3), ("http_200", 1)]
    assert (await calling.finish(name))["status"] == "completed"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/hook", "http://localhost/hook", "ftp://example.com/", "nonsense"])
async def test_private_addresses_are_called_only_where_allowed(tmp_path: Path, url: str) -> None:
    """Without the setting nobody on this machine is called; the video is made all the same."""
    stage = Stage(tmp_path, dialects=DIALECTS)
    name = await order(stage, url)
    assert (await stage.finish(name))["status"] == "completed"
    assert {(one["outcome"], one["tries"]) for one in await sent_in_all(stage, 3)} == {("refused", 1)}
    await stage.close()


async def test_dialect_without_callbacks_calls_nobody(calling: Stage, ear: Ear) -> None:
    """The OpenAI dialect has no callbacks for single requests."""
    video = await calling.create("a fox", callback_url=ear.url)
    await calling.finish(video["id"])
    assert await sent(calling) == []


async def test_callbacks_can_be_missing_or_come_twice(calling: Stage, ear: Ear) -> None:
    """As a vendor's do now and then."""
    name = await order(calling, ear.url, "x [[callback:none]]")
    await calling.finish(name)
    await order(calling, ear.url, "x [[callback:twice]] [[result:missing]]")
    assert await ear.states(6) == ["WAITING", "WAITING", "WORKING", "WORKING", "READY", "READY"]


async def test_callbacks_can_be_late(calling: Stage, ear: Ear) -> None:
    """The video is finished long before its address hears that it was begun."""
    name = await order(calling, ear.url, "x [[callback:late:0.2]] [[result:missing]]")
    assert (await calling.read(name))["status"] == "completed"
    assert ear.heard.empty()
    assert await ear.states(3) == ["WAITING", "WORKING", "READY"]


async def test_callbacks_can_be_forged(calling: Stage, ear: Ear) -> None:
    """Before the truth come two lies: this video failed, and one that nobody ordered is ready."""
    name = await order(calling, ear.url, "x [[callback:forged]] [[delay:1000]]")
    failed, nobodys, true = [await ear.next() for _ in range(3)]
    assert (failed["id"], failed["made"]["state"]) == (name, "BROKEN")
    assert (nobodys["id"] == name, nobodys["made"]["state"]) == (False, "READY")
    assert (true["id"], true["made"]["state"]) == (name, "WAITING")
    assert [one["forged"] for one in await sent_in_all(calling, 3)] == [True, True, False]


async def test_what_a_kill_interrupted_is_told_after_the_restart(calling: Stage, ear: Ear) -> None:
    """What was told is not told again; the rest is, although nobody asks for anything."""
    name = await order(calling, ear.url, "x [[delay:1000]]")
    assert await ear.states(1) == ["WAITING"]
    kept = calling.folder / "tasks" / f"{name}.json"
    while not all(mark in kept.read_bytes() for mark in (b'"told":"queued"', b'"rendered_at"')):
        await asyncio.sleep(0.005)
    await calling.close()
    calling.clock.now += 1001
    await calling.restart().open()
    assert await ear.states(2) == ["WORKING", "READY"]


async def test_sandbox_closes_with_callbacks_pending(tmp_path: Path) -> None:
    """Late callbacks, and tries that fail, hold nobody up."""
    stage = Stage(tmp_path, dialects=DIALECTS, settings=SETTINGS.evolve(pace=1.0))
    await order(stage, "http://127.0.0.1:9/hook", "x [[callback:late:1000]]")
    await order(stage, "http://127.0.0.1:9/hook", "x [[progress:stuck]]")
    await asyncio.wait_for(stage.close(), 5)
