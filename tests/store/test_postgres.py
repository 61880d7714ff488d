"""The PostgreSQL store runs the suite of all job stores, and keeps what is peculiar to it: shared commits, other nodes."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
from tests.store.conformance import JobStoreConformance
from tests.store.records import LEASE, NOW, Fleet, change, creation, make_job

from reelway.core.errors import LeaseLost, StorageFailed
from reelway.core.nodes import Signal
from reelway.store.postgres import PostgresStore
from reelway.store.postgres.connections import Patience
from reelway.store.spec import Created, JobQuery


@pytest.fixture
async def store(postgres_stores: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(postgres_stores, callers_clock=True)
    await store.open()
    yield store
    await store.close()


class TestPostgres(JobStoreConformance):
    """Everything the contract in `store/spec.py` promises."""


async def test_writers_that_come_together_share_a_commit(store: PostgresStore, fleet: Fleet) -> None:
    """Sixty-four creates, then as many changes, are one transaction each."""
    owner = await fleet.held()
    jobs = [make_job(owner="a", epoch=owner.epoch) for _ in range(64)]
    before = store.commits
    await asyncio.gather(*(store.create(creation(job)) for job in jobs))
    await asyncio.gather(*(store.apply(change(job, job.epoch)) for job in jobs))
    assert store.commits - before == 2


async def test_a_refusal_leaves_the_others_in_one_commit(store: PostgresStore, fleet: Fleet) -> None:
    """The batch is gone through again, but committed once; where all are refused nothing is committed."""
    jobs = [await fleet.held() for _ in range(10)]
    before = store.commits
    outcomes = await asyncio.gather(
        *(store.apply(change(job, job.epoch + (1 if number == 3 else 0))) for number, job in enumerate(jobs)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, LeaseLost) for outcome in outcomes].index(True) == 3
    assert outcomes.count(None) == 9
    assert store.commits - before == 1
    with pytest.raises(LeaseLost):
        await store.apply(change(jobs[0], jobs[0].epoch))
    assert store.commits - before == 1


async def test_a_repetition_costs_no_commit(store: PostgresStore) -> None:
    """A storm of retries is answered from what is there, without troubling the writer."""
    first = creation(make_job(), key="k")
    assert first.idempotency is not None
    await store.create(first)
    before = store.commits
    answers = await asyncio.gather(*(store.answered(first.idempotency, NOW) for _ in range(20)))
    assert answers == [Created(job=first.job, replayed=True)] * 20
    assert store.commits == before


async def test_more_writers_than_a_batch_holds_are_all_served(store: PostgresStore) -> None:
    """A burst is cut into batches, and each has its own commit."""
    jobs = [make_job() for _ in range(1200)]
    before = store.commits
    await asyncio.gather(*(store.create(creation(job)) for job in jobs))
    assert len(await store.get_many(tuple(job.id for job in jobs))) == 1200
    assert store.commits - before == 3


async def test_a_cancelled_writer_disturbs_nobody(store: PostgresStore) -> None:
    """Whoever waits for the same commit hears of it all the same."""
    impatient, patient = make_job(), make_job()
    leaving = asyncio.ensure_future(store.create(creation(impatient)))
    staying = asyncio.ensure_future(store.create(creation(patient)))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).job == patient


async def test_a_cancelled_reader_disturbs_nobody(store: PostgresStore) -> None:
    """Its connection is not given to the next one with half an answer on it."""
    job = make_job()
    await store.create(creation(job))
    for _ in range(20):
        leaving = asyncio.ensure_future(store.get(job.id))
        await asyncio.sleep(0.001)
        leaving.cancel()
        assert await store.get(job.id) == job


async def test_what_was_accepted_is_written_before_closing(postgres_stores: str) -> None:
    """A write begun before `close` is committed after it, and the writer leaves nothing of itself."""
    store, other = PostgresStore(postgres_stores), PostgresStore(postgres_stores)
    await store.open()
    job = make_job()
    writing = asyncio.ensure_future(store.create(creation(job)))
    await asyncio.sleep(0)
    await store.close()
    assert (await writing).job == job
    await other.open()
    assert await other.get(job.id) == job
    await other.close()
    connection = await asyncpg.connect(postgres_stores)
    assert await connection.fetchval("SELECT count(*) FROM batches") == 0
    await connection.close()


async def test_a_closed_store_says_so(postgres_stores: str) -> None:
    """Reading and writing raise, closing again does not."""
    store = PostgresStore(postgres_stores)
    with pytest.raises(StorageFailed, match="not open"):
        await store.get("video_1")
    await store.open()
    await store.close()
    await store.close()
    for late in (store.get("video_1"), store.page(JobQuery(tenant=None)), store.create(creation(make_job()))):
        with pytest.raises(StorageFailed, match="nothing can be"):
            await late


async def test_a_damaged_record_is_named(store: PostgresStore, postgres_stores: str) -> None:
    """It is not mistaken for a missing video."""
    job = make_job()
    await store.create(creation(job))
    connection = await asyncpg.connect(postgres_stores)
    await connection.execute("UPDATE jobs SET record = $1 WHERE id = $2", b'{"id": 7}', job.id)
    await connection.close()
    with pytest.raises(StorageFailed, match="reelway db check"):
        await store.get(job.id)


async def test_a_value_that_postgres_cannot_keep_is_refused_alone(store: PostgresStore) -> None:
    """Text with a NUL, say: whoever shares the transaction is written all the same."""
    bad, good = make_job().evolve(tenant="a\0b"), make_job()
    outcomes = await asyncio.gather(store.create(creation(bad)), store.create(creation(good)), return_exceptions=True)
    assert isinstance(outcomes[0], StorageFailed)
    assert outcomes[1] == Created(job=good)
    assert await store.get(bad.id) is None


async def test_a_commit_is_durable_whatever_the_server_is_set_to(postgres_stores: str) -> None:
    """A server that answers before its disk does is told not to."""
    name = postgres_stores.rpartition("/")[2]
    connection = await asyncpg.connect(postgres_stores)
    await connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    store = PostgresStore(postgres_stores)
    await store.open()
    session = await store._committer._session()
    assert await session.fetchval("SELECT current_setting('synchronous_commit')") == "on"
    await store.close()
    await connection.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')
    await connection.close()


async def test_leases_go_by_the_databases_clock(postgres_stores: str) -> None:
    """A node whose own clock is years off neither loses its lease nor takes another's."""
    store = PostgresStore(postgres_stores)
    await store.open()
    now = await store.shared_time()
    assert now is not None
    epoch = await store.join("slow", NOW - 1e8, LEASE)
    job = make_job(owner="slow", epoch=epoch)
    await store.create(creation(job))
    other = await store.join("fast", NOW + 1e8, LEASE)
    assert await store.claim("fast", other, NOW + 1e8, 10) == ()
    assert await store.live_nodes(NOW + 1e8) == ("fast", "slow")
    left = {node.name: node.seconds_left for node in await store.nodes(NOW - 1e8)}
    assert all(0 < seconds <= LEASE for seconds in left.values())
    await store.renew("slow", epoch, NOW - 1e8, -1.0)
    assert [claimed.id for claimed in await store.claim("fast", other, NOW - 1e8, 10)] == [job.id]
    await store.close()


async def test_the_others_hear_what_was_committed_and_told(store: PostgresStore, postgres_stores: str) -> None:
    """Creates, changes and wishes by themselves, after their commit; refused ones are not told of; nobody hears himself."""
    other = PostgresStore(postgres_stores, callers_clock=True)
    await other.open()
    heard: list[Signal] = []
    own: list[Signal] = []
    all_heard = asyncio.Event()

    def hear(signal: Signal) -> None:
        heard.append(signal)
        if signal.kind == "drain":
            all_heard.set()

    await other.listen(hear)
    await store.listen(own.append)
    fleet = Fleet(store)
    job = await fleet.held()
    await store.apply(change(job, job.epoch))
    with pytest.raises(LeaseLost):
        await store.apply(change(make_job(owner="a", epoch=job.epoch), job.epoch))
    await store.request_cancel(job.id, NOW)
    many = [make_job() for _ in range(700)]
    await asyncio.gather(*(store.create(creation(one)) for one in many))
    await store.tell(Signal(kind="called", job_id=job.id, detail="ü" * 10), Signal(kind="called", detail="x" * 9000))
    await store.tell(Signal(kind="drain"))
    await asyncio.wait_for(all_heard.wait(), 10)
    assert set(heard) == {
        Signal(kind="changed", job_id=job.id),
        Signal(kind="cancel", job_id=job.id),
        Signal(kind="called", job_id=job.id, detail="ü" * 10),
        Signal(kind="drain"),
        *(Signal(kind="changed", job_id=one.id) for one in many),
    }
    assert own == []
    await other.close()


@pytest.mark.parametrize(
    ("change_of", "words"),
    [
        (lambda url: url.replace("reelway-tests", "wr0ng-s3cret"), "refuses this user or password"),
        (lambda url: url.rpartition("/")[0] + "/nobody", "there is no such database: make it with `createdb`"),
        (lambda url: url.replace("reelway-tests", "wr0ng/s3cret"), "with %XX for whatever is not a letter"),
        (lambda url: url.replace("reelway-tests", "wr0ng#s3cret"), "cannot be re"),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"), "cannot be re"),
        (lambda url: url + "?sslmode=perhaps", "check the options after the question mark"),
    ],
)
async def test_what_is_wrong_with_an_address_is_said_without_its_password(
    postgres_stores: str, change_of: Callable[[str], str], words: str
) -> None:
    """Neither the message nor what it was made from repeats it."""
    with pytest.raises(StorageFailed, match=words) as raised:
        await PostgresStore(change_of(postgres_stores), patience=Patience(away=0.1)).open()
    told = "".join(traceback.format_exception(raised.value))
    assert "s3cret" not in told
    assert "reelway-tests" not in told
