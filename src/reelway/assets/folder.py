"""Assets as plain files in a folder.

The one rule: a file stands under its key only when it is whole and on the disk. It is written in the scratch folder of the
same disk, synced, and then renamed.
"""

import asyncio
import contextlib
import hashlib
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

from reelway.assets.folder_writer import FolderWriter
from reelway.assets.keys import require_key
from reelway.assets.scratch import Scratch, remove
from reelway.assets.spec import Listed, Stored
from reelway.core.disk import disk_failed

__all__ = ["FolderAssets"]

_PIECE_BYTES = 1024 * 1024
_SCRATCH = ".scratch"
_PLACING_TRIES = 10
_LISTED_AT_ONCE = 500


class FolderAssets:
    """Keeps assets under `root`, one file each."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._scratch = Scratch(root / _SCRATCH)

    async def open(self) -> None:
        await asyncio.to_thread(self._scratch.open)

    async def close(self) -> None:
        await asyncio.to_thread(self._scratch.close)

    def writer(self, key: str, *, limit_bytes: int) -> FolderWriter:
        return FolderWriter(key, self._path(key), self._scratch.new_path(), self._place, limit_bytes)

    async def put_file(self, key: str, source: Path) -> Stored:
        return await asyncio.to_thread(self._put_file, key, self._path(key), source)

    def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        return _pieces(key, self._path(key), start, stop)

    async def size(self, key: str) -> int | None:
        return await asyncio.to_thread(_size, self._path(key))

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._delete, self._path(key))

    async def delete_under(self, prefix: str) -> int:
        return await asyncio.to_thread(self._delete_under, self._path(prefix))

    async def delete_older(self, prefix: str, before: float) -> int:
        return await asyncio.to_thread(self._delete_older, self._path(prefix), before)

    async def listed(self, prefix: str) -> AsyncIterator[Listed]:
        files = _files_under(self._path(prefix), prefix)
        try:
            while batch := await asyncio.to_thread(lambda: list(itertools.islice(files, _LISTED_AT_ONCE))):
                for file in batch:
                    yield file
        finally:
            files.close()

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        path = self._path(key)
        if await asyncio.to_thread(_size, path) is None:
            raise KeyError(key)
        yield path

    def scratch_folder(self) -> Path:
        return self._scratch.folder

    def _path(self, key: str) -> Path:
        return self._root / require_key(key)

    # --- in a thread

    def _place(self, path: Path, finished: Path) -> None:
        """Sync a finished file and let it appear under its path."""
        _sync(finished)
        for last_try in (*[False] * _PLACING_TRIES, True):
            try:
                self._make_folder(path.parent)
                finished.replace(path)
                break
            except FileNotFoundError:  # a folder was still empty, and a deletion swept it away between two steps
                if last_try or not finished.exists():
                    raise
        _sync(path.parent)

    def _put_file(self, key: str, path: Path, source: Path) -> Stored:
        try:
            with source.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = source.stat().st_size
            if source.stat().st_dev == self._scratch.folder.stat().st_dev:
                os.utime(source)
                self._place(path, source)
            else:
                self._copy_in(path, source)
        except OSError as error:
            raise disk_failed(error, str(path)) from error
        return Stored(key=key, bytes=size, sha256=sha256)

    def _copy_in(self, path: Path, source: Path) -> None:
        """Bring a file from another disk, to which a rename does not reach."""
        finished = self._scratch.new_path()
        try:
            shutil.copyfile(source, finished)
            self._place(path, finished)
        finally:
            finished.unlink(missing_ok=True)
        source.unlink()

    def _make_folder(self, folder: Path) -> None:
        """Make what is missing of a folder, from the top, each step on the disk before the next."""
        missing = []
        while not folder.is_dir() and folder != folder.parent:
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            _sync(folder.parent)

    def _delete(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except (IsADirectoryError, PermissionError, NotADirectoryError) as error:
            if path.is_file():
                raise disk_failed(error, str(path)) from error
            return  # a folder, or below a file: there is no asset with this key
        except OSError as error:
            raise disk_failed(error, str(path)) from error
        self._sweep_folders(path.parent)

    def _delete_under(self, folder: Path) -> int:
        """Move the folder out of sight in one step, then remove it at leisure."""
        if not folder.is_dir():
            return 0
        doomed = self._scratch.new_path()
        try:
            folder.rename(doomed)
            count = sum(len(names) for _, _, names in os.walk(doomed))
            remove(doomed)
        except FileNotFoundError:
            return 0  # somebody else was quicker
        except OSError as error:
            raise disk_failed(error, str(folder)) from error
        self._sweep_folders(folder.parent)
        return count

    def _delete_older(self, folder: Path, before: float) -> int:
        count = 0
        try:
            for place, _, names in os.walk(folder, topdown=False):
                for name in names:
                    path = Path(place, name)
                    if path.stat().st_mtime < before:
                        path.unlink(missing_ok=True)
                        count += 1
                self._sweep_folders(Path(place))
        except OSError as error:
            raise disk_failed(error, str(folder)) from error
        return count

    def _sweep_folders(self, folder: Path) -> None:
        """Remove folders that became empty, up to but not including the root."""
        while folder != self._root and self._root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return  # not empty, or gone already
            folder = folder.parent


async def _pieces(key: str, path: Path, start: int, stop: int | None) -> AsyncIterator[bytes]:
    """Yield a file's bytes; it is opened at the first one, so a reader nobody follows holds nothing open."""
    try:
        file = await asyncio.to_thread(path.open, "rb", buffering=0)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise KeyError(key) from None
    except OSError as error:
        raise disk_failed(error, str(path)) from error
    position = start
    try:
        while stop is None or position < stop:
            wanted = _PIECE_BYTES if stop is None else min(_PIECE_BYTES, stop - position)
            piece = await asyncio.to_thread(os.pread, file.fileno(), wanted, position)
            if not piece:
                return
            position += len(piece)
            yield piece
    except OSError as error:
        raise disk_failed(error, str(path)) from error
    finally:
        file.close()


def _files_under(folder: Path, key: str) -> Generator[Listed, None, None]:
    """Walk through a folder, holding open only the folders above the place it is at."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{key}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    yield from _files_under(folder / entry.name, name)
                    continue
                with contextlib.suppress(FileNotFoundError):
                    facts = entry.stat(follow_symlinks=False)
                    yield Listed(key=name, bytes=facts.st_size, written_at=facts.st_mtime)
    except (FileNotFoundError, NotADirectoryError):
        return  # there is nothing, or it was swept away meanwhile
    except OSError as error:
        raise disk_failed(error, str(folder)) from error


def _size(path: Path) -> int | None:
    """Return the bytes of a file, None when there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
