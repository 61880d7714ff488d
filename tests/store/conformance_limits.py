"""What every job store must do about limits on what is under way: of an API key, and of an end user."""

import asyncio

import pytest
from tests.store.records import NOW, Fleet, change, completed, creation, make_job

from reelway.core.errors import RateLimited
from reelway.core.jobs import Job
from reelway.core.keys import UnfinishedLimit
from reelway.store.spec import JobStore

__all__ = ["LimitConformance"]

_KEY = UnfinishedLimit(scope="key", tenant="default", name="key_1", most=3)
_USER = UnfinishedLimit(scope="user", tenant="default", name="ada", most=2)


async def _try(store: JobStore, job: Job, *limits: UnfinishedLimit, key: str | None = None) -> bool:
    """Tell whether a video may be created under these limits."""
    try:
        await store.create(creation(job, key=key).evolve(limits=limits))
    except RateLimited as error:
        _check(error)
        return False
    return True


def _check(error: RateLimited) -> None:
    """What a caller is told can be acted upon."""
    assert (error.code, error.status) == ("too_many_unfinished", 429)
    assert error.retry_after_seconds is not None


class LimitConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_of_many_at_once_as_many_as_allowed_are_made(self, store: JobStore) -> None:
        """However the writers share transactions; and what was refused left nothing behind."""
        jobs = [make_job() for _ in range(20)]
        made = await asyncio.gather(*(_try(store, job, _KEY) for job in jobs))
        assert sum(made) == _KEY.most
        assert [job.id for job, was_made in zip(jobs, made, strict=True) if was_made] == [
            job.id for job in await store.get_many(tuple(job.id for job in jobs))
        ]
        assert await store.exceeded((_KEY,)) == _KEY

    async def test_one_at_its_limit_stops_no_other(self, store: JobStore) -> None:
        """Those that share a transaction with a refused one are made."""
        others = [make_job(key_id="key_2") for _ in range(5)]
        await asyncio.gather(*(_try(store, make_job(), _KEY) for _ in range(_KEY.most)))
        refused, *made = await asyncio.gather(_try(store, make_job(), _KEY), *(_try(store, job) for job in others))
        assert not refused
        assert all(made)

    async def test_what_ends_makes_room(self, store: JobStore, fleet: Fleet) -> None:
        """Takes, other tenants' videos and ended ones do not count."""
        job = await fleet.held(user="ada")
        await store.create(creation(make_job(parent=job.id, user="ada"), reserve=None))
        await store.create(creation(make_job(user="ada", tenant="other")))
        assert await _try(store, make_job(user="ada"), _USER)
        assert not await _try(store, make_job(user="ada"), _USER)
        await store.apply(change(job, job.epoch, end="settle", **completed()))
        assert await store.exceeded((_KEY, _USER)) is None
        assert await _try(store, make_job(user="ada"), _KEY, _USER)
        assert await store.exceeded((_KEY, _USER)) == _USER

    async def test_a_repetition_is_answered_at_the_limit(self, store: JobStore) -> None:
        """It makes nothing new, so there is nothing to refuse."""
        job = make_job()
        one = _KEY.evolve(most=1)
        assert await _try(store, job, one, key="chosen")
        again = await store.create(creation(make_job(at=NOW), key="chosen").evolve(limits=(one,)))
        assert (again.job, again.replayed) == (job, True)
        with pytest.raises(RateLimited):
            await store.create(creation(make_job(), key="another").evolve(limits=(one,)))
