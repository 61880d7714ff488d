"""The PostgreSQL store runs the suite of all job stores, and keeps what is peculiar to it: shared commits, other nodes."""

from collections.abc import AsyncIterator

import pytest
from tests.store.conformance import JobStoreConformance

from reelway.store.postgres import PostgresStore


@pytest.fixture
async def store(postgres_stores: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(postgres_stores, callers_clock=True)
    await store.open()
    yield store
    await store.close()


class TestPostgres(JobStoreConformance):
    """Everything the contract in `store/spec.py` promises."""
