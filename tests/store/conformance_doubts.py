"""What every job store must do about submits whose outcome nobody knows."""

import pytest
from tests.store.records import NOW, Fleet, change, make_job

from reelway.core.errors import LeaseLost
from reelway.core.jobs import Entry, Job
from reelway.core.lifecycle import State
from reelway.core.submits import Testimony
from reelway.store.spec import JobStore


def word(job: Job, **changes: object) -> Testimony:
    said = Testimony(
        job_id=job.id, attempt=1, verdict="made", by="é", at=NOW, key="op1", operation={"id": "ö"}, amount=7
    )
    return said.evolve(**changes)


class DoubtConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_the_last_word_about_an_attempt_counts(self, store: JobStore, fleet: Fleet) -> None:
        """It is read back to the letter; another attempt has heard nothing."""
        job = await fleet.held()
        await store.apply(change(job, job.epoch, state=State.SUBMITTING))
        assert await store.testimony(job.id, 1) is None
        assert await store.testify(word(job, verdict="not_made"))
        assert await store.testify(word(job))
        assert await store.testimony(job.id, 1) == word(job)
        assert await store.testimony(job.id, 2) is None

    async def test_nobody_hears_about_a_job_that_is_not_submitting(self, store: JobStore, fleet: Fleet) -> None:
        """And whoever speaks is told so."""
        job = await fleet.held()
        assert not await store.testify(word(job))
        assert not await store.testify(word(make_job()))
        assert await store.testimony(job.id, 1) is None

    async def test_those_that_submit_are_listed(self, store: JobStore, fleet: Fleet) -> None:
        """The oldest first, and no more than asked for."""
        jobs = [await fleet.held() for _ in range(3)]
        for job in jobs[:2]:
            await store.apply(change(job, job.epoch, state=State.SUBMITTING))
        assert [job.id for job in await store.submitting(10)] == [job.id for job in jobs[:2]]
        assert len(await store.submitting(1)) == 1

    async def test_a_doubt_is_settled_once(self, store: JobStore, fleet: Fleet) -> None:
        """It is written with its change, outlives its video, and the reservation ends beside it as ever."""
        job = await fleet.held()
        doubt = Entry(kind="doubt", amount=5, at=NOW)
        ended = change(job, job.epoch, state=State.FAILED).evolve(
            entry=Entry(kind="release", amount=job.reserved, at=NOW), doubts=(doubt,)
        )
        await store.apply(ended)
        assert await store.doubts(10) == (job.id,)
        assert await store.doubts(10, job.id) == ()
        await store.delete(job.id, NOW)
        assert await store.doubts(10) == (job.id,)
        assert await store.write_loss(job.id, 3, NOW)
        assert not await store.write_loss(job.id, 4, NOW)
        assert not await store.write_loss(make_job().id, 4, NOW)
        assert [(entry.kind, entry.amount) for entry in await store.entries(job.id)][-2:] == [("doubt", 5), ("loss", 3)]
        assert await store.doubts(10) == ()

    async def test_a_change_that_is_refused_leaves_no_doubt(self, store: JobStore, fleet: Fleet) -> None:
        """A node that lost its lease has nothing to say about money."""
        job = await fleet.held()
        doubt = Entry(kind="doubt", amount=5, at=NOW)
        with pytest.raises(LeaseLost):
            await store.apply(change(job, job.epoch + 1, state=State.FAILED).evolve(doubts=(doubt,)))
        assert await store.doubts(10) == ()
