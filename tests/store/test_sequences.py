"""Whatever is done to videos in whatever order: versions count the writes, and the ledger stays sound."""

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.postgres import PostgresServer
from tests.store.records import LEASE, NOW, change, creation, make_job

from reelway.core.errors import Conflict, Contradiction, LeaseLost
from reelway.core.jobs import EntryKind, Job
from reelway.core.lifecycle import State
from reelway.store.postgres import PostgresStore
from reelway.store.spec import JobStore
from reelway.store.sqlite import SqliteStore

_STATES = st.sampled_from(list(State))
_ENDS: st.SearchStrategy[EntryKind | None] = st.sampled_from([None, "settle", "release", "reserve"])
_STEP = st.one_of(
    st.tuples(st.just("create"), st.booleans(), st.integers(0, 2)),
    st.tuples(st.just("apply"), _STATES, _ENDS),
    st.tuples(st.just("apply_stale"), _STATES, _ENDS),
    st.tuples(st.just("apply_foreign"), _STATES, _ENDS),
    st.tuples(st.just("expire"), st.none(), st.none()),
    st.tuples(st.just("cancel"), st.none(), st.none()),
    st.tuples(st.just("delete"), st.none(), st.none()),
)
_names = itertools.count()


class _Run(Protocol):
    def __call__(self, work: Coroutine[Any, Any, None]) -> None: ...


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest) -> Iterator[tuple[JobStore, int, _Run]]:
    """One store for all examples, its node's epoch, and how to run something on it."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        store: JobStore = SqliteStore(Path(folder) / "reelway.db")
        if request.param == "postgres":
            server: PostgresServer = request.getfixturevalue("postgres")
            store = PostgresStore(server.url(server.make_database()), callers_clock=True)
        runner.run(store.open())
        epoch = runner.run(store.join("a", NOW, LEASE))
        yield store, epoch, runner.run
        runner.run(store.close())


class _Story:
    """One video, as it ought to be on record after each step."""

    def __init__(self, store: JobStore, epoch: int) -> None:
        self.store = store
        self.epoch = epoch
        self.job: Job | None = None
        self.last_id = "video_none"
        self.lines: list[str] = []

    async def create(self, reserved: bool, key: int) -> None:
        if self.job is not None:
            return
        job = make_job(owner="a", epoch=self.epoch)
        await self.store.create(creation(job, reserve=1 if reserved else None, key=f"{next(_names)}-{key}"))
        self.job, self.last_id = job, job.id
        self.lines = ["reserve"] if reserved else []

    async def apply(self, state: State, end: EntryKind | None) -> None:
        if self.job is None:
            return
        written = change(self.job, self.epoch, end=end, state=state)
        fits = end is None or end not in self.lines
        if end in ("settle", "release"):
            fits = self.lines == ["reserve"]
        if self.job.is_final:
            await _refused(self.store.apply(written), LeaseLost)
        elif not fits:
            await _refused(self.store.apply(written), Contradiction)
        else:
            await self.store.apply(written)
            self.job = written.job.evolve(owner=None) if written.job.is_final else written.job
            self.lines += [] if end is None else [end]

    async def apply_stale(self, state: State, end: EntryKind | None) -> None:
        if self.job is not None:
            older = self.job.evolve(version=self.job.version - 1, owner="a")
            await _refused(self.store.apply(change(older, self.epoch, end=end, state=state)), LeaseLost)

    async def apply_foreign(self, state: State, end: EntryKind | None) -> None:
        if self.job is not None:
            await _refused(self.store.apply(change(self.job, self.epoch + 1, end=end, state=state)), LeaseLost)

    async def expire(self, *_: None) -> None:
        if self.job is None:
            return
        written = change(self.job, None, expired=True)
        if not self.job.is_final:
            await _refused(self.store.apply(written), LeaseLost)
        else:
            await self.store.apply(written)
            self.job = written.job

    async def cancel(self, *_: None) -> None:
        await self.store.request_cancel(self.last_id, NOW)
        if self.job is not None and not self.job.is_final and self.job.cancel_requested_at is None:
            self.job = self.job.evolve(cancel_requested_at=NOW)

    async def delete(self, *_: None) -> None:
        if self.job is not None and not self.job.is_final:
            await _refused(self.store.delete(self.last_id, NOW), Conflict)
        else:
            await self.store.delete(self.last_id, NOW)
            self.job = None

    async def check(self) -> None:
        assert await self.store.get(self.last_id) == self.job
        kinds: list[str] = [entry.kind for entry in await self.store.entries(self.last_id)]
        assert kinds == self.lines
        assert kinds in ([], ["reserve"], ["reserve", "settle"], ["reserve", "release"])
        events = [event.seq for event in await self.store.events(self.last_id)]
        assert events == ([] if self.job is None else list(range(1, self.job.version + 1)))


async def _refused(write: Coroutine[Any, Any, None], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await write


@settings(max_examples=60, deadline=None)
@given(stories=st.lists(st.lists(_STEP, max_size=12), min_size=1, max_size=4))
def test_versions_and_ledger_hold_in_any_order(
    bench: tuple[JobStore, int, _Run], stories: list[list[tuple[str, Any, Any]]]
) -> None:
    """Several videos at once, so that what one is refused shares transactions with what another is granted."""
    store, epoch, run = bench

    async def tell(steps: list[tuple[str, Any, Any]]) -> None:
        story = _Story(store, epoch)
        for name, *arguments in [("create", True, 0), *steps]:
            step: Callable[..., Coroutine[Any, Any, None]] = getattr(story, name)
            await step(*arguments)
            await story.check()

    async def tell_all() -> None:
        await asyncio.gather(*(tell(steps) for steps in stories))

    run(tell_all())
