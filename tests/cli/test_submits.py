"""`reelway submits`: what nobody knows is listed, shown and settled, directly on the data folder."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.store.records import NOW, change, creation, make_job

from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Attempt, Entry, Job
from reelway.core.lifecycle import State
from reelway.store.sqlite import SqliteStore

LOST = Failure(kind=FailureKind.SUBMISSION_UNKNOWN, message="the answer was lost")


@pytest.fixture
def lost(run: Run, tmp_path: Path) -> Job:
    """A video that ended as unknown, in the data folder of the command."""
    run("db", "upgrade")
    path = tmp_path / "data" / "reelway.db"

    async def make() -> Job:
        store = SqliteStore(path)
        await store.open()
        epoch = await store.join("local", NOW, 10)
        job = make_job(owner="local", epoch=epoch)
        await store.create(creation(job))
        attempt = Attempt(
            number=1,
            account="acme",
            reference="mark-1",
            callback_secret="s",
            started_at=NOW,
            outcome="unknown",
            ended_at=NOW,
        )
        ended = change(job, epoch, state=State.FAILED, failure=LOST, attempts=(attempt,)).evolve(
            entry=Entry(kind="release", amount=job.reserved, at=NOW),
            doubts=(Entry(kind="doubt", amount=400_000, at=NOW),),
        )
        await store.apply(ended)
        await store.leave("local", epoch)
        await store.close()
        return ended.job

    return asyncio.run(make())


def test_a_lost_submit_is_listed_shown_and_settled(run: Run, lost: Job) -> None:
    """The list empties; what was said stays to be read."""
    assert lost.id in run("submits", "list").out
    shown = run("submits", "show", lost.id).out
    assert "search for mark-1" in shown
    assert run("submits", "settle", lost.id, "--made", "op7", "--charged", "0.25").code == 0
    assert json.loads(run("submits", "list", "--json").out)["data"] == []
    assert "made for 0.25 dollars" in run("submits", "show", lost.id).out
    assert run("db", "check").code == 0


@pytest.mark.parametrize(
    "words",
    [(), ("--made", "a", "--not-made"), ("--not-made", "--charged", "1"), ("--charged", "-1"), ("--charged", "much")],
)
def test_a_settlement_says_one_thing(run: Run, lost: Job, words: tuple[str, ...]) -> None:
    """Anything else is refused, and nothing is written."""
    assert run("submits", "settle", lost.id, *words).code == 2
    assert lost.id in run("submits", "list").out


def test_a_video_that_is_accounted_for_is_not_settled(run: Run) -> None:
    """Nor one that was never there."""
    assert run("submits", "settle", "video_none", "--not-made").code == 2
    assert run("submits", "show", "video_none").code == 2
