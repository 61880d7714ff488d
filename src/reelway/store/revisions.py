"""Which shapes of the database this version knows. Kept apart from Alembic, so that an ordinary start need not import it.

The one rule: `KNOWN` names the files in `migrations/versions/`, oldest first; a test compares the two.
"""

import sqlite3

from reelway.core.errors import StorageFailed

__all__ = ["HEAD", "KNOWN", "check_known", "is_empty", "revision_of"]

KNOWN = ("0001",)
HEAD = KNOWN[-1]


def revision_of(connection: sqlite3.Connection) -> str | None:
    """Return the revision written in the database, None when it has none."""
    if not _has_table(connection, "alembic_version"):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def check_known(revision: str | None, target: str, place: str) -> None:
    """Raise `StorageFailed` unless a database of this revision can be brought back to the target."""
    if revision not in KNOWN or target not in KNOWN:
        raise StorageFailed(f"{place}: its shape is {revision}; this version knows {', '.join(KNOWN)}, not {target}")
    if KNOWN.index(target) > KNOWN.index(revision):
        raise StorageFailed(f"{place}: its shape is {revision}, older than {target}: run `reelway db upgrade`")


def is_empty(connection: sqlite3.Connection) -> bool:
    """Tell whether there is no table at all, as in a file just made."""
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone()
    return found is not None
