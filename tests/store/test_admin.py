"""What an operator does with a database file."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.store.records import Fleet, creation, make_job

from reelway.core.errors import StorageFailed
from reelway.store.admin import backup, check, upgrade
from reelway.store.revisions import HEAD
from reelway.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reelway.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path)
    await store.open()
    yield store
    await store.close()


def _tamper(path: Path, statement: str, *parameters: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement, parameters)


async def test_a_sound_file_is_counted(store: SqliteStore, fleet: Fleet, path: Path) -> None:
    """With a server writing to it."""
    await fleet.ended(reserve=400_000)
    await store.create(creation(make_job(), key="k"))
    report = check(path)
    assert report.is_sound
    assert report.problems == ()
    assert report.revision == HEAD
    assert report.counts == {
        "jobs": 2,
        "unfinished jobs": 1,
        "events": 3,
        "ledger lines": 3,
        "idempotency keys": 1,
        "API keys": 0,
        "deleted videos": 0,
        "messages to send": 0,
    }


async def test_money_that_does_not_add_up_is_named(store: SqliteStore, fleet: Fleet, path: Path) -> None:
    """Each way a ledger can be wrong is found, with the video it is about."""
    forgotten, early, unfounded = [(await fleet.held()).id for _ in range(3)]
    lost = (await fleet.ended(reserve=400_000)).id
    await store.delete(lost, 0.0)
    for job_id in (forgotten, unfounded):
        _tamper(path, "UPDATE jobs SET state = 'failed', owner = NULL WHERE id = ?", job_id)
    _tamper(
        path, "INSERT INTO entries SELECT job_id, 'settle', tenant, key_id, 1, 1 FROM entries WHERE job_id = ?", early
    )
    _tamper(path, "UPDATE entries SET kind = 'release' WHERE job_id = ?", unfounded)
    _tamper(path, "DELETE FROM entries WHERE job_id = ? AND kind = 'settle'", lost)
    assert set(check(path).problems) == {
        f"{forgotten}: final or deleted, but its money is still reserved",
        f"{lost}: final or deleted, but its money is still reserved",
        f"{early}: still being made, but its money is settled or released already",
        f"{unfounded}: settled or released without a reservation",
    }


async def test_a_reference_to_nothing_is_found(store: SqliteStore, path: Path) -> None:
    """Rows that point at rows which are not there."""
    await store.create(creation(make_job()))
    _tamper(path, "DELETE FROM jobs")  # a connection of its own does not mind references
    assert "a row of events points at a row of jobs that is not there" in check(path).problems


def test_a_file_of_another_shape_is_a_problem(path: Path) -> None:
    """A check changes nothing, so it cannot upgrade either."""
    upgrade(path)
    _tamper(path, "UPDATE alembic_version SET version_num = '0000'")
    assert check(path).problems == (f"its shape is 0000, not {HEAD}: run `reelway db upgrade`",)


def test_upgrading_makes_a_file_that_is_not_there(path: Path) -> None:
    """And says which shape it has."""
    assert upgrade(path) == HEAD
    assert upgrade(path) == HEAD
    assert check(path).is_sound


def test_a_missing_or_foreign_file_is_not_checked(path: Path) -> None:
    """The message says what to do, and no file is made."""
    with pytest.raises(StorageFailed, match="there is no database file"):
        check(path)
    assert not path.exists()
    path.write_bytes(b"x" * 5000)
    with pytest.raises(StorageFailed, match="not a database"):
        check(path)


async def test_a_backup_of_a_running_server_is_one_sound_file(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    """It holds what was there at that moment, and opens like any other."""
    job, later = make_job(), make_job()
    await store.create(creation(job))
    target = backup(path, tmp_path / "backup.db")
    await store.create(creation(later))
    assert sorted(file.name for file in tmp_path.glob("backup*")) == ["backup.db"]
    assert check(target).is_sound
    copy = SqliteStore(target)
    await copy.open()
    assert await copy.get(job.id) == job
    assert await copy.get(later.id) is None
    await copy.close()


def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    """Neither a file that is there, nor does a failed one leave half of itself behind."""
    upgrade(path)
    target = tmp_path / "backup.db"
    target.write_text("precious")
    with pytest.raises(StorageFailed, match="is there already"):
        backup(path, target)
    assert target.read_text() == "precious"
    with pytest.raises(StorageFailed, match="there is no database file"):
        backup(tmp_path / "none.db", tmp_path / "other.db")
    with pytest.raises(StorageFailed):
        backup(path, tmp_path / "no-folder" / "backup.db")
    assert sorted(file.name for file in tmp_path.iterdir() if "other" in file.name or "partial" in file.name) == []
