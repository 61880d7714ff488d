"""What every job store must do about errands: what is still to be done after a record was written."""

import pytest
from tests.store.records import NOW, Fleet, change, completed, creation, forgetting, make_job, removing

from reelway.core.errands import Errand, ExpireInputs
from reelway.core.errors import Conflict, LeaseLost
from reelway.store.spec import JobStore

_HOLD = NOW + 60


class ErrandConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_errands_are_written_with_their_change(self, store: JobStore, fleet: Fleet) -> None:
        """What was written is read back to the letter, whatever the kind of work."""
        job = await fleet.held()
        wanted = (removing(job), forgetting(job))
        await store.apply(change(job, job.epoch, **completed()).evolve(errands=wanted))
        assert await store.errands(job.id) == wanted
        assert await store.errands((await fleet.ended()).id) == ()

    async def test_a_change_that_is_refused_leaves_no_errand(self, store: JobStore, fleet: Fleet) -> None:
        """A node that lost its lease has nothing deleted."""
        job = await fleet.held()
        with pytest.raises(LeaseLost):
            await store.apply(change(job, job.epoch + 1, **completed()).evolve(errands=(forgetting(job),)))
        assert await store.errands(job.id) == ()

    async def test_errands_are_written_with_a_deletion(self, store: JobStore, fleet: Fleet) -> None:
        """They outlive the video; a video that is not deleted has none of it done."""
        job, unfinished = await fleet.ended(), make_job()
        await store.create(creation(unfinished))
        await store.delete(job.id, NOW, errands=(removing(job),))
        with pytest.raises(Conflict):
            await store.delete(unfinished.id, NOW, errands=(removing(unfinished),))
        assert await store.get(job.id) is None
        assert await store.errands(job.id) == (removing(job),)
        assert await store.errands(unfinished.id) == ()

    async def test_an_errand_is_on_record_once(self, store: JobStore, fleet: Fleet) -> None:
        """Of two with one id the first stays, with its tries."""
        job = await fleet.ended()
        await store.plan_errand(forgetting(job))
        await store.errand_put_off(forgetting(job).id, NOW + 5, 3, "503")
        await store.plan_errand(forgetting(job))
        await store.delete(job.id, NOW, errands=(forgetting(job), removing(job)))
        assert await store.errands(job.id) == (
            removing(job),
            forgetting(job, due_at=NOW + 5).evolve(tries=3, last_answer="503"),
        )

    async def test_what_is_taken_is_nobody_elses_until_its_hold_is_over(self, store: JobStore) -> None:
        """Whoever took it may have died: then it is due again."""
        errand = Errand(id="inputs", work=ExpireInputs(), created_at=NOW, due_at=NOW)
        await store.plan_errand(errand)
        assert await store.due_errands(NOW - 1, 9, _HOLD) == ()
        assert await store.due_errands(NOW, 9, _HOLD) == (errand.evolve(due_at=_HOLD),)
        assert await store.due_errands(_HOLD - 1, 9, _HOLD + 60) == ()
        assert [one.id for one in await store.due_errands(_HOLD, 9, _HOLD + 60)] == ["inputs"]

    async def test_the_longest_overdue_are_taken_first(self, store: JobStore) -> None:
        """A few at a time."""
        jobs = [make_job() for _ in range(3)]
        for job, due_at in zip(jobs, (NOW - 1, NOW - 3, NOW - 2), strict=True):
            await store.plan_errand(removing(job, due_at=due_at))
        assert {one.job_id for one in await store.due_errands(NOW, 2, _HOLD)} == {jobs[1].id, jobs[2].id}
        assert [one.job_id for one in await store.due_errands(NOW, 2, _HOLD)] == [jobs[0].id]

    async def test_what_is_done_is_gone(self, store: JobStore) -> None:
        """Twice, or of an unknown errand, changes nothing."""
        job = make_job()
        await store.plan_errand(removing(job))
        for _ in range(2):
            await store.errand_done(removing(job).id)
        await store.errand_put_off(removing(job).id, NOW, 1, "late")
        assert await store.errands(job.id) == ()
        assert await store.due_errands(NOW, 9, _HOLD) == ()

    async def test_what_is_given_up_is_shown_to_the_operator(self, store: JobStore) -> None:
        """It is never due again, and says why."""
        job = make_job()
        await store.plan_errand(forgetting(job))
        assert await store.given_up_errands(9) == ()
        await store.errand_put_off(forgetting(job).id, None, 12, "403")
        assert await store.due_errands(NOW + 1e6, 9, NOW + 2e6) == ()
        [given_up] = await store.given_up_errands(9)
        assert (given_up.job_id, given_up.tries, given_up.last_answer) == (job.id, 12, "403")
