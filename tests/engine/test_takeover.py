"""Two nodes, one submit: what a frozen, late or dead sender may still do, and when the one who took over may send anew."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.engine.scripted import Acme, FindingAcme, Script, Stage

from reelway.core.errors import SubmitOutcomeUnknown
from reelway.core.failures import FailureKind
from reelway.core.jobs import Attempt, Job, JobRoute
from reelway.core.lifecycle import State
from reelway.engine.account import Account
from reelway.engine.fence import Permit
from reelway.engine.tools import Watch
from reelway.vendors.spec import Accepted, Candidate

ACME = Account(name="acme", vendor="openai_videos", service="compatible", base_url="https://acme.example/v1")
RESUBMIT = ACME.evolve(submit_policy="resubmit")
LOST = SubmitOutcomeUnknown("the connection broke")
MINE = Candidate(operation={"id": "mine"}, key="mine", certain=True)
SECOND = Accepted(operation={"id": "second"}, key="second", poll_after_seconds=0.0)
MakeStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def make_stage(tmp_path: Path) -> AsyncIterator[MakeStage]:
    """Makes engines, and closes them."""
    stages: list[Stage] = []

    async def make(script: Script, *, finds: bool = True, account: Account = ACME, start: bool = True) -> Stage:
        stage = Stage(tmp_path, script, FindingAcme(script) if finds else Acme(script), (account,))
        await stage.open(start=start)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        await stage.close()


def left_behind(stage: Stage, **changes: object) -> Job:
    """Return a job whose sender is gone: nobody knows whether it sent."""
    job = stage.job(owner=None, epoch=0, state=State.SUBMITTING)
    attempt = Attempt(number=1, account="acme", reference=f"{job.id}-1", callback_secret="s", started_at=job.created_at)
    return job.evolve(route=JobRoute(account="acme", vendor="openai_videos", model="m"), attempts=(attempt,), **changes)


async def test_nothing_found_proves_nothing_while_it_may_be_on_its_way(make_stage: MakeStage) -> None:
    """The vendor shows the first request late, after many look-ups: it is adopted, and nothing was sent a second time."""
    script = Script()
    script.finds = deque([*[()] * 20, (MINE,)])
    stage = await make_stage(script, start=False)
    stage.tools.limits = stage.tools.limits.evolve(arrival_seconds=3600.0)
    job = left_behind(stage)
    await stage.create(job)
    await stage.engine.start()
    done = await stage.finished(job.id)
    assert (done.state, done.operation_key) == (State.COMPLETED, "mine")
    assert script.submitted == []
    assert "submit_not_found" not in await stage.story(job.id)


async def test_when_it_cannot_arrive_any_more_nothing_found_is_proof(make_stage: MakeStage) -> None:
    """Two look-ups after the last moment it could arrive; then the second attempt goes out under a mark of its own."""
    script = Script()
    script.submits = deque([SECOND])
    stage = await make_stage(script, start=False)
    job = left_behind(stage)
    await stage.create(job)
    await stage.engine.start()
    done = await stage.finished(job.id)
    assert (done.state, done.operation_key) == (State.COMPLETED, "second")
    assert [attempt.outcome for attempt in done.attempts] == ["absent", "accepted"]
    assert [submission.reference for submission in script.submitted] == [f"{job.id}-2"]


async def test_vendors_are_asked_as_of_the_last_moment_it_could_leave(make_stage: MakeStage) -> None:
    """A list that lags behind is judged from when the request had left at the latest, not from when the attempt began."""
    script = Script()
    seen: list[float] = []

    class Asked(FindingAcme):
        def find(self, submission):  # type: ignore[no-untyped-def]
            seen.append(submission.left_by - submission.started_at)
            return super().find(submission)

    stage = await make_stage(script, start=False)
    stage.tools.adapters = {"openai_videos": Asked(script)}
    script.finds = deque([(MINE,)])
    job = left_behind(stage)
    await stage.create(job)
    stage.now += 500.0
    await stage.engine.start()
    await stage.finished(job.id)
    assert seen[0] >= 500.0


@pytest.mark.parametrize(
    ("change", "may"),
    [
        ({}, True),
        ({"lease_until": 101.9}, False),
        ({"lease_until": 102.1}, True),
        ({"epoch": 8}, False),
        ({"lease_until": 0.0}, False),
    ],
)
async def test_a_permit_needs_the_lease_it_began_under(
    make_stage: MakeStage, change: dict[str, float], may: bool
) -> None:
    """A spare fifth of a lease before its end, or under another epoch of the same node, nothing leaves."""
    stage = await make_stage(Script(), start=False)
    tools = stage.tools
    tools.monotonic = lambda: 100.0
    tools.epoch, tools.lease_until = 7, 110.0
    permit = tools.permit(Watch(stage.job(owner="local", epoch=7), 0.0), stage.now)
    for name, value in change.items():
        setattr(tools, name, value)
    assert permit.is_good is may


@pytest.mark.parametrize("clock", ["monotonic", "wall"])
async def test_a_permit_does_not_outlive_a_long_sleep(make_stage: MakeStage, clock: str) -> None:
    """Either clock is enough: one that went on while the machine slept, or one that was set right afterwards."""
    stage = await make_stage(Script(), start=False)
    tools = stage.tools
    now = [100.0]
    tools.monotonic = lambda: now[0]
    tools.epoch, tools.lease_until = 7, 1e9
    permit: Permit = tools.permit(Watch(stage.job(owner="local", epoch=7), 0.0), stage.now)
    assert permit.is_good
    if clock == "wall":
        stage.now += tools.limits.submit_seconds
    else:
        now[0] += tools.limits.submit_seconds
    assert not permit.is_good


async def test_a_node_without_a_lease_begins_no_attempt(make_stage: MakeStage) -> None:
    """It writes nothing and sends nothing until the lease is renewed."""
    script = Script()
    stage = await make_stage(script)
    held = stage.tools.lease_until
    stage.tools.lease_until = 0.0
    stage.tools.limits = stage.tools.limits.evolve(lease_seconds=0.01)
    job = stage.job()
    await stage.create(job)
    for _ in range(50):
        await asyncio.sleep(0)
    assert await stage.story(job.id) == ["created"]
    stage.tools.lease_until = held
    assert (await stage.finished(job.id)).state is State.COMPLETED
    assert len(script.submitted) == 1


async def test_a_step_from_before_a_lost_lease_cannot_write_under_the_new_one(make_stage: MakeStage) -> None:
    """The same node joins again and takes its own job back while the first submit is still on its way: one of them speaks."""
    script = Script()
    script.gate = asyncio.Event()
    script.finds = deque([LOST])
    stage = await make_stage(script)
    stage.tools.limits = stage.tools.limits.evolve(arrival_seconds=3600.0)
    job = stage.job()
    await stage.create(job)
    while not script.held:
        await asyncio.sleep(0)
    stage.tools.lease_until = 0.0
    stage.engine._worker.drop_all()
    await stage.engine._rescuer.join()
    script.gate.set()
    done = await stage.finished(job.id)
    assert done.operation_key == "op1", "the answer in hand was left for whoever holds the job now"
    assert done.attempts[0].settlement is not None
    assert done.attempts[0].settlement.by == "node local"
    assert len(script.submitted) == 1
    assert stage.engine.unfinished == 0


@pytest.mark.parametrize("account", [ACME, RESUBMIT])
async def test_without_a_way_to_look_the_policy_decides_after_a_takeover(
    make_stage: MakeStage, account: Account
) -> None:
    """`fail` ends it as unknown and releases the caller's money; `resubmit` sends again, once, and settles once."""
    script = Script()
    script.submits = deque([SECOND])
    stage = await make_stage(script, finds=False, account=account, start=False)
    job = left_behind(stage)
    await stage.create(job)
    await stage.engine.start()
    done = await stage.finished(job.id)
    if account.submit_policy == "fail":
        assert done.failure is not None
        assert done.failure.kind is FailureKind.SUBMISSION_UNKNOWN
        assert (done.attempts[0].outcome, len(script.submitted)) == ("unknown", 0)
        assert await stage.ledger(job.id) == ["reserve", "release", "doubt"]
    else:
        assert [attempt.outcome for attempt in done.attempts] == ["abandoned", "accepted"]
        assert await stage.ledger(job.id) == ["reserve", "settle"]


async def test_what_nobody_wants_any_more_is_not_submitted_again(make_stage: MakeStage) -> None:
    """`resubmit` may pay twice for a video somebody waits for, not for one that was cancelled."""
    script = Script()
    stage = await make_stage(script, finds=False, account=RESUBMIT, start=False)
    job = left_behind(stage, cancel_requested_at=stage.now)
    await stage.create(job)
    await stage.engine.start()
    done = await stage.finished(job.id)
    assert done.failure is not None
    assert done.failure.kind is FailureKind.SUBMISSION_UNKNOWN
    assert script.submitted == []


async def test_a_deadline_leaves_no_attempt_open(make_stage: MakeStage) -> None:
    """What nobody could find out in time is closed as unknown, so that an operator finds it."""
    script = Script()
    script.finds = deque([LOST])
    stage = await make_stage(script, start=False)
    job = left_behind(stage)
    await stage.create(job.evolve(deadline_at=stage.now))
    await stage.engine.start()
    done = await stage.finished(job.id)
    assert (done.attempts[0].outcome, script.submitted) == ("unknown", [])
