"""Several nodes on one set of records: what one is told takes effect at the other, and whatever dies, nothing is sent twice."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.fleet import FleetStage, Wire
from tests.engine.scripted import Script

from reelway.core.errors import NotFound, StorageFailed, SubmitOutcomeUnknown, Unavailable, UnexpectedResponse
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.engine.clock import FleetClock
from reelway.store.spec import Change
from reelway.vendors.spec import Accepted, Callback, Running

BUSY = Running(poll_after_seconds=1e6)
MakeNode = Callable[..., Awaitable[FleetStage]]


@pytest.fixture
def script() -> Script:
    """A vendor that makes every video."""
    return Script()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def node(tmp_path: Path, script: Script, wire: Wire) -> AsyncIterator[MakeNode]:
    """Makes nodes of one fleet, and ends them."""
    nodes: list[FleetStage] = []

    async def make(name: str, **options: Any) -> FleetStage:
        start = options.pop("start", True)
        stage = FleetStage(tmp_path, script, wire, name, **options)
        nodes.append(stage)
        await stage.open(start=start)
        return stage

    yield make
    for stage in nodes:
        await stage.close()


async def owned(stage: FleetStage, job_id: str) -> Job:
    """Return the job when this node works on it."""
    async with asyncio.timeout(20):
        while job_id not in stage.engine._worker:
            await asyncio.sleep(0.01)
    job = await stage.store.get(job_id)
    assert job is not None
    return job


async def ended(stage: FleetStage, job_id: str) -> Job:
    """Return the job when it is final, as this node reads it."""
    async with asyncio.timeout(20):
        while True:
            job = await stage.store.get(job_id)
            assert job is not None
            if job.is_final:
                return job
            await asyncio.sleep(0.01)


async def running(stage: FleetStage) -> Job:
    """Return a job the vendor works on, whose next look is far away."""
    stage.script.checks = deque([BUSY])
    job = stage.job()
    await stage.create(job)
    await stage.reaches(job.id, "accepted")
    return job


async def call(stage: FleetStage, job: Job, body: Any) -> dict[str, Any] | None:
    """Call this node about the newest attempt of a job."""
    known = await stage.store.get(job.id)
    assert known is not None
    assert known.attempt is not None

    async def read() -> Callback:
        return Callback(body=json.dumps(body).encode())

    return await stage.engine.hear(job.id, str(known.attempt.number), known.attempt.callback_secret, read)


async def test_whoever_waits_on_another_node_is_woken(node: MakeNode) -> None:
    """A change that one node commits is a change on every board."""
    one, two = await node("one"), await node("two")
    job = one.job()
    waiter = two.engine.board.watch(job.id)
    await one.create(job)
    async with asyncio.timeout(5):
        await waiter


@pytest.mark.parametrize("is_cut", [False, True])
async def test_a_node_that_only_answers_leaves_the_work_to_the_others(
    node: MakeNode, wire: Wire, script: Script, is_cut: bool
) -> None:
    """It owns nothing; whoever works claims at once, and where no signal tells, at its next renewal."""
    wire.is_cut = is_cut
    asking, working = await node("asking", role="api"), await node("working", role="worker")
    job = asking.job()
    assert (job.owner, job.epoch) == (None, 0)
    await asking.create(job)
    done = await ended(asking, job.id)
    assert (done.state, len(script.submitted)) == (State.COMPLETED, 1)
    assert asking.engine.unfinished == 0
    assert working.engine.unfinished == 0


@pytest.mark.parametrize("is_cut", [False, True])
async def test_a_cancel_reaches_the_owner(node: MakeNode, wire: Wire, is_cut: bool) -> None:
    """Told to any node it takes effect at the one that works; without signals when that renews its lease."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    wire.is_cut = is_cut
    await two.engine.cancel(job)
    assert (await ended(two, job.id)).state is State.CANCELLED


async def test_a_call_wakes_the_owner(node: MakeNode, script: Script) -> None:
    """The vendor reached another node, which passes it on."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    script.checks = deque(type(script)().checks)
    assert await call(two, job, {"id": "op1"}) is None
    assert (await ended(two, job.id)).operation_key == "op1"


async def test_a_strangers_call_is_not_passed_on(node: MakeNode, wire: Wire) -> None:
    """Whoever takes it checks the secret, before anybody else hears of it."""
    one, two = await node("one"), await node("two")
    job = await running(one)

    async def read() -> Callback:
        raise AssertionError("a stranger's body was read")

    with pytest.raises(NotFound):
        await two.engine.hear(job.id, "1", "guessed", read)
    assert "called" not in [signal.kind for signal in wire.carried]


async def lost(stage: FleetStage) -> Job:
    """Return a job whose submit got no answer, and which nobody can look up."""
    stage.script.submits = deque([SubmitOutcomeUnknown("the connection broke")])
    stage.script.finds = deque([UnexpectedResponse("the list is broken")])
    job = stage.job()
    await stage.create(job)
    await stage.reaches(job.id, "submit_unknown")
    return job


async def test_what_a_call_names_is_written_by_the_owner_before_the_vendor_hears_200(
    node: MakeNode, script: Script
) -> None:
    """It came to a node that may not write: the answer waits for the one that may."""
    one, two = await node("one"), await node("two")
    job = await lost(one)
    await call(two, job, {"id": "op7"})
    story = await two.story(job.id)
    assert "callback_heard" in story
    assert (await ended(two, job.id)).operation_key == "op7"
    assert len(script.submitted) == 1


async def test_a_call_that_does_not_reach_the_owner_is_not_taken(node: MakeNode, wire: Wire, script: Script) -> None:
    """The vendor hears 503 and calls again, until it reaches whoever can write it down."""
    one, two = await node("one"), await node("two")
    job = await lost(one)
    wire.is_cut = True
    with pytest.raises(Unavailable) as refused:
        await call(two, job, {"id": "op7"})
    assert (refused.value.status, refused.value.retry_after_seconds) == (503, 5)
    wire.is_cut = False
    await call(two, job, {"id": "op7"})
    assert (await ended(one, job.id)).operation_key == "op7"
    assert len(script.submitted) == 1


async def test_a_call_whose_name_is_too_long_to_pass_on_only_wakes(node: MakeNode, wire: Wire) -> None:
    """Signals are small."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    await call(two, job, {"id": "x" * 9_000})
    await asyncio.sleep(0)
    [passed] = [signal for signal in wire.carried if signal.kind == "called"]
    assert "named" not in json.loads(passed.detail)


async def test_a_dead_nodes_jobs_go_on_elsewhere(node: MakeNode, script: Script) -> None:
    """Adopted when its lease is over; what was submitted is looked at, not sent again."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    one.die()
    script.checks = deque(type(script)().checks)
    assert (await ended(two, job.id)).state is State.COMPLETED
    assert len(script.submitted) == 1


async def test_draining_hands_everything_over_at_once_but_submits(node: MakeNode, script: Script) -> None:
    """Long before the lease is over: what waits for its vendor goes on elsewhere; what is being sent ends where it began."""
    one, two = await node("one"), await node("two")
    waiting = await running(one)
    script.submits = deque([Accepted(operation={"id": "op2"}, key="op2", poll_after_seconds=1e6)])
    script.gate = asyncio.Event()
    sending = one.job()
    await one.create(sending)
    await one.reaches(sending.id, "submit_started")
    drained = asyncio.create_task(one.engine.drain())
    assert (await owned(two, waiting.id)).owner == "two"
    assert sending.id in one.engine._worker
    assert not drained.done()
    script.gate.set()
    await drained
    assert "accepted" in await one.story(sending.id)
    assert (await owned(two, sending.id)).owner == "two"
    assert one.engine.unfinished == 0
    assert one.engine.problems() == ("draining",)
    assert one.engine.ownership == (None, 0)
    assert len(script.submitted) == 2


async def test_a_node_drains_when_it_is_asked_to_through_the_records(node: MakeNode) -> None:
    """At its next renewal; it goes on renewing, so that it can be seen, and takes nothing any more."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    assert await two.store.ask_to_drain("one", two.clock()) == ("one",)
    assert (await owned(two, job.id)).owner == "two"
    listed = {found.name: (found.draining, found.jobs) for found in await two.store.nodes(two.clock())}
    assert listed == {"one": (True, 0), "two": (False, 1)}


async def test_an_accounts_limits_are_shared_out(node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node takes its part before it takes a job, and more when another one drains."""
    one = await node("one")
    two = await node("two", start=False)
    parts: list[tuple[int, int]] = []
    monkeypatch.setattr(two.tools, "share", lambda rank, count: parts.append((rank, count)))
    await two.engine.start()
    assert parts == [(1, 2)]
    await one.store.ask_to_drain("one", one.clock())
    async with asyncio.timeout(10):
        while parts[-1] != (0, 1):
            await asyncio.sleep(0.01)


async def test_no_step_begins_when_the_lease_is_over(node: MakeNode, script: Script) -> None:
    """A node that cannot renew stops by its own monotonic clock, before anybody else may send what it holds."""
    one = await node("one")
    one.store.is_down = True
    one.tools.monotonic = lambda: one.tools.lease_until
    job = one.job(owner="one", epoch=one.tools.epoch)
    one.engine.adopt((job,))
    await asyncio.sleep(0.05)
    assert script.submitted == []
    assert one.engine.ownership == (None, 0)
    assert "lease" in one.engine.problems()[0]


async def test_a_node_that_was_asleep_learns_that_it_lost_its_jobs(
    node: MakeNode, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It drops them, joins again under a new epoch, and works on."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    former, real = one.tools.epoch, one.store.renew

    async def late(name: str, epoch: int, now: float, lease_seconds: float) -> bool:
        async with asyncio.timeout(20):
            while job.id not in two.engine._worker:
                await asyncio.sleep(0.01)
        return await real(name, epoch, now, lease_seconds)

    monkeypatch.setattr(one.store, "renew", late)
    assert (await owned(two, job.id)).owner == "two"
    async with asyncio.timeout(10):
        while one.tools.epoch == former or not one.tools.has_lease():
            await asyncio.sleep(0.01)
    assert one.engine.unfinished == 0
    script.checks = deque(type(script)().checks)
    script.submits = deque([Accepted(operation={"id": "op2"}, key="op2", poll_after_seconds=0.0)])
    fresh = one.job()
    await one.create(fresh)
    assert (await ended(one, fresh.id)).state is State.COMPLETED
    assert len(script.submitted) == 2


async def test_what_was_begun_under_a_lost_lease_is_cut_short(node: MakeNode, script: Script) -> None:
    """Nobody goes on fetching what another node is fetching by now."""
    one = await node("one")
    job = await running(one)
    script.gate = asyncio.Event()
    one.engine._worker.nudge(job.id)
    async with asyncio.timeout(10):
        while not script.held:
            await asyncio.sleep(0.01)
    [step] = one.engine._worker._steps
    await one.store.leave("one", one.tools.epoch)
    async with asyncio.timeout(10):
        await asyncio.wait({step})
    assert step.cancelled()
    script.gate.set()
    assert (await owned(one, job.id)).epoch > job.epoch


async def test_a_step_from_before_does_not_write_under_the_new_lease(node: MakeNode, script: Script) -> None:
    """The job was taken away and came back while a submit was on its way: the step of today writes what that one was answered."""
    one = await node("one")
    script.gate = asyncio.Event()
    job = one.job()
    await one.create(job)
    await one.reaches(job.id, "submit_started")
    await one.store.leave("one", one.tools.epoch)  # as whoever needs the jobs of a silent node ends its lease
    async with asyncio.timeout(10):
        while one.tools.epoch == job.epoch or job.id not in one.engine._worker:
            await asyncio.sleep(0.01)
    script.finds = deque([UnexpectedResponse("the list is broken")])
    script.gate.set()
    done = await ended(one, job.id)
    assert done.attempts[0].settlement is not None
    assert done.attempts[0].settlement.by == "node one"
    assert (await one.story(job.id)).count("accepted") == 1
    assert len(script.submitted) == 1


@pytest.mark.parametrize("event", ["submit_started", "accepted", "rendered", "kept"])
async def test_a_commit_whose_answer_was_lost_strands_nothing(node: MakeNode, script: Script, event: str) -> None:
    """The repetition is refused, since the row has moved on: it is read, and the work goes on from there."""
    one = await node("one")
    script.finds = deque([()])
    losing = {event}
    one.store.loses = lambda name: name in losing and not losing.discard(name)
    job = one.job()
    await one.create(job)
    done = await ended(one, job.id)
    assert (done.state, len(script.submitted)) == (State.COMPLETED, 1)
    assert not losing


async def test_a_create_whose_answer_was_lost_is_made_all_the_same(node: MakeNode, script: Script) -> None:
    """It is on record with its money set aside, so it is this node's to make, though its caller was told of a failure."""
    one = await node("one")
    losing = {"created"}
    one.store.loses = lambda name: name in losing and not losing.discard(name)
    job = one.job()
    with pytest.raises(StorageFailed):
        await one.create(job)
    one.engine.look_for((job.id, "video_never_written"))
    assert (await ended(one, job.id)).state is State.COMPLETED


async def test_progress_never_goes_back_from_node_to_node(node: MakeNode) -> None:
    """What a caller was shown by one, the others know before they are asked."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    known = await one.store.get(job.id)
    assert known is not None
    one.engine.board.report(job.id, 73)
    assert one.engine.board.progress(known, one.clock(), 1e6) == 73
    woken = two.engine.board.watch(job.id)
    async with asyncio.timeout(5):
        await woken
    assert two.engine.board.progress(known, two.clock(), 1e6) == 73


async def test_whoever_follows_at_one_node_sees_what_the_owner_knows(node: MakeNode) -> None:
    """The vendor's own figure is the owner's alone; it says so when another node shows a smaller one."""
    one, two = await node("one"), await node("two")
    job = await running(one)
    known = await two.store.get(job.id)
    assert known is not None
    one.engine.board.report(job.id, 73)
    assert two.engine.board.progress(known, known.created_at + 30, 60) < 73
    woken = two.engine.board.watch(job.id)
    async with asyncio.timeout(5):
        await woken
    assert two.engine.board.progress(known, known.created_at + 30, 60) == 73


async def test_a_clock_that_is_off_ends_nobodys_videos(
    node: MakeNode, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour ahead, and the video has a quarter of one left: the time that all nodes share rules."""
    one = await node("one")
    job = await running(one)
    one.die()

    async def shared() -> float:
        return time.time()

    clock = FleetClock(lambda: time.time() + 3_600)
    two = await node("two", start=False)
    monkeypatch.setattr(two, "clock", clock)
    monkeypatch.setattr(two.store, "shared_time", shared)
    two.tools.clock, two.tools.set_clock = clock, clock.follow
    await two.engine.start()
    assert two.engine.unfinished == 0  # an hour ahead it would take what is the other's for another second
    script.checks = deque(type(script)().checks)
    assert (await ended(two, job.id)).state is State.COMPLETED
    assert abs(clock() - time.time()) < 1


@pytest.mark.parametrize("loses", [False, True])
async def test_takes_on_several_nodes_end_as_one_video(node: MakeNode, script: Script, loses: bool) -> None:
    """A take that ends elsewhere wakes whoever holds the video, also when the answer to its last write was lost."""
    one, two = await node("one"), await node("two")
    script.submits = deque(Accepted(operation={"id": key}, key=key, poll_after_seconds=0.0) for key in ("op0", "op1"))
    losing = {"kept"} if loses else set()
    two.store.loses = lambda name: name in losing and not losing.discard(name)
    video = one.job()
    takes = (
        one.job(reserved=0, take=0, parent=video.id),
        two.job(id=one.job().id, reserved=0, take=1, parent=video.id),
    )
    video = video.evolve(takes=tuple(take.id for take in takes))
    await one.record(video, takes)
    one.engine.adopt((takes[0], video))
    await ended(one, takes[0].id)
    two.engine.adopt(takes[1:])
    done = await ended(two, video.id)
    assert [output.index for output in done.outputs] == [0, 1]
    assert not losing


async def test_a_write_names_the_epoch_under_which_the_job_was_held(
    node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the newest one of the node."""
    one = await node("one")
    written: list[Change] = []
    real = one.store.apply

    async def apply(change: Change) -> None:
        written.append(change)
        await real(change)

    monkeypatch.setattr(one.store, "apply", apply)
    job = one.job()
    await one.create(job)
    await ended(one, job.id)
    assert {(change.node, change.epoch) for change in written} == {("one", job.epoch)}
