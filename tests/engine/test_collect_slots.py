"""Who waits for whom while results are fetched: a vendor that stalls holds up its own videos and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.engine.scripted import Acme, FindingAcme, Script, ScriptedDriver, Stage

from reelway.assets.spec import Stored
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.engine.account import Account
from reelway.engine.transport import Stream
from reelway.vendors.spec import Accepted, Adapter, Download, Flow, HttpRequest, Submission

STALLING = Account(
    name="stalling",
    vendor="openai_videos",
    service="compatible",
    base_url="https://a.example",
    models={"sora-2": "sora-2"},
)
LIVELY = STALLING.evolve(name="lively", models={"sora-2-pro": "sora-2-pro"})


class StallingDriver(ScriptedDriver):
    """The files of one account begin when the test lets them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.released = asyncio.Event()
        self.open_now = 0
        self.most = 0

    def open(
        self, download: Download, adapter: Adapter, account: Account, *, start: int = 0, validator: str = ""
    ) -> AbstractAsyncContextManager[Stream]:
        return self._stalled(account, start)

    @asynccontextmanager
    async def _stalled(self, account: Account, start: int) -> AsyncIterator[Stream]:
        if account.name == STALLING.name:
            self.open_now += 1
            self.most = max(self.most, self.open_now)
            await self.released.wait()
            self.open_now -= 1
        async with self._open(start) as stream:
            yield stream


class Numbering(FindingAcme):
    """Gives each piece of work a name of its own."""

    def submit(self, submission: Submission) -> Flow[Accepted]:
        self.script.submitted.append(submission)
        return Accepted(operation={"id": submission.reference}, key=submission.reference, poll_after_seconds=0.0)
        yield HttpRequest(method="POST", path="/")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    script = Script()
    adapter: Acme = Numbering(script)
    stage = Stage(tmp_path, script, adapter, (STALLING, LIVELY))
    stage.tools.driver = StallingDriver(stage.transport, stage.clock, script)
    stage.tools.limits = stage.tools.limits.evolve(collects_at_once=2, steps_at_once=2)
    stage.engine._worker._slots = asyncio.Semaphore(2)
    await stage.open()
    yield stage
    await stage.close()


async def ordered(stage: Stage, model: str) -> Job:
    job = stage.job()
    job = job.evolve(request=job.request.evolve(model=model, card=model))
    await stage.create(job)
    return job


async def test_a_vendor_that_stalls_holds_up_nobody_else(stage: Stage) -> None:
    """Twenty of its results wait, more than there are places for steps; another account's videos are made meanwhile."""
    driver = stage.tools.driver
    assert isinstance(driver, StallingDriver)
    stalled = [await ordered(stage, "sora-2") for _ in range(20)]
    for job in stalled:
        await stage.reaches(job.id, "rendered")
    lively = [await ordered(stage, "sora-2-pro") for _ in range(5)]
    assert {(await stage.finished(job.id)).state for job in lively} == {State.COMPLETED}
    assert driver.most == 2

    driver.released.set()
    assert {(await stage.finished(job.id)).state for job in stalled} == {State.COMPLETED}
    assert driver.most == 2


async def test_an_asset_store_that_hangs_is_waited_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time limit ends the try, the story says why, and the video is kept when it answers again."""
    stage.tools.limits = stage.tools.limits.evolve(store_seconds=0.05)
    real, hangs = stage.assets.put_file, iter([True])

    async def put_file(key: str, source: Path) -> Stored:
        if next(hangs, False):
            await asyncio.Event().wait()
        return await real(key, source)

    monkeypatch.setattr(stage.assets, "put_file", put_file)
    job = await ordered(stage, "sora-2-pro")
    assert (await stage.finished(job.id)).state is State.COMPLETED
    [told] = [one for one in await stage.store.events(job.id) if one.name == "storage_failed"]
    assert "did not take a file within 0.05 s" in told.detail["reason"]


async def test_a_rendered_video_does_not_time_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its deadline is for the vendor's work; what is there was paid for, and has a day to be kept."""
    stage.script.downloads.appendleft(b"half a film")
    job = stage.job()
    job = job.evolve(request=job.request.evolve(model="sora-2-pro", card="sora-2-pro"))
    await stage.create(job.evolve(deadline_at=stage.now + 500))
    real = stage.tools.media.video_facts

    async def slow(path: Path) -> Any:
        stage.now += 1000
        return await real(path)

    monkeypatch.setattr(stage.tools.media, "video_facts", slow)
    done = await stage.finished(job.id)
    assert (done.state, done.collect_failures) == (State.COMPLETED, 1)
