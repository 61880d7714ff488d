"""Whoever waits at one node for a video of another's, with the signals between them carried and lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.engine.fleet import PUBLIC, FleetStage, Wire
from tests.engine.scripted import Script

from reelway.core.keys import Caller
from reelway.core.lifecycle import Status
from reelway.service.contents import ContentKeeper
from reelway.service.reading import Reader
from reelway.service.unheard import Unheard

CALLER = Caller(tenant="default", key_id="key", scopes=("create", "read"))


@pytest.fixture(params=[False, True], ids=["signals", "no signals"])
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[FleetStage, FleetStage]]:
    """One node that makes videos, and one at which callers ask for them."""
    wire, script = Wire(), Script()
    wire.is_cut = request.param
    stages = (FleetStage(tmp_path, script, wire, "making"), FleetStage(tmp_path, script, wire, "asked", role="api"))
    for stage in stages:
        await stage.open()
    yield stages
    for stage in stages:
        await stage.close()


def reader_at(stage: FleetStage) -> Reader:
    return Reader(
        store=stage.store,
        contents=ContentKeeper(stage.assets, b"secret", PUBLIC),
        engine=stage.engine,
        unheard=Unheard(1.0),
        clock=time.time,
        b64_json_bytes=0,
        longest_wait_seconds=60.0,
        look_seconds=0.05,
    )


async def test_a_long_poll_ends_with_the_video(nodes: tuple[FleetStage, FleetStage]) -> None:
    """Not with its time limit."""
    making, asked = nodes
    job = making.job()
    await making.create(job)
    async with asyncio.timeout(20):
        video = await reader_at(asked).read(job.id, CALLER, wait_seconds=60.0)
    assert video.status is Status.COMPLETED


async def test_events_are_told_to_the_last(nodes: tuple[FleetStage, FleetStage]) -> None:
    """The stream ends with the video, and its progress never goes back."""
    making, asked = nodes
    job = making.job()
    await making.create(job)
    async with asyncio.timeout(20):
        events = [event async for event in reader_at(asked).events(job.id, CALLER)]
    assert events[-1].type == "video.completed"
    assert [event.video.progress for event in events] == sorted(event.video.progress for event in events)


async def test_nobody_is_kept_waiting_by_a_node_that_ends(nodes: tuple[FleetStage, FleetStage]) -> None:
    """A long poll is answered with the video as it is: the caller asks again elsewhere."""
    making, asked = nodes
    making.script.gate = asyncio.Event()
    job = making.job()
    await making.create(job)
    waiting = asyncio.create_task(reader_at(asked).read(job.id, CALLER, wait_seconds=60.0))
    await asyncio.sleep(0.1)
    asked.engine.part()
    async with asyncio.timeout(5):
        assert (await waiting).status is Status.QUEUED
        assert (await reader_at(asked).read(job.id, CALLER, wait_seconds=60.0)).status is Status.QUEUED
    making.script.gate.set()
