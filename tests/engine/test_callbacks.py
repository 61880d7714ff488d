"""Callers who gave an address are told of the end of their video: once on record, whatever dies in between."""

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.engine.dying import ACME
from tests.engine.scripted import FindingAcme, Script, Stage
from tests.webhooks.receiver import PRIVATE, SECRETS, receiving

from reelway.core.errors import StorageFailed
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Job
from reelway.store.spec import Change
from reelway.vendors.spec import Running, VendorFailed
from reelway.webhooks.delivery import Deliverer

URL = "https://hooks.example.test/done"
REPOSITORY = Path(__file__).parents[2]


@asynccontextmanager
async def staged(folder: Path, script: Script) -> AsyncIterator[Stage]:
    """Run an engine over this folder."""
    stage = Stage(folder, script, FindingAcme(script), (ACME,))
    await stage.open()
    try:
        yield stage
    finally:
        await stage.close()


@pytest.fixture
def script() -> Script:
    """A vendor that makes every video."""
    return Script()


@pytest.fixture
async def stage(tmp_path: Path, script: Script) -> AsyncIterator[Stage]:
    """An engine in front of it."""
    async with staged(tmp_path, script) as stage:
        yield stage


def asking(job: Job, url: str = URL) -> Job:
    """Return the job of a caller who wants to be told."""
    return job.evolve(request=job.request.evolve(callback_url=url))


async def test_a_finished_video_has_one_message(stage: Stage) -> None:
    """Written with the end itself, then whoever delivers is told of it."""
    told: list[str] = []
    stage.tools.message_written = lambda: told.append("nudged")
    job = asking(stage.job())
    await stage.create(job)
    job = await stage.finished(job.id)
    [message] = await stage.store.messages(job.id)
    assert (message.type, message.url, message.tenant) == ("video.completed", URL, job.tenant)
    assert json.loads(message.body)["data"] == {"id": job.id}
    assert message.created_at == job.updated_at
    assert told == ["nudged"]


async def test_a_failed_video_has_one_message(stage: Stage, script: Script) -> None:
    """Why it failed is read from the video."""
    script.checks = deque([VendorFailed(failure=Failure(kind=FailureKind.CONTENT_POLICY, message="No foxes."))])
    job = asking(stage.job())
    await stage.create(job)
    await stage.finished(job.id)
    assert [message.type for message in await stage.store.messages(job.id)] == ["video.failed"]


async def test_a_cancelled_video_has_one_message(stage: Stage, script: Script) -> None:
    """To its caller it is a failed one."""
    script.checks = deque([Running(progress=1, poll_after_seconds=0.0)])
    job = asking(stage.job())
    await stage.create(job)
    await stage.engine.cancel(job)
    await stage.finished(job.id)
    assert [message.type for message in await stage.store.messages(job.id)] == ["video.failed"]


async def test_nobody_is_told_who_did_not_ask(stage: Stage) -> None:
    """No address, no message."""
    job = stage.job()
    await stage.create(job)
    await stage.finished(job.id)
    assert await stage.store.messages(job.id) == ()


async def test_takes_are_told_as_one_video(stage: Stage, script: Script) -> None:
    """One message for the video, none for its takes, even if their requests carried the address."""
    script.submits = deque(script.submits[0].evolve(operation={"id": key}, key=key) for key in ("op0", "op1", "op2"))
    job = asking(stage.job())
    takes = tuple(asking(stage.job(reserved=0, take=number, parent=job.id)) for number in range(3))
    await stage.create(job.evolve(takes=tuple(take.id for take in takes)), takes)
    await stage.finished(job.id)
    assert [message.type for message in await stage.store.messages(job.id)] == ["video.completed"]
    assert [await stage.store.messages(take.id) for take in takes] == [(), (), ()]


async def test_a_write_that_is_repeated_has_one_message(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that was full for a moment doubles nothing."""
    real, refused = stage.store.apply, 0

    async def apply(change: Change) -> None:
        nonlocal refused
        if change.message is not None and refused < 3:
            refused += 1
            raise StorageFailed("the disk is full: make room")
        await real(change)

    monkeypatch.setattr(stage.store, "apply", apply)
    job = asking(stage.job())
    await stage.create(job)
    await stage.finished(job.id)
    assert refused == 3
    assert len(await stage.store.messages(job.id)) == 1


async def test_expiry_is_not_told(stage: Stage) -> None:
    """The video ended long ago; its bytes go in silence."""
    stage.tools.limits = stage.tools.limits.evolve(retention_seconds=0.0)
    job = asking(stage.job())
    await stage.create(job)
    await stage.finished(job.id)
    assert await stage.engine._cleaner.clean() == 1
    assert len(await stage.store.messages(job.id)) == 1


@pytest.mark.parametrize("point", ["kept", "completed"])
async def test_death_around_the_end_loses_and_doubles_nothing(tmp_path: Path, script: Script, point: str) -> None:
    """Killed right before or right after the commit: the next process delivers one message, exactly once on record."""
    async with receiving() as receiver:
        dying = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.engine.dying", str(tmp_path), point, receiver.url),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(30):
            output, _ = await dying.communicate()
        assert dying.returncode == -signal.SIGKILL
        video_id = output.decode().split()[0]  # log lines follow
        async with staged(tmp_path, script) as stage:
            await stage.finished(video_id)
            [message] = await stage.store.messages(video_id)
            assert message.delivered_at is None

            async def secret_for(tenant: str) -> str:
                return SECRETS[tenant]

            later = message.created_at + 1
            deliverer = Deliverer(
                stage.store, secret_for, clock=lambda: later, random=lambda: 0.0, allowed_hosts=PRIVATE
            )
            assert await deliverer.deliver_due() == 1
            await deliverer.close()
            assert receiver.ids == [message.id]
            [message] = await stage.store.messages(video_id)
            assert message.delivered_at is not None
