"""Results fetched from a server that misbehaves in every way we could think of: what is kept is one file, whole, or nothing."""

import asyncio
import gzip
import random
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.engine.loopback import running
from tests.engine.scripted import VIDEO, FindingAcme, Script, Stage
from tests.engine.shelf import Shelf

from reelway.core.failures import FailureKind
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.core.videos import Variant
from reelway.engine.account import Account
from reelway.engine.driver import Driver
from reelway.engine.transport import TimeLimits, Transport
from reelway.vendors.spec import Download, HttpRequest, Succeeded, VendorOutput

OTHER = b"a film of a cat" * 100
"""As long as the right one, and not believed by the eyes of the stage."""
SIZE = len(VIDEO)


class Scene:
    """A stage whose downloads go over real sockets to a shelf."""

    def __init__(self, stage: Stage, shelf: Shelf) -> None:
        self.stage = stage
        self.shelf = shelf

    async def made(self, **changes: Any) -> Job:
        """Make one video, and see to it that the bytes under its key are the ones on record, and the vendor's."""
        job = self.stage.job(**changes)
        await self.stage.create(job)
        job = await self.stage.finished(job.id)
        if job.state is State.COMPLETED:
            for output in job.outputs:
                pieces = self.stage.assets.read(output.files[Variant.VIDEO].key)
                assert b"".join([piece async for piece in pieces]) == VIDEO
        return job

    @property
    def ranges(self) -> list[str]:
        return [wanted for _, wanted, _ in self.shelf.asked]


def at(*paths: str) -> Succeeded:
    """Return what a vendor says whose files lie at these paths."""
    downloads = [Download(request=HttpRequest(method="GET", path=path)) for path in paths]
    return Succeeded(outputs=tuple(VendorOutput(video=download) for download in downloads))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with running() as vendor:
        shelf = Shelf(VIDEO)
        vendor.handler = shelf.answer
        script = Script()
        account = Account(
            name="acme", vendor="openai_videos", service="compatible", base_url=vendor.url, private_network=True
        )
        stage = Stage(tmp_path, script, FindingAcme(script), (account,))
        limits = TimeLimits(connect=2.0, read=5.0, total=5.0, download_total=20.0)
        transport = Transport(stage.assets, limits, lambda blob: "")
        stage.tools.driver = Driver(transport, stage.clock)
        watch_writers(stage, shelf)
        await stage.open()
        yield Scene(stage, shelf)
        await stage.close()
        await transport.close()


def watch_writers(stage: Stage, shelf: Shelf) -> None:
    """Let the shelf know how much of its file has been written down."""
    make = stage.assets.writer

    def writer(key: str, *, limit_bytes: int) -> Any:
        made = make(key, limit_bytes=limit_bytes)
        if key.endswith("video.mp4"):
            shelf.written = lambda: made.bytes_written
        return made

    stage.assets.writer = writer  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("cut", [0, 1, 2, 699, SIZE - 1])
async def test_a_download_that_breaks_anywhere_goes_on_there(scene: Scene, cut: int) -> None:
    """The second request asks for the missing bytes, of the very same file."""
    scene.shelf.tricks.append(scene.shelf.cuts(cut))
    assert (await scene.made()).state is State.COMPLETED
    assert scene.shelf.asked[1:] == [("/v", f"bytes={cut}-", '"fox"') if cut else ("/v", "", "")]


async def test_as_long_as_more_arrives_it_goes_on(scene: Scene) -> None:
    """Forty cuts at random places; no byte is asked for twice."""
    pieces = random.Random(5)
    scene.shelf.tricks.extend(scene.shelf.cuts(pieces.randint(1, 30)) for _ in range(40))
    assert (await scene.made()).state is State.COMPLETED
    starts = [int(wanted.removeprefix("bytes=").removesuffix("-") or 0) for wanted in scene.ranges]
    assert starts == sorted(set(starts))
    assert len(starts) == 41


async def test_a_server_that_ignores_ranges_begins_anew(scene: Scene) -> None:
    """A 200 is the whole file again, not the rest."""

    async def whole(request: web.Request) -> web.StreamResponse:
        return web.Response(body=VIDEO, headers={"ETag": '"fox"'})

    scene.shelf.tricks.extend([scene.shelf.cuts(700), whole])
    assert (await scene.made()).state is State.COMPLETED


async def test_a_file_that_changed_meanwhile_is_fetched_whole(scene: Scene) -> None:
    """If-Range with the old validator: the server gives the new file from its beginning."""
    scene.shelf.tricks.append(scene.shelf.cuts(700, data=OTHER, etag='"cat"'))
    assert (await scene.made()).state is State.COMPLETED
    assert scene.shelf.asked[1:] == [("/v", "bytes=700-", '"cat"')]


@pytest.mark.parametrize(
    "answer",
    [
        {"etag": '"cat"'},
        {"etag": 'W/"fox"'},
        {"etag": ""},
        {"headers": {"Content-Range": f"bytes 0-{SIZE - 701}/{SIZE}"}},
        {"headers": {"Content-Range": f"bytes 701-{SIZE - 1}/{SIZE}"}},
        {"headers": {"Content-Range": f"bytes 700-{SIZE - 1}/{SIZE + 1}"}},
        {"headers": {"Content-Range": f"bytes 700-{SIZE}/{SIZE}"}},
        {"headers": {"Content-Range": "bytes 700-"}},
        {"headers": {"Content-Range": ""}},
    ],
    ids=str,
)
async def test_a_rest_that_is_not_surely_of_the_same_file_is_not_taken(scene: Scene, answer: dict[str, Any]) -> None:
    """A server that minds no validator, or does not know its places: not one byte of it is used."""

    async def rest(request: web.Request) -> web.StreamResponse:
        return await scene.shelf.give(request, data=OTHER, minds_validators=False, **answer)

    scene.shelf.tricks.extend([scene.shelf.cuts(700), rest])
    assert (await scene.made()).state is State.COMPLETED
    assert scene.ranges == ["", "bytes=700-", ""]


async def test_a_file_that_became_shorter_begins_anew(scene: Scene) -> None:
    """416: there is nothing where it broke."""
    scene.shelf.tricks.extend([scene.shelf.cuts(700), scene.shelf.says(416)])
    assert (await scene.made()).state is State.COMPLETED
    assert scene.ranges == ["", "bytes=700-", ""]


@pytest.mark.parametrize(
    ("headers", "is_sure"),
    [
        ({"Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT", "Date": "Tue, 24 Nov 2026 10:05:00 GMT"}, True),
        ({"Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT", "Date": "Tue, 24 Nov 2026 10:00:30 GMT"}, False),
        ({"Last-Modified": "yesterday", "Date": "Tue, 24 Nov 2026 10:00:30 GMT"}, False),
        ({"Date": "Tue, 24 Nov 2026 10:05:00 GMT"}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("etag", ["", 'W/"fox"'])
async def test_without_a_strong_validator_nothing_is_resumed(
    scene: Scene, headers: dict[str, str], is_sure: bool, etag: str
) -> None:
    """A time of change is one when it is old enough; a weak tag never is."""
    scene.shelf.etag, scene.shelf.headers = etag, headers
    scene.shelf.tricks.append(scene.shelf.cuts(700))
    assert (await scene.made()).state is State.COMPLETED
    expected = ("/v", "bytes=700-", headers["Last-Modified"]) if is_sure else ("/v", "", "")
    assert scene.shelf.asked[1:] == [expected]


async def test_a_length_that_is_too_short_is_found_out(scene: Scene) -> None:
    """What arrives whole by its own word, and does not decode, is asked for anew; it was never visible."""

    async def short(request: web.Request) -> web.StreamResponse:
        return web.Response(body=VIDEO[:900], headers={"ETag": '"fox"'})

    scene.shelf.tricks.append(short)
    job = await scene.made()
    assert job.state is State.COMPLETED
    assert job.collect_failures == 1
    assert [one.key async for one in scene.stage.assets.listed(f"videos/{job.id}")] != []
    assert {one.bytes async for one in scene.stage.assets.listed(f"videos/{job.id}")} == {SIZE, len(b"picture")}


async def test_a_length_that_is_too_long_is_not_believed_for_ever(scene: Scene) -> None:
    """The connection ends before the file does; there is no more where it broke, so it begins anew."""

    async def long(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"ETag": '"fox"', "Content-Length": str(SIZE + 100)})
        await response.prepare(request)
        return await scene.shelf.cut(request, response, VIDEO)

    scene.shelf.tricks.append(long)
    assert (await scene.made()).state is State.COMPLETED
    assert scene.ranges == ["", f"bytes={SIZE}-", ""]


async def test_a_chunked_answer_that_ends_early_is_not_the_file(scene: Scene) -> None:
    """Without its last chunk it is broken off, however much of it decodes."""

    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"ETag": '"fox"'})
        response.enable_chunked_encoding()
        await response.prepare(request)
        return await scene.shelf.cut(request, response, VIDEO[:800])

    scene.shelf.tricks.append(chunked)
    job = await scene.made()
    assert (job.state, job.collect_failures) == (State.COMPLETED, 0)


async def test_a_chunked_answer_that_is_whole_is_the_file(scene: Scene) -> None:
    """Nobody has said how long it is."""

    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, SIZE, 100):
            await response.write(VIDEO[start : start + 100])
        return response

    scene.shelf.tricks.append(chunked)
    assert (await scene.made()).state is State.COMPLETED
    assert len(scene.shelf.asked) == 1


async def test_a_compressed_answer_is_unpacked_and_never_resumed(scene: Scene) -> None:
    """Nobody asked for it; its lengths and places are not those of the file."""
    packed = gzip.compress(VIDEO)

    async def compressed(request: web.Request) -> web.StreamResponse:
        headers = {"ETag": '"fox"', "Content-Encoding": "gzip", "Content-Length": str(len(packed))}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        if len(scene.shelf.asked) == 1:
            assert request.transport is not None
            await response.write(packed[: len(packed) // 2])
            request.transport.close()
            return response
        await response.write(packed)
        return response

    scene.shelf.tricks.extend([compressed, compressed])
    assert (await scene.made()).state is State.COMPLETED
    assert scene.ranges == ["", ""]


async def test_an_answer_that_stalls_is_left(scene: Scene) -> None:
    """After a silence that is too long the rest is asked for anew."""
    stalls = asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"ETag": '"fox"', "Content-Length": str(SIZE)})
        await response.prepare(request)
        await response.write(VIDEO[:300])
        await stalls.wait()
        return response

    transport = Transport(scene.stage.assets, TimeLimits(connect=2.0, read=0.2), lambda blob: "")
    scene.stage.tools.driver = Driver(transport, scene.stage.clock)
    scene.shelf.tricks.append(stall)
    assert (await scene.made()).state is State.COMPLETED
    assert scene.ranges == ["", "bytes=300-"]
    stalls.set()
    await transport.close()


async def test_a_drip_without_end_is_ended_by_the_clock(scene: Scene) -> None:
    """A byte now and then keeps no silence: the time limit of the whole file holds, over all connections."""
    ended = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"ETag": '"fox"', "Content-Length": str(SIZE)})
        await response.prepare(request)
        for byte in VIDEO[: SIZE // 2]:
            await response.write(bytes([byte]))
            await asyncio.sleep(0.05)
            if ended.is_set():
                break
        return response

    scene.stage.tools.limits = scene.stage.tools.limits.evolve(download_seconds=0.3)
    scene.shelf.tricks.append(drip)
    job = await scene.made()
    ended.set()
    assert job.state is State.COMPLETED
    [told] = [one for one in await scene.stage.store.events(job.id) if one.name == "download_failed"]
    assert "took longer than 0.3 s" in told.detail["reason"]


async def test_redirects_are_followed_and_belong_to_the_address(scene: Scene) -> None:
    """The rest comes from the place where the beginning came from; from another one it is not taken, whatever its tag."""
    shelf = scene.shelf

    async def home(request: web.Request) -> web.StreamResponse:
        place = {1: "/cdn-1?sig=a", 3: "/cdn-1?sig=b", 5: "/cdn-2?sig=c"}.get(len(shelf.asked), "/cdn-2?sig=d")
        return web.Response(status=302, headers={"Location": place})

    async def cdn_2(request: web.Request) -> web.StreamResponse:
        return await shelf.give(request, data=OTHER if len(shelf.asked) == 6 else VIDEO)

    shelf.tricks.extend([home, shelf.cuts(100), home, shelf.cuts(100), home, cdn_2, home, cdn_2])
    assert (await scene.made()).state is State.COMPLETED
    assert [(path.partition("?")[0], wanted) for path, wanted, _ in shelf.asked if path != "/v"] == [
        ("/cdn-1", ""),
        ("/cdn-1", "bytes=100-"),
        ("/cdn-2", "bytes=200-"),
        ("/cdn-2", ""),
    ]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_link_that_expires_on_the_way_is_renewed(scene: Scene, status: int) -> None:
    """The vendor is asked for a fresh one, and of the same file only the rest is fetched."""
    scene.stage.script.checks = deque([at("/v?sig=a"), at("/v?sig=b")])
    scene.shelf.tricks.extend([scene.shelf.cuts(700), scene.shelf.says(status)])
    job = await scene.made()
    assert (job.state, job.collect_failures) == (State.COMPLETED, 0)
    assert scene.shelf.asked == [
        ("/v?sig=a", "", ""),
        ("/v?sig=a", "bytes=700-", '"fox"'),
        ("/v?sig=b", "bytes=700-", '"fox"'),
    ]


async def test_a_fresh_link_to_another_file_begins_anew(scene: Scene) -> None:
    """Its validator says so, or its address does: what came under the old link is forgotten."""
    scene.stage.script.checks = deque([at("/old"), at("/new")])
    scene.shelf.tricks.extend([scene.shelf.cuts(700, data=OTHER), scene.shelf.says(403)])
    assert (await scene.made()).state is State.COMPLETED
    assert scene.shelf.asked[-1] == ("/new", "", "")


async def test_a_result_that_is_gone_for_good_fails_in_the_end(scene: Scene) -> None:
    """Fresh links that give nothing: the vendor has lost it, and a few looks later we say so."""
    scene.shelf.tricks.extend(scene.shelf.says(404) for _ in range(50))
    job = await scene.made()
    assert job.failure is not None
    assert job.failure.kind is FailureKind.VENDOR_ERROR
    assert "404" in job.failure.message
    assert len(scene.stage.script.looked) == 6
    assert await scene.stage.ledger(job.id) == ["reserve", "release"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_an_outage_is_waited_out_and_told_once(scene: Scene, status: int) -> None:
    """However often the vendor cannot just now: what was paid for is not given up for that."""
    scene.shelf.tricks.extend(scene.shelf.says(status, Retry_After="0") for _ in range(40))
    job = await scene.made()
    assert (job.state, job.collect_failures) == (State.COMPLETED, 0)
    story = await scene.stage.story(job.id)
    assert story.count("download_failed") == 1
    assert story[-2:] == ["download_failed", "kept"]


async def test_an_outage_of_more_than_a_day_is_the_end(scene: Scene) -> None:
    """A caller is not kept waiting for ever."""
    scene.stage.tools.limits = scene.stage.tools.limits.evolve(collect_seconds=0.05)
    scene.shelf.tricks.extend(scene.shelf.says(503) for _ in range(1000))
    job = await scene.made()
    assert job.failure is not None
    assert "could not be stored for a day" in job.failure.message


async def test_a_file_beyond_the_limit_is_refused_at_its_first_byte(scene: Scene) -> None:
    """By what the server says of its length, or by the byte that is too many."""
    scene.stage.tools.limits = scene.stage.tools.limits.evolve(output_bytes=SIZE - 1)
    job = await scene.made()
    assert job.failure is not None
    assert job.failure.kind is FailureKind.MEDIA_INVALID
    assert f"larger than the {SIZE - 1:,} bytes" in job.failure.message
    assert [one async for one in scene.stage.assets.listed("videos")] == []


async def test_a_broken_output_does_not_cost_the_others_a_second_time(scene: Scene) -> None:
    """Of three files the middle one is a part at first: the other two are fetched once."""
    scene.stage.script.checks = deque([at("/0", "/1", "/2")])

    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(body=OTHER)

    scene.shelf.tricks.extend([scene.shelf.honest, broken])
    job = await scene.made()
    assert [output.index for output in job.outputs] == [0, 1, 2]
    assert [path for path, _, _ in scene.shelf.asked] == ["/0", "/1", "/2", "/1"]
    assert job.kept == ()
