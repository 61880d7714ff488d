"""An engine that kills its own process at one of its named points: `python -m tests.engine.dying FOLDER POINT URL`."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.engine.scripted import FindingAcme, Script, Stage

from reelway.engine.account import Account

ACME = Account(name="acme", vendor="openai_videos", service="compatible", base_url="https://acme.example/v1")


async def main(folder: Path, point: str, url: str) -> None:
    """Make a video with a callback, until death."""
    script = Script()
    stage = Stage(folder, script, FindingAcme(script), (ACME,))

    def die(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    stage.tools.checkpoint = die
    await stage.open()
    job = stage.job()
    job = job.evolve(request=job.request.evolve(callback_url=url))
    await stage.create(job)
    print(job.id, flush=True)
    await stage.finished(job.id)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
