"""Inputs that a vendor takes as bytes only: fetched before anything is written down as sent, and again where they may come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from tests.engine.loopback import Vendor, running
from tests.engine.scripted import LIMITS, FindingAcme, Script, Stage
from tests.engine.test_engine import ACME

from reelway.core.failures import FailureKind
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.engine.fetcher import Fetcher

PICTURE = b"\x89PNG\r\n\x1a\n" + b"a fox"


class Bytes(FindingAcme):
    """Takes nothing by address."""

    url_kinds: frozenset[MediaKind] = frozenset()


@asynccontextmanager
async def staged(folder: Path, script: Script) -> AsyncIterator[tuple[Stage, Vendor]]:
    """Run an engine beside a server that has the caller's pictures."""
    async with running() as server:
        stage = Stage(folder, script, Bytes(script), (ACME,))
        stage.tools.fetcher = Fetcher(stage.assets, lambda: "inputs/x", allowed_hosts=frozenset({"127.0.0.1"}))
        await stage.open()
        try:
            yield stage, server
        finally:
            await stage.close()
            await stage.tools.fetcher.close()


def asking(stage: Stage, server: Vendor) -> Job:
    """Return the job of a caller who gave an address."""
    job = stage.job()
    given = Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, url=f"{server.url}/fox.png")
    return job.evolve(request=job.request.evolve(mode=Mode.I2V, inputs=(given,)))


async def picture(request: web.Request) -> web.Response:
    return web.Response(body=PICTURE, content_type="image/png")


async def test_an_address_that_is_out_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    """Its server restarts, say; the vendor gets one submit, with the bytes."""
    script = Script()
    async with staged(tmp_path, script) as (stage, server):

        async def at_the_third_time(request: web.Request) -> web.Response:
            return web.Response(status=503) if len(server.requests) < 3 else await picture(request)

        server.handler = at_the_third_time
        job = asking(stage, server)
        await stage.create(job)
        ended = await stage.finished(job.id)

    assert ended.state is State.COMPLETED
    assert len(server.requests) == 3
    assert [attempt.number for attempt in ended.attempts] == [1]
    (submission,) = script.submitted
    (given,) = submission.request.inputs
    assert given.url is None
    assert given.blob is not None
    assert given.blob.bytes == len(PICTURE)


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (503, 1 + LIMITS.fetch_tries)])
async def test_an_address_that_gives_nothing_ends_the_video_before_anything_was_sent(
    tmp_path: Path, status: int, requests: int
) -> None:
    """At once where asking again is no use; free of charge, without an attempt, and the message says which input it was."""
    script = Script()
    async with staged(tmp_path, script) as (stage, server):

        async def nothing(request: web.Request) -> web.Response:
            return web.Response(status=status)

        server.handler = nothing
        job = asking(stage, server)
        await stage.create(job)
        ended = await stage.finished(job.id)
        entries = await stage.store.entries(job.id)

    assert ended.failure is not None
    assert ended.failure.kind is FailureKind.INVALID_REQUEST
    assert f"first_frame 1 could not be fetched: the server answered {status}" in ended.failure.message
    assert len(server.requests) == requests
    assert (ended.attempts, script.submitted) == ((), [])
    assert [entry.kind for entry in entries] == ["reserve", "release"]


async def test_dying_while_bytes_are_on_their_way_leaves_no_attempt(tmp_path: Path) -> None:
    """Nothing can have been sent yet, so whoever takes the job over begins anew instead of looking for lost work."""
    script = Script()
    async with staged(tmp_path, script) as (stage, server):
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(request: web.Request) -> web.Response:
            asked.set()
            await go_on.wait()
            return await picture(request)

        server.handler = slowly
        job = asking(stage, server)
        await stage.create(job)
        await asked.wait()
        on_disk = await stage.store.get(job.id)
        assert on_disk is not None
        assert (on_disk.state, on_disk.attempts) == (State.QUEUED, ())
        go_on.set()
        assert (await stage.finished(job.id)).state is State.COMPLETED
