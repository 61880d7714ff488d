"""What the store's tests share."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from tests.postgres import PostgresServer

from reelway.store.postgres import PostgresStore
from reelway.store.spec import JobStore

pytest.register_assert_rewrite(
    "tests.store.conformance",
    "tests.store.conformance_characters",
    "tests.store.conformance_errands",
    "tests.store.conformance_jobs",
    "tests.store.conformance_messages",
    "tests.store.conformance_nodes",
    "tests.store.other_node",
    "tests.store.records",
)

from tests.store.records import Fleet  # noqa: E402 - after its assertions were registered


@pytest.fixture
def fleet(store: JobStore) -> Fleet:
    """Nodes at the store under test."""
    return Fleet(store)


@pytest.fixture(scope="session")
def postgres_shelf(postgres: PostgresServer) -> Iterator[str]:
    """One database for all tests that do not mind what others did to it: emptying it takes a tenth of the time of a new one."""
    name = postgres.make_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
async def postgres_stores(postgres_shelf: str) -> AsyncIterator[str]:
    """Return the address of a database without rows; tables it may have already."""
    yield postgres_shelf
    connection = await asyncpg.connect(postgres_shelf)
    tables = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    await connection.execute("".join(f'DELETE FROM "{table}";' for (table,) in tables))  # noqa: S608 - its own names
    await connection.close()


@pytest.fixture
async def two(postgres_stores: str) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """Two nodes' stores."""
    stores = (PostgresStore(postgres_stores, callers_clock=True), PostgresStore(postgres_stores, callers_clock=True))
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()
