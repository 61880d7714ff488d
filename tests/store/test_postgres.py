"""The PostgreSQL store runs the suite of all job stores, and keeps what is peculiar to it: shared commits, other nodes."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from tests.postgres import PostgresServer
from tests.store.conformance import JobStoreConformance

from reelway.store.postgres import PostgresStore


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> Iterator[str]:
    """One database for all tests here: to empty it takes a tenth of the time that a new one takes."""
    name = postgres.make_database()
    yield postgres.url(name)
    postgres.drop_database(name)


async def _opened(url: str, **options: Any) -> PostgresStore:
    store = PostgresStore(url, callers_clock=True, **options)
    await store.open()
    return store


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    store = await _opened(url)
    yield store
    await store.close()
    await _empty(url)


async def _empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    tables = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    await connection.execute("".join(f'DELETE FROM "{table}";' for (table,) in tables))  # noqa: S608 - names from its own list
    await connection.close()


class TestPostgres(JobStoreConformance):
    """Everything the contract in `store/spec.py` promises."""
