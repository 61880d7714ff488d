"""A second shape of the tables, made for these tests alone: both databases are led to it and back, and keep their rows."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import asyncpg
import pytest
from alembic.config import Config
from tests.postgres import PostgresServer
from tests.store.records import creation, make_job

from reelway.core.errors import SchemaTooNew, StorageFailed
from reelway.store import admin, connections, revisions, upgrading
from reelway.store.postgres import PostgresStore, administration, preparing
from reelway.store.postgres import upgrading as postgres_upgrading
from reelway.store.postgres.connections import Database, Patience
from reelway.store.sqlite import SqliteStore

_STEP = '''
"""A column, filled for the rows that are there, and an index made without holding up anybody."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("facts", sa.Column("note", sa.Text))
    op.execute("UPDATE facts SET note = 'said: ' || value")
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.create_index("facts_by_note", "facts", ["note"], postgresql_concurrently=True, if_not_exists=True)
    else:
        op.create_index("facts_by_note", "facts", ["note"])


def downgrade() -> None:
    op.drop_index("facts_by_note", "facts")
    op.drop_column("facts", "note")
'''


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a version is that knows one more step; the older one is this one."""
    known = ("0001", "0002")
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "0002_notes.py").write_text(_STEP)
    ours = Path(upgrading.__file__).parent / "migrations" / "versions"
    real = upgrading.alembic_config

    def both(*arguments: object, **named: object) -> Config:
        config = real(*arguments, **named)  # type: ignore[arg-type]
        config.set_main_option("version_locations", f"{ours}:{folder}")
        config.set_main_option("path_separator", ":")
        return config

    for module in (upgrading, postgres_upgrading):
        monkeypatch.setattr(module, "alembic_config", both)
    for module in (admin, revisions, connections, preparing, postgres_upgrading, administration):
        for name, value in (("KNOWN", known), ("HEAD", "0002")):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)


async def test_an_sqlite_file_goes_forth_and_back(tmp_path: Path, next_version: None) -> None:
    """The next start leads it to the new shape; `downgrade` leads it back, and the older version finds everything."""
    path = tmp_path / "reelway.db"
    job = make_job()
    with pytest.MonkeyPatch.context() as older:
        older.setattr(connections, "HEAD", "0001")
        store = SqliteStore(path)
        await store.open()
        await store.create(creation(job))
        await store.set_fact("secret", "x")
        await store.close()
    store = SqliteStore(path)
    await store.open()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT note FROM facts").fetchall() == [("said: x",)]
    assert await store.get(job.id) == job
    await store.close()

    with pytest.MonkeyPatch.context() as older:
        older.setattr(connections, "KNOWN", ("0001",))
        with pytest.raises(SchemaTooNew):
            await SqliteStore(path).open()
        await asyncio.to_thread(admin.downgrade, path, "0001")
        older.setattr(connections, "HEAD", "0001")
        store = SqliteStore(path)
        await store.open()
        assert (await store.get(job.id), await store.fact("secret")) == (job, "x")
        await store.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert [row[1] for row in connection.execute("PRAGMA table_info(facts)")] == ["name", "value"]


async def test_a_postgres_database_goes_forth_and_back(
    postgres: PostgresServer, postgres_database: str, next_version: None
) -> None:
    """While others read and write; nodes that start at once lead it there once."""
    url = postgres.url(postgres_database)
    job = make_job()
    with pytest.MonkeyPatch.context() as older:
        older.setattr(preparing, "HEAD", "0001")
        running = PostgresStore(url)
        await running.open()
        await running.create(creation(job))
        await running.set_fact("secret", "x")
    before = postgres.shape(postgres_database)
    newer = [PostgresStore(url) for _ in range(3)]
    await asyncio.gather(*(store.open() for store in newer), *(running.create(creation(make_job())) for _ in range(20)))
    assert postgres.run_sql("SELECT note FROM facts", database=postgres_database) == "said: x"
    assert await newer[2].get(job.id) == job
    for store in (running, *newer):
        await store.close()

    with pytest.MonkeyPatch.context() as older:
        older.setattr(preparing, "KNOWN", ("0001",))
        older.setattr(preparing, "HEAD", "0001")
        with pytest.raises(SchemaTooNew):
            await PostgresStore(url).open()
    await administration.downgrade(url, "0001")
    assert postgres.shape(postgres_database) == before
    with pytest.raises(StorageFailed, match="this version knows 0001, 0002, not 0007"):
        await administration.downgrade(url, "0007")


async def test_a_table_in_use_is_waited_for_without_queueing_everybody_up(
    postgres_url: str, next_version: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that needs a table for itself lets others pass, and tries again."""
    monkeypatch.setattr(postgres_upgrading, "_LOCK_SECONDS", 1)
    with pytest.MonkeyPatch.context() as older:
        older.setattr(preparing, "HEAD", "0001")
        store = PostgresStore(postgres_url)
        await store.open()
    reader = await asyncpg.connect(postgres_url)
    await reader.execute("BEGIN")
    await reader.execute("SELECT count(*) FROM facts")
    upgrading_now = asyncio.ensure_future(preparing.prepare(Database(postgres_url, Patience())))
    failed = asyncio.Event()
    real = asyncio.sleep

    async def slept(seconds: float) -> None:
        failed.set()
        await real(0)

    monkeypatch.setattr(postgres_upgrading.asyncio, "sleep", slept)
    await asyncio.wait_for(failed.wait(), 10)
    assert await store.fact("nothing") is None
    await reader.execute("COMMIT")
    await upgrading_now
    assert await reader.fetchval("SELECT version_num FROM alembic_version") == "0002"
    await reader.close()
    await store.close()
