"""What an operator does with a database file: upgrade it, check it, back it up. Used by the command line, outside the server.

The one rule: nothing here changes a file it was asked to look at; a backup appears whole or not at all.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from reelway.core.errors import StorageFailed
from reelway.core.record import Record
from reelway.store.connections import BUSY_SECONDS, connect_to_read, prepare
from reelway.store.failures import explained
from reelway.store.queries import load
from reelway.store.revisions import HEAD, check_known, revision_of

__all__ = ["LEDGER", "CheckReport", "backup", "check", "downgrade", "unfinished_accounts", "upgrade"]

_SQL = load("checking")
LEDGER = {
    "ended_without_reservation": "settled or released without a reservation",
    "still_reserved": "final or deleted, but its money is still reserved",
    "ended_too_early": "still being made, but its money is settled or released already",
}


class CheckReport(Record):
    """What a check found; `problems` is empty for a sound file."""

    path: str
    revision: str | None
    head: str
    counts: dict[str, int]
    problems: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.problems


def upgrade(path: Path) -> str:
    """Make the file, or bring it to today's shape; return the revision. Raise `SchemaTooNew` or `StorageFailed`."""
    prepare(path)
    return HEAD


def downgrade(path: Path, revision: str) -> None:
    """Bring the file back to an older shape, for an older version. Raise `StorageFailed`; then the file is as it was."""
    from reelway.store.upgrading import downgrade_to  # imports SQLAlchemy

    with _reading(path) as connection:
        check_known(revision_of(connection), revision, str(path))
    downgrade_to(path, revision, busy_seconds=BUSY_SECONDS)


def check(path: Path) -> CheckReport:
    """Read the whole file and report what is wrong with it: its structure, its references and its ledger."""
    with _reading(path) as connection:
        revision = revision_of(connection)
        problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        problems = [] if problems == ["ok"] else problems
        if revision != HEAD:
            problems.append(f"its shape is {revision or 'not one of Reelway'}, not {HEAD}: run `reelway db upgrade`")
            return CheckReport(path=str(path), revision=revision, head=HEAD, counts={}, problems=tuple(problems))
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        problems.extend(
            f"a row of {table} points at a row of {parent} that is not there" for table, _, parent, _ in dangling
        )
        for name, words in LEDGER.items():
            problems.extend(f"{job_id}: {words}" for (job_id,) in connection.execute(_SQL[name].text))
        counts = {str(kind): int(count) for kind, count in connection.execute(_SQL["counts"].text)}
        return CheckReport(path=str(path), revision=revision, head=HEAD, counts=counts, problems=tuple(problems))


def unfinished_accounts(path: Path) -> dict[str, int]:
    """Return how many videos are being made at each account."""
    with _reading(path) as connection:
        return {str(account): int(count) for account, count in connection.execute(_SQL["unfinished_accounts"].text)}


def backup(path: Path, target: Path) -> Path:
    """Copy the database, as of one moment, into a single new file, also while a server is writing; return the target."""
    if target.exists():
        raise StorageFailed(f"{target} is there already: choose another name for the backup")
    partial = target.with_name(f"{target.name}.partial")
    try:
        with _reading(path) as source:
            _copy(source, partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise explained(error, target) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _copy(source: sqlite3.Connection, partial: Path) -> None:
    """Copy in one step, which is one moment, then leave the write-ahead log, so that the backup is one file."""
    partial.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise StorageFailed(f"{path}: there is no database file; check the path, or start the server once to make one")
    try:
        with contextlib.closing(connect_to_read(path, busy_seconds=BUSY_SECONDS)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise explained(error, path) from error
