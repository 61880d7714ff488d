"""Brings the database to today's shape before anything else is done with it.

The one rule: nodes that start at once take turns under an advisory lock, so one of them makes or upgrades the tables and the
others find them. SQLAlchemy and Alembic are imported only when there is something to upgrade.
"""

import asyncio
from importlib import resources

from reelway.core.errors import SchemaTooNew, StorageFailed
from reelway.store.postgres.connections import Connection, Database
from reelway.store.revisions import HEAD, KNOWN, check_known

__all__ = ["change_revision", "prepare", "revision_of"]

_OLDEST = 150_000
_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 600.0
"""A table may be large and another node upgrading it; an ordinary statement is given less."""


async def prepare(database: Database) -> None:
    """Make or upgrade the tables, so that they have the shape of `HEAD`. Raise `SchemaTooNew` or `StorageFailed`."""
    connection = await database.connect("reelway upgrade", answer_seconds=_PATIENCE_SECONDS)
    try:
        await _check_server(connection, database.place)
        revision = await revision_of(connection)
        if revision != HEAD:
            await _take_turns(connection)
            await _bring_up(connection, database)
    except Exception as error:
        raise database.explained(error) from error
    finally:
        connection.terminate()  # which also lets go of the lock


async def change_revision(database: Database, target: str) -> None:
    """Take back the steps after a revision. Raise `StorageFailed`."""
    from reelway.store.postgres.upgrading import migrate  # imports SQLAlchemy; see the module's rule

    connection = await database.connect("reelway downgrade", answer_seconds=_PATIENCE_SECONDS)
    try:
        await _take_turns(connection)
        revision = await revision_of(connection)
        check_known(revision, target, database.place)
        if revision is not None and revision != target:
            await migrate(connection, revision, target, database.place)
    except Exception as error:
        raise database.explained(error) from error
    finally:
        connection.terminate()


async def revision_of(connection: Connection) -> str | None:
    """Return the revision written in the database, None when it has none."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return found


async def _take_turns(connection: Connection) -> None:
    """Wait for other nodes that make or change tables. Asked for again and again, because whoever waits at the server holds a
    snapshot, and an index that is made concurrently waits for all of those.
    """
    while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('reelway upgrade'))"):  # noqa: ASYNC110
        await asyncio.sleep(_PAUSE_SECONDS)


async def _bring_up(connection: Connection, database: Database) -> None:
    revision = await revision_of(connection)
    if revision is None and await _is_empty(connection):
        async with connection.transaction():
            await connection.execute(_schema())
        return
    if revision is None:
        raise StorageFailed(
            f"{database.place}: it has tables, but not those of Reelway: give Reelway a database of its own"
        )
    if revision not in KNOWN:
        raise SchemaTooNew(
            f"{database.place} was written by a newer version of Reelway (its shape is {revision!r}, this version knows up to "
            f"{HEAD!r}): start that version or a newer one, or restore a backup made before the upgrade"
        )
    if revision != HEAD:
        from reelway.store.postgres.upgrading import migrate  # imports SQLAlchemy; see the module's rule

        await migrate(connection, revision, HEAD, database.place)


async def _check_server(connection: Connection, place: str) -> None:
    version = int(await connection.fetchval("SELECT current_setting('server_version_num')"))
    encoding = await connection.fetchval("SELECT current_setting('server_encoding')")
    if version < _OLDEST:
        raise StorageFailed(f"{place}: it is PostgreSQL {version // 10_000}; 15 or newer is needed")
    if encoding != "UTF8":
        raise StorageFailed(f"{place}: it keeps text as {encoding}: make the database with `createdb --encoding=UTF8`")


async def _is_empty(connection: Connection) -> bool:
    """Tell whether there is no table at all where ours would be made."""
    found: bool = await connection.fetchval(
        "SELECT NOT EXISTS (SELECT 1 FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace)"
    )
    return found


def _schema() -> str:
    return (resources.files("reelway.store") / "sql" / "postgres" / "schema.sql").read_text(encoding="utf-8")
