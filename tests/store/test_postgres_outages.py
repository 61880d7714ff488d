"""A database that is restarted, killed, frozen or cut off: what was acknowledged is there, what is not known is found out."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.postgres import PostgresServer, running_postgres
from tests.store.commit_wire import CommitWire, Moment
from tests.store.records import LEASE, NOW, Fleet, change, creation, make_job

from reelway.core.errors import StorageFailed
from reelway.core.nodes import Signal
from reelway.store.postgres import PostgresStore
from reelway.store.postgres.connections import Patience
from reelway.store.spec import Created

_SHORT = Patience(away=0.3, connect=0.5, write=1.0, read=1.0, idle_in_transaction=1.0)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of these tests' own, to be mistreated."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(server: PostgresServer) -> Iterator[str]:
    if not server.is_running:
        server.start()
    name = server.make_database()
    yield name
    if server.is_running:
        server.drop_database(name)


@pytest.fixture
async def store(server: PostgresServer, database: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(server.url(database), callers_clock=True)
    await store.open()
    yield store
    await store.close()


async def test_a_restart_is_a_short_pause(server: PostgresServer, store: PostgresStore) -> None:
    """Sessions are lost; the next read and the next write use new ones."""
    job = make_job()
    await asyncio.gather(store.create(creation(job)), store.get("video_1"), store.get("video_2"))
    await asyncio.to_thread(server.restart)
    assert await store.get(job.id) == job
    later = make_job()
    assert await store.create(creation(later)) == Created(job=later)


async def test_a_restart_under_load_fails_nobody(server: PostgresServer, store: PostgresStore) -> None:
    """Writers and readers wait until it is back; everything is written once."""
    made: list[str] = []
    ended = asyncio.Event()

    async def work() -> None:
        while not ended.is_set():
            job = make_job()
            await store.create(creation(job))
            assert await store.get(job.id) == job
            made.append(job.id)

    workers = [asyncio.create_task(work()) for _ in range(16)]
    while len(made) < 100:
        await asyncio.sleep(0)
    await asyncio.to_thread(server.restart)
    before = len(made)
    while len(made) < before + 100:
        await asyncio.sleep(0)
    ended.set()
    await asyncio.gather(*workers)
    assert len(await store.get_many(tuple(made))) == len(made)
    assert (await store.count_unfinished())["queued"] == len(made)


async def test_a_kill_loses_nothing_that_was_acknowledged(server: PostgresServer, store: PostgresStore) -> None:
    """Killed like by a power cut while sixteen writers write, four times; the store goes on by itself."""
    acknowledged: list[str] = []
    ended = asyncio.Event()

    async def work() -> None:
        while not ended.is_set():
            job = make_job()
            with contextlib.suppress(StorageFailed):  # then it is not there, which is counted below
                await store.create(creation(job))
                acknowledged.append(job.id)

    workers = [asyncio.create_task(work()) for _ in range(16)]
    for _ in range(4):
        before = len(acknowledged)
        while len(acknowledged) < before + 50:
            await asyncio.sleep(0)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    ended.set()
    await asyncio.gather(*workers)
    found = await store.get_many(tuple(acknowledged))
    assert [job.id for job in found] == acknowledged
    assert (await store.count_unfinished())["queued"] == len(acknowledged)


async def test_a_database_that_is_away_is_said_to_be_so(server: PostgresServer, database: str) -> None:
    """Soon, with what to do; and when it is back the same store goes on."""
    store = PostgresStore(server.url(database), callers_clock=True, patience=_SHORT)
    await store.open()
    job = make_job()
    await asyncio.to_thread(server.stop)
    for call in (store.get(job.id), store.create(creation(job)), store.get(job.id), store.create(creation(job))):
        with pytest.raises(StorageFailed, match=f"127.0.0.1:{server.port}/{database}: it cannot be reached: start it"):
            await call
    await store.tell(Signal(kind="queued"))
    await asyncio.to_thread(server.start)
    while True:
        try:
            assert (await store.create(creation(job))).job == job
            break
        except StorageFailed:  # it was asked a moment ago and is not asked again at once
            await asyncio.sleep(0.05)
    await store.close()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_commit_whose_answer_is_lost_is_looked_up(
    server: PostgresServer, database: str, moment: Moment
) -> None:
    """Whether it arrived or not, everything is written once and everybody hears the truth: also a claim, a refusal, a join."""
    async with CommitWire(server.port) as wire:
        store = PostgresStore(server.url(database, port=wire.port), callers_clock=True)
        await store.open()
        held = await Fleet(store).held("a")
        orphan, new = make_job(), make_job()
        await store.create(creation(orphan))
        wire.cut_at(moment)
        outcomes = await asyncio.gather(
            store.create(creation(new, key="k")),
            store.apply(change(held, held.epoch, end="settle", progress=50)),
            store.claim("a", held.epoch, NOW, 10),
            store.join("b", NOW, LEASE),
        )
        assert wire.cuts == 1
        assert outcomes[0] == Created(job=new)
        assert [job.id for job in outcomes[2]] in ([orphan.id], [orphan.id, new.id])
        assert outcomes[3] == held.epoch + 1
        found = await store.get(held.id)
        assert found is not None
        assert (found.version, found.progress) == (2, 50)
        assert [entry.kind for entry in await store.entries(held.id)] == ["reserve", "settle"]
        assert [event.seq for event in await store.events(held.id)] == [1, 2]
        assert (await store.create(creation(make_job(), key="k"))).replayed
        await store.close()


async def test_a_commit_that_is_still_on_its_way_comes_too_late(server: PostgresServer, database: str) -> None:
    """The session it belongs to is ended before anything is concluded, so that it cannot take effect afterwards."""
    async with CommitWire(server.port) as wire:
        store = PostgresStore(server.url(database, port=wire.port), callers_clock=True)
        await store.open()
        job = await Fleet(store).held("a")
        wire.cut_at("late")
        await store.apply(change(job, job.epoch, progress=50))
        wire.let_it_arrive()
        await wire.arrived.wait()
        found = await store.get(job.id)
        assert found is not None
        assert (found.version, found.progress) == (2, 50)
        assert len(await store.events(job.id)) == 2
        await store.close()


async def test_a_server_that_answers_nobody_hangs_nobody(server: PostgresServer, database: str) -> None:
    """Frozen, its connections stay open and silent: every call ends, and afterwards nothing is there twice."""
    store = PostgresStore(server.url(database), callers_clock=True, patience=_SHORT)
    await store.open()
    job = await Fleet(store).held("a")
    other = make_job()
    server.freeze()
    began = time.monotonic()
    with pytest.raises(StorageFailed, match="does not answer in time"):
        await store.get(job.id)
    outcomes = await asyncio.gather(
        *(store.create(creation(other)) for _ in range(1)), store.apply(change(job, job.epoch)), return_exceptions=True
    )
    assert time.monotonic() - began < 15
    server.thaw()
    assert all(isinstance(outcome, StorageFailed | Created | None) for outcome in outcomes), outcomes
    while True:
        try:
            found = await store.get(job.id)
            break
        except StorageFailed:
            await asyncio.sleep(0.05)
    assert found is not None
    assert found.version == (2 if outcomes[1] is None else 1)
    await store.close()


async def test_closing_ends_also_while_the_database_is_away(server: PostgresServer, database: str) -> None:
    """A process that is told to stop stops; what was not written is said to be so."""
    store = PostgresStore(server.url(database), callers_clock=True, patience=_SHORT)
    await store.open()
    await asyncio.to_thread(server.stop)
    writing = asyncio.ensure_future(store.create(creation(make_job())))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(StorageFailed):
        await writing


async def test_signals_are_heard_again_after_a_restart(
    server: PostgresServer, store: PostgresStore, database: str
) -> None:
    """The listener makes a new connection by itself; what was told meanwhile is lost, which everybody bears."""
    heard: asyncio.Queue[Signal] = asyncio.Queue()
    listener = PostgresStore(server.url(database), callers_clock=True)
    await listener.open()
    await listener.listen(heard.put_nowait)
    await store.tell(Signal(kind="queued"))
    assert await heard.get() == Signal(kind="queued")
    await asyncio.to_thread(server.restart)
    async with asyncio.timeout(30):
        while heard.empty():
            await store.tell(Signal(kind="called", job_id="video_1"))
            await asyncio.sleep(0.1)
    assert heard.get_nowait() == Signal(kind="called", job_id="video_1")
    await listener.close()
