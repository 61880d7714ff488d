"""What vendors' callbacks can do, and what nobody can do with them. Submits and money are counted in each case."""

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.engine.dying import ACME
from tests.engine.scripted import LIMITS, Acme, CallingAcme, CallingFindingAcme, FindingAcme, Script, Stage, done

from reelway.core.errors import NotFound, NotSent, SubmitOutcomeUnknown, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.vendors.spec import Accepted, Callback, Candidate, Running, VendorFailed

REPOSITORY = Path(__file__).parents[2]
PUBLIC = "https://video.example.test"
LOST = SubmitOutcomeUnknown("the connection broke")
BUSY = Running(poll_after_seconds=1e6)
MakeStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def make_stage(tmp_path: Path) -> AsyncIterator[MakeStage]:
    """Makes engines whose vendor calls back, and closes them."""
    stages: list[Stage] = []

    async def make(script: Script, adapter: Acme | None = None, **options: Any) -> Stage:
        wait_seconds = options.pop("wait_seconds", 1e6)
        start = options.pop("start", True)
        options = {"accounts": (ACME,), "public_url": PUBLIC, **options}
        stage = Stage(tmp_path, script, adapter or CallingAcme(script), **options)
        stage.tools.limits = LIMITS.evolve(callback_wait_seconds=wait_seconds)
        await stage.open(start=start)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        await stage.close()


async def call(stage: Stage, address: str | None, body: Any) -> dict[str, Any] | None:
    """Post a body to a callback address."""
    assert address is not None
    _, _, video_id, attempt, secret = urlsplit(address).path.split("/")

    async def read() -> Callback:
        return Callback(body=body if isinstance(body, bytes) else json.dumps(body).encode())

    return await stage.engine.hear(video_id, attempt, secret, read)


def last(script: Script) -> str:
    """Return the address that was given to the vendor with the newest submit."""
    address = script.submitted[-1].callback_url
    assert address is not None
    return address


async def sending(stage: Stage) -> tuple[Job, str]:
    """Return a job whose submit is held at the gate, and the address that goes with it."""
    stage.script.gate = asyncio.Event()
    job = stage.job()
    await stage.create(job)
    job = await stage.reaches(job.id, "submit_started")
    return job, f"{PUBLIC}/callbacks/{job.id}/1/{job.attempts[0].callback_secret}"


def let_go(stage: Stage) -> None:
    """Open the gate."""
    assert stage.script.gate is not None
    stage.script.gate.set()


async def running(stage: Stage) -> Job:
    """Return a job the vendor works on; the next look is far away."""
    stage.script.checks = deque([BUSY])
    job = stage.job()
    await stage.create(job)
    await stage.reaches(job.id, "accepted")
    await looked(stage, 1)
    while stage.engine._worker._watches[job.id].busy:
        await asyncio.sleep(0)
    return job


async def looked(stage: Stage, times: int) -> None:
    """Wait until the vendor was looked at so often."""
    async with asyncio.timeout(10):
        while len(stage.script.looked) < times:
            await asyncio.sleep(0)
        await asyncio.sleep(0)


async def lost(stage: Stage) -> Job:
    """Return a job whose submit got no answer."""
    stage.script.submits = deque([LOST, Accepted(operation={"id": "op2"}, key="op2", poll_after_seconds=0.0)])
    job = stage.job()
    await stage.create(job)
    return await stage.reaches(job.id, "submit_unknown")


async def test_each_attempt_has_an_address_of_its_own(make_stage: MakeStage) -> None:
    """Below the public address: the video, the number of the attempt, and a secret that no other attempt has."""
    script = Script()
    script.submits = deque([NotSent("refused"), *script.submits])
    stage = await make_stage(script)
    job = stage.job()
    await stage.create(job)
    await stage.finished(job.id)
    first, second = (urlsplit(str(one.callback_url)).path.split("/") for one in script.submitted)
    assert last(script).startswith(f"{PUBLIC}/callbacks/{job.id}/2/")
    assert (first[1:4], second[1:4]) == (["callbacks", job.id, "1"], ["callbacks", job.id, "2"])
    assert first[4] != second[4]


@pytest.mark.parametrize(("calls_back", "public_url"), [(False, PUBLIC), (True, None)])
async def test_nobody_is_told_to_call_in_vain(make_stage: MakeStage, calls_back: bool, public_url: str | None) -> None:
    """No address where the vendor cannot call, or could not reach us."""
    script = Script()
    adapter = CallingAcme(script) if calls_back else FindingAcme(script)
    stage = await make_stage(script, adapter, public_url=public_url)
    job = stage.job()
    await stage.create(job)
    await stage.finished(job.id)
    assert [one.callback_url for one in script.submitted] == [None]


@pytest.mark.parametrize("body", [{"id": "op1"}, {"id": "other", "status": "succeeded"}, b"\xff<html>", b""])
async def test_a_call_wakes_the_next_look_and_nothing_more(make_stage: MakeStage, body: Any) -> None:
    """Whatever it says or fails to say, the vendor is looked at, and only what the look shows counts."""
    stage = await make_stage(Script())
    job = await running(stage)
    stage.script.checks = deque([done()])
    assert await call(stage, last(stage.script), body) is None
    job = await stage.finished(job.id)
    assert (job.state, job.operation_key) == (State.COMPLETED, "op1")
    assert set(stage.script.looked) == {"op1"}


async def test_a_storm_of_calls_is_one_look_a_second(make_stage: MakeStage) -> None:
    """A hundred calls at once cost one look now, and one a second later for what came after it."""
    stage = await make_stage(Script())
    await running(stage)
    for second in range(3):
        for _ in range(100):
            await call(stage, last(stage.script), {"id": "op1"})
            await asyncio.sleep(0)
        assert len(stage.script.looked) == 2 + second
        stage.now += 1.0


async def test_a_call_during_a_look_is_followed_by_another(make_stage: MakeStage) -> None:
    """The look may have seen what was before the call."""
    stage = await make_stage(Script())
    job = await running(stage)
    stage.script.gate = asyncio.Event()
    await call(stage, last(stage.script), {})
    while not stage.script.held:
        await asyncio.sleep(0)
    stage.now += 2.0
    await call(stage, last(stage.script), {})
    stage.script.checks = deque([BUSY, done()])
    let_go(stage)
    assert (await stage.finished(job.id)).state is State.COMPLETED


@pytest.mark.parametrize(
    "forge",
    [
        lambda parts: [parts[0], parts[1], "0" * len(parts[2])],
        lambda parts: [parts[0], parts[1], ""],
        lambda parts: [parts[0], parts[1], parts[2] + "ü\ud800"],
        lambda parts: [parts[0], "2", parts[2]],
        lambda parts: [parts[0], "01", parts[2]],
        lambda parts: [parts[0], "1" * 5000, parts[2]],
        lambda parts: [parts[0], "-1", parts[2]],
        lambda parts: ["video_" + "0" * 26, parts[1], parts[2]],
        lambda parts: ["../etc/passwd", parts[1], parts[2]],
    ],
)
async def test_a_forged_call_is_told_nothing_and_does_nothing(
    make_stage: MakeStage, forge: Callable[[list[str]], list[str]]
) -> None:
    """One answer for everything that is wrong; the body is not even read."""
    stage = await make_stage(Script())
    await running(stage)
    stage.script.checks = deque([done()])
    parts = forge(urlsplit(last(stage.script)).path.split("/")[2:])

    async def read() -> Callback:
        raise AssertionError("a stranger's body was read")

    with pytest.raises(NotFound) as refused:
        await stage.engine.hear(*parts, read)
    assert (refused.value.message, refused.value.code) == ("there is nothing here", "path_not_found")
    assert stage.script.looked == ["op1"]


async def test_a_secret_opens_its_own_video_alone(make_stage: MakeStage) -> None:
    """Another tenant's video with the same attempt number stays shut."""
    script = Script()
    script.submits = deque(script.submits[0].evolve(operation={"id": key}, key=key) for key in ("op1", "op2"))
    stage = await make_stage(script)
    mine = await running(stage)
    theirs = stage.job(tenant="other")
    await stage.create(theirs)
    await looked(stage, 2)
    address = script.submitted[0].callback_url
    assert address is not None
    with pytest.raises(NotFound):
        await call(stage, address.replace(mine.id, theirs.id), {})


async def test_a_late_call_is_taken_and_forgotten(make_stage: MakeStage) -> None:
    """The video is finished: a bare 200, and nothing changes."""
    stage = await make_stage(Script())
    job = stage.job()
    await stage.create(job)
    before = await stage.finished(job.id)
    for _ in range(3):
        assert await call(stage, last(stage.script), {"id": "op9"}) is None
    assert await stage.store.get(job.id) == before
    assert len(stage.script.submitted) == len(stage.script.looked) == 1


async def test_a_challenge_is_echoed_whatever_became_of_the_video(make_stage: MakeStage) -> None:
    """While it runs and after its end, to whoever knows the secret."""
    stage = await make_stage(Script())
    job = await running(stage)
    assert await call(stage, last(stage.script), {"challenge": "c1"}) == {"challenge": "c1"}
    await stage.engine.cancel(job)
    await stage.finished(job.id)
    assert await call(stage, last(stage.script), {"challenge": "c2"}) == {"challenge": "c2"}


@pytest.mark.parametrize(
    "status", [BUSY, done(), VendorFailed(failure=Failure(kind=FailureKind.VENDOR_ERROR, message="no"))]
)
async def test_a_lost_submit_is_adopted_when_the_vendor_calls(make_stage: MakeStage, status: Any) -> None:
    """The call names the work, one look confirms it, and nothing is sent again; the name is on disk before the 200."""
    stage = await make_stage(Script())
    job = await lost(stage)
    stage.script.checks = deque([status, done()])
    await call(stage, last(stage.script), {"id": "op7"})
    assert "callback_heard" in await stage.story(job.id)
    job = await stage.reaches(job.id, "accepted")
    assert job.operation_key == "op7"
    assert (job.attempts[0].outcome, len(job.attempts), len(stage.script.submitted)) == ("accepted", 1, 1)


async def test_what_no_look_confirms_is_neither_believed_nor_sent_again(make_stage: MakeStage) -> None:
    """The vendor does not show the work that was named: looked at again until the deadline, also beyond the wait."""
    stage = await make_stage(Script(), wait_seconds=0.05, accounts=(ACME.evolve(submit_policy="resubmit"),))
    stage.script.submits = deque([LOST])
    stage.script.unheard_of = {"op7"}
    job, address = await sending(stage)
    await call(stage, address, {"id": "op7"})
    let_go(stage)
    await looked(stage, 5)
    stage.now = job.deadline_at
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.SUBMISSION_UNKNOWN
    assert (job.operation_key, len(stage.script.submitted)) == (None, 1)
    assert await stage.ledger(job.id) == ["reserve", "release", "doubt"]


async def test_of_several_names_the_one_that_is_shown_is_adopted(make_stage: MakeStage) -> None:
    """A forged one came first and keeps nobody from the true one."""
    stage = await make_stage(Script())
    job = await lost(stage)
    stage.script.unheard_of = {"forged"}
    await call(stage, last(stage.script), {"id": "forged"})
    await looked(stage, 1)
    stage.now += 2.0
    await call(stage, last(stage.script), {"id": "op7"})
    job = await stage.finished(job.id)
    assert (job.state, job.operation_key) == (State.COMPLETED, "op7")
    assert len(stage.script.submitted) == 1


async def test_a_call_about_anothers_work_is_not_believed(make_stage: MakeStage) -> None:
    """What one video holds is not adopted by a second one, which waits for a better call; nothing is sent again."""
    stage = await make_stage(Script())
    first = stage.job()
    await stage.create(first)
    await stage.finished(first.id)
    second = await lost(stage)
    await call(stage, last(stage.script), {"id": "op1"})
    stage.now += 2.0
    await call(stage, last(stage.script), {"id": "op7"})
    second = await stage.finished(second.id)
    assert (second.state, second.operation_key) == (State.COMPLETED, "op7")
    assert len(stage.script.submitted) == 2
    kept = await stage.store.get(first.id)
    assert kept is not None
    assert kept.operation_key == "op1"


@pytest.mark.parametrize(
    "outcome",
    [
        LOST,
        NotSent("refused by a proxy that had passed it on"),
        VendorRefused(Failure(kind=FailureKind.RATE_LIMITED, message="slow down")),
        VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message="no")),
    ],
)
async def test_a_call_that_overtakes_the_answer_is_kept(make_stage: MakeStage, outcome: Exception) -> None:
    """It came while the submit was on its way, and the answer then said nothing, or the contrary: the work is adopted."""
    stage = await make_stage(Script(), wait_seconds=0.0)
    stage.script.submits = deque([outcome])
    job, address = await sending(stage)
    await call(stage, address, {"id": "op7"})
    let_go(stage)
    job = await stage.finished(job.id)
    assert (job.state, job.operation_key) == (State.COMPLETED, "op7")
    assert [attempt.outcome for attempt in job.attempts] == ["accepted"]
    assert len(stage.script.submitted) == 1


async def test_an_answer_outranks_what_a_call_named(make_stage: MakeStage) -> None:
    """The submit was answered after all: its operation counts, and the call only woke a look."""
    stage = await make_stage(Script())
    job, address = await sending(stage)
    await call(stage, address, {"id": "op7"})
    let_go(stage)
    assert (await stage.finished(job.id)).operation_key == "op1"


@pytest.mark.parametrize(("policy", "outcomes"), [("fail", ["unknown"]), ("resubmit", ["abandoned", "accepted"])])
async def test_a_vendor_that_never_calls_is_waited_for_and_then_given_up(
    make_stage: MakeStage, policy: str, outcomes: list[str]
) -> None:
    """Only when the wait is over does the operator's choice decide."""
    stage = await make_stage(Script(), wait_seconds=0.05, accounts=(ACME.evolve(submit_policy=policy),))
    began = stage.now
    job = await lost(stage)
    job = await stage.finished(job.id)
    assert [attempt.outcome for attempt in job.attempts] == outcomes
    assert stage.now - began >= 0.05


async def test_without_a_public_address_nobody_waits(make_stage: MakeStage) -> None:
    """The vendor was told no address, so no call will come."""
    stage = await make_stage(Script(), public_url=None)
    job = await lost(stage)
    job = await stage.finished(job.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.SUBMISSION_UNKNOWN


async def test_an_earlier_attempt_is_not_adopted_any_more(make_stage: MakeStage) -> None:
    """A call about an attempt that was given up comes too late: the newer one goes on."""
    script = Script()
    stage = await make_stage(script, wait_seconds=0.0, accounts=(ACME.evolve(submit_policy="resubmit"),))
    script.submits = deque([LOST, Accepted(operation={"id": "op2"}, key="op2", poll_after_seconds=0.0)])
    script.checks = deque([BUSY])
    job = stage.job()
    await stage.create(job)
    await stage.reaches(job.id, "accepted")
    await looked(stage, 1)
    await call(stage, script.submitted[0].callback_url, {"id": "op1"})
    kept = await stage.store.get(job.id)
    assert kept is not None
    assert (kept.operation_key, script.looked) == ("op2", ["op2"])


async def test_a_vendor_that_can_be_searched_need_not_be_when_it_calls(make_stage: MakeStage) -> None:
    """The call is the quicker way; an empty list does not lead to a second submit."""
    script = Script()
    stage = await make_stage(script, CallingFindingAcme(script))
    stage.tools.limits = stage.tools.limits.evolve(lookup_pause_seconds=1e6)
    job = await lost(stage)
    await call(stage, last(script), {"id": "op7"})
    job = await stage.finished(job.id)
    assert (job.operation_key, len(script.submitted)) == ("op7", 1)


@pytest.mark.parametrize(("wait_seconds", "adopted"), [(1e6, "op8"), (0.0, None)], ids=["called", "not called"])
async def test_a_call_tells_apart_what_looks_alike(
    make_stage: MakeStage, wait_seconds: float, adopted: str | None
) -> None:
    """Two operations of the list could be it: the call says which, and without one nothing is sent again."""
    script = Script()
    account = ACME.evolve(submit_policy="resubmit")
    stage = await make_stage(script, CallingFindingAcme(script), wait_seconds=wait_seconds, accounts=(account,))
    alike = tuple(Candidate(operation={"id": name}, key=name) for name in ("op7", "op8"))
    script.finds = deque([alike, alike])
    job = await lost(stage)
    if adopted:
        while len(script.finds) > 1:
            await asyncio.sleep(0)
        await call(stage, last(script), {"id": adopted})
    job = await stage.finished(job.id)
    assert (job.operation_key, len(script.submitted)) == (adopted, 1)
    assert adopted or (job.failure is not None and "look like it" in job.failure.message)


async def test_the_last_calls_of_takes_wake_the_takes(make_stage: MakeStage) -> None:
    """Each take is a job of its own, with an address of its own."""
    script = Script()
    script.submits = deque(script.submits[0].evolve(operation={"id": key}, key=key) for key in ("op1", "op2"))
    script.checks = deque([BUSY])
    stage = await make_stage(script)
    takes = tuple(stage.job(reserved=0, take=number) for number in range(2))
    job = stage.job(takes=tuple(take.id for take in takes))
    await stage.create(job, tuple(take.evolve(parent=job.id) for take in takes))
    await looked(stage, 2)
    script.checks = deque([done()])
    for submission in script.submitted:
        await call(stage, submission.callback_url, {})
    assert (await stage.finished(job.id)).state is State.COMPLETED


@pytest.mark.parametrize("point", ["heard_recorded", "heard_confirmed", "accepted_recorded"])
async def test_death_after_a_call_sends_nothing_twice(tmp_path: Path, make_stage: MakeStage, point: str) -> None:
    """Killed with the name on disk, confirmed, or adopted: the next process goes on with the same work, uncalled."""
    dying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engine.dying", str(tmp_path), point, "called"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        output, _ = await dying.communicate()
    assert dying.returncode == -signal.SIGKILL
    script = Script()
    stage = await make_stage(script)
    job = await stage.finished(output.decode().split()[0])
    assert (job.state, job.operation_key) == (State.COMPLETED, "op7")
    assert script.submitted == []
    assert await stage.ledger(job.id) == ["reserve", "settle"]


async def test_a_crash_while_nobody_knows_waits_for_a_call(tmp_path: Path, make_stage: MakeStage) -> None:
    """Killed right after the attempt was written down: the next process waits, is called, and adopts."""
    dying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engine.dying", str(tmp_path), "attempt_recorded", "called"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        output, _ = await dying.communicate()
    video_id = output.decode().split()[0]
    script = Script()
    stage = await make_stage(script)
    job = await stage.reaches(video_id, "submit_unknown")
    await call(stage, f"{PUBLIC}/callbacks/{job.id}/1/{job.attempts[0].callback_secret}", {"id": "op7"})
    job = await stage.finished(job.id)
    assert (job.state, job.operation_key, script.submitted) == (State.COMPLETED, "op7", [])
