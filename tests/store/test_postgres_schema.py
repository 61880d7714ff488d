"""PostgreSQL's tables are those of the description, whichever way they were made, and its statements find rows by indexes."""

import asyncio
import re
from collections.abc import Iterator

import asyncpg
import pytest
from tests.postgres import PostgresServer

from reelway.core.errors import SchemaTooNew, StorageFailed
from reelway.store import queries
from reelway.store.postgres import PostgresStore
from reelway.store.postgres.upgrading import migrate, statements_between
from reelway.store.revisions import HEAD

_SUBJECTS = ("errands", "fleet", "keys", "messages", "nodes", "reading", "writing")


async def _make(url: str) -> None:
    store = PostgresStore(url)
    await store.open()
    await store.close()


async def test_a_new_database_and_a_migrated_one_are_alike(postgres: PostgresServer, postgres_database: str) -> None:
    """Every table, column, constraint and index, as PostgreSQL itself writes them down."""
    made = postgres.make_database()
    await _make(postgres.url(made))
    connection = await asyncpg.connect(postgres.url(postgres_database))
    await migrate(connection, "base", HEAD, "here")
    await connection.close()
    shapes = [postgres.shape(name) for name in (made, postgres_database)]
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) > 100
    postgres.drop_database(made)


async def test_nodes_that_start_at_once_on_an_empty_database_share_it(postgres_url: str) -> None:
    """One makes the tables, the others find them."""
    stores = [PostgresStore(postgres_url) for _ in range(5)]
    await asyncio.gather(*(store.open() for store in stores))
    epochs = await asyncio.gather(*(store.join(f"node-{number}", 0, 10) for number, store in enumerate(stores)))
    assert sorted(epochs) == [1, 2, 3, 4, 5]
    await asyncio.gather(*(store.close() for store in stores))


async def test_a_database_of_a_newer_version_is_left_alone(postgres: PostgresServer, postgres_database: str) -> None:
    """The message says what to do."""
    await _make(postgres.url(postgres_database))
    postgres.run_sql("UPDATE alembic_version SET version_num = '9999'", database=postgres_database)
    with pytest.raises(SchemaTooNew, match="newer version of Reelway"):
        await _make(postgres.url(postgres_database))


async def test_a_database_with_other_tables_is_left_alone(postgres: PostgresServer, postgres_database: str) -> None:
    """Somebody else's, presumably."""
    postgres.run_sql("CREATE TABLE customers (name text)", database=postgres_database)
    with pytest.raises(StorageFailed, match="not those of Reelway"):
        await _make(postgres.url(postgres_database))
    assert (
        postgres.run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=postgres_database)
        == "1"
    )


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    postgres: PostgresServer, postgres_database: str
) -> None:
    """The steps are one transaction: the tables made before the one that fails are not there afterwards."""
    postgres.run_sql("CREATE TABLE tombstones (in_the_way text)", database=postgres_database)
    connection = await asyncpg.connect(postgres.url(postgres_database))
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(connection, "base", HEAD, "here")
    await connection.close()
    assert postgres.run_sql(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=postgres_database
    ) == ("tombstones")


def test_what_alembic_writes_is_one_transaction() -> None:
    """With the new revision inside of it."""
    statements = statements_between("base", HEAD)
    assert (statements[0], statements[-1]) == ("BEGIN;", "COMMIT;")
    assert "COMMIT;" not in statements[:-1]
    assert f"'{HEAD}'" in statements[-2]


def _statements() -> Iterator[tuple[str, queries.Statement]]:
    for subject in _SUBJECTS:
        for name, statement in queries.load(subject).items():
            yield f"{subject}.{name}", statement


@pytest.fixture(scope="module")
def planning(postgres: PostgresServer) -> Iterator[str]:
    """A database in which reading a table from end to end is the last resort, as if all tables were large."""
    name = postgres.make_database()
    asyncio.run(_make(postgres.url(name)))
    postgres.run_sql(f'ALTER DATABASE "{name}" SET enable_seqscan = off')
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.mark.parametrize(("name", "statement"), [pytest.param(*pair, id=pair[0]) for pair in _statements()])
async def test_every_statement_finds_its_jobs_by_an_index(
    planning: str, name: str, statement: queries.Statement
) -> None:
    """Also in PostgreSQL's own words."""
    if "{conditions}" in statement.text:
        statement = statement.filled(conditions="AND tenant = :tenant AND id < :after", direction="DESC")
    text, _ = statement.postgres
    connection = await asyncpg.connect(planning)
    await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE asked AS {text}")
    count = len(set(re.findall(r"\$\d+", text)))
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    plan = "\n".join(line for (line,) in await connection.fetch(f"EXPLAIN EXECUTE asked{values}"))
    await connection.close()
    assert "Seq Scan on jobs" not in plan, plan
