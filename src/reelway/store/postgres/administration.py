"""What an operator does with a PostgreSQL database: upgrade it, check it, move from and to it. Used by the command line.

The one rule: nothing here changes a database it was asked to look at.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from reelway.store.admin import LEDGER, CheckReport
from reelway.store.moving import MovedTable, Place
from reelway.store.postgres.connections import Connection, Database, Patience, perform
from reelway.store.postgres.preparing import change_revision, prepare, revision_of
from reelway.store.queries import fetch, load
from reelway.store.revisions import HEAD

__all__ = ["check", "downgrade", "postgres_source", "postgres_target", "revision", "unfinished_accounts", "upgrade"]

_SQL = load("checking")
_PATIENCE_SECONDS = 3_600.0
_ROWS_AT_ONCE = 500


async def upgrade(url: str) -> str:
    """Make the tables, or bring them to today's shape; return the revision. Raise `SchemaTooNew` or `StorageFailed`."""
    await prepare(Database(url, Patience()))
    return HEAD


async def downgrade(url: str, revision: str) -> None:
    """Bring the tables back to an older shape, for an older version. Raise `StorageFailed`."""
    await change_revision(Database(url, Patience()), revision)


async def check(url: str) -> CheckReport:
    """Report what is wrong: shape and ledger. That rows point at rows which are there, PostgreSQL sees to by itself."""
    async with (
        _connected(url) as (connection, place),
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        shape = await revision_of(connection)
        if shape != HEAD:
            problem = f"its shape is {shape or 'not one of Reelway'}, not {HEAD}: run `reelway db upgrade`"
            return CheckReport(path=place, revision=shape, head=HEAD, counts={}, problems=(problem,))
        problems: list[str] = []
        for name, words in LEDGER.items():
            rows = await perform(connection, fetch(_SQL[name]))
            problems.extend(f"{job_id}: {words}" for (job_id,) in rows)
        counts = {str(kind): int(count) for kind, count in await perform(connection, fetch(_SQL["counts"]))}
    return CheckReport(path=place, revision=shape, head=HEAD, counts=counts, problems=tuple(problems))


async def unfinished_accounts(url: str) -> dict[str, int]:
    """Return how many videos are being made at each account."""
    async with _connected(url) as (connection, _):
        rows = await perform(connection, fetch(_SQL["unfinished_accounts"]))
        return {str(account): int(count) for account, count in rows}


async def revision(url: str) -> str | None:
    """Return the shape of the tables, None where there are none of ours yet."""
    async with _connected(url) as (connection, _):
        return await revision_of(connection)


class _PostgresPlace:
    def __init__(self, name: str, connection: Connection) -> None:
        self._name = name
        self._connection = connection

    @property
    def name(self) -> str:
        return self._name

    async def revision(self) -> str | None:
        return await revision_of(self._connection)

    async def working_nodes(self) -> tuple[str, ...]:
        found = await self._connection.fetch(
            "SELECT node FROM nodes WHERE lease_until > extract(epoch FROM clock_timestamp()) ORDER BY node"
        )
        return tuple(node for (node,) in found)

    async def is_empty(self, table: MovedTable) -> bool:
        return await self._connection.fetchval(table.looking) is None

    async def rows(self, table: MovedTable) -> AsyncIterator[Sequence[Any]]:
        async for row in self._connection.cursor(table.reading, prefetch=_ROWS_AT_ONCE):
            yield tuple(row)

    async def add(self, table: MovedTable, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.copy_records_to_table(table.name, records=rows, columns=table.columns)


@contextlib.asynccontextmanager
async def postgres_source(url: str) -> AsyncIterator[Place]:
    """Connect to read as of this moment."""
    async with (
        _connected(url) as (connection, place),
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield _PostgresPlace(place, connection)


@contextlib.asynccontextmanager
async def postgres_target(url: str) -> AsyncIterator[Place]:
    """Make the tables if there are none, and connect to fill them; kept when the context ends without an error."""
    await upgrade(url)
    async with _connected(url) as (connection, place), connection.transaction():
        await connection.execute("LOCK TABLE nodes, jobs IN SHARE ROW EXCLUSIVE MODE")  # nobody joins meanwhile
        yield _PostgresPlace(place, connection)


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[tuple[Connection, str]]:
    database = Database(url, Patience())
    connection = await database.connect(
        "reelway db", answer_seconds=_PATIENCE_SECONDS, idle_in_transaction_session_timeout="0"
    )
    try:
        yield connection, database.place
    except Exception as error:
        raise database.explained(error) from error
    finally:
        connection.terminate()
