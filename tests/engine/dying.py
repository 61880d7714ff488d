"""An engine that kills its own process at one of its named points: `python -m tests.engine.dying FOLDER POINT URL`.

With `called` in place of a URL, the answer to the submit is lost and the vendor calls back instead; with `settled`, an operator
says what became of it. With `deleting`, `expiring`
and `forgetting`, the video is finished, and then is deleted, has expired, or is deleted at its vendor.
"""

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from tests.engine.scripted import CallingAcme, DeletingAcme, FindingAcme, NamingAcme, Script, Stage

from reelway.core.errors import SubmitOutcomeUnknown, UnexpectedResponse
from reelway.engine.account import Account
from reelway.service.submits import Submits
from reelway.telemetry import configure_logging
from reelway.vendors.spec import Callback

ACME = Account(name="acme", vendor="openai_videos", service="compatible", base_url="https://acme.example/v1")


def death_at(point: str) -> Callable[[str], None]:
    """Return what kills this process when it comes to a point."""

    def die(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def stage_of(folder: Path, point: str, *, calls: bool) -> Stage:
    """Return an engine that dies when it comes to this point."""
    script = Script()
    adapter = CallingAcme(script) if calls else FindingAcme(script)
    stage = Stage(folder, script, adapter, (ACME,), public_url="https://video.example.test" if calls else None)
    stage.tools.checkpoint = death_at(point)
    return stage


async def main(folder: Path, point: str, url: str) -> None:
    """Make a video with a callback, until death."""
    stage = stage_of(folder, point, calls=False)
    await stage.open()
    job = stage.job()
    job = job.evolve(request=job.request.evolve(callback_url=url))
    await stage.create(job)
    print(job.id, flush=True)
    await stage.finished(job.id)


async def called(folder: Path, point: str) -> None:
    """Lose the answer to a submit and hear from the vendor, until death."""
    stage = stage_of(folder, point, calls=True)
    stage.script.submits = deque([SubmitOutcomeUnknown("the connection broke")])
    await stage.open()
    job = stage.job()
    print(job.id, flush=True)
    await stage.create(job)
    job = await stage.reaches(job.id, "submit_unknown")

    async def read() -> Callback:
        return Callback(body=json.dumps({"id": "op7"}).encode())

    await stage.engine.hear(job.id, "1", job.attempts[0].callback_secret, read)
    await stage.finished(job.id)


async def settled(folder: Path, point: str) -> None:
    """Lose the answer to a submit, and hear from an operator what became of it, until death."""
    script = Script()
    script.submits = deque([SubmitOutcomeUnknown("the connection broke")])
    script.finds = deque([UnexpectedResponse("the list is broken")])
    stage = Stage(folder, script, NamingAcme(script), (ACME,))
    stage.tools.checkpoint = death_at(point)
    await stage.open()
    job = stage.job()
    print(job.id, flush=True)
    await stage.create(job)
    await stage.reaches(job.id, "submit_unknown")
    await Submits(stage.store, stage.clock).settle(job.id, "made", by="ada", key="op7")
    await stage.finished(job.id)


async def parting(folder: Path, point: str, way: str) -> None:
    """Finish a video with an input of its own at a vendor that deletes its copies, then part with it, until death."""
    stage = parting_stage(folder, point)
    if way == "expiring":
        stage.tools.limits = stage.tools.limits.evolve(retention_seconds=0.0)
    await stage.open()
    job = await stage.with_input(stage.job())
    print(job.id, flush=True)
    await stage.create(job)
    job = await stage.finished(job.id)
    if way == "deleting":
        await stage.engine.part_with(job)
    await stage.engine._cleaner.clean()
    raise AssertionError(f"came past {point} alive")


def parting_stage(folder: Path, point: str) -> Stage:
    """Return an engine whose vendor deletes what it is asked to, and that dies when it comes to this point."""
    script = Script()
    account = ACME.evolve(delete_after_collect=True)
    stage = Stage(folder, script, DeletingAcme(script), (account,))
    stage.tools.checkpoint = death_at(point)
    return stage


if __name__ == "__main__":
    configure_logging(level="error")
    place, where, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    match what:
        case "called":
            asyncio.run(called(place, where))
        case "settled":
            asyncio.run(settled(place, where))
        case "deleting" | "expiring" | "forgetting":
            asyncio.run(parting(place, where, what))
        case url:
            asyncio.run(main(place, where, url))
