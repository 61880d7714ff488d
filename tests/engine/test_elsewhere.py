"""Failed renders that another account may make, keys that change while videos are made, and accounts that disappear."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.scripted import DeletingAcme, Script, Stage, done

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import State
from reelway.engine.account import Account
from reelway.vendors.spec import Accepted, Credential, Running, VendorFailed

FIRST = Account(
    name="first",
    vendor="openai_videos",
    service="compatible",
    base_url="https://acme.example/v1",
    credential=Credential(values={"api_key": "sk-new"}),
    retry_failed_renders="free",
    charges_failed_renders=False,
)
SECOND = FIRST.evolve(name="second", priority=1)
BROKE = Failure(kind=FailureKind.VENDOR_ERROR, message="the renderer broke")
COST = {"cost": {"currency": "USD", "settled": "1.52"}}

MakeStage = Callable[..., Any]


def accepted(key: str) -> Accepted:
    return Accepted(operation={"id": key}, key=key, poll_after_seconds=0.0)


@pytest.fixture
async def make_stage(tmp_path: Path) -> AsyncIterator[MakeStage]:
    """Makes engines over one folder, and closes those that are left."""
    open_ones: list[Stage] = []

    async def make(script: Script, *accounts: Account) -> Stage:
        while open_ones:
            await open_ones.pop().close()
        stage = Stage(tmp_path, script, DeletingAcme(script), accounts)
        open_ones.append(stage)
        await stage.open()
        return stage

    yield make
    for stage in open_ones:
        await stage.close()


def script(*checks: Any) -> Script:
    """Return a vendor that takes three videos and shows these states."""
    made = Script()
    made.submits = deque(accepted(f"op{number}") for number in (1, 2, 3))
    made.checks = deque(checks)
    return made


async def test_another_account_makes_what_failed_at_one(make_stage: MakeStage) -> None:
    """The journal shows both, the caller pays once, and the second has a mark and an operation of its own."""
    stage = await make_stage(script(VendorFailed(failure=BROKE), done()), FIRST, SECOND)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert (job.state, job.operation_key, job.failure) == (State.COMPLETED, "op2", None)
    assert [(attempt.account, attempt.outcome) for attempt in job.attempts] == [
        ("first", "failed"),
        ("second", "accepted"),
    ]
    assert job.attempts[0].failure == BROKE
    assert len({attempt.reference for attempt in job.attempts}) == 2
    assert await stage.ledger(job.id) == ["reserve", "settle"]
    assert "render_failed" in await stage.story(job.id)


@pytest.mark.parametrize("policy", ["never", "free", "always"])
@pytest.mark.parametrize("may_charge", [False, True], ids=["says free", "does not say"])
@pytest.mark.parametrize("usage", [{}, COST], ids=["no figures", "charged"])
async def test_what_may_have_cost_something_is_only_tried_again_where_that_is_wanted(
    make_stage: MakeStage, policy: Any, may_charge: bool, usage: dict[str, Any]
) -> None:
    """Money first: the vendor's own figures count for more than what it says in general. What it cost stays on the attempt."""
    first = FIRST.evolve(retry_failed_renders=policy, charges_failed_renders=may_charge)
    stage = await make_stage(script(VendorFailed(failure=BROKE, usage=usage), done()), first, SECOND)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    goes_on = policy == "always" or (policy == "free" and not may_charge and not usage)
    assert len(job.attempts) == (2 if goes_on else 1)
    assert job.state is (State.COMPLETED if goes_on else State.FAILED)
    assert await stage.ledger(job.id) == ["reserve", "settle" if goes_on else "release"]
    if goes_on:
        assert (job.attempts[0].usage or {}) == usage
        assert job.settled == job.reserved


@pytest.mark.parametrize("kind", [FailureKind.CONTENT_POLICY, FailureKind.INVALID_REQUEST, FailureKind.MEDIA_INVALID])
async def test_what_no_account_mends_is_not_tried_again(make_stage: MakeStage, kind: FailureKind) -> None:
    """The request itself was refused."""
    refused = VendorFailed(failure=Failure(kind=kind, message="no"))
    stage = await make_stage(script(refused, done()), FIRST, SECOND)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert (job.state, len(job.attempts)) == (State.FAILED, 1)


async def test_when_the_last_account_failed_too_its_failure_is_told(make_stage: MakeStage) -> None:
    """Each account is asked once, and the money goes back."""
    stage = await make_stage(script(VendorFailed(failure=BROKE)), FIRST, SECOND)
    job = stage.job()
    await stage.create(job)
    job = await stage.finished(job.id)
    assert (job.state, job.failure) == (State.FAILED, BROKE)
    assert [attempt.account for attempt in job.attempts] == ["first", "second"]
    assert await stage.ledger(job.id) == ["reserve", "release"]


async def test_a_restart_after_the_failure_was_written_goes_on_at_the_other(make_stage: MakeStage) -> None:
    """The record alone says that the first is not asked again and that nothing is under way."""
    vendor = script(VendorFailed(failure=BROKE), done())
    stage = await make_stage(vendor, FIRST, SECOND)
    stopped: list[str] = []

    def checkpoint(point: str) -> None:
        if point == "render_failed_recorded" and not stopped:
            stopped.append(point)
            raise RuntimeError("power cut")

    stage.tools.checkpoint = checkpoint
    job = stage.job()
    await stage.create(job)
    await stage.reaches(job.id, "render_failed")
    stage = await make_stage(vendor, FIRST, SECOND)
    job = await stage.finished(job.id)
    assert stopped
    assert [(attempt.account, attempt.outcome) for attempt in job.attempts] == [
        ("first", "failed"),
        ("second", "accepted"),
    ]
    assert await stage.ledger(job.id) == ["reserve", "settle"]


async def test_work_begun_with_the_old_key_is_finished_with_it(make_stage: MakeStage) -> None:
    """A vendor may show a task to the key alone that made it; what is new goes out with the new one."""
    vendor = script(Running(poll_after_seconds=0.01))
    old = Credential(values={"api_key": "sk-old"})
    stage = await make_stage(vendor, FIRST.evolve(credential=old))
    running = stage.job()
    await stage.create(running)
    await stage.reaches(running.id, "accepted")

    stage = await make_stage(vendor, FIRST.evolve(previous=(old,), delete_after_collect=True))
    keys = _keys_seen(stage)
    vendor.checks = deque([done()])
    await stage.finished(running.id)
    async with asyncio.timeout(10):
        while not vendor.deleted or await stage.store.errands(running.id):
            await stage.engine._cleaner.clean()
            await asyncio.sleep(0.01)
    assert set(keys) == {"sk-old"}
    keys.clear()
    fresh = stage.job()
    await stage.create(fresh)
    job = await stage.finished(fresh.id)
    assert set(keys) == {"sk-new"}
    assert "sk-" not in job.attempts[0].key
    assert len(job.attempts[0].key) == 8


async def test_without_the_old_key_the_new_one_is_tried(make_stage: MakeStage) -> None:
    """Most vendors show a task to every key of the account."""
    vendor = script(Running(poll_after_seconds=0.01))
    stage = await make_stage(vendor, FIRST.evolve(credential=Credential(values={"api_key": "sk-old"})))
    running = stage.job()
    await stage.create(running)
    await stage.reaches(running.id, "accepted")
    stage = await make_stage(vendor, FIRST)
    keys = _keys_seen(stage)
    vendor.checks = deque([done()])
    assert (await stage.finished(running.id)).state is State.COMPLETED
    assert set(keys) == {"sk-new"}


def _keys_seen(stage: Stage) -> list[str]:
    """Return a list that fills with the keys of the accounts that requests go out for."""
    seen: list[str] = []
    run = stage.tools.driver.run

    async def watched(flow: Any, adapter: Any, account: Account, **options: Any) -> Any:
        seen.append(account.credential.values["api_key"])
        return await run(flow, adapter, account, **options)

    stage.tools.driver.run = watched  # type: ignore[method-assign]
    return seen


async def test_a_draining_account_finishes_what_it_has(make_stage: MakeStage) -> None:
    """And what comes goes to the others."""
    vendor = script(Running(poll_after_seconds=0.01))
    stage = await make_stage(vendor, FIRST, SECOND)
    running = stage.job()
    await stage.create(running)
    await stage.reaches(running.id, "accepted")
    stage = await make_stage(vendor, FIRST.evolve(draining=True), SECOND)
    vendor.checks = deque([done()])
    fresh = stage.job()
    await stage.create(fresh)
    made = [await stage.finished(job.id) for job in (running, fresh)]
    assert [job.route and job.route.account for job in made] == ["first", "second"]
    assert {job.state for job in made} == {State.COMPLETED}


async def test_work_of_an_account_that_is_gone_waits_for_it_and_ends_truthfully(make_stage: MakeStage) -> None:
    """Its account may come back with the next start; at the deadline the reason is told, and nothing is charged."""
    vendor = script(Running(poll_after_seconds=0.01))
    stage = await make_stage(vendor, FIRST, SECOND)
    jobs = [stage.job(), stage.job()]
    for job in jobs:
        await stage.create(job)
        await stage.reaches(job.id, "accepted")
    stage = await make_stage(vendor, SECOND)
    stage.now += 10
    stage = await make_stage(vendor, FIRST, SECOND)
    vendor.checks = deque([done()])
    assert (await stage.finished(jobs[0].id)).state is State.COMPLETED

    vendor.checks = deque([Running(poll_after_seconds=0.01)])
    late = stage.job(deadline_at=stage.now + 5)
    await stage.create(late)
    await stage.reaches(late.id, "accepted")
    stage = await make_stage(vendor, SECOND)
    stage.now += 100
    stage.tools.nudge(late.id)
    job = await stage.finished(late.id)
    assert job.failure is not None
    assert job.failure.kind is FailureKind.VENDOR_UNAVAILABLE
    assert "not configured any more" in job.failure.message
    assert await stage.ledger(late.id) == ["reserve", "release"]


async def test_a_vendor_that_is_full_is_given_less_and_nothing_is_lost(make_stage: MakeStage) -> None:
    """A refusal for want of places is learned from, waited out, and never the end of a video, however often it comes."""
    full = VendorRefused(Failure(kind=FailureKind.RATE_LIMITED, message="full", vendor_code="1303"))
    vendor = script(done())
    vendor.submits = deque([accepted("op0"), *(full for _ in range(8)), *(accepted(f"op{n}") for n in range(1, 9))])
    stage = await make_stage(vendor, FIRST.evolve(full_codes=("1303",), max_in_flight=6))
    jobs = [stage.job() for _ in range(6)]
    for job in jobs:
        await stage.create(job)
    assert {(await stage.finished(job.id)).state for job in jobs} == {State.COMPLETED}
    assert stage.tools.router.limits["first"].in_flight == 0
