"""The folder in which a process makes files that nobody sees yet.

The one rule: each process has a folder of its own and holds its lock; what nobody holds was left by one that was killed, and goes.
So several processes may keep their assets in one place.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from pathlib import Path

from reelway.core.disk import disk_failed

__all__ = ["Scratch"]

_UNLOCKABLE_SECONDS = 2 * 86400.0
"""Where the file system has no locks, what is older than this was left behind."""

_OPEN = os.O_RDONLY | os.O_CLOEXEC


class Scratch:
    """One process's folder under `root`. All of it runs in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: int | None = None
        self.folder = root / secrets.token_hex(8)

    def open(self) -> None:
        """Make the folder, prove that it can be written, and sweep up after the dead."""
        try:
            self._take()
            for left_over in self._root.iterdir():
                if left_over != self.folder:
                    _sweep(left_over)
            probe = self.folder / "probe"
            probe.write_bytes(b"writable")
            probe.unlink()
        except OSError as error:
            raise disk_failed(error, str(self._root)) from error

    def close(self) -> None:
        """Remove the folder and let go of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take(self) -> None:
        """Make the folder and lock it; between the two somebody may have swept it up."""
        while self._lock is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder, _OPEN)
            with contextlib.suppress(OSError):  # a file system without locks: the folder's age has to do
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if self.folder.exists():
                self._lock = descriptor
            else:
                os.close(descriptor)

    def new_path(self) -> Path:
        """Return a path that nobody else uses."""
        return self.folder / secrets.token_hex(16)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what nobody works in any more; the lock is held meanwhile, so nobody begins to."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError:
        return  # swept up by somebody else
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_left_over = True
    except BlockingIOError:
        is_left_over = False
    except OSError:
        is_left_over = os.fstat(descriptor).st_mtime < time.time() - _UNLOCKABLE_SECONDS
    try:
        if is_left_over:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
