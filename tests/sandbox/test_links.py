"""Links open a file without a key until their time is over, wherever the sandbox is reached."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.mounting.asgi import Got
from tests.sandbox.made_up import ACME
from tests.sandbox.stage import Stage

from reelway.dialects.openai_videos import make_dialect
from reelway.sandbox.app import SandboxSettings

KEYS = frozenset({"sk-test"})
HERE = "http://test"


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Stage]:
    """A sandbox that wants a key."""
    stage = Stage(tmp_path, keys=KEYS)
    yield stage
    await stage.close()


async def link_of(stage: Stage, prompt: str = "a fox", **headers: str) -> str:
    video = await stage.create(prompt)
    await stage.finish(video["id"])
    shown: dict[str, Any] = (await stage.ask("GET", f"/v1/videos/{video['id']}", headers=headers)).json
    url: str = shown["url"]
    return url


async def follow(stage: Stage, link: str) -> Got:
    """Fetch what a link leads to, as somebody who has no key."""
    assert link.startswith(HERE), link
    return await stage.ask("GET", link.removeprefix(HERE), key=None)


async def test_link_needs_no_key_and_expires(locked: Stage) -> None:
    """It works for its time and answers 403 afterwards; whoever looks again gets a fresh one."""
    link = await link_of(locked, "a fox [[link:60]]")
    video_id = link.split("/")[5]
    assert (await follow(locked, link)).body[4:8] == b"ftyp"
    locked.clock.now += 61
    got = await follow(locked, link)
    assert (got.status, got.error["code"]) == (403, "link_expired")
    fresh = (await locked.read(video_id))["url"]
    assert (await follow(locked, fresh)).status == 200


async def test_link_works_as_long_as_the_sandbox_was_told(tmp_path: Path) -> None:
    """Without a word in the prompt the setting holds, but never beyond the life of the file."""
    stage = Stage(tmp_path, settings=SandboxSettings(pace=0, draft=True, link_seconds=100, lifetime_seconds=150))
    link = await link_of(stage)
    stage.clock.now += 99
    assert (await follow(stage, link)).status == 200
    fresh = (await stage.read(link.split("/")[5]))["url"]
    stage.clock.now += 52
    assert (await follow(stage, fresh)).status == 403
    await stage.close()


@pytest.mark.parametrize(
    ("old", "new"), [("signature=", "signature=0"), ("expires=", "expires=9"), ("variant=video", "variant=last_frame")]
)
async def test_changed_link_opens_nothing(locked: Stage, old: str, new: str) -> None:
    """What was not signed is refused, and without a signature a key is wanted."""
    link = await link_of(locked)
    assert (await follow(locked, link.replace(old, new))).status == 403
    assert (await follow(locked, link.partition("?")[0])).status == 401


async def test_link_survives_a_restart(locked: Stage) -> None:
    """A sandbox that was killed knows its links again, before anything else was asked."""
    link = await link_of(locked)
    await locked.close()
    locked.restart()
    assert (await follow(locked, link)).status == 200


async def test_last_frame_has_a_link_too(tmp_path: Path) -> None:
    """Vendors that show the last frame find its address beside that of the video."""
    stage = Stage(tmp_path, dialects=(ACME, make_dialect()))
    video = await stage.create("a fox")
    await stage.finish(video["id"])
    (file,) = (await stage.send("GET", f"/acme/v1/tasks/{video['id']}")).json["data"]["files"]
    assert (await follow(stage, file["last"])).headers["content-type"] == "image/png"
    await stage.close()


async def test_link_leads_to_where_the_sandbox_was_reached(tmp_path: Path) -> None:
    """The host of the request and the path it is mounted below; unless it was told an address of its own."""
    settings = SandboxSettings(pace=0, draft=True, prefix="/sandbox")
    stage = Stage(tmp_path, settings=settings)
    assert (await link_of(stage, host="video.example:81")).startswith("http://video.example:81/sandbox/v1/videos/")
    assert (await link_of(stage, **{"x-forwarded-proto": "https"})).startswith("https://test/sandbox/v1/videos/")
    stage.settings = settings.evolve(public_url="https://sandbox.example/")
    stage.restart()
    assert (await link_of(stage, host="video.example")).startswith("https://sandbox.example/v1/videos/")
    await stage.close()
