"""The data folder: made, found writable, and held by one server at a time where that matters."""

import fcntl
from pathlib import Path
from typing import IO

from reelway.core.disk import disk_failed
from reelway.core.errors import StorageFailed

__all__ = ["make_folder", "take_lock"]


def make_folder(folder: Path) -> None:
    """Make it, and try to write there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StorageFailed(
            f"the data folder {folder} cannot be used: {error.strerror or error}. "
            "Choose another one with REELWAY_DATA_DIR, or make this one writable."
        ) from error


def take_lock(path: Path) -> IO[str]:
    """Hold the data folder for this server alone."""
    try:
        file = path.open("a+")
    except OSError as error:
        raise disk_failed(error, str(path)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StorageFailed(
            f"another server works with the data folder {path.parent}. Stop it, or choose another REELWAY_DATA_DIR."
        ) from None
    return file
