"""Objects in a bucket of a real S3-compatible server: the suite of all asset stores, and what goes wrong on the way there."""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.assets.conformance import MEGABYTE, AssetStoreConformance, keep, whole
from tests.assets.cutting import Wire, wire_to
from tests.objects import S3Server

from reelway.assets import object_places
from reelway.assets.objects import ObjectAssets
from reelway.assets.spec import AssetStore
from reelway.core.errors import StorageFailed

KEY = "videos/v/0/video.mp4"
FILM = bytes(number % 251 for number in range(1000)) * 21_000
"""Three parts: two whole ones, and what is left."""


class TestS3(AssetStoreConformance):
    @pytest.fixture
    async def assets(self, s3_url: str, tmp_path: Path) -> AsyncIterator[AssetStore]:
        assets = ObjectAssets(f"{s3_url}/some/folder", tmp_path / "scratch")
        await assets.open()
        yield assets
        await assets.close()


@pytest.fixture
def bucket(s3_url: str) -> str:
    return s3_url.removeprefix("s3://")


@pytest.fixture
async def assets(s3_url: str, tmp_path: Path) -> AsyncIterator[ObjectAssets]:
    assets = ObjectAssets(s3_url, tmp_path / "scratch")
    await assets.open()
    yield assets
    await assets.close()


@pytest.fixture
async def wire(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """What the stores made from here on reach the server by; they are less patient than usual."""
    monkeypatch.setitem(object_places._RETRY, "max_retries", 1)
    async with wire_to(s3.port) as wire:
        for name, value in s3.environment(port=wire.port).items():
            monkeypatch.setenv(name, value)
        yield wire


@pytest.fixture
async def by_wire(s3_url: str, wire: Wire, tmp_path: Path) -> AsyncIterator[ObjectAssets]:
    assets = ObjectAssets(s3_url, tmp_path / "wired")
    await assets.open()
    yield assets
    await assets.close()


async def send(assets: AssetStore, film: bytes = FILM) -> None:
    """Write it as a download comes."""
    async with assets.writer(KEY, limit_bytes=100 * MEGABYTE) as writer:
        for start in range(0, len(film), 300_000):
            await writer.write(film[start : start + 300_000])
        stored = await writer.commit()
    assert stored.sha256 == hashlib.sha256(film).hexdigest()


async def test_a_long_file_goes_in_parts(assets: ObjectAssets, s3: S3Server, bucket: str) -> None:
    """They are one object in the end, and go with it."""
    await send(assets)
    assert s3.objects(bucket) == {KEY: len(FILM)}
    assert len(s3.parts(bucket)) == 3
    assert await whole(assets, KEY) == FILM
    assert await whole(assets, KEY, 9_000_000, 18_000_000) == FILM[9_000_000:18_000_000]
    assert await assets.delete_under("videos/v") == 1
    assert (s3.objects(bucket), s3.parts(bucket)) == ({}, [])


async def test_parts_are_sent_while_they_come(assets: ObjectAssets, s3: S3Server, bucket: str) -> None:
    """Not only in the end; but nobody sees them, and whoever leaves takes them away."""
    async with assets.writer(KEY, limit_bytes=100 * MEGABYTE) as writer:
        for _ in range(5):
            await writer.write(b"x" * (8 * MEGABYTE))
        assert len(s3.parts(bucket)) > 1
        assert s3.objects(bucket) == {}
    assert (s3.objects(bucket), s3.parts(bucket)) == ({}, [])


async def test_a_restart_takes_the_parts_away(assets: ObjectAssets, s3: S3Server, bucket: str) -> None:
    """What a vendor cut short and cannot resume is not kept beside what comes then."""
    async with assets.writer(KEY, limit_bytes=100 * MEGABYTE) as writer:
        await writer.write(b"x" * (17 * MEGABYTE))
        await writer.restart()
        await writer.write(FILM)
        await writer.commit()
    assert await whole(assets, KEY) == FILM
    await assets.delete(KEY)
    assert s3.parts(bucket) == []


async def test_a_cancelled_upload_leaves_no_parts(assets: ObjectAssets, s3: S3Server, bucket: str) -> None:
    """Wherever it was cut off: a deletion may come at any moment."""
    for pieces in range(1, 6):
        under_way = asyncio.Event()

        async def write(pieces: int = pieces, under_way: asyncio.Event = under_way) -> None:
            async with assets.writer(KEY, limit_bytes=100 * MEGABYTE) as writer:
                for _ in range(pieces):
                    await writer.write(b"x" * (4 * MEGABYTE))
                under_way.set()
                while True:
                    await writer.write(b"x" * (4 * MEGABYTE))

        writing = asyncio.ensure_future(write())
        await under_way.wait()
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait((writing,))
        assert (s3.objects(bucket), s3.parts(bucket)) == ({}, [])
        assert list(assets.scratch_folder().iterdir()) == []


async def test_an_upload_that_broke_is_sent_again_whole(
    by_wire: ObjectAssets, wire: Wire, s3: S3Server, bucket: str
) -> None:
    """From the scratch file, at the commit; whoever wrote it hears nothing of it."""
    async with by_wire.writer(KEY, limit_bytes=100 * MEGABYTE) as writer:
        await writer.write(FILM[:10_000_000])
        wire.cut()
        await writer.write(FILM[10_000_000:])
        await writer.flush()
        assert writer.path.read_bytes() == FILM
        wire.mend()
        stored = await writer.commit()
    assert (stored.bytes, stored.sha256) == (len(FILM), hashlib.sha256(FILM).hexdigest())
    assert await whole(by_wire, KEY) == FILM
    assert s3.objects(bucket) == {KEY: len(FILM)}


async def test_a_commit_nobody_hears_keeps_nothing(
    by_wire: ObjectAssets, wire: Wire, s3: S3Server, bucket: str
) -> None:
    """It is an error of storage, and no half of it is visible, neither there nor here."""
    await keep(by_wire, KEY, b"before")
    for film in (b"short", FILM):
        wire.mend()
        async with by_wire.writer(KEY, limit_bytes=100 * MEGABYTE) as writer:
            await writer.write(film)
            wire.cut()
            with pytest.raises(StorageFailed, match=r"cannot be reached.* while writing videos/v"):
                await writer.commit()
    with pytest.raises(StorageFailed, match="cannot be reached"):
        await whole(by_wire, KEY)
    assert list(by_wire.scratch_folder().iterdir()) == []
    wire.mend()
    assert s3.objects(bucket) == {KEY: 6}


async def test_a_read_that_breaks_goes_on_where_it_was(by_wire: ObjectAssets, wire: Wire) -> None:
    """The reader sees every byte once."""
    await send(by_wire)
    for break_at in (1_000, 5_000_000, 15_000_000):
        cuts = wire.cuts
        wire.cut_once_after(break_at)
        assert await whole(by_wire, KEY) == FILM
        assert wire.cuts == cuts + 1


async def test_a_read_ends_when_the_store_is_gone(by_wire: ObjectAssets, wire: Wire) -> None:
    """In the middle of a film, with what to do about it."""
    await send(by_wire)
    pieces = by_wire.read(KEY)
    await anext(pieces)
    wire.cut()
    with pytest.raises(StorageFailed, match="cannot be reached"):
        [piece async for piece in pieces]


async def test_a_moved_file_goes_in_parts_too(by_wire: ObjectAssets, wire: Wire) -> None:
    """One that cannot be moved stays where it is."""
    source = by_wire.scratch_folder() / "film.mp4"
    source.write_bytes(FILM)
    wire.cut()
    with pytest.raises(StorageFailed, match="cannot be reached"):
        await by_wire.put_file(KEY, source)
    assert source.exists()
    wire.mend()
    stored = await by_wire.put_file(KEY, source)
    assert (stored.bytes, stored.sha256) == (len(FILM), hashlib.sha256(FILM).hexdigest())
    assert await whole(by_wire, KEY) == FILM
    with pytest.raises(StorageFailed, match=r"film\.mp4"):
        await by_wire.put_file(KEY, source)


async def test_proving_the_bucket_leaves_nothing(assets: ObjectAssets, s3: S3Server, bucket: str) -> None:
    """Neither there nor in the scratch folder."""
    await assets.open()
    assert s3.objects(bucket) == {}
    assert list(assets.scratch_folder().iterdir()) == []


_MUCH = """
import asyncio, resource, sys
from pathlib import Path
from reelway.assets.objects import ObjectAssets

async def main(megabytes):
    assets = ObjectAssets(sys.argv[1], Path(sys.argv[2]))
    await assets.open()
    async with assets.writer("film", limit_bytes=1 << 40) as writer:
        for number in range(megabytes):
            await writer.write(number.to_bytes(4, "big") * 262144)
        await writer.commit()
    async for piece in assets.read("film"):
        pass
    await assets.close()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)

asyncio.run(main(int(sys.argv[3])))
"""


def test_a_film_is_never_in_memory_whole(s3_url: str, tmp_path: Path) -> None:
    """A film ten times as long takes as much memory as a few of its parts, whatever its length."""

    def memory(megabytes: int) -> int:
        command = [sys.executable, "-c", _MUCH, s3_url, str(tmp_path / "scratch"), str(megabytes)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert memory(400) - memory(40) < 60
