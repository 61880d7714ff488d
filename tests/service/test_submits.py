"""Submits nobody knows about: shown to operators, settled by them, acted upon by the owner, and never at the caller's cost."""

import asyncio
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.engine.scripted import Acme, NamingAcme, Script, Stage

from reelway.core.errors import Conflict, InvalidRequest, NotFound, SubmitOutcomeUnknown, UnexpectedResponse
from reelway.core.failures import FailureKind
from reelway.core.jobs import Attempt, Job, JobRoute
from reelway.core.lifecycle import State
from reelway.engine.account import Account
from reelway.service.submits import Submits
from reelway.vendors.spec import Accepted

ACME = Account(name="acme", vendor="openai_videos", service="compatible", base_url="https://acme.example/v1")
LOST = SubmitOutcomeUnknown("the connection broke")
AWAY = UnexpectedResponse("the vendor's list is broken")
SECOND = Accepted(operation={"id": "second"}, key="second", poll_after_seconds=0.0)
MakeStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def make_stage(tmp_path: Path) -> AsyncIterator[MakeStage]:
    """Makes engines over one store, and closes them."""
    stages: list[Stage] = []

    async def make(script: Script, adapter: Acme | None = None, *, start: bool = True) -> Stage:
        stage = Stage(tmp_path, script, adapter or NamingAcme(script), (ACME,))
        stage.tools.limits = stage.tools.limits.evolve(arrival_seconds=3600.0)
        await stage.open(start=start)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        await stage.close()


def submits_of(stage: Stage) -> Submits:
    return Submits(stage.store, lambda: stage.now)


def lost_job(stage: Stage) -> Job:
    job = stage.job(owner=None, epoch=0, state=State.SUBMITTING)
    attempt = Attempt(
        number=1,
        account="acme",
        reference=f"{job.id}-1",
        callback_secret="s",
        started_at=job.created_at,
        outcome="unknown",
    )
    return job.evolve(route=JobRoute(account="acme", vendor="openai_videos", model="m"), attempts=(attempt,))


async def looked_up(make_stage: MakeStage, script: Script) -> tuple[Stage, Job]:
    """Return a job that is looked up for ever, because the vendor's list is broken, and the engine that does it."""
    script.finds = deque([AWAY])
    stage = await make_stage(script, start=False)
    job = lost_job(stage)
    await stage.create(job)
    return stage, job


async def ended(make_stage: MakeStage) -> tuple[Stage, Job]:
    """Return a video that ended as unknown."""
    script = Script()
    script.submits = deque([LOST])
    stage = await make_stage(script, Acme(script))
    job = stage.job()
    await stage.create(job)
    return stage, await stage.finished(job.id)


async def test_what_is_looked_up_is_listed_and_named_work_is_adopted(make_stage: MakeStage) -> None:
    """The operator found it at the console: the vendor shows it to us, and the video is made; the story says who said so."""
    script = Script()
    stage, job = await looked_up(make_stage, script)
    submits = submits_of(stage)
    [shown] = await submits.lost()
    assert (shown.video, shown.state, shown.attempts[0].reference) == (job.id, "looked_up", f"{job.id}-1")
    await submits.settle(job.id, "made", by="ada", key="op7")
    said = (await submits.show(job.id)).said
    assert said is not None
    assert (said.by, said.key) == ("ada", "op7")

    await stage.engine.start()
    done = await stage.finished(job.id)
    assert (done.state, done.operation_key) == (State.COMPLETED, "op7")
    assert script.submitted == []
    events = {event.name: event.detail for event in await stage.store.events(job.id)}
    assert events["accepted"] == {"settled_by": "ada", "verdict": "made"}
    assert await stage.ledger(job.id) == ["reserve", "settle"]
    assert await submits.lost() == ()


async def test_work_the_vendor_does_not_show_is_not_adopted(make_stage: MakeStage) -> None:
    """A wrong id is written into the story, once, and the operator may say another."""
    script = Script()
    script.unheard_of = {"typo"}
    stage, job = await looked_up(make_stage, script)
    await submits_of(stage).settle(job.id, "made", by="ada", key="typo")
    await stage.engine.start()
    await stage.reaches(job.id, "settlement_refused")
    await submits_of(stage).settle(job.id, "made", by="ada", key="op7")
    done = await stage.finished(job.id)
    assert done.operation_key == "op7"
    assert (await stage.story(job.id)).count("settlement_refused") == 1


async def test_not_made_goes_back_to_the_queue(make_stage: MakeStage) -> None:
    """The operator answers for it, so nobody waits until it can have arrived."""
    script = Script()
    script.submits = deque([SECOND])
    stage, job = await looked_up(make_stage, script)
    await submits_of(stage).settle(job.id, "not_made", by="ada")
    await stage.engine.start()
    done = await stage.finished(job.id)
    assert [attempt.outcome for attempt in done.attempts] == ["absent", "accepted"]
    assert done.attempts[0].settlement is not None
    assert done.attempts[0].settlement.by == "ada"
    assert len(script.submitted) == 1


async def test_charged_ends_it_at_the_operators_cost(make_stage: MakeStage) -> None:
    """The caller pays nothing; doubt and loss are lines of the operator's."""
    stage, job = await looked_up(make_stage, Script())
    with pytest.raises(InvalidRequest):
        await submits_of(stage).settle(job.id, "charged", by="ada")
    await submits_of(stage).settle(job.id, "charged", by="ada", amount=70_000)
    await stage.engine.start()
    done = await stage.finished(job.id)
    assert done.failure is not None
    assert done.failure.kind is FailureKind.SUBMISSION_UNKNOWN
    entries = await stage.store.entries(job.id)
    assert [(entry.kind, entry.amount) for entry in entries] == [
        ("reserve", 400_000),
        ("release", 400_000),
        ("doubt", 400_000),
        ("loss", 70_000),
    ]
    assert await submits_of(stage).lost() == ()


async def test_what_was_said_outlives_the_owner(make_stage: MakeStage) -> None:
    """Its node dies before it looks; the next one reads the same word."""
    script = Script()
    stage, job = await looked_up(make_stage, script)
    await submits_of(stage).settle(job.id, "made", by="ada", key="op7")
    again = await make_stage(script, start=False)
    await again.engine.start()
    assert (await again.finished(job.id)).operation_key == "op7"


@pytest.mark.parametrize(
    ("verdict", "amount", "cost"),
    [("made", None, 400_000), ("made", 90_000, 90_000), ("not_made", None, 0), ("charged", 50_000, 50_000)],
)
async def test_what_has_ended_stays_ended_and_is_accounted_for(
    make_stage: MakeStage, verdict: str, amount: int | None, cost: int
) -> None:
    """The video stays failed and free for its caller; the operator's loss is in the ledger, and it leaves the list."""
    stage, job = await ended(make_stage)
    submits = submits_of(stage)
    assert [(one.video, one.state) for one in await submits.lost()] == [(job.id, "ended")]
    await submits.settle(job.id, verdict, by="ada", key="op7", amount=amount)  # type: ignore[arg-type]
    settled = await stage.store.get(job.id)
    assert settled is not None
    assert (settled.state, settled.settled) == (State.FAILED, None)
    assert settled.attempts[-1].settlement is not None
    entries = await stage.store.entries(job.id)
    assert [(entry.kind, entry.amount) for entry in entries][1:] == [
        ("release", 400_000),
        ("doubt", 400_000),
        ("loss", cost),
    ]
    last = (await stage.store.events(job.id))[-1]
    assert (last.name, last.detail["by"], last.seq) == ("submit_settled", "ada", settled.version)
    assert await submits.lost() == ()
    assert (await submits.show(job.id)).state == "settled"
    with pytest.raises(Conflict):
        await submits.settle(job.id, "not_made", by="bob")


async def test_a_deleted_video_leaves_its_doubt(make_stage: MakeStage) -> None:
    """Whoever deletes a failed video takes nothing from the operator's books."""
    stage, job = await ended(make_stage)
    await stage.store.delete(job.id, stage.now)
    submits = submits_of(stage)
    [shown] = await submits.lost()
    assert (shown.video, shown.state, shown.tenant) == (job.id, "deleted", "default")
    await submits.settle(job.id, "made", by="ada", key="op7")
    assert await stage.ledger(job.id) == ["reserve", "release", "doubt", "loss"]
    assert await submits.lost() == ()
    with pytest.raises(Conflict):
        await submits.settle(job.id, "made", by="ada", key="op7")


async def test_only_doubts_can_be_settled(make_stage: MakeStage) -> None:
    """What is accounted for, or was never there, is not an operator's to settle."""
    stage = await make_stage(Script())
    job = stage.job()
    await stage.create(job)
    await stage.finished(job.id)
    with pytest.raises(Conflict):
        await submits_of(stage).settle(job.id, "not_made", by="ada")
    with pytest.raises(NotFound):
        await submits_of(stage).settle("video_none", "not_made", by="ada")


@pytest.mark.parametrize("point", ["testimony_confirmed", "accepted_recorded"])
async def test_death_while_it_is_acted_upon_sends_nothing_twice(
    make_stage: MakeStage, tmp_path: Path, point: str
) -> None:
    """Killed with the named work confirmed, or adopted: the next process goes on with the same work."""
    dying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engine.dying", str(tmp_path), point, "settled"),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        output, _ = await dying.communicate()
    assert dying.returncode == -signal.SIGKILL
    script = Script()
    script.finds = deque([AWAY])
    stage = await make_stage(script)
    done = await stage.finished(output.decode().split()[0])
    assert (done.state, done.operation_key, script.submitted) == (State.COMPLETED, "op7", [])
    assert await stage.ledger(done.id) == ["reserve", "settle"]
