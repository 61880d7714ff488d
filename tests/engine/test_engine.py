"""What the engine does with every answer a vendor can give. Money and submits are counted in each case."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.engine.scripted import VIDEO, Acme, FindingAcme, Script, Stage, done

from reelway.core.errors import (
    NotSent,
    NoWayToLook,
    StorageFailed,
    SubmitOutcomeUnknown,
    UnexpectedResponse,
    VendorRefused,
    VendorUnreachable,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Attempt, JobRoute
from reelway.core.lifecycle import State
from reelway.engine.account import Account
from reelway.store.spec import Change
from reelway.vendors.spec import Accepted, Candidate, Running, VendorFailed

ACME = Account(name="acme", vendor="openai_videos", service="compatible", base_url="https://acme.example/v1")
SECOND = ACME.evolve(name="second", priority=1)
LOST = SubmitOutcomeUnknown("the connection broke")
MakeStage = Callable[..., Awaitable[Stage]]


def refusal(kind: FailureKind) -> VendorRefused:
    return VendorRefused(Failure(kind=kind, message=f"refused: {kind}"))


def accepted(key: str) -> Accepted:
    return Accepted(operation={"id": key}, key=key, poll_after_seconds=0.0)


def candidate(key: str, *, certain: bool = False) -> Candidate:
    return Candidate(operation={"id": key}, key=key, certain=certain)


@pytest.fixture
async def make_stage(tmp_path: Path) -> AsyncIterator[MakeStage]:
    """Makes engines, and closes them."""
    stages: list[Stage] = []

    async def make(
        script: Script, *, finds: bool = True, accounts: tuple[Account, ...] = (ACME,), start: bool = True
    ) -> Stage:
        adapter = FindingAcme(script) if finds else Acme(script)
        stage = Stage(tmp_path, script, adapter, accounts)
        await stage.open(start=start)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        await stage.close()


async def test_a_video_is_made(make_stage: MakeStage) -> None:
    """Submitted once, kept, settled; the story has one line for each state."""
    stage = await make_stage(Script())
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert job.settled == 400_000
    assert job.owner is None
    assert [output.bytes for output in job.outputs] == [len(VIDEO)]
    assert await stage.story(job.id) == ["created", "submit_started", "accepted", "rendered", "kept"]
    assert await stage.ledger(job.id) == ["reserve", "settle"]
    assert len(stage.script.submitted) == 1


@pytest.mark.parametrize(("settled", "charged"), [("0.25", 250_000), ("nonsense", 400_000), (None, 400_000)])
async def test_the_vendors_own_figure_settles(make_stage: MakeStage, settled: str | None, charged: int) -> None:
    """What the vendor says it charged is what the caller pays; without a figure the quote holds."""
    script = Script()
    usage = {} if settled is None else {"cost": {"currency": "USD", "settled": settled}}
    script.checks = deque([done().evolve(usage=usage)])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    assert (await stage.finished(job.id)).settled == charged


async def test_looks_write_nothing(make_stage: MakeStage) -> None:
    """Twenty looks at a running job leave no line in its story."""
    script = Script()
    script.checks = deque([*[Running(progress=number, poll_after_seconds=0.0) for number in range(20)], done()])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.version == 5


async def test_a_lost_submit_is_found_by_our_mark(make_stage: MakeStage) -> None:
    """The vendor made it: it is adopted, not repeated."""
    script = Script()
    script.submits = deque([LOST])
    script.finds = deque([(candidate("other"), candidate("mine", certain=True))])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert job.operation_key == "mine"
    assert len(script.submitted) == 1


async def test_a_submit_that_never_arrived_is_sent_again(make_stage: MakeStage) -> None:
    """Two look-ups that find nothing prove it; the second attempt carries a mark of its own."""
    script = Script()
    script.submits = deque([LOST, accepted("op2")])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert [attempt.outcome for attempt in job.attempts] == ["absent", "accepted"]
    assert len({submission.reference for submission in script.submitted}) == 2
    assert "submit_not_found" in await stage.story(job.id)


async def test_two_possible_operations_are_nobodys(make_stage: MakeStage) -> None:
    """Two operations that look alike cannot be told apart: not adopted, not repeated, and the money is released."""
    script = Script()
    script.submits = deque([LOST])
    script.finds = deque([(candidate("a"), candidate("b"))])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.SUBMISSION_UNKNOWN
    assert await stage.ledger(job.id) == ["reserve", "release", "doubt"]
    assert len(script.submitted) == 1


async def test_an_operation_is_adopted_once(make_stage: MakeStage) -> None:
    """What already belongs to another video is not taken for the lost one."""
    script = Script()
    script.submits = deque([accepted("op1"), LOST, accepted("op2")])
    script.finds = deque([(candidate("op1"),)])
    stage = await make_stage(script)
    first, second = stage.job(), stage.job()
    await stage.create(first)
    await stage.finished(first.id)
    await stage.create(second)
    second = await stage.finished(second.id)
    assert second.operation_key == "op2"
    assert len(script.submitted) == 3


async def test_an_answer_that_names_anothers_work_is_not_believed(make_stage: MakeStage) -> None:
    """A vendor that gives two submits one id: the second video fails truthfully and the first keeps its result."""
    stage = await make_stage(Script())
    first, second = stage.job(), stage.job()
    await stage.create(first)
    await stage.finished(first.id)
    await stage.create(second)
    second = await stage.finished(second.id)
    assert second.failure is not None
    assert second.failure.kind is FailureKind.SUBMISSION_UNKNOWN
    assert await stage.ledger(second.id) == ["reserve", "release", "doubt"]


async def test_without_a_look_up_an_unknown_submit_ends(make_stage: MakeStage) -> None:
    """The vendor has no list: by default the video fails, and nothing is sent again."""
    script = Script()
    script.submits = deque([LOST])
    stage = await make_stage(script, finds=False)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.SUBMISSION_UNKNOWN
    assert len(script.submitted) == 1


async def test_an_account_without_a_list_is_no_look_up(make_stage: MakeStage) -> None:
    """Where the vendor has lists and this account's server has none, nobody waits for the deadline."""
    script = Script()
    script.submits = deque([LOST])
    script.finds = deque([NoWayToLook("`acme` shows no list of videos")])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.SUBMISSION_UNKNOWN
    assert "no way to look it up" in job.failure.message
    assert len(script.submitted) == 1


async def test_the_operator_may_choose_to_resubmit(make_stage: MakeStage) -> None:
    """With the policy `resubmit` the risk of paying twice is taken on purpose."""
    script = Script()
    script.submits = deque([LOST, accepted("op2")])
    stage = await make_stage(script, finds=False, accounts=(ACME.evolve(submit_policy="resubmit"),))
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert [attempt.outcome for attempt in job.attempts] == ["abandoned", "accepted"]


@pytest.mark.parametrize("kind", [FailureKind.INVALID_REQUEST, FailureKind.CONTENT_POLICY])
async def test_what_the_caller_must_change_ends_the_video(make_stage: MakeStage, kind: FailureKind) -> None:
    """A refusal that no retry can mend is passed on, and costs nothing."""
    script = Script()
    script.submits = deque([refusal(kind)])
    stage = await make_stage(script, accounts=(ACME, SECOND))
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is kind
    assert len(script.submitted) == 1
    assert await stage.ledger(job.id) == ["reserve", "release"]


@pytest.mark.parametrize(
    "error",
    [
        refusal(FailureKind.RATE_LIMITED),
        NotSent("connection refused"),
        VendorUnreachable("the upload broke off"),
        UnexpectedResponse("an odd upload answer"),
    ],
)
async def test_what_surely_made_nothing_is_tried_again(make_stage: MakeStage, error: Exception) -> None:
    """A rate limit, a closed port, or trouble before the billable request: another try is free."""
    script = Script()
    script.submits = deque([error, error, accepted("op1")])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert len(job.attempts) == 3


async def test_tries_come_to_an_end(make_stage: MakeStage) -> None:
    """A vendor that is never there ends the video with what was wrong."""
    script = Script()
    script.submits = deque([NotSent("connection refused")])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.VENDOR_UNAVAILABLE
    assert len(job.attempts) == 4


async def test_a_bad_key_moves_on_to_the_next_account(make_stage: MakeStage) -> None:
    """One account's trouble is not the caller's while another account can serve."""
    script = Script()
    script.submits = deque([refusal(FailureKind.AUTHENTICATION), accepted("op1")])
    stage = await make_stage(script, accounts=(ACME, SECOND))
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert [attempt.account for attempt in job.attempts] == ["acme", "second"]
    assert job.state is State.COMPLETED


async def test_a_vendors_failure_is_passed_on(make_stage: MakeStage) -> None:
    """A render that failed costs nothing."""
    script = Script()
    script.checks = deque([VendorFailed(failure=Failure(kind=FailureKind.CONTENT_POLICY, message="no"))])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.FAILED
    assert await stage.ledger(job.id) == ["reserve", "release"]


async def test_what_a_failure_cost_at_the_vendor_is_kept_and_not_passed_on(make_stage: MakeStage) -> None:
    """xAI charges for what its moderation blocks: the operator can see it, and the caller pays for no video he did not get."""
    script = Script()
    cost = {"cost": {"currency": "USD", "settled": "1.52"}}
    failure = Failure(kind=FailureKind.CONTENT_POLICY, message="no")
    script.checks = deque([VendorFailed(failure=failure, usage=cost)])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert (job.state, job.usage, job.settled) == (State.FAILED, cost, None)
    assert await stage.ledger(job.id) == ["reserve", "release"]


async def test_one_odd_answer_ends_nothing(make_stage: MakeStage) -> None:
    """States nobody has met, refusals to look and silence are looked past."""
    script = Script()
    script.checks = deque(
        [
            UnexpectedResponse("state 'pondering'"),
            refusal(FailureKind.MODEL_NOT_FOUND),
            VendorUnreachable("silence"),
            done(),
        ]
    )
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    assert (await stage.finished(job.id)).state is State.COMPLETED


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Running(poll_after_seconds=0.0), FailureKind.TIMED_OUT),
        (UnexpectedResponse("state 'pondering'"), FailureKind.UNEXPECTED_RESPONSE),
    ],
)
async def test_the_deadline_ends_a_job(make_stage: MakeStage, answer: object, kind: FailureKind) -> None:
    """A vendor that never finishes, or never makes sense, is given up when the model's time is over."""
    script = Script()
    script.checks = deque([answer])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job.evolve(deadline_at=job.created_at + 0.3))
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is kind
    assert await stage.ledger(job.id) == ["reserve", "release"]


async def test_a_crash_after_the_attempt_is_looked_up(make_stage: MakeStage) -> None:
    """An open attempt found on the disk may have been sent: it is looked up, and adopted."""
    script = Script()
    script.finds = deque([(candidate("mine"),)])
    stage = await make_stage(script, start=False)
    job = stage.job(
        state=State.SUBMITTING,
        route=JobRoute(account="acme", vendor="openai_videos", model="sora-2"),
        attempts=(Attempt(number=1, account="acme", reference="r", callback_secret="s", started_at=stage.now),),
    )
    await stage.create(job)
    await stage.engine.start()
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert job.operation_key == "mine"
    assert script.submitted == []


async def test_a_cancel_in_the_queue_is_free(make_stage: MakeStage) -> None:
    """Nothing was sent, so nothing is sent and nothing is paid."""
    stage = await make_stage(Script(), start=False)
    job = stage.job()
    await stage.create(job)
    await stage.store.request_cancel(job.id, stage.now)
    await stage.engine.start()
    job = await stage.finished(job.id)
    assert job.state is State.CANCELLED
    assert stage.script.submitted == []
    assert await stage.ledger(job.id) == ["reserve", "release"]


@pytest.mark.parametrize(
    ("answer", "ledger"), [("cancelled", ["reserve", "release"]), ("refused", ["reserve", "settle"])]
)
async def test_the_vendors_word_decides_a_cancel(make_stage: MakeStage, answer: str, ledger: list[str]) -> None:
    """Stopped in time costs nothing; what cannot be stopped is paid, and its result is not kept."""
    script = Script()
    script.checks = deque([Running(poll_after_seconds=0.0)])
    script.cancels = deque([answer])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    await stage.engine.cancel(job)
    job = await stage.finished(job.id)
    assert job.state is State.CANCELLED
    assert job.outputs == ()
    assert await stage.ledger(job.id) == ledger


async def test_a_broken_download_resumes_where_it_broke(make_stage: MakeStage) -> None:
    """The second request asks for the missing bytes only."""
    script = Script()
    script.downloads = deque([(VIDEO[:700], VendorUnreachable("reset")), VIDEO])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert script.ranges == [0, 700]


async def test_a_gone_link_is_asked_for_anew(make_stage: MakeStage) -> None:
    """An expired link sends us back to the vendor for a fresh one."""
    script = Script()
    script.downloads = deque([410, VIDEO])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert len(script.looked) == 2


async def test_a_file_that_never_decodes_is_invalid(make_stage: MakeStage) -> None:
    """Fetched again, then given up; it is never called completed."""
    script = Script()
    script.downloads = deque([b"<html>sorry</html>"])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.MEDIA_INVALID
    assert len(script.ranges) == 3


async def test_a_full_disk_is_waited_out(make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was paid for is kept as soon as there is room again."""
    stage = await make_stage(Script())
    writer = stage.assets.writer
    full = iter([True])

    def fill(key: str, *, limit_bytes: int) -> object:
        if next(full, False):
            raise StorageFailed("no space left on device")
        return writer(key, limit_bytes=limit_bytes)

    monkeypatch.setattr(stage.assets, "writer", fill)
    job = stage.job()
    await stage.create(job)
    assert (await stage.finished(job.id)).state is State.COMPLETED


async def test_an_accepted_operation_survives_a_full_database(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor accepted while the disk was full: the record is written when it can be, and nothing is sent again."""
    stage = await make_stage(Script())
    apply = stage.store.apply
    refusals = iter([True, True])

    async def refuse(change: Change) -> None:
        if change.job.state is State.RUNNING and next(refusals, False):
            raise StorageFailed("disk full")
        await apply(change)

    monkeypatch.setattr(stage.store, "apply", refuse)
    job = stage.job()
    await stage.create(job)
    assert (await stage.finished(job.id)).state is State.COMPLETED
    assert len(stage.script.submitted) == 1


async def test_several_takes_are_one_video(make_stage: MakeStage) -> None:
    """Three takes are three submits, three outputs, and one settled price."""
    script = Script()
    script.submits = deque([accepted("a"), accepted("b"), accepted("c")])
    stage = await make_stage(script)
    takes = tuple(stage.job(reserved=0, take=number) for number in range(3))
    job = stage.job(takes=tuple(take.id for take in takes))
    await stage.create(job, tuple(take.evolve(parent=job.id) for take in takes))
    job = await stage.finished(job.id)
    assert job.state is State.COMPLETED
    assert [output.index for output in job.outputs] == [0, 1, 2]
    assert len(script.submitted) == 3
    assert await stage.ledger(job.id) == ["reserve", "settle"]


async def test_a_failed_take_costs_nothing(make_stage: MakeStage) -> None:
    """Two of three takes were made: two outputs, two thirds of the price."""
    script = Script()
    script.submits = deque([accepted("a"), refusal(FailureKind.CONTENT_POLICY), accepted("c")])
    stage = await make_stage(script)
    takes = tuple(stage.job(reserved=0, take=number) for number in range(3))
    job = stage.job(reserved=300_000, takes=tuple(take.id for take in takes))
    await stage.create(job, tuple(take.evolve(parent=job.id) for take in takes))
    job = await stage.finished(job.id)
    assert len(job.outputs) == 2
    assert job.settled == 200_000


async def test_a_node_that_lost_its_lease_stops(make_stage: MakeStage) -> None:
    """Another node took over: this one writes nothing more, and the other finishes."""
    script = Script()
    script.checks = deque([Running(poll_after_seconds=0.0)])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    epoch = await stage.store.join("local", stage.now, 10.0)
    claimed = await stage.store.claim("local", epoch, stage.now, 10)
    assert [taken.id for taken in claimed] == [job.id]
    script.checks = deque([done()])
    async with asyncio.timeout(5):
        while stage.engine.unfinished:
            await asyncio.sleep(0)
    kept = await stage.store.get(job.id)
    assert kept is not None
    assert kept.epoch == epoch
    assert kept.state is not State.COMPLETED


async def test_a_graceful_stop_finishes_the_submit_on_its_way(tmp_path: Path) -> None:
    """The answer that is about to arrive is written down, and the next start goes on from there."""
    script = Script()
    script.gate = asyncio.Event()
    script.checks = deque([Running(poll_after_seconds=1000.0)])
    stage = Stage(tmp_path, script, FindingAcme(script), (ACME,))
    await stage.open()
    job = stage.job()
    await stage.create(job)
    async with asyncio.timeout(5):
        while (await stage.story(job.id))[-1] != "submit_started":
            await asyncio.sleep(0)
    stopping = asyncio.create_task(stage.close())
    await asyncio.sleep(0)
    script.gate.set()
    await stopping
    again = Stage(tmp_path, Script(), FindingAcme(Script()), (ACME,))
    await again.open()
    kept = await again.finished(job.id)
    assert kept.state is State.COMPLETED
    assert [attempt.outcome for attempt in kept.attempts] == ["accepted"]
    await again.close()
