"""Vendors that sign their callbacks: only what is theirs names work; whatever else comes to the address wakes a look."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.engine.dying import ACME
from tests.engine.scripted import LIMITS, CallingAcme, Script, Stage, done

from reelway.core.errors import SubmitOutcomeUnknown, UnexpectedResponse
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.vendors.spec import Accepted, Callback, Credential, Running, Submission

KEY = Credential(values={"api_key": "k"})
GOOD = {"signature": "k of https://video.example.test"}


class SigningAcme(CallingAcme):
    """Signs with its key and the address."""

    def verify_callback(self, callback: Callback, submission: Submission, credential: Credential, now: float) -> None:
        assert now > 0
        origin = "://".join(urlsplit(submission.callback_url or "")[:2])
        if callback.headers.get("signature") != f"{credential.values['api_key']} of {origin}":
            raise UnexpectedResponse("not signed by acme")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """An engine whose vendor signs."""
    script = Script()
    account = ACME.evolve(credential=KEY)
    stage = Stage(tmp_path, script, SigningAcme(script), accounts=(account,), public_url="https://video.example.test")
    stage.tools.limits = LIMITS.evolve(callback_wait_seconds=1e6)
    await stage.open()
    yield stage
    await stage.close()


async def lost(stage: Stage) -> Job:
    """Return a job whose submit got no answer."""
    stage.script.submits = deque([SubmitOutcomeUnknown("the connection broke")])
    job = stage.job()
    await stage.create(job)
    return await stage.reaches(job.id, "submit_unknown")


async def call(stage: Stage, job: Job, headers: dict[str, str]) -> None:
    """Call the address of the newest attempt, naming other work."""
    *_, number, secret = urlsplit(str(stage.script.submitted[-1].callback_url)).path.split("/")

    async def read() -> Callback:
        return Callback(headers=headers, body=json.dumps({"id": "op7"}).encode())

    assert await stage.engine.hear(job.id, number, secret, read) is None


async def test_what_the_vendor_signed_names_the_lost_work(stage: Stage) -> None:
    """It is looked at, and adopted."""
    job = await lost(stage)
    stage.script.checks = deque([done()])

    await call(stage, job, GOOD)

    job = await stage.finished(job.id)
    assert (job.state, job.operation_key) == (State.COMPLETED, "op7")
    assert len(stage.script.submitted) == 1


@pytest.mark.parametrize("headers", [{}, {"signature": "x"}])
async def test_what_nobody_signed_names_nothing(stage: Stage, headers: dict[str, str]) -> None:
    """Whoever came to know the address cannot have other work looked at."""
    job = await lost(stage)

    await call(stage, job, headers)
    await call(stage, job, GOOD)

    await stage.reaches(job.id, "accepted")
    assert [event for event in await stage.story(job.id) if event == "callback_heard"] == ["callback_heard"]


async def test_what_nobody_signed_still_wakes_a_look(stage: Stage) -> None:
    """Another Reelway cannot sign, and a look does no harm."""
    stage.script.submits = deque([Accepted(operation={"id": "op1"}, key="op1", poll_after_seconds=0.0)])
    stage.script.checks = deque([Running(poll_after_seconds=1e6)])
    job = stage.job()
    await stage.create(job)
    async with asyncio.timeout(10):
        while not stage.script.looked:
            await asyncio.sleep(0)
    stage.script.checks = deque([done()])

    await call(stage, job, {})

    job = await stage.finished(job.id)
    assert job.operation_key == "op1"
