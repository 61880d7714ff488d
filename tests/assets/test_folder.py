"""The local folder runs the suite of all asset stores, and says what to do when the disk refuses."""

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.assets.conformance import MEGABYTE, AssetStoreConformance, keep, whole

from reelway.assets import folder, folder_writer
from reelway.assets.folder import FolderAssets
from reelway.assets.spec import AssetStore
from reelway.core.errors import StorageFailed


@pytest.fixture
async def assets(tmp_path: Path) -> AsyncIterator[FolderAssets]:
    assets = FolderAssets(tmp_path / "assets")
    await assets.open()
    yield assets
    await assets.close()


class TestFolder(AssetStoreConformance):
    @pytest.fixture
    async def assets(self, tmp_path: Path) -> AsyncIterator[AssetStore]:
        assets = FolderAssets(tmp_path / "assets")
        await assets.open()
        yield assets
        await assets.close()


async def test_an_asset_is_a_file_under_its_key(assets: FolderAssets, tmp_path: Path) -> None:
    """So that the server's own file path can serve it."""
    await keep(assets, "videos/v/0.mp4", b"film")
    path = assets.local_path("videos/v/0.mp4")
    assert path == tmp_path / "assets" / "videos" / "v" / "0.mp4"
    assert path.read_bytes() == b"film"


async def test_opening_sweeps_up_after_the_dead(assets: FolderAssets, tmp_path: Path) -> None:
    """What a killed process was writing goes; what a living one is writing beside us stays."""
    await keep(assets, "videos/v", b"film")
    left_over = tmp_path / "assets" / ".scratch" / "dead"
    left_over.mkdir()
    (left_over / "half").write_bytes(b"half a film")
    (tmp_path / "assets" / ".scratch" / "stray").write_bytes(b"from before there were folders")
    async with assets.writer("videos/w", limit_bytes=10 * MEGABYTE) as writer:
        await writer.write(b"x" * (2 * MEGABYTE))
        beside = FolderAssets(tmp_path / "assets")
        await beside.open()
        await writer.commit()
    assert {path.name for path in left_over.parent.iterdir()} == {
        assets.scratch_folder().name,
        beside.scratch_folder().name,
    }
    await beside.close()
    assert await whole(assets, "videos/v") == b"film"
    assert await assets.size("videos/w") == 2 * MEGABYTE


async def test_folders_that_became_empty_go(assets: FolderAssets, tmp_path: Path) -> None:
    """A million deleted videos leave no million folders behind."""
    await keep(assets, "inputs/2026/11/one", b"x")
    await keep(assets, "videos/v1/0/a", b"x")
    await keep(assets, "videos/v2/0/a", b"x")
    await assets.delete_older("inputs", 1e12)
    await assets.delete("videos/v1/0/a")
    await assets.delete_under("videos/v2/0")
    await assets.close()
    assert sorted(path.name for path in (tmp_path / "assets").rglob("*")) == [".scratch"]


async def test_a_long_listing_is_read_in_pieces(assets: FolderAssets, tmp_path: Path) -> None:
    """More files than one trip to a thread brings back, all of them once."""
    for number in range(1100):
        path = tmp_path / "assets" / "videos" / f"v{number % 7}" / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = [one.key async for one in assets.listed("videos")]
    assert len(found) == len(set(found)) == 1100


async def test_a_file_is_on_the_disk_before_it_has_its_name(
    assets: FolderAssets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content is synced, then renamed, then the folder is synced: a power cut never leaves an empty film."""
    steps: list[str] = []
    sync, replace = folder._sync, Path.replace
    monkeypatch.setattr(folder, "_sync", lambda path: (steps.append(f"sync {_kind(path)}"), sync(path))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (steps.append("rename"), replace(self, to))[1])
    await keep(assets, "film.mp4", b"film")
    assert steps == ["sync file", "rename", "sync folder"]


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "file"


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "the disk is full: make room"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EACCES, "this user may not write there"),
        (errno.EIO, "the disk does not read or write"),
        (errno.ENOLCK, "the system refused"),
    ],
)
async def test_a_disk_that_refuses_says_what_to_do(
    assets: FolderAssets, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    """Whether it happens while writing or at the commit; nothing is left behind, and later it works again."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    for module, step in ((folder_writer, "_write_all"), (folder, "_sync")):
        with monkeypatch.context() as patch:
            patch.setattr(module, step, refuse)
            with pytest.raises(StorageFailed, match=advice) as raised:
                await keep(assets, "videos/v", b"x" * MEGABYTE)
        assert "videos/v" in str(raised.value)
        assert await assets.size("videos/v") is None
        assert list(assets.scratch_folder().iterdir()) == []
    assert (await keep(assets, "videos/v", b"x")).bytes == 1


_FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from reelway.assets.folder import FolderAssets
from reelway.core.errors import StorageFailed

async def main():
    assets = FolderAssets(Path(sys.argv[1]))
    await assets.open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_500_000, resource.RLIM_INFINITY))
    try:
        async with assets.writer("film", limit_bytes=1 << 40) as writer:
            while True:
                await writer.write(b"x" * 1_000_000)
    except StorageFailed as error:
        print(writer.bytes_written, error)

asyncio.run(main())
"""


def test_a_real_limit_of_the_system_is_met_while_writing(tmp_path: Path) -> None:
    """Not simulated: the fourth megabyte does not fit, and the part that did is removed."""
    run = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert run.stdout.startswith("4000000 "), run.stdout
    assert "ulimit -f" in run.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """Says what is in the way."""
    (tmp_path / "assets").write_text("in the way")
    for place in (tmp_path / "assets", tmp_path / "assets" / "deeper"):
        with pytest.raises(StorageFailed, match="a file is where a folder should be"):
            await FolderAssets(place).open()


async def test_a_key_below_an_asset_cannot_be_written(assets: FolderAssets) -> None:
    """One name is either a file or a folder, and the message says so."""
    await keep(assets, "videos/v", b"x")
    with pytest.raises(StorageFailed, match="a file is where a folder should be"):
        await keep(assets, "videos/v/deeper", b"x")
    assert list(assets.scratch_folder().iterdir()) == []


async def test_a_source_that_is_not_there_cannot_be_moved_in(assets: FolderAssets, tmp_path: Path) -> None:
    """It is an error of storage, which names the file."""
    with pytest.raises(StorageFailed, match=r"nothing\.mp4"):
        await assets.put_file("videos/v", tmp_path / "nothing.mp4")


async def test_a_file_from_another_disk_is_copied_in(
    assets: FolderAssets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename does not reach across disks; the outcome is the same."""
    other = Path("/dev/shm")  # noqa: S108 - a disk of its own on Linux
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk here")
    source = other / f"reelway-test-{os.getpid()}"
    source.write_bytes(b"from afar")
    try:
        stored = await assets.put_file("videos/v", source)
        assert stored.sha256 == hashlib.sha256(b"from afar").hexdigest()
        assert await whole(assets, "videos/v") == b"from afar"
        assert not source.exists()
        assert list(assets.scratch_folder().iterdir()) == []
    finally:
        source.unlink(missing_ok=True)


async def test_a_moved_in_file_is_as_old_as_its_move(assets: FolderAssets) -> None:
    """Retention counts from when an asset was stored, not from when a vendor made the file."""
    source = assets.scratch_folder() / "old"
    source.write_bytes(b"x")
    os.utime(source, (1.0, 1.0))
    await assets.put_file("inputs/old", source)
    assert await assets.delete_older("inputs", 1000.0) == 0


async def test_a_committed_writer_is_over(assets: FolderAssets) -> None:
    """Its asset is not touched any more."""
    async with assets.writer("videos/v", limit_bytes=10 * MEGABYTE) as writer:
        await writer.write(b"x")
        await writer.commit()
        with pytest.raises(ValueError, match="committed or left"):
            await writer.commit()
    assert await whole(assets, "videos/v") == b"x"
