"""What a job store does in a second, on one event loop: read the ratios, not the digits.

`python -m bench.store [--folder DIR]` measures SQLite; the folder decides which disk is synced. `python -m bench.store --database
postgresql://…` measures PostgreSQL, and the same writes without the group committer beside it; the database must be empty.
"""

import argparse
import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import asyncpg

from reelway.core.ids import ENTROPY_BYTES, make_id
from reelway.core.jobs import Entry, Job, JobEvent, JobRoute
from reelway.core.keys import ApiKey
from reelway.core.lifecycle import State
from reelway.core.videos import Mode, ResolvedRequest
from reelway.store.postgres import PostgresStore
from reelway.store.postgres.connections import perform
from reelway.store.spec import Change, Creation, IdempotencyClaim, JobQuery
from reelway.store.sqlite import SqliteStore
from reelway.store.writes import create_videos

MeasuredStore: TypeAlias = SqliteStore | PostgresStore
LEASE_SECONDS = 3600.0
REQUEST = ResolvedRequest(
    operation="create",
    model="veo3.1",
    card="veo3.1",
    mode=Mode.T2V,
    prompt="a red fox trots through fresh snow at dawn " * 3,
    seconds=8,
    width=1280,
    height=720,
    ratio="16:9",
    tier="720p",
    tags={"take": "7", "scene": "opening"},
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None, help="where to put the database")
    parser.add_argument("--database", default=None, help="an empty PostgreSQL database to measure instead")
    options = parser.parse_args()
    if options.database is not None:
        asyncio.run(_measure(PostgresStore(options.database)))
        asyncio.run(_row_by_row(options.database))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        asyncio.run(_measure(SqliteStore(Path(folder) / "reelway.db")))


async def _measure(store: MeasuredStore) -> None:
    await store.open()
    epoch = await store.join("bench", time.time(), LEASE_SECONDS)

    await _report("create, one after another", store, [_create(store, epoch) for _ in range(500)], writers=1)
    await _report("create, 64 at a time", store, [_create(store, epoch) for _ in range(8000)])
    keyed = [_create(store, epoch, keyed=True) for _ in range(8000)]
    await _report("create with idempotency key, 64 at a time", store, keyed)
    made = [_job(epoch) for _ in range(8000)]
    await _each((_write(store, job) for job in made), 64)
    await _report("change, 64 at a time", store, [_change(store, job, epoch) for job in made])

    ids = itertools.cycle([job.id for job in made])
    await store.add_key(ApiKey(id="key_bench", tenant="bench", name="bench", hash="hash", hint="sk-…", created_at=0.0))
    await _report("read a job", store, [lambda: store.get(next(ids))] * 20_000, writers=1)
    await _report("read a key", store, [lambda: store.key_by_hash("hash")] * 20_000, writers=1)
    await _report("list 20", store, [lambda: store.page(JobQuery(tenant="bench"))] * 2000, writers=1)
    filtered = JobQuery(tenant="bench", model="veo3.1")
    await _report("list 20, filtered, in a thread", store, [lambda: store.page(filtered)] * 2000, writers=8)
    await _take_over(store, epoch)
    await store.close()


async def _row_by_row(url: str) -> None:
    """The same creates, each in a transaction of its own, on one connection and on sixteen."""
    for count in (1, 16):
        connections = [await asyncpg.connect(url) for _ in range(count)]
        jobs = iter([_job(1) for _ in range(2_000)])

        async def go_on(connection: "asyncpg.Connection[asyncpg.Record]", jobs: Iterator[Job] = jobs) -> None:
            for job in jobs:
                async with connection.transaction():
                    await perform(connection, create_videos([_creation(job)]))

        began = time.perf_counter()
        await asyncio.gather(*(go_on(connection) for connection in connections))
        name = f"create, row by row on {count} connection{'s' if count > 1 else ''}"
        print(f"{name:44} {2_000 / (time.perf_counter() - began):>9,.0f}/s")
        for connection in connections:
            await connection.close()


def _job(epoch: int) -> Job:
    now = time.time()
    return Job(
        id=make_id("video", now, os.urandom(ENTROPY_BYTES)),
        tenant="bench",
        key_id="key_bench",
        request=REQUEST,
        created_at=now,
        updated_at=now,
        deadline_at=now + 3600,
        due_at=now,
        route=JobRoute(account="acme", vendor="openai_videos", model="sora-2"),
        reserved=400_000,
        owner="bench",
        epoch=epoch,
    )


async def _write(store: MeasuredStore, job: Job, *, keyed: bool = False) -> None:
    await store.create(_creation(job, keyed=keyed))


def _creation(job: Job, *, keyed: bool = False) -> Creation:
    now = job.created_at
    claim = IdempotencyClaim(key_id=job.key_id, key=job.id, body_hash="hash", expires_at=now + 86_400)
    event = JobEvent(seq=1, at=now, state=job.state, name="created")
    entry = Entry(kind="reserve", amount=job.reserved, at=now)
    return Creation(job=job, event=event, entry=entry, idempotency=claim if keyed else None)


def _create(store: MeasuredStore, epoch: int, *, keyed: bool = False) -> Callable[[], Awaitable[object]]:
    return lambda: _write(store, _job(epoch), keyed=keyed)


def _change(store: MeasuredStore, job: Job, epoch: int) -> Callable[[], Awaitable[object]]:
    changed = job.evolve(version=2, state=State.SUBMITTING)
    event = JobEvent(seq=2, at=time.time(), state=changed.state, name="submit_started")
    return lambda: store.apply(Change(job=changed, node="bench", epoch=epoch, event=event))


async def _each(work: Iterable[Awaitable[object]], writers: int) -> None:
    """Do all of it, so many at a time."""
    shared = iter(work)

    async def go_on() -> None:
        for one in shared:
            await one

    await asyncio.gather(*(go_on() for _ in range(writers)))


async def _report(
    name: str, store: MeasuredStore, calls: list[Callable[[], Awaitable[object]]], *, writers: int = 64
) -> None:
    commits, began = store.commits, time.perf_counter()
    await _each((call() for call in calls), writers)
    seconds = time.perf_counter() - began
    shared = f", {len(calls) / (store.commits - commits):.0f} a commit" if store.commits > commits else ""
    print(f"{name:44} {len(calls) / seconds:>9,.0f}/s{shared}")


async def _take_over(store: MeasuredStore, epoch: int) -> None:
    """Adopt everything a node leaves behind, in slices of a thousand."""
    await store.leave("bench", epoch)
    heir = await store.join("heir", time.time(), LEASE_SECONDS)
    began, count, slices = time.perf_counter(), 0, 0
    while jobs := await store.claim("heir", heir, time.time(), 1000):
        count, slices = count + len(jobs), slices + 1
    milliseconds = (time.perf_counter() - began) * 1000
    print(
        f"{'adopt orphans':44} {count / milliseconds * 1000:>9,.0f}/s, {milliseconds / slices:.0f} ms a slice of 1,000"
    )


if __name__ == "__main__":
    main()
