"""An SQLite file as a place to move from or to.

The one rule: all of it happens in one transaction, which is one moment, and which leaves a file as it was when anything fails.
"""

import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from reelway.core.errors import StorageFailed
from reelway.store.connections import connect_to_read, connect_to_write, prepare
from reelway.store.failures import explained
from reelway.store.moving import MovedTable, Place
from reelway.store.revisions import revision_of

__all__ = ["sqlite_source", "sqlite_target"]


class _SqlitePlace:
    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @property
    def name(self) -> str:
        return str(self._path)

    async def revision(self) -> str | None:
        return revision_of(self._connection)

    async def working_nodes(self) -> tuple[str, ...]:
        found = self._connection.execute("SELECT node FROM nodes WHERE lease_until > ? ORDER BY node", (time.time(),))
        return tuple(node for (node,) in found)

    async def is_empty(self, table: MovedTable) -> bool:
        return self._connection.execute(table.looking).fetchone() is None

    async def rows(self, table: MovedTable) -> AsyncIterator[Sequence[Any]]:
        for row in self._connection.execute(table.reading):
            yield row

    async def add(self, table: MovedTable, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(table.writing, rows)


@contextlib.asynccontextmanager
async def sqlite_source(path: Path) -> AsyncIterator[Place]:
    """Open a file that is there, to read it as of this moment."""
    _must_be_there(path)
    try:
        with contextlib.closing(connect_to_read(path)) as connection:
            connection.execute("BEGIN")
            yield _SqlitePlace(path, connection)
    except sqlite3.Error as error:
        raise explained(error, path) from error


@contextlib.asynccontextmanager
async def sqlite_target(path: Path) -> AsyncIterator[Place]:
    """Open a file, made if it is not there, to fill it; what was written is kept when the context ends without an error."""
    prepare(path)
    try:
        with contextlib.closing(connect_to_write(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield _SqlitePlace(path, connection)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise explained(error, path) from error


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        raise StorageFailed(f"{path}: there is no database file; check the path")
