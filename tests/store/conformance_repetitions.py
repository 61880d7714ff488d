"""What every job store must do about clients that send again: keys that somebody chose, and keys that stand for a body."""

import asyncio

import pytest
from tests.store.records import NOW, Fleet, change, completed, creation, make_job

from reelway.core.errors import Conflict, Gone
from reelway.core.jobs import Job
from reelway.store.spec import Created, IdempotencyClaim, JobStore

__all__ = ["RepetitionConformance"]


async def _send(store: JobStore, sending: int, *, at: float = NOW, **values: object) -> tuple[Job, Created]:
    """Send the same body as ever for the nth time; return the job it would make and what came of it."""
    job = make_job(at=at, **values)
    return job, await store.create(creation(job, key="body", sending=sending))


async def _apart(store: JobStore, job: Job) -> tuple[Job, Created]:
    """Create a video that has nothing to do with the others."""
    return job, await store.create(creation(job))


def _claim(*, sending: int | None = None, key: str = "body", body_hash: str = "hash") -> IdempotencyClaim:
    return IdempotencyClaim(key_id="key_1", key=key, body_hash=body_hash, expires_at=NOW + 60, sending=sending)


class RepetitionConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_the_same_body_sent_anew_is_another_video(self, store: JobStore) -> None:
        """Whoever wants two videos of one prompt gets two."""
        for at in (NOW, NOW, NOW + 1):
            job, created = await _send(store, 0, at=at)
            assert created == Created(job=job)

    async def test_a_repetition_gets_the_newest_video(self, store: JobStore) -> None:
        """Both the second and the third sending of one request, and nothing is made or reserved for them."""
        await _send(store, 0)
        newest, _ = await _send(store, 0, at=NOW + 1)
        for sending in (1, 2):
            job, created = await _send(store, sending, at=NOW + 2)
            assert created == Created(job=newest, replayed=True)
            assert await store.get(job.id) is None
            assert await store.entries(job.id) == ()

    async def test_a_repetition_whose_first_sending_never_arrived_makes_the_video(self, store: JobStore) -> None:
        """The next one gets it."""
        job, created = await _send(store, 1)
        assert created == Created(job=job)
        assert (await _send(store, 2, at=NOW + 1))[1] == Created(job=job, replayed=True)

    async def test_a_first_sending_that_was_overtaken_gets_the_video_of_its_repetition(self, store: JobStore) -> None:
        """It arrived first and took longer; one that arrived later is another request."""
        made, _ = await _send(store, 1, at=NOW + 1)
        assert (await _send(store, 0, at=NOW))[1] == Created(job=made, replayed=True)
        job, created = await _send(store, 0, at=NOW + 2)
        assert created == Created(job=job)

    async def test_a_repetition_that_comes_too_late_makes_a_video(self, store: JobStore) -> None:
        """The claim says how long it holds."""
        await _send(store, 0)
        job, created = await _send(store, 1, at=NOW + 86_400)
        assert created == Created(job=job)

    async def test_a_repetition_for_another_api_key_makes_a_video(self, store: JobStore) -> None:
        """Two callers may ask for the same."""
        await _send(store, 0)
        job, created = await _send(store, 1, key_id="key_2")
        assert created == Created(job=job)

    async def test_a_repetition_of_a_deleted_video_makes_another(self, store: JobStore, fleet: Fleet) -> None:
        """Whoever deleted it has had its answer; this must be another request."""
        held = await fleet.held("a")
        first, _ = await _send(store, 0, owner="a", epoch=held.epoch)
        await store.apply(change(first, held.epoch, end="settle", **completed()))
        await store.delete(first.id, NOW + 1)
        assert await store.answered(_claim(sending=1), NOW + 2) is None
        job, created = await _send(store, 1, at=NOW + 2)
        assert created == Created(job=job)

    @pytest.mark.parametrize("sendings", [[0, 1, 2, 1], [1, 0, 2, 1], [2, 1, 1, 0]])
    async def test_of_sendings_at_the_same_moment_one_makes_the_video(
        self, store: JobStore, sendings: list[int]
    ) -> None:
        """In whichever order they are written, and nobody else is disturbed."""
        others = [make_job() for _ in range(5)]
        answers = await asyncio.gather(
            *(_send(store, sending, at=NOW + sending) for sending in sendings),
            *(_apart(store, job) for job in others),
        )
        told = [created for _, created in answers[:4]]
        assert len({created.job.id for created in told}) == 1
        assert sum(not created.replayed for created in told) == 1
        assert [created.job for _, created in answers[4:]] == others

    async def test_first_sendings_at_the_same_moment_are_as_many_videos(self, store: JobStore) -> None:
        """Four takes of one prompt, asked for at once."""
        answers = await asyncio.gather(*(_send(store, 0) for _ in range(4)))
        assert [created for _, created in answers] == [Created(job=job) for job, _ in answers]

    async def test_it_tells_beforehand_what_a_repetition_would_get(self, store: JobStore, fleet: Fleet) -> None:
        """Without writing: the video, nothing, or the refusal."""
        assert await store.answered(_claim(key="k"), NOW) is None
        held = await fleet.held("a")
        job = make_job(owner="a", epoch=held.epoch)
        await store.create(creation(job, key="k"))
        assert await store.answered(_claim(key="k"), NOW) == Created(job=job, replayed=True)
        assert await store.answered(_claim(key="k"), NOW + 86_400) is None
        with pytest.raises(Conflict, match=job.id):
            await store.answered(_claim(key="k", body_hash="another"), NOW)

        await store.apply(change(job, held.epoch, end="settle", **completed()))
        await store.delete(job.id, NOW)
        with pytest.raises(Gone, match=job.id):
            await store.answered(_claim(key="k"), NOW)

    async def test_nothing_is_told_beforehand_to_a_first_sending(self, store: JobStore) -> None:
        """It makes a video, whoever held the key."""
        made, _ = await _send(store, 0)
        assert await store.answered(_claim(sending=0), NOW) is None
        assert await store.answered(_claim(sending=1), NOW) == Created(job=made, replayed=True)
