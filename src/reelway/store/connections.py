"""Connections to one SQLite file: how they are opened, and how the file is brought to today's shape before the first.

The one rule: SQLAlchemy and Alembic are imported only when an existing file is older than this version; an ordinary start,
and the first one, do without (0.9 s of start-up time).
"""

import sqlite3
import time
from importlib import resources
from pathlib import Path

from reelway.core.errors import SchemaTooNew, StorageFailed
from reelway.store.failures import explained
from reelway.store.revisions import HEAD, KNOWN, is_empty, revision_of

__all__ = ["BUSY_SECONDS", "connect_to_read", "connect_to_write", "prepare"]

BUSY_SECONDS = 5.0
"""How long another program's write is waited for."""

_OLDEST_SQLITE = (3, 35, 0)
_STATEMENTS_KEPT = 512
_WAL_PAGES = 4000
"""About 16 MB are gathered in the log before they are moved into the file, which costs two syncs."""


def prepare(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
    """Make or upgrade the file, so that it has the shape of `HEAD`. Raise `SchemaTooNew` or `StorageFailed`."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StorageFailed(
            f"SQLite {sqlite3.sqlite_version} is too old: a Python with SQLite 3.35 or newer is needed (March 2021)"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connect(path, busy_seconds)
        try:
            _use_write_ahead_log(connection, path, busy_seconds)
            revision = _make_if_empty(connection, path)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise explained(error, path) from error
    if revision != HEAD:
        from reelway.store.upgrading import upgrade_to_head  # imports SQLAlchemy; see the module's rule

        upgrade_to_head(path, busy_seconds=busy_seconds)


def connect_to_write(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open the connection of the writer. A commit on it is on disk when it returns."""
    connection = _connect(path, busy_seconds)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA cache_size = -65536")
    return connection


def connect_to_read(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a connection that sees every commit at once, never waits for a writer and cannot write."""
    connection = _connect(path, busy_seconds)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -65536")
    return connection


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open without implicit transactions. Threads hand connections over in turn, never use one at the same time."""
    return sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT
    )


def _use_write_ahead_log(connection: sqlite3.Connection, path: Path, busy_seconds: float) -> None:
    """Switch the file to its write-ahead log. SQLite does not wait for others at this one statement, so we do."""
    give_up_at = time.monotonic() + busy_seconds
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(0.02)
            continue
        if mode != "wal":
            raise StorageFailed(f"{path}: this disk cannot keep a write-ahead log: put the data folder on a local disk")
        return


def _make_if_empty(connection: sqlite3.Connection, path: Path) -> str:
    """Make the tables in a new file; return the revision of the file."""
    revision = revision_of(connection)
    if revision is None:
        connection.execute(
            "BEGIN IMMEDIATE"
        )  # two processes may start on a new file at once; one of them makes the tables
        try:
            if is_empty(connection):
                for statement in _schema_statements():
                    connection.execute(statement)
            revision = revision_of(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    if revision is None:
        raise StorageFailed(
            f"{path}: it is a database, but not one of Reelway: move it aside or choose another data folder"
        )
    if revision not in KNOWN:
        raise SchemaTooNew(
            f"{path} was written by a newer version of Reelway (its shape is {revision!r}, this version knows up to {HEAD!r}): "
            "start that version or a newer one, or restore a backup made before the upgrade"
        )
    return revision


def _schema_statements() -> list[str]:
    text = (resources.files("reelway.store") / "sql" / "schema.sql").read_text(encoding="utf-8")
    return [statement for statement in text.split(";\n") if statement.strip()]
