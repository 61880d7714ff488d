"""The media process can crash, hang or be killed; the server goes on and leaves no process behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.media.conftest import make_spec

from reelway.media.spec import MediaUnreadableError
from reelway.media.worker import MediaProcessFailed, ProcessMediaWorker, TimeLimits


async def running_process(worker: ProcessMediaWorker) -> int:
    while not worker.process_ids:
        await asyncio.sleep(0.01)
    return worker.process_ids[0]


def gone(process_id: int) -> bool:
    """Tell whether a process has ended; one that waits to be collected counts as ended."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"


async def test_does_the_whole_contract(worker: ProcessMediaWorker, photo: Path, tmp_path: Path) -> None:
    """Render, probe, picture and image facts come back from the process as values."""
    target = tmp_path / "video.mp4"
    await worker.render(make_spec(seconds=1, first_frame=photo), target)
    facts = await worker.video_facts(target)
    assert (facts.seconds, facts.width, facts.height) == (1.0, 320, 180)
    made = await worker.pictures(target, tmp_path)
    assert made.thumbnail == tmp_path / "thumbnail.webp"
    image = await worker.image_facts(made.last_frame)
    assert (image.media_type, image.width) == ("image/png", 320)


async def test_no_process_before_it_is_needed(worker: ProcessMediaWorker) -> None:
    """Starting a server costs nothing; warming up is a choice."""
    assert worker.process_ids == ()
    await worker.warm_up()
    assert len(worker.process_ids) == 1


async def test_unreadable_file_is_the_callers_news(worker: ProcessMediaWorker, tmp_path: Path) -> None:
    """The reason comes back whole, and the process lives on."""
    path = tmp_path / "picture.png"
    path.write_text("hello")
    with pytest.raises(MediaUnreadableError, match="no image, video or sound"):
        await worker.image_facts(path)
    process_id = worker.process_ids[0]
    with pytest.raises(MediaUnreadableError):
        await worker.video_facts(path)
    assert worker.process_ids == (process_id,)


async def test_missing_file_is_our_own_fault(worker: ProcessMediaWorker, tmp_path: Path) -> None:
    """A path that leads nowhere does not read like a bad upload."""
    with pytest.raises(MediaProcessFailed, match="FileNotFoundError"):
        await worker.image_facts(tmp_path / "nothing.png")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
async def test_crash_costs_one_chore(
    how: signal.Signals, worker: ProcessMediaWorker, photo: Path, tmp_path: Path
) -> None:
    """The chore under way fails with the reason; the next one gets a new process."""
    chore = asyncio.create_task(worker.render(make_spec(seconds=60), tmp_path / "video.mp4"))
    first = await running_process(worker)
    os.kill(first, how)
    with pytest.raises(MediaUnreadableError, match=how.name):
        await chore
    assert (await worker.image_facts(photo)).width == 640
    assert worker.process_ids != (first,)
    assert not (tmp_path / "video.mp4").exists()


async def test_process_that_died_idle_is_replaced(worker: ProcessMediaWorker, photo: Path) -> None:
    """A chore does not pay for a process that was killed while it had nothing to do."""
    await worker.image_facts(photo)
    os.kill(worker.process_ids[0], signal.SIGKILL)
    assert (await worker.image_facts(photo)).width == 640


async def test_hung_work_is_stopped(photo: Path, tmp_path: Path) -> None:
    """A chore beyond its time limit ends with its process, and the next one is served."""
    worker = ProcessMediaWorker(limits=TimeLimits(render=0.5))
    try:
        with pytest.raises(MediaUnreadableError, match=r"longer than 0\.5 s"):
            await worker.render(make_spec(seconds=300), tmp_path / "video.mp4")
        assert worker.process_ids == ()
        assert (await worker.image_facts(photo)).width == 640
    finally:
        await worker.close()


async def test_abandoned_work_is_stopped(worker: ProcessMediaWorker, tmp_path: Path) -> None:
    """When nobody waits any more the process does not go on."""
    chore = asyncio.create_task(worker.render(make_spec(seconds=300), tmp_path / "video.mp4"))
    await running_process(worker)
    chore.cancel()
    with pytest.raises(asyncio.CancelledError):
        await chore
    assert worker.process_ids == ()


async def test_processes_are_bounded(photo: Path) -> None:
    """Many chores share the few processes there are."""
    worker = ProcessMediaWorker(processes=2)
    try:
        facts = await asyncio.gather(*(worker.image_facts(photo) for _ in range(12)))
        assert {fact.width for fact in facts} == {640}
        assert len(worker.process_ids) == 2
    finally:
        await worker.close()


async def test_close_ends_every_process(photo: Path) -> None:
    """After close nothing runs and nothing is taken."""
    worker = ProcessMediaWorker()
    await worker.image_facts(photo)
    process_id = worker.process_ids[0]
    await worker.close()
    assert gone(process_id)
    with pytest.raises(MediaProcessFailed, match="closed"):
        await worker.image_facts(photo)


async def test_ctrl_c_does_not_reach_the_process(worker: ProcessMediaWorker, photo: Path) -> None:
    """The process sits in a session of its own and ignores SIGINT besides."""
    await worker.image_facts(photo)
    process_id = worker.process_ids[0]
    assert os.getsid(process_id) != os.getsid(0)
    os.kill(process_id, signal.SIGINT)
    await worker.image_facts(photo)
    assert worker.process_ids == (process_id,)


_SERVER = """
import asyncio, sys
from pathlib import Path
from reelway.media.render import RenderSpec
from reelway.media.worker import ProcessMediaWorker

async def main():
    worker = ProcessMediaWorker()
    await worker.warm_up()
    spec = RenderSpec(prompt="sea", model="m", seconds=300, width=640, height=360)
    chore = asyncio.create_task(worker.render(spec, Path(sys.argv[1])))
    await asyncio.sleep(0.3)
    print(worker.process_ids[0], flush=True)
    await chore

asyncio.run(main())
"""


@pytest.mark.acceptance
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_no_orphan_when_the_server_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the server in the middle of a render ends the media process too."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(tmp_path / "video.mp4")], stdout=subprocess.PIPE, text=True
    )
    with server:
        assert server.stdout is not None
        process_id = int(server.stdout.readline())
        assert not gone(process_id)
        server.kill()
    deadline = time.monotonic() + 10
    while not gone(process_id) and time.monotonic() < deadline:
        with contextlib.suppress(InterruptedError):
            time.sleep(0.02)
    assert gone(process_id)


@pytest.mark.acceptance
def test_importing_the_worker_is_cheap() -> None:
    """The server's own process never loads the heavy libraries."""
    code = "import sys, reelway.media.worker; print([name for name in ('av', 'numpy', 'PIL') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
