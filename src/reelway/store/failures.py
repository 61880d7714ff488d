"""What went wrong below, said so that an operator can act: SQLite's and the system's errors become ours.

The one rule: every message says what happened, to which file, and what to do next.
"""

import sqlite3
from pathlib import Path

from reelway.core.disk import disk_failed
from reelway.core.errors import Contradiction, StorageFailed

__all__ = ["explained", "is_refusal"]

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


def is_refusal(error: Exception) -> bool:
    """Tell whether only one statement was refused (a broken constraint, say) and the transaction can go on without it."""
    if not isinstance(error, sqlite3.Error):
        return True
    return isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError | sqlite3.InterfaceError
    )


def explained(error: Exception, path: Path) -> Exception:
    """Return what to raise for an error of SQLite or the system met at this file; other errors are returned as they are."""
    if isinstance(error, sqlite3.IntegrityError):
        return Contradiction(
            f"{path}: what was to be written contradicts what is there ({error}); nothing of it was kept"
        )
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        advice = _ADVICE.get(code & 0xFF) if code is not None else None
        return StorageFailed(f"{path}: {advice or 'the database refused: run `reelway db check`'} ({error})")
    if isinstance(error, OSError):
        return disk_failed(error, str(path))
    return error
