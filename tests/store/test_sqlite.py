"""The SQLite store runs the suite of all job stores, and keeps what is peculiar to it: shared commits, files, processes."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.store.conformance import JobStoreConformance
from tests.store.records import LEASE, NOW, Fleet, change, creation, make_job

from reelway.core.errors import LeaseLost, StorageFailed
from reelway.store.spec import Created, JobQuery, JobStore
from reelway.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reelway.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, busy_seconds=0.1)
    await store.open()
    yield store
    await store.close()


class TestSqlite(JobStoreConformance):
    @pytest.fixture
    async def store(self, path: Path) -> AsyncIterator[JobStore]:
        store = SqliteStore(path)
        await store.open()
        yield store
        await store.close()


async def test_writers_that_come_together_share_a_commit(store: SqliteStore, fleet: Fleet) -> None:
    """Sixty-four creates, then as many changes, cost one sync each."""
    owner = await fleet.held()
    jobs = [make_job(owner="a", epoch=owner.epoch) for _ in range(64)]
    before = store.commits
    await asyncio.gather(*(store.create(creation(job)) for job in jobs))
    await asyncio.gather(*(store.apply(change(job, job.epoch)) for job in jobs))
    assert store.commits - before == 2


async def test_a_refusal_leaves_the_others_in_one_commit(store: SqliteStore, fleet: Fleet) -> None:
    """The batch is gone through again, but synced once."""
    jobs = [await fleet.held() for _ in range(10)]
    before = store.commits
    outcomes = await asyncio.gather(
        *(store.apply(change(job, job.epoch + (1 if number == 3 else 0))) for number, job in enumerate(jobs)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, LeaseLost) for outcome in outcomes].index(True) == 3
    assert outcomes.count(None) == 9
    assert store.commits - before == 1


async def test_a_repetition_costs_no_commit(store: SqliteStore) -> None:
    """A storm of retries is answered from what is there, without troubling the writer."""
    first = creation(make_job(), key="k")
    assert first.idempotency is not None
    await store.create(first)
    before = store.commits
    answers = [await store.answered(first.idempotency, NOW) for _ in range(20)]
    assert answers == [Created(job=first.job, replayed=True)] * 20
    assert store.commits == before


async def test_more_writers_than_a_batch_holds_are_all_served(store: SqliteStore) -> None:
    """A burst is cut into batches, and each has its own commit."""
    jobs = [make_job() for _ in range(1200)]
    before = store.commits
    await asyncio.gather(*(store.create(creation(job)) for job in jobs))
    assert len(await store.get_many(tuple(job.id for job in jobs))) == 1200
    assert 2 <= store.commits - before <= 3


async def test_a_cancelled_writer_disturbs_nobody(store: SqliteStore) -> None:
    """Whoever waits for the same commit hears of it all the same."""
    impatient, patient = make_job(), make_job()
    leaving = asyncio.ensure_future(store.create(creation(impatient)))
    staying = asyncio.ensure_future(store.create(creation(patient)))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).job == patient
    assert leaving.cancelled() or leaving.done()


async def test_what_was_accepted_is_written_before_closing(path: Path) -> None:
    """A write begun before `close` is on disk after it."""
    store = SqliteStore(path)
    await store.open()
    job = make_job()
    writing = asyncio.ensure_future(store.create(creation(job)))
    await asyncio.sleep(0)
    await store.close()
    assert (await writing).job == job
    assert not path.with_name("reelway.db-wal").exists()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM jobs").fetchall() == [(job.id,)]


async def test_a_closed_store_says_so(path: Path) -> None:
    """Reading and writing raise, closing again does not."""
    store = SqliteStore(path)
    with pytest.raises(StorageFailed, match="not open"):
        await store.get("video_1")
    await store.open()
    await store.close()
    await store.close()
    for late in (store.get("video_1"), store.page(JobQuery(tenant=None)), store.create(creation(make_job()))):
        with pytest.raises(StorageFailed, match="nothing can be"):
            await late


async def test_two_stores_on_one_file_see_each_other(path: Path) -> None:
    """Two processes' stores, opened at the same time on a new file, share it."""
    one, two = SqliteStore(path), SqliteStore(path)
    await asyncio.gather(one.open(), two.open())
    jobs = [make_job() for _ in range(40)]
    await asyncio.gather(*((one if number % 2 else two).create(creation(job)) for number, job in enumerate(jobs)))
    ids = tuple(job.id for job in jobs)
    assert len(await one.get_many(ids)) == len(await two.get_many(ids)) == 40
    epochs = [await one.join("a", NOW, LEASE), await two.join("b", NOW, LEASE)]
    claimed = await asyncio.gather(one.claim("a", epochs[0], NOW, 100), two.claim("b", epochs[1], NOW, 100))
    assert sorted(job.id for slice_ in claimed for job in slice_) == sorted(ids)
    await one.close()
    await two.close()


async def test_a_file_locked_by_another_program_is_an_error_that_says_so(store: SqliteStore, path: Path) -> None:
    """Every waiting writer hears it; reads go on; the next write succeeds once the other has finished."""
    job = make_job()
    await store.create(creation(job))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = await asyncio.gather(*(store.create(creation(make_job())) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(outcome, StorageFailed) for outcome in outcomes)
        assert "another program keeps it locked" in str(outcomes[0])
        assert outcomes[0] is not outcomes[1]
        assert await store.get(job.id) == job
        other.execute("COMMIT")
    await store.create(creation(make_job()))


async def test_a_damaged_record_is_named(store: SqliteStore, path: Path) -> None:
    """It is not mistaken for a missing video."""
    job = make_job()
    await store.create(creation(job))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE jobs SET record = ? WHERE id = ?", (b'{"id": 7}', job.id))
    with pytest.raises(StorageFailed, match="reelway db check"):
        await store.get(job.id)
