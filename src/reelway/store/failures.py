"""What went wrong below, said so that an operator can act: SQLite's and the system's errors become `StorageFailed`.

The one rule: every message says what happened, to which file, and what to do next.
"""

import errno
import sqlite3
from pathlib import Path

from reelway.core.errors import StorageFailed

__all__ = ["is_refusal", "storage_failed"]

_RESTORE = "move it aside and restore a backup (`reelway db backup` makes them), or start with an empty data folder"
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full: make room; nothing of what was being written is kept",
    sqlite3.SQLITE_READONLY: "it may not be written: check the owner and permissions of the file and its folder",
    sqlite3.SQLITE_PERM: "it may not be opened: check the owner and permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check that the folder exists and that this user may write in it",
    sqlite3.SQLITE_BUSY: "another program keeps it locked: end that program, or give this one another data folder",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked: end that program, or give this one another data folder",
    sqlite3.SQLITE_NOTADB: f"it is not a database, or a damaged one: {_RESTORE}",
    sqlite3.SQLITE_CORRUPT: f"it is damaged: {_RESTORE}",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it: check the disk and the system's log",
}
_SYSTEM_ADVICE = {
    errno.ENOSPC: "the disk is full: make room",
    errno.EDQUOT: "the disk quota is used up: make room or raise it",
    errno.EACCES: "this user may not write there: check owner and permissions",
    errno.EPERM: "this user may not write there: check owner and permissions",
    errno.EROFS: "the disk is mounted read-only: choose another data folder",
    errno.ENOTDIR: "a file is where a folder should be: move it away or choose another data folder",
    errno.EEXIST: "a file is where a folder should be: move it away or choose another data folder",
    errno.EISDIR: "a folder is where a file should be: move it away or choose another data folder",
}


def is_refusal(error: Exception) -> bool:
    """Tell whether only one statement was refused (a broken constraint, say) and the transaction can go on without it."""
    if not isinstance(error, sqlite3.Error):
        return True
    return isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError | sqlite3.InterfaceError
    )


def storage_failed(error: Exception, path: Path) -> StorageFailed:
    """Return what to raise for an error of SQLite or the system met at this file."""
    if isinstance(error, StorageFailed):
        return StorageFailed(*error.args)
    if isinstance(error, sqlite3.IntegrityError):
        return StorageFailed(f"{path}: the database refused a contradiction ({error}); nothing of this write was kept")
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        advice = _ADVICE.get(code & 0xFF) if code is not None else None
        return StorageFailed(f"{path}: {advice or 'the database refused; run `reelway db check`'} ({error})")
    if isinstance(error, OSError):
        advice = _SYSTEM_ADVICE.get(error.errno or 0, "the system refused: check the disk and the permissions")
        return StorageFailed(f"{error.filename or path}: {advice} ({error.strerror or error})")
    return StorageFailed(f"{path}: {error or type(error).__name__}")
