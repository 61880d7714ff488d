"""The suite every asset store runs: subclass `AssetStoreConformance` and give it a fixture `assets`, open and empty."""

import asyncio
import hashlib
import time
from pathlib import Path

import pytest

from reelway.assets.spec import AssetStore, Stored
from reelway.core.errors import TooLarge

__all__ = ["AssetStoreConformance", "keep", "whole"]

MEGABYTE = 1024 * 1024
LIMIT = 10 * MEGABYTE
KEY = "videos/video_01/0/video.mp4"


async def keep(assets: AssetStore, key: str, *pieces: bytes) -> Stored:
    """Write an asset and commit it."""
    async with assets.writer(key, limit_bytes=LIMIT) as writer:
        for piece in pieces:
            await writer.write(piece)
        return await writer.commit()


async def whole(assets: AssetStore, key: str, start: int = 0, stop: int | None = None) -> bytes:
    """Read an asset, or a range of it."""
    return b"".join([piece async for piece in assets.read(key, start, stop)])


class AssetStoreConformance:
    """Everything the contract in `assets/spec.py` promises."""

    @pytest.mark.parametrize("size", [0, 1, MEGABYTE - 1, MEGABYTE, 3 * MEGABYTE + 7])
    async def test_what_is_written_is_read_back(self, assets: AssetStore, size: int) -> None:
        """Whole, whatever the pieces were, with its true size and hash."""
        content = bytes(number % 251 for number in range(size))
        pieces = [content[start : start + 300_000] for start in range(0, size, 300_000)]
        stored = await keep(assets, KEY, *pieces)
        assert stored == Stored(key=KEY, bytes=size, sha256=hashlib.sha256(content).hexdigest())
        assert await whole(assets, KEY) == content
        assert await assets.size(KEY) == size

    async def test_any_range_can_be_read(self, assets: AssetStore) -> None:
        """From the start, from the middle, to the end, over the end, and nothing at all."""
        content = bytes(number % 251 for number in range(2 * MEGABYTE + 100))
        await keep(assets, KEY, content)
        for start, stop in ((0, 1), (5, 10), (MEGABYTE - 3, MEGABYTE + 3), (100, None), (0, 9 * MEGABYTE), (7, 7)):
            assert await whole(assets, KEY, start, stop) == content[start:stop]
        assert await whole(assets, KEY, 9 * MEGABYTE) == b""

    async def test_what_is_not_there_is_a_key_error(self, assets: AssetStore) -> None:
        """Also below an asset, and for the name of a folder."""
        await keep(assets, KEY, b"x")
        for key in ("videos/other.mp4", f"{KEY}/deeper", "videos/video_01"):
            with pytest.raises(KeyError):
                await whole(assets, key)
            assert await assets.size(key) is None
            await assets.delete(key)
        assert await whole(assets, KEY) == b"x"

    async def test_nothing_appears_before_commit(self, assets: AssetStore) -> None:
        """A reader sees the whole asset or none."""
        async with assets.writer(KEY, limit_bytes=LIMIT) as writer:
            await writer.write(b"x" * (2 * MEGABYTE))
            assert writer.bytes_written == 2 * MEGABYTE
            assert await assets.size(KEY) is None
            await writer.commit()
            assert await assets.size(KEY) == 2 * MEGABYTE

    async def test_leaving_without_commit_leaves_no_trace(self, assets: AssetStore) -> None:
        """Neither by an error nor by walking away; what was there before stays."""
        await keep(assets, KEY, b"before")

        async def be_left_alone() -> None:
            async with assets.writer(KEY, limit_bytes=LIMIT) as writer:
                await writer.write(b"x" * (2 * MEGABYTE))
                raise RuntimeError("vendor hung up")

        with pytest.raises(RuntimeError, match="vendor hung up"):
            await be_left_alone()
        async with assets.writer(KEY, limit_bytes=LIMIT) as writer:
            await writer.write(b"small")
        assert await whole(assets, KEY) == b"before"
        assert list(assets.scratch_folder().iterdir()) == []

    async def test_a_writer_that_is_cancelled_leaves_no_trace(self, assets: AssetStore) -> None:
        """Also in the middle of a write that a thread is busy with."""
        started = asyncio.Event()

        async def write_for_ever() -> None:
            async with assets.writer(KEY, limit_bytes=1 << 40) as writer:
                while True:
                    started.set()
                    await writer.write(b"x" * MEGABYTE)

        writing = asyncio.ensure_future(write_for_ever())
        await started.wait()
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await assets.size(KEY) is None
        assert list(assets.scratch_folder().iterdir()) == []

    async def test_a_writer_keeps_its_limit(self, assets: AssetStore) -> None:
        """The byte that is too many is refused, and the message says what is allowed."""
        async with assets.writer(KEY, limit_bytes=1500) as writer:
            await writer.write(b"x" * 1500)
            with pytest.raises(TooLarge, match="1,500 bytes"):
                await writer.write(b"x")
        assert await assets.size(KEY) is None

    async def test_a_writer_can_start_over(self, assets: AssetStore) -> None:
        """A download that cannot be resumed begins anew in the same place, hash and limit included."""
        for first in (b"wrong", b"wrong" * MEGABYTE):
            async with assets.writer(KEY, limit_bytes=6 * MEGABYTE) as writer:
                await writer.write(first)
                await writer.restart()
                assert writer.bytes_written == 0
                await writer.write(b"right" * MEGABYTE)
                stored = await writer.commit()
            assert stored.bytes == 5 * MEGABYTE
            assert stored.sha256 == hashlib.sha256(b"right" * MEGABYTE).hexdigest()
            assert await whole(assets, KEY) == b"right" * MEGABYTE

    @pytest.mark.parametrize("size", [0, 1, MEGABYTE, 3 * MEGABYTE + 7])
    async def test_what_is_written_can_be_looked_at_before_commit(self, assets: AssetStore, size: int) -> None:
        """In a local file, which holds all of it after a flush, also when the writer had to start over, and goes in the end."""
        content = bytes(number % 251 for number in range(size))
        async with assets.writer(KEY, limit_bytes=LIMIT) as writer:
            await writer.write(b"wrong" * MEGABYTE)
            await writer.flush()
            assert writer.path.read_bytes() == b"wrong" * MEGABYTE
            await writer.restart()
            await writer.write(content[: size // 2])
            await writer.flush()
            assert writer.path.read_bytes() == content[: size // 2]
            await writer.write(content[size // 2 :])
            await writer.flush()
            assert writer.path.read_bytes() == content
            assert await assets.size(KEY) is None
            stored = await writer.commit()
        assert stored == Stored(key=KEY, bytes=size, sha256=hashlib.sha256(content).hexdigest())
        assert await whole(assets, KEY) == content
        assert not writer.path.exists()

    async def test_an_asset_can_be_had_as_a_local_file(self, assets: AssetStore) -> None:
        """Whoever needs a file borrows one; what was made for that goes with the last reader."""
        content = bytes(number % 251 for number in range(3 * MEGABYTE + 7))
        await keep(assets, KEY, content)
        async with assets.local_copy(KEY) as one, assets.local_copy(KEY) as two:
            assert one.read_bytes() == two.read_bytes() == content
        assert list(assets.scratch_folder().iterdir()) == []
        assert await whole(assets, KEY) == content

    async def test_there_is_no_local_file_of_what_is_not_there(self, assets: AssetStore) -> None:
        """A key nobody wrote is a `KeyError`, as for every reader, and leaves no empty file behind."""
        with pytest.raises(KeyError):
            async with assets.local_copy(KEY):
                raise AssertionError("there was a file")
        assert list(assets.scratch_folder().iterdir()) == []

    async def test_the_last_commit_stands(self, assets: AssetStore) -> None:
        """Two writers of one key do not mix."""
        async with assets.writer(KEY, limit_bytes=LIMIT) as one, assets.writer(KEY, limit_bytes=LIMIT) as two:
            await asyncio.gather(one.write(b"1" * (2 * MEGABYTE)), two.write(b"2" * (2 * MEGABYTE)))
            await two.commit()
            await one.commit()
        assert await whole(assets, KEY) == b"1" * (2 * MEGABYTE)

    async def test_a_finished_file_is_moved_in(self, assets: AssetStore) -> None:
        """With its size and hash; the source is gone."""
        source = assets.scratch_folder() / "poster.webp"
        source.write_bytes(b"poster")
        stored = await assets.put_file("videos/v/thumbnail.webp", source)
        assert stored.bytes == 6
        assert stored.sha256 == hashlib.sha256(b"poster").hexdigest()
        assert await whole(assets, "videos/v/thumbnail.webp") == b"poster"
        assert not source.exists()

    async def test_deleting_is_exact(self, assets: AssetStore) -> None:
        """One asset, or all under a prefix, but not those whose names merely begin alike."""
        for key in ("videos/v1/a", "videos/v1/deep/b", "videos/v1x", "videos/v2/a"):
            await keep(assets, key, b"x")
        await assets.delete("videos/v2/a")
        await assets.delete("videos/v2/a")
        assert await assets.delete_under("videos/v1") == 2
        assert await assets.delete_under("videos/v1") == 0
        left = [
            key for key in ("videos/v1/a", "videos/v1/deep/b", "videos/v1x", "videos/v2/a") if await assets.size(key)
        ]
        assert left == ["videos/v1x"]

    async def test_what_is_old_is_deleted_by_age(self, assets: AssetStore) -> None:
        """Under the prefix only, and only what was last written before."""
        for key in ("inputs/a/1", "inputs/b", "kept/c"):
            await keep(assets, key, b"x")
        assert await assets.delete_older("inputs", time.time() - 60) == 0
        assert await assets.delete_older("inputs", time.time() + 60) == 2
        assert await assets.delete_older("inputs", time.time() + 60) == 0
        assert await assets.size("kept/c") == 1

    async def test_a_listing_names_everything_under_a_prefix(self, assets: AssetStore) -> None:
        """With size and time; neither what merely begins alike, nor what is not committed."""
        began = time.time()
        keys = [f"videos/v{number}/0/video.mp4" for number in range(5)]
        for number, key in enumerate((*keys, "videos.txt", "videosx/a", "inputs/b")):
            await keep(assets, key, b"x" * number)
        async with assets.writer("videos/v9/half", limit_bytes=LIMIT) as writer:
            await writer.write(b"x")
            found = [one async for one in assets.listed("videos")]
        assert sorted((one.key, one.bytes) for one in found) == [(key, number) for number, key in enumerate(keys)]
        assert all(began - 5 <= one.written_at <= time.time() + 5 for one in found)
        assert [one.key async for one in assets.listed("videos/v3")] == [keys[3]]
        assert [one async for one in assets.listed("nothing")] == []

    async def test_what_is_listed_may_be_deleted_on_the_way(self, assets: AssetStore) -> None:
        """Whoever sweeps deletes while it looks, and may stop in the middle."""
        for number in range(30):
            await keep(assets, f"videos/v{number}/a", b"x")
        async for one in assets.listed("videos"):
            await assets.delete(one.key)
        assert [one async for one in assets.listed("videos")] == []

    @pytest.mark.parametrize(
        "key",
        [
            "", "/etc/passwd", "../secret", "a/../../secret", "a/./b", "a//b", "a/", ".scratch/x", "a/.hidden", "..",
            "Upper", "a b", "a\\b", "a\x00b", "ä", "a\n", "a" * 300,
        ],
    )  # fmt: skip
    async def test_a_key_that_is_no_key_is_refused(self, assets: AssetStore, key: str) -> None:
        """No key leads out of the store, whichever way it is used."""
        with pytest.raises(ValueError, match="not an asset key"):
            assets.writer(key, limit_bytes=LIMIT)
        with pytest.raises(ValueError, match="not an asset key"):
            await whole(assets, key)
        with pytest.raises(ValueError, match="not an asset key"):
            assets.local_path(key)
        with pytest.raises(ValueError, match="not an asset key"):
            async with assets.local_copy(key):
                raise AssertionError("there was a file")
        for refused in (assets.size, assets.delete, assets.delete_under):
            with pytest.raises(ValueError, match="not an asset key"):
                await refused(key)
        with pytest.raises(ValueError, match="not an asset key"):
            await assets.delete_older(key, 0.0)
        with pytest.raises(ValueError, match="not an asset key"):
            [one async for one in assets.listed(key)]
        with pytest.raises(ValueError, match="not an asset key"):
            await assets.put_file(key, Path("nothing"))

    async def test_many_writers_work_side_by_side(self, assets: AssetStore) -> None:
        """Thirty uploads into one folder, while others are deleted from it."""

        async def come_and_go(number: int) -> None:
            for _ in range(3):
                await keep(assets, f"inputs/shared/{number}", b"x")
                await assets.delete(f"inputs/shared/{number}")
            await keep(assets, f"inputs/shared/{number}", str(number).encode())

        await asyncio.gather(*(come_and_go(number) for number in range(30)))
        contents = [await whole(assets, f"inputs/shared/{number}") for number in range(30)]
        assert contents == [str(number).encode() for number in range(30)]
