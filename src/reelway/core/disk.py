"""What an operator can do about a disk that refuses.

The one rule: the message names the place, says what the system said, and what to do next.
"""

import errno

from reelway.core.errors import StorageFailed

__all__ = ["disk_failed"]

_ADVICE = {
    errno.ENOSPC: "the disk is full: make room",
    errno.EDQUOT: "the disk quota is used up: make room or raise it",
    errno.EFBIG: "the file grew beyond the limit set for this process: raise it (`ulimit -f`)",
    errno.EACCES: "this user may not write there: check owner and permissions",
    errno.EPERM: "this user may not write there: check owner and permissions",
    errno.EROFS: "the disk is mounted read-only: choose another data folder",
    errno.ENOTDIR: "a file is where a folder should be: move it away or choose another data folder",
    errno.EEXIST: "a file is where a folder should be: move it away or choose another data folder",
    errno.EISDIR: "a folder is where a file should be: move it away or choose another data folder",
    errno.EMFILE: "this process may open no more files: raise the limit (`ulimit -n`)",
    errno.EIO: "the disk does not read or write: check the disk and the system's log",
}


def disk_failed(error: OSError, place: str) -> StorageFailed:
    """Return what to raise for an error of the system met at this place."""
    advice = _ADVICE.get(error.errno or 0, "the system refused: check the disk and the permissions")
    return StorageFailed(f"{error.filename or place}: {advice} ({error.strerror or error})")
