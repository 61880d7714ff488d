"""An installation goes from one database to another, of whichever kind, and every row of it arrives."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from tests.store.conformance_characters import character, keep
from tests.store.conformance_doubts import word
from tests.store.conformance_messages import message_of
from tests.store.records import LEASE, NOW, change, completed, creation, forgetting, make_job, route

from reelway.core.errors import Conflict, StorageFailed
from reelway.core.jobs import Job
from reelway.core.keys import ApiKey
from reelway.core.lifecycle import State
from reelway.store.admin import check
from reelway.store.moving import Figures, Place, export_to, figures_of, import_from
from reelway.store.moving_sqlite import sqlite_source, sqlite_target
from reelway.store.postgres import PostgresStore, administration
from reelway.store.postgres.administration import postgres_source, postgres_target
from reelway.store.schema import METADATA
from reelway.store.spec import JobQuery, JobStore
from reelway.store.sqlite import SqliteStore

_MANY = 10_000


async def _live(store: JobStore, count: int) -> list[Job]:
    """Lead an installation's life: videos in every state, with all that can belong to them, and some deleted."""
    epoch = await store.join("a", NOW, LEASE)
    await store.add_key(ApiKey(id="key_1", tenant="default", name="é", hash="h", hint="sk-…", created_at=NOW))
    await store.set_fact("link_secret", "s3cret")
    jobs = [_job(number, epoch) for number in range(count)]
    await asyncio.gather(*(_create(store, number, job) for number, job in enumerate(jobs)))
    await asyncio.gather(*(_advance(store, number, job) for number, job in enumerate(jobs)))
    for job in jobs[::50]:
        with contextlib.suppress(Conflict):  # those that are not final stay
            await store.delete(job.id, NOW)
    await store.plan_errand(forgetting(jobs[0]))
    await store.errand_put_off(forgetting(jobs[0]).id, None, 9, "403")
    await keep(store, character("Žofie"))
    doubted = make_job(owner="a", epoch=epoch)
    await store.create(creation(doubted))
    await store.apply(change(doubted, epoch, state=State.SUBMITTING))
    assert await store.testify(word(doubted))
    jobs.append(doubted)
    await store.leave("a", epoch)
    return jobs


def _job(number: int, epoch: int) -> Job:
    owned = {"owner": "a", "epoch": epoch} if number % 3 else {}
    return make_job(at=NOW + number / 7, user="ünï" if number % 4 else None, **owned)


async def _create(store: JobStore, number: int, job: Job) -> None:
    takes = (make_job(parent=job.id, take=0, state=State.FAILED),) if number % 10 == 1 else ()
    await store.create(creation(job, takes=takes, key=job.id if number % 2 else None))


async def _advance(store: JobStore, number: int, job: Job) -> None:
    if job.owner is None:
        return
    running = change(job, job.epoch, state=State.RUNNING, route=route(), operation_key=job.id)
    await store.apply(running)
    if number % 4:
        last = change(running.job, job.epoch, end="settle", **completed(expires_at=NOW + number))
        await store.apply(last.evolve(message=message_of(job), errands=(forgetting(job),)))


async def _export(path: Path, source: AbstractAsyncContextManager[Place]) -> Figures:
    async with source as place:
        return await export_to(path, place)


async def _import(path: Path, target: AbstractAsyncContextManager[Place]) -> Figures:
    async with target as place:
        return await import_from(path, place)


async def _figures(source: AbstractAsyncContextManager[Place]) -> Figures:
    async with source as place:
        return await figures_of(place)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An installation's SQLite file, with a little of everything."""

    async def make() -> None:
        store = SqliteStore(tmp_path / "old.db")
        await store.open()
        await _live(store, 120)
        await store.close()

    asyncio.run(make())
    return tmp_path / "old.db"


@pytest.mark.slow
async def test_ten_thousand_videos_move_to_postgres(tmp_path: Path, postgres_url: str) -> None:
    """Every row is compared; afterwards the new node takes up what the old one left."""
    old = SqliteStore(tmp_path / "old.db")
    await old.open()
    jobs = await _live(old, _MANY)
    began = time.perf_counter()
    said = await _export(tmp_path / "moved", sqlite_source(tmp_path / "old.db"))
    exported = time.perf_counter()
    kept = await _import(tmp_path / "moved", postgres_target(postgres_url))
    imported = time.perf_counter()
    size = (tmp_path / "moved").stat().st_size / 1e6
    print(f"\n{said.total:,} rows, {size:.1f} MB: export {exported - began:.1f} s, import {imported - exported:.1f} s")
    print(kept.counts)
    assert kept == said
    assert min(kept.counts.values()) > 0, kept.counts
    assert kept.counts["jobs"] >= _MANY

    new = PostgresStore(postgres_url, callers_clock=True)
    await new.open()
    ids = tuple(job.id for job in jobs)
    before, after = await old.get_many(ids), await new.get_many(ids)
    assert after == tuple(job if job.is_final else job.evolve(owner=None, epoch=0) for job in before)
    for job in before[::97]:
        assert await new.events(job.id) == await old.events(job.id)
        assert await new.entries(job.id) == await old.entries(job.id)
        assert await new.messages(job.id) == await old.messages(job.id)
        assert await new.errands(job.id) == await old.errands(job.id)
    [given_up] = await new.given_up_errands(9)
    assert (given_up.job_id, given_up.last_answer) == (jobs[0].id, "403")
    assert await new.testimony(jobs[-1].id, 1) == word(jobs[-1])
    assert await new.character(character().id) == await old.character(character().id) == character("Žofie")
    assert await new.keys() == await old.keys()
    assert await new.fact("link_secret") == "s3cret"
    repeated = await new.create(creation(make_job(at=NOW), key=before[1].id))
    assert (repeated.replayed, repeated.job.id) == (True, before[1].id)
    epoch = await new.join("a", NOW, LEASE)
    left = sum((await new.count_unfinished()).values())
    assert len(await new.claim("a", epoch, NOW, 2 * _MANY)) == left > 0
    assert (await administration.check(postgres_url)).is_sound
    for store in (old, new):
        await store.close()


async def test_an_installation_moves_there_and_back(old: Path, tmp_path: Path, postgres_url: str) -> None:
    """From SQLite to PostgreSQL to SQLite: each has the figures of the first, and each works."""
    figures = [
        await _export(tmp_path / "one", sqlite_source(old)),
        await _import(tmp_path / "one", postgres_target(postgres_url)),
        await _export(tmp_path / "two", postgres_source(postgres_url)),
        await _import(tmp_path / "two", sqlite_target(tmp_path / "new.db")),
        await _figures(sqlite_source(tmp_path / "new.db")),
    ]
    assert figures == [figures[0]] * 5
    assert set(figures[0].counts) == {str(table) for table in METADATA.tables} - {"nodes", "batches"}
    assert min(figures[0].counts.values()) > 0
    assert (tmp_path / "one").read_bytes().splitlines()[1:] == (tmp_path / "two").read_bytes().splitlines()[1:]
    assert check(tmp_path / "new.db").is_sound
    store = SqliteStore(tmp_path / "new.db")
    await store.open()
    assert len((await store.page(JobQuery(tenant="default", limit=200))).jobs) > 100
    await store.close()


async def test_a_database_that_is_not_empty_is_not_filled(old: Path, tmp_path: Path) -> None:
    """Two installations never become one; what was there is untouched."""
    await _export(tmp_path / "moved", sqlite_source(old))
    before = await _figures(sqlite_source(old))
    with pytest.raises(StorageFailed, match="it is not empty"):
        await _import(tmp_path / "moved", sqlite_target(old))
    assert await _figures(sqlite_source(old)) == before


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_running_server_is_in_the_way(old: Path, tmp_path: Path, postgres_url: str, kind: str) -> None:
    """At both ends; as a copy of one moment an export is still to be had."""
    await _export(tmp_path / "moved", sqlite_source(old))
    path = tmp_path / "running.db"
    store: JobStore = SqliteStore(path) if kind == "sqlite" else PostgresStore(postgres_url)
    source = sqlite_source if kind == "sqlite" else postgres_source
    target = sqlite_target if kind == "sqlite" else postgres_target
    place = path if kind == "sqlite" else postgres_url
    await store.open()
    await store.join("busy", time.time(), LEASE)
    with pytest.raises(StorageFailed, match="a server works with it"):
        await _import(tmp_path / "moved", target(place))  # type: ignore[arg-type,operator]
    with pytest.raises(StorageFailed, match="a server works with it"):
        await _export(tmp_path / "copy", source(place))  # type: ignore[arg-type,operator]
    async with source(place) as running:  # type: ignore[arg-type,operator]
        await export_to(tmp_path / "copy", running, while_running=True)
    await store.close()
    assert sorted(file.name for file in tmp_path.glob("copy*")) == ["copy"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda lines: lines[:-1], "its end is missing"),
        (lambda lines: lines[:5] + lines[6:], "its rows are not those"),
        (lambda lines: [line.replace(b'"reserve",', b'"reserve" ,') for line in lines], "its rows are not those"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b"1", b"2", 1)], "its rows are not those"),
        (lambda lines: [*lines, b"more"], "cannot be read"),
        (lambda lines: [*lines[:3], b'["jobs",[1,2]]\n', *lines[3:]], "cannot be read"),
        (lambda lines: [*lines[:3], b'["users",[1]]\n', *lines[3:]], "cannot be read"),
        (lambda lines: [lines[0].replace(b'"0', b'"9'), *lines[1:]], "made by another version"),
        (lambda _: [b"PK\x03\x04"], "not an export of Reelway"),
        (lambda _: [], "not an export of Reelway"),
    ],
)
async def test_a_damaged_file_fills_nothing(
    old: Path, tmp_path: Path, postgres_url: str, damage: Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    """Cut short, changed by a letter, or something else entirely: the new database stays empty."""
    file = tmp_path / "moved"
    await _export(file, sqlite_source(old))
    file.write_bytes(b"".join(damage(file.read_bytes().splitlines(keepends=True))))
    with pytest.raises(StorageFailed, match=words):
        await _import(file, postgres_target(postgres_url))
    assert (await _figures(postgres_source(postgres_url))).total == 0


async def test_a_row_that_changes_on_the_way_is_noticed(old: Path, tmp_path: Path) -> None:
    """What is compared is what is read back, not what was sent."""
    await _export(tmp_path / "moved", sqlite_source(old))
    path = tmp_path / "new.db"
    async with sqlite_target(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER meddling AFTER INSERT ON events WHEN new.seq = 2 "
            "BEGIN UPDATE events SET at = at + 1 WHERE job_id = new.job_id AND seq = 2; END"
        )
    with pytest.raises(StorageFailed, match="what was read back differs in events; nothing was kept"):
        await _import(tmp_path / "moved", sqlite_target(path))
    assert (await _figures(sqlite_source(path))).total == 0


async def test_an_export_overwrites_nothing(old: Path, tmp_path: Path) -> None:
    """And a failed one leaves nothing behind."""
    (tmp_path / "moved").write_text("precious")
    with pytest.raises(StorageFailed, match="choose another name"):
        await _export(tmp_path / "moved", sqlite_source(old))
    assert (tmp_path / "moved").read_text() == "precious"
    with pytest.raises(StorageFailed):
        await _export(tmp_path / "no-folder" / "moved", sqlite_source(old))
