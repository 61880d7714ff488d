"""Connections to one SQLite file: how they are opened, and how the file is brought to today's shape before the first.

The one rule: SQLAlchemy and Alembic are imported only when an existing file is older than this version; an ordinary start,
and the first one, do without (0.9 s of start-up time).
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from reelway.core.errors import SchemaTooNew, StorageFailed
from reelway.store.failures import explained
from reelway.store.queries import PARAMETER, Statement, Step, Work
from reelway.store.revisions import HEAD, KNOWN, is_empty, revision_of

__all__ = ["BUSY_SECONDS", "connect_to_read", "connect_to_write", "perform", "prepare"]

_Found = TypeVar("_Found")

BUSY_SECONDS = 5.0
"""How long another program's write is waited for."""

_OLDEST_SQLITE = (3, 35, 0)
_STATEMENTS_KEPT = 512
_WAL_PAGES = 4000
"""About 16 MB are gathered in the log before they are moved into the file, which costs two syncs."""
_PARAMETERS_AT_ONCE = 2048
"""Far below SQLite's limit of 32,766; 64 jobs at once, or 1,024 ids."""


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
    connection.execute("PRAGMA secure_delete = ON")  # what was deleted is overwritten, not merely forgotten
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


def perform(connection: sqlite3.Connection, work: Work[_Found]) -> _Found:
    """Run a read or a write step by step; return what it comes to."""
    try:
        step = next(work)
        while True:
            step = work.send(_run(connection, step))
    except StopIteration as ended:
        found: _Found = ended.value
        return found


def _run(connection: sqlite3.Connection, step: Step) -> Any:
    statement = step.statement
    if statement is None:
        return None  # a turn: whoever writes has the file for itself
    if step.rows is not None:
        return _run_with_rows(connection, statement, step)
    cursor = connection.execute(statement.text, step.names)
    return cursor.fetchall() if step.is_read else cursor.rowcount


def _run_with_rows(connection: sqlite3.Connection, statement: Statement, step: Step) -> Any:
    """Run one statement for many rows, because Python lets go of its lock around each: while the event loop is busy, a thread
    waits up to 5 ms to get it back, and a batch written row by row would take a second.
    """
    before_all = connection.total_changes  # a cursor's `rowcount` knows nothing of statements that begin with WITH
    found: list[Any] = []
    for text, parameters in _calls(statement, step):
        cursor = connection.execute(text, parameters)
        if step.is_read:
            found.extend(cursor)
    return found if step.is_read else connection.total_changes - before_all


def _calls(statement: Statement, step: Step) -> Iterator[tuple[str, list[Any]]]:
    """Split the rows into powers of two, so that few different texts have to be compiled and stay compiled."""
    rows: Sequence[Sequence[Any]] = step.rows or ()
    width = len(rows[0])
    before, after = ([step.names[name] for name in PARAMETER.findall(part)] for part in statement.text.split("{rows}"))
    largest = 1 << ((_PARAMETERS_AT_ONCE // width).bit_length() - 1)
    position = 0
    while position < len(rows):
        count = min(largest, 1 << ((len(rows) - position).bit_length() - 1))
        values = [value for row in rows[position : position + count] for value in row]
        yield _with_rows(statement.text, count, width), [*before, *values, *after]
        position += count


@cache
def _with_rows(text: str, count: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return PARAMETER.sub("?", text).replace("{rows}", ", ".join([row] * count))


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
