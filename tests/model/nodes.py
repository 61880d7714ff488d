"""Two real submitters on one real store, in a world that decides when time passes, who is frozen and what gets through.

A step of a node runs until it comes to a gate: before its request leaves, while it waits for the answer, and while the
database is away. Whoever holds the world opens the gates, in any order, or kills who stands at them.
"""

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.engine.scripted import Eyes

from reelway.assets.folder import FolderAssets
from reelway.catalog.load import load_catalog
from reelway.core.errors import LeaseLost, StorageFailed, SubmitOutcomeUnknown, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.ids import make_id
from reelway.core.jobs import Entry, HeardOperation, Job, JobEvent
from reelway.core.lifecycle import Event, State
from reelway.core.videos import MediaKind, Mode, ResolvedRequest
from reelway.engine.account import Account, SubmitPolicy
from reelway.engine.driver import Driver
from reelway.engine.fetcher import Fetcher
from reelway.engine.router import Router
from reelway.engine.submitting import Submitter
from reelway.engine.tools import EngineLimits, Tools, Watch
from reelway.engine.transport import TimeLimits, Transport
from reelway.store.spec import Change, Creation
from reelway.store.sqlite import SqliteStore
from reelway.vendors.spec import (
    Accepted,
    Callback,
    Candidate,
    Credential,
    Flow,
    Heard,
    HttpRequest,
    Running,
    Status,
    Submission,
)

__all__ = ["ANSWERS", "Kind", "Node", "World"]

LEASE_SECONDS = 10.0
ARRIVAL_SECONDS = 20.0
LONGEST_WAY_SECONDS = 15.0
"""No request is longer on its way than this."""
LIMITS = EngineLimits(
    lease_seconds=LEASE_SECONDS, arrival_seconds=ARRIVAL_SECONDS, retry_seconds=0.0, callback_wait_seconds=60.0
)
ANSWERS = ("accepted", "lost", "refused", "nonsense")
_CATALOG = load_catalog()


class Kind:
    """What the vendor can do, and what the operator chose for when that is not enough."""

    def __init__(self, name: str, *, finds: bool, calls: bool, policy: SubmitPolicy = "fail") -> None:
        self.name, self.finds, self.calls, self.policy = name, finds, calls, policy

    def __repr__(self) -> str:
        return self.name


class Sent:
    """One request that has left its node."""

    def __init__(self, reference: str, at: float) -> None:
        self.reference, self.at = reference, at
        self.where = "way"


class Vendor:
    """Shows what arrived. Its flows yield nothing: the node's driver is where the world steps in."""

    vendor = "openai_videos"
    url_kinds = frozenset(MediaKind)
    link_kinds: frozenset[MediaKind] = frozenset()

    def __init__(self, world: "World") -> None:
        self.world = world

    def submit(self, submission: Submission) -> Flow[Accepted]:
        raise AssertionError("the driver of the model sends by itself")
        yield HttpRequest(method="POST", path="/")

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        if all(sent.where != "made" for sent in self.world.sent if sent.reference == operation["id"]):
            raise UnexpectedResponse("no such task")
        return Running()
        yield HttpRequest(method="GET", path="/")

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        return request


class ListingVendor(Vendor):
    """Has a list."""

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        made = [sent for sent in self.world.sent if sent.where == "made" and sent.reference == submission.reference]
        return tuple(Candidate(operation={"id": one.reference}, key=one.reference, certain=True) for one in made)
        yield HttpRequest(method="GET", path="/")


class CallingVendor(Vendor):
    """Calls back."""

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        raise AssertionError("calls come in as what was read of them")


class ListingCallingVendor(ListingVendor, CallingVendor):
    """Does both."""


class GatedDriver(Driver):
    """Looks at once; a submit waits at the world's gates, asks its permit for real, and leaves a request on its way."""

    def __init__(self, transport: Transport, node: "Node") -> None:
        super().__init__(transport, node.clock)
        self._node = node

    async def submit(self, submission: Submission, permit: Any) -> Accepted:
        node, world = self._node, self._node.world
        leave = permit()
        await node.gate("sending")
        leave.begin(None)
        sent = Sent(submission.reference, world.now)
        world.sent.append(sent)
        answer = await node.gate("answer")
        if answer == "accepted" and sent.where == "way":
            sent.where = "made"
        if answer == "refused" and sent.where == "way":
            sent.where = "lost"
            raise VendorRefused(Failure(kind=FailureKind.RATE_LIMITED, message="not now"), retry_after_seconds=1.0)
        if answer != "accepted" or sent.where != "made":
            raise SubmitOutcomeUnknown("the connection broke" if answer != "nonsense" else "nonsense")
        return Accepted(operation={"id": sent.reference}, key=sent.reference, poll_after_seconds=0.0)

    async def run(self, flow: Any, adapter: Any, account: Account, **leave: Any) -> Any:
        if "permit_for" in leave:
            submission = flow.gi_frame.f_locals["submission"]
            flow.close()
            return await self.submit(submission, leave["permit_for"])
        return await super().run(flow, adapter, account)


class CutStore(SqliteStore):
    """A store that can be away, for one node's writes at a time; and that remembers under which epoch each write came."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_away = False
        self.epochs: list[int] = []

    async def apply(self, change: Change) -> None:
        if self.is_away:
            raise StorageFailed("the database is away")
        await super().apply(change)
        self.epochs.append(change.epoch or 0)


class Node:
    """One machine: its clocks, its lease as it believes it, and the steps that stand at gates."""

    def __init__(self, world: "World", name: str, skew: float, tools: type[Tools]) -> None:
        self.world, self.name, self.skew = world, name, skew
        self.watch: Watch | None = None
        """The job as this node's worker knows it; steps from before a lost lease have one of their own."""
        self.steps: set[asyncio.Task[None]] = set()
        self.gates: list[tuple[str, asyncio.Future[str]]] = []
        self._reached = asyncio.Event()
        self._make_tools = tools
        self.boot()

    def clock(self) -> float:
        """The wall clock, which may be wrong."""
        return self.world.now + self.skew

    def monotonic(self) -> float:
        """The clock that never jumps."""
        return self.world.now

    def boot(self) -> None:
        """Start a process that knows nothing."""
        world = self.world
        self.tools = self._make_tools(
            store=world.store,
            assets=world.assets,
            media=Eyes(),
            driver=GatedDriver(world.transport, self),
            router=Router(_CATALOG, (world.account,), {"openai_videos": world.vendor}),
            fetcher=Fetcher(world.assets, lambda: "inputs/x"),
            adapters={"openai_videos": world.vendor},
            cards=_CATALOG.card,
            limits=LIMITS,
            clock=self.clock,
            monotonic=self.monotonic,
            random=lambda: 0.0,
            token=lambda: f"token{next(world.tokens)}",
            checkpoint=lambda point: None,
            public_url="https://video.example.test" if world.kind.calls else None,
        )
        self.tools.node = self.name
        self.tools.pause = self._pause  # type: ignore[method-assign]
        self.submitter = Submitter(self.tools)
        self.watch = None

    async def _pause(self, seconds: float) -> None:
        await self.gate("database")

    async def gate(self, name: str) -> str:
        """Stand here until the world says how to go on."""
        gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.gates.append((name, gate))
        self._reached.set()
        return await gate

    async def open(self, number: int, word: str = "") -> None:
        """Let the step that stands at a gate go on to the next one."""
        _, gate = self.gates.pop(number)
        self._reached.clear()
        gate.set_result(word)
        await self._settle()

    async def kill(self) -> None:
        """End the process, whatever it was about; the store and the vendor do not hear of it."""
        for step in self.steps:
            step.cancel()
        await asyncio.gather(*self.steps, return_exceptions=True)
        self.gates.clear()
        self.boot()

    async def join(self) -> None:
        """Take a lease under a new epoch. Steps that were begun under an older one go on."""
        asked = self.monotonic()
        self.tools.epoch = await self.world.store.join(self.name, self.world.now, LEASE_SECONDS)
        self.tools.lease_until = asked + LEASE_SECONDS
        self.watch = None

    async def renew(self) -> None:
        """Keep the lease, or learn that it is lost."""
        asked = self.monotonic()
        try:
            await self.world.store.renew(self.name, self.tools.epoch, self.world.now, LEASE_SECONDS)
        except LeaseLost:
            self.tools.lease_until, self.watch = 0.0, None
            return
        self.tools.lease_until = asked + LEASE_SECONDS

    async def adopt(self) -> None:
        """Take what nobody holds."""
        try:
            jobs = await self.world.store.claim(self.name, self.tools.epoch, self.world.now, 10)
        except LeaseLost:
            self.tools.lease_until, self.watch = 0.0, None
            return
        for job in jobs:
            self.watch = Watch(job, 0.0)
            self.tools.seal(self.watch)

    async def step(self) -> None:
        """Take the next step of the job, as far as the first gate."""
        watch = self.watch
        if watch is None or watch.busy or watch.job.is_final:
            return
        watch.busy = True
        self._reached.clear()
        step = asyncio.create_task(self._step(watch))
        self.steps.add(step)
        step.add_done_callback(self.steps.discard)
        step.add_done_callback(lambda _: self._reached.set())
        await self._settle()

    async def _settle(self) -> None:
        await self._reached.wait()

    async def _step(self, watch: Watch) -> None:
        try:
            if watch.job.state is State.QUEUED:
                if self._offer(watch):
                    await self.submitter.start(watch)
            elif watch.job.state is State.SUBMITTING and self.clock() > watch.job.deadline_at:
                await self.submitter.give_up(watch)
            elif watch.job.state is State.SUBMITTING:
                await self.submitter.resume(watch)
            elif watch.job.state is State.RUNNING:
                await self.tools.write(watch, Event.RENDERED)
            elif watch.job.state is State.COLLECTING:
                await self.tools.write(watch, Event.KEPT, completed_at=self.clock())
        except LeaseLost:
            if self.watch is watch:
                self.watch = None
        finally:
            watch.busy = False

    def _offer(self, watch: Watch) -> bool:
        """Offer the job the account, as the worker's queue would; False while that rests."""
        router, job, now = self.tools.router, watch.job, self.clock()
        pick = router.pick(router.group(job.request, now, tried=job.tried_accounts), now)
        if pick is None:
            return False
        self.tools.hold(watch, pick.route.account)
        router.begin(pick, job.request.card, job.id, now)
        watch.offered = pick.route
        return True

    def hear(self, reference: str) -> None:
        """Take a callback that names the vendor's work, as the worker would."""
        watch = self.watch
        if watch is not None and watch.job.state is State.SUBMITTING and watch.job.attempts[-1].reference == reference:
            watch.heard = (*watch.heard, HeardOperation(operation={"id": reference}, key=reference))


class World:
    """A store, a vendor, two nodes and time."""

    def __init__(self, folder: Path, kind: Kind, *, skew: float = 0.0, tools: type[Tools] = Tools) -> None:
        self.kind = kind
        self.now = 1_790_000_000.0
        self.tokens = itertools.count()
        self.store = CutStore(folder / "reelway.db")
        self.assets = FolderAssets(folder / "assets")
        self.transport = Transport(self.assets, TimeLimits(), lambda blob: "")
        self.account = Account(
            name="acme",
            vendor="openai_videos",
            service="compatible",
            base_url="https://acme.example/v1",
            submit_policy=kind.policy,
        )
        self.vendor = _VENDORS[kind.finds, kind.calls](self)
        self.sent: list[Sent] = []
        self.nodes = (Node(self, "a", 0.0, tools), Node(self, "b", skew, tools))
        self.job_id = ""
        self._version = 0

    async def open(self) -> None:
        """Open the store and accept one job."""
        await self.store.open()
        now = self.now
        request = ResolvedRequest(
            operation="create", model="sora-2", card="sora-2", mode=Mode.T2V, prompt="a fox", seconds=4
        )
        job = Job(
            id=make_id("video", now, b"0123456789"),
            tenant="default",
            key_id="key",
            request=request.evolve(width=1280, height=720),
            created_at=now,
            updated_at=now,
            deadline_at=now + 100_000,
            due_at=now,
            reserved=400_000,
        )
        self.job_id = job.id
        created = JobEvent(seq=1, at=now, state=State.QUEUED, name="created")
        await self.store.create(Creation(job=job, event=created, entry=Entry(kind="reserve", amount=400_000, at=now)))

    async def close(self) -> None:
        """End everything."""
        for node in self.nodes:
            await node.kill()
        await self.transport.close()
        await self.store.close()

    async def job(self) -> Job:
        """Return the job as it is on disk."""
        job = await self.store.get(self.job_id)
        assert job is not None
        return job

    @property
    def made(self) -> int:
        """How many pieces of work the vendor was paid for."""
        return sum(sent.where == "made" for sent in self.sent)

    def pass_time(self, seconds: float) -> None:
        """Let time pass; what has been on its way for longest has arrived by then."""
        self.now += seconds
        for sent in self.sent:
            if sent.where == "way" and self.now - sent.at >= LONGEST_WAY_SECONDS:
                sent.where = "made"

    async def check(self) -> None:
        """Raise `AssertionError` where something holds no longer that always must."""
        job = await self.job()
        again = sum(attempt.outcome == "abandoned" for attempt in job.attempts)
        assert self.made <= 1 + again, f"paid {self.made} times: {[(one.reference, one.where) for one in self.sent]}"
        story = await self.store.events(job.id)
        assert [event.seq for event in story] == list(range(1, job.version + 1))
        assert job.version >= self._version
        self._version = job.version
        kinds = [entry.kind for entry in await self.store.entries(job.id)]
        assert kinds[0] == "reserve"
        assert len([kind for kind in kinds if kind in {"settle", "release"}]) == int(job.is_final)
        assert self.store.epochs == sorted(self.store.epochs), "an older epoch wrote after a newer one"

    async def end(self) -> Job:
        """Let everything heal and one node finish the job; raise `AssertionError` where it is stuck."""
        self.store.is_away = False
        node, other = self.nodes
        await other.kill()
        for _ in range(200):
            while node.gates:
                await node.open(0, "accepted")
            self.pass_time(1.0)
            await node.renew()
            if node.watch is None:
                if not node.tools.has_lease():
                    await node.join()
                await node.adopt()
            await node.step()
            await self.check()
            job = await self.job()
            if job.is_final:
                assert job.attempts, "it ended before anything was tried"
                return job
        raise AssertionError(f"stuck: {job.state}, {[attempt.outcome for attempt in job.attempts]}")


_VENDORS: Mapping[tuple[bool, bool], type[Vendor]] = {
    (False, False): Vendor,
    (True, False): ListingVendor,
    (False, True): CallingVendor,
    (True, True): ListingCallingVendor,
}
