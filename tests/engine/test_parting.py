"""Parting with a video: after its deletion or expiry there is no row, no file and no copy, whatever dies on the way."""

import asyncio
import hashlib
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.dying import parting_stage
from tests.engine.scripted import VIDEO, DeletingAcme, Eyes, FindingAcme, Script, Stage

from reelway.core.errors import StorageFailed, VendorUnreachable
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.core.videos import Variant
from reelway.engine.account import Account
from reelway.engine.sweeping import Sweeper
from reelway.media.spec import VideoFacts
from reelway.vendors.spec import Accepted

REPOSITORY = Path(__file__).parents[2]
DAY = 86_400.0
ACCOUNT = Account(
    name="acme", vendor="openai_videos", service="compatible", base_url="https://a.example", delete_after_collect=True
)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def stage(tmp_path: Path, script: Script) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path, script, DeletingAcme(script), (ACCOUNT,))
    await stage.open()
    yield stage
    await stage.close()


async def made(stage: Stage, **changes: Any) -> Job:
    """Make one video from an uploaded image; the vendor calls the first one `op1`."""
    key = f"op{len(stage.script.submitted) + 1}"
    stage.script.submits = deque([Accepted(operation={"id": key}, key=key, poll_after_seconds=0.0)])
    job = await stage.with_input(stage.job(**changes))
    await stage.create(job)
    return await stage.finished(job.id)


async def cleaned(stage: Stage, *, after: float = 0.0) -> None:
    stage.now += after
    await stage.engine._cleaner.clean()


# --- deletion


async def test_a_deleted_video_leaves_nothing_but_a_tombstone(stage: Stage, script: Script) -> None:
    """No row, no file, neither what was uploaded nor what was fetched for it, no errand, no copy at the vendor."""
    other, job = await made(stage), await made(stage)
    async with stage.assets.writer(f"inputs/{job.id}/fetched", limit_bytes=10) as writer:
        await writer.write(b"x")
        await writer.commit()
    await cleaned(stage)
    script.deleted.clear()

    await stage.engine.part_with(job)

    assert await stage.store.get(job.id) is None
    assert await stage.store.tombstone_tenant(job.id) == job.tenant
    left = await stage.files()
    assert len(left) == 5
    assert not [key for key in left if job.id in key or job.request.inputs[0].blob.key == key]  # type: ignore[union-attr]
    await cleaned(stage)
    assert await stage.store.errands(job.id) == ()
    assert (await stage.store.get(other.id)) is not None


async def test_takes_go_with_their_video(stage: Stage, script: Script) -> None:
    """Their files, and each one's copy at the vendor."""
    script.submits = deque(script.submits[0].evolve(operation={"id": key}, key=key) for key in ("a", "b"))
    takes = tuple(stage.job(reserved=0, take=number) for number in range(2))
    job = stage.job(takes=tuple(take.id for take in takes))
    await stage.create(job, tuple(take.evolve(parent=job.id) for take in takes))
    job = await stage.finished(job.id)
    assert len(await stage.files()) == 8

    await stage.engine.part_with(job)
    await cleaned(stage)

    assert await stage.files() == []
    assert await stage.store.get_many((job.id, *job.takes)) == ()
    assert sorted(set(script.deleted)) == ["a", "b"]


async def test_bytes_that_cannot_be_removed_now_are_removed_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is away keeps no caller from deleting; the errand is tried until it succeeds."""
    job = await made(stage)
    real, away = stage.assets.delete_under, True

    async def refuse(prefix: str) -> int:
        if away:
            raise StorageFailed("503 SlowDown")
        return await real(prefix)

    monkeypatch.setattr(stage.assets, "delete_under", refuse)
    await stage.engine.part_with(job)
    assert await stage.store.get(job.id) is None
    assert await stage.files() != []
    [left] = [one for one in await stage.store.errands(job.id) if one.id.startswith("delete")]
    assert left.tries > 0
    assert left.last_answer == "503 SlowDown"
    away = False
    await cleaned(stage, after=3600)
    assert await stage.files() == []
    assert await stage.store.errands(job.id) == ()


@pytest.mark.parametrize(
    ("way", "point"),
    [
        ("deleting", "deleted"),
        ("deleting", "delete_run"),
        ("expiring", "expired"),
        ("expiring", "expire_run"),
        ("forgetting", "completed"),
        ("forgetting", "forgotten"),
        ("forgetting", "forget_run"),
    ],
)
async def test_death_on_the_way_is_no_end(tmp_path: Path, way: str, point: str) -> None:
    """Killed there by SIGKILL: the next process finishes what was begun, and nothing is done twice in the story."""
    video_id = await dead(tmp_path, point, way)
    stage = parting_stage(tmp_path, "nowhere")
    stage.now += 3600  # the holds of the dead are over
    await stage.open()
    await stage.engine._cleaner.clean()
    async with asyncio.timeout(20):
        while await stage.store.errands(video_id):
            await asyncio.sleep(0.01)  # the engine's own duty may have taken it
    job, files = await stage.store.get(video_id), [key for key in await stage.files() if video_id in key]
    story = await stage.story(video_id)
    await stage.close()
    match way:
        case "deleting":
            assert (job, files, story) == (None, [], [])
            assert is_empty(tmp_path)
        case "expiring":
            assert job is not None
            assert job.expired
            assert (files, story.count("expired")) == ([], 1)
        case "forgetting":
            assert job is not None
            assert job.vendor_copy == "deleted"
            assert (len(files), story.count("vendor_copy_deleted")) == (4, 1)
            assert point != "completed" or stage.script.deleted == ["op1"]


def is_empty(folder: Path) -> bool:
    """Tell whether not one file is in the asset folder, under whatever name."""
    return not [path for path in (folder / "assets").rglob("*") if path.is_file() and ".scratch" not in path.parts]


async def dead(folder: Path, point: str, way: str) -> str:
    """Run an engine until it kills itself; return the id of its video."""
    dying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engine.dying", str(folder), point, way),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(("src", "."))},
    )
    async with asyncio.timeout(30):
        output, _ = await dying.communicate()
    assert dying.returncode == -signal.SIGKILL
    return output.decode().split()[0]


# --- expiry


async def test_an_expired_video_says_so_before_its_bytes_go(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who comes in between hears that they expired, and never finds a link to nothing."""
    stage.tools.limits = stage.tools.limits.evolve(retention_seconds=0.0)
    job = await made(stage)
    seen: list[bool] = []
    real = stage.assets.delete_under

    async def look(prefix: str) -> int:
        found = await stage.store.get(job.id)
        seen.append(found is not None and found.expired)
        return await real(prefix)

    monkeypatch.setattr(stage.assets, "delete_under", look)
    await cleaned(stage)
    assert seen == [True]
    assert [key for key in await stage.files() if key.startswith("videos")] == []


async def test_several_nodes_expire_a_video_once(stage: Stage, tmp_path: Path) -> None:
    """Both clean at the same moment: one event, and no error."""
    stage.tools.limits = stage.tools.limits.evolve(retention_seconds=0.0)
    jobs = [await made(stage) for _ in range(5)]
    async with second_node(stage, tmp_path) as other:
        await asyncio.gather(cleaned(stage), cleaned(other), cleaned(stage), cleaned(other))
        await cleaned(stage, after=60)
    for job in jobs:
        assert (await stage.story(job.id)).count("expired") == 1
    assert [key for key in await stage.files() if key.startswith("videos")] == []


async def test_inputs_expire_by_their_age(stage: Stage) -> None:
    """Once for all nodes, and again an hour later."""
    await made(stage)
    await cleaned(stage)
    assert len([key for key in await stage.files() if key.startswith("inputs")]) == 1
    await cleaned(stage, after=stage.tools.limits.input_retention_seconds * 1000)
    assert [key for key in await stage.files() if key.startswith("inputs")] == []


# --- copies at vendors


async def test_the_vendors_copy_is_deleted_once_ours_is_stored(stage: Stage, script: Script) -> None:
    """The story says so; the video may not be named to the vendor any more."""
    job = await made(stage)
    assert job.vendor_copy == "deleting"
    await cleaned(stage)
    job = await stage.finished(job.id)
    assert (job.vendor_copy, set(script.deleted)) == ("deleted", {"op1"})
    assert (await stage.story(job.id))[-2:] == ["kept", "vendor_copy_deleted"]
    assert await stage.store.errands(job.id) == ()


async def test_nothing_is_deleted_at_a_vendor_that_was_not_asked_to(tmp_path: Path, script: Script) -> None:
    """Neither after collecting nor with the video."""
    stage = Stage(tmp_path, script, DeletingAcme(script), (ACCOUNT.evolve(delete_after_collect=False),))
    await stage.open()
    job = await made(stage)
    assert job.vendor_copy == "kept"
    await stage.engine.part_with(job)
    await cleaned(stage)
    assert script.deleted == []
    await stage.close()


async def test_a_vendor_that_cannot_delete_is_not_asked(tmp_path: Path, script: Script) -> None:
    """The operator is told at the start."""
    stage = Stage(tmp_path, script, FindingAcme(script), (ACCOUNT,))
    await stage.open()
    job = await made(stage)
    assert job.vendor_copy == "kept"
    assert await stage.store.errands(job.id) == ()
    await stage.close()


async def test_a_vendor_that_does_not_delete_is_asked_for_three_days(stage: Stage, script: Script) -> None:
    """Then it is left to the operator, who finds it among what was given up; the caller's video is not touched by it."""
    script.deletes = deque([VendorUnreachable("503")])
    job = await made(stage)
    for _ in range(80):
        await cleaned(stage, after=3600)
    [given_up] = await stage.store.given_up_errands(10)
    assert (given_up.job_id, given_up.last_answer) == (job.id, "503")
    assert given_up.tries > 30
    assert (await stage.story(job.id))[-1] == "vendor_copy_stuck"
    assert (await stage.finished(job.id)).state is State.COMPLETED
    assert script.deleted == []


async def test_a_vendor_that_deletes_late_has_deleted(stage: Stage, script: Script) -> None:
    """Also when the video itself was deleted meanwhile."""
    script.deletes = deque([VendorUnreachable("503"), VendorUnreachable("503"), None])
    job = await made(stage)
    await cleaned(stage)
    await stage.engine.part_with(job)
    for _ in range(3):
        await cleaned(stage, after=3600)
    assert script.deleted == ["op1"]
    assert await stage.store.errands(job.id) == ()


# --- orphans


async def test_what_a_late_node_commits_destroys_nothing(stage: Stage, tmp_path: Path, script: Script) -> None:
    """A node frozen while it collects loses its job to another; its own commit comes last, and the record stays true."""
    frozen, thawed = asyncio.Event(), asyncio.Event()

    class Believing(Eyes):
        """Takes any bytes for a film, and freezes over those of the first node."""

        async def video_facts(self, path: Path) -> VideoFacts:
            if path.read_bytes() != VIDEO:
                frozen.set()
                await thawed.wait()
            return VideoFacts(
                media_type="video/mp4", seconds=4.0, width=1, height=1, fps=24.0, has_audio=True, codec="h264"
            )

    stage.tools.media = Believing()
    script.downloads = deque([b"another encoding of the same film", VIDEO])
    job = stage.job()
    await stage.create(job)
    await frozen.wait()
    async with second_node(stage, tmp_path, later=100.0) as other:
        other.tools.media = Believing()
        done = await other.finished(job.id)
        thawed.set()
        while len(await stage.files()) < 8:
            await asyncio.sleep(0)
        blob = done.outputs[0].files[Variant.VIDEO]
        kept = b"".join([piece async for piece in other.assets.read(blob.key)])
        assert hashlib.sha256(kept).hexdigest() == blob.sha256 == done.outputs[0].sha256
        assert kept == VIDEO
        assert (await other.story(job.id)).count("kept") == 1

        assert await Sweeper(other.tools).sweep() == 0
        other.now += 1000 * DAY
        assert await Sweeper(other.tools).sweep() == 4
        assert await other.files() == sorted(file.key for file in done.outputs[0].files.values())


async def test_the_sweeper_takes_only_what_a_record_disowns(stage: Stage) -> None:
    """Files of deleted and expired videos go; those of other databases, of work under way, and young ones stay."""
    job, gone = await made(stage), await made(stage)
    waiting = stage.job(owner=None, epoch=0)
    await stage.create(waiting)
    await stage.engine.part_with(gone)
    late = [f"videos/{one.id}/0/late/video.mp4" for one in (job, gone, waiting)]
    unknown = "videos/video_of_another_database/0/x/video.mp4"
    for key in (*late, unknown):
        async with stage.assets.writer(key, limit_bytes=10) as writer:
            await writer.write(b"x")
            await writer.commit()
    before = await stage.files()
    sweeper = Sweeper(stage.tools)
    stage.now = max([one.written_at async for one in stage.assets.listed("videos")]) + DAY - 60
    assert await sweeper.sweep() == 0
    stage.now += 120
    assert await sweeper.sweep() == 2
    assert await stage.files() == [key for key in before if key not in late[:2]]


class second_node:  # noqa: N801 - used as a function
    """Another engine on the same database and the same files, in a later moment of its own clock."""

    def __init__(self, first: Stage, folder: Path, *, later: float = 0.0) -> None:
        self._first = first
        self._stage = Stage(folder, first.script, DeletingAcme(first.script), (ACCOUNT,))
        self._stage.now = first.now + later
        self._stage.ticks = first.ticks
        self._stage.engine._rescuer._node = "other"
        self._stage.assets = self._stage.tools.assets = first.assets
        self._stage.tools.limits = first.tools.limits

    async def __aenter__(self) -> Stage:
        await self._stage.store.open()
        await self._stage.engine.start()
        return self._stage

    async def __aexit__(self, *_: object) -> None:
        await self._stage.engine.stop()
        await self._stage.store.close()
