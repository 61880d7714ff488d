"""The suite every job store runs: subclass `JobStoreConformance` and give it a fixture `store`, open and empty.

What is about nodes is in `conformance_nodes`, about single videos in `conformance_jobs`, about clients that send again in
`conformance_repetitions`, about what callers are told in `conformance_messages`, about what is left to do in
`conformance_errands`, about submits nobody knows the outcome of in `conformance_doubts`, about characters in
`conformance_characters`, about how much may be under way in `conformance_limits`; here are lists, sums, keys.
"""

import asyncio

from tests.store.conformance_characters import CharacterConformance
from tests.store.conformance_doubts import DoubtConformance
from tests.store.conformance_errands import ErrandConformance
from tests.store.conformance_jobs import ApplyConformance, CreateConformance, DeleteConformance
from tests.store.conformance_limits import LimitConformance
from tests.store.conformance_messages import MessageConformance
from tests.store.conformance_nodes import NodeConformance
from tests.store.conformance_repetitions import RepetitionConformance
from tests.store.records import NOW, Fleet, change, completed, creation, make_job

from reelway.core.errors import Contradiction
from reelway.core.jobs import Job
from reelway.core.keys import ApiKey
from reelway.core.lifecycle import State
from reelway.core.videos import Mode
from reelway.store.spec import JobQuery, JobStore

__all__ = ["JobStoreConformance"]


class ListConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_pages_join_without_gap_or_overlap(self, store: JobStore) -> None:
        """In both directions, and `has_more` is honest at the last one."""
        jobs = await _videos(store, 7)
        for descending in (True, False):
            pages, after = [], None
            while True:
                page = await store.page(JobQuery(tenant="default", limit=3, descending=descending, after=after))
                pages.append([job.id for job in page.jobs])
                if not page.has_more:
                    break
                after = page.jobs[-1].id
            ordered = sorted((job.id for job in jobs), reverse=descending)
            assert pages == [ordered[:3], ordered[3:6], ordered[6:]]

    async def test_a_full_last_page_has_no_more(self, store: JobStore) -> None:
        """`has_more` is not guessed from a full page."""
        await _videos(store, 3)
        assert not (await store.page(JobQuery(tenant="default", limit=3))).has_more
        assert not (await store.page(JobQuery(tenant="stranger"))).jobs

    async def test_a_page_goes_on_behind_a_deleted_video(self, store: JobStore, fleet: Fleet) -> None:
        """The cursor is a place in the order, not a row."""
        jobs = [await fleet.ended() for _ in range(3)]
        await store.delete(jobs[1].id, NOW)
        page = await store.page(JobQuery(tenant="default", after=jobs[1].id, descending=True))
        assert [job.id for job in page.jobs] == [jobs[0].id]

    async def test_tenants_see_their_own_and_operators_see_all(self, store: JobStore) -> None:
        """Takes are never listed."""
        mine, yours = make_job(), make_job(tenant="other")
        await store.create(creation(mine, takes=(make_job(parent=mine.id),)))
        await store.create(creation(yours))
        listed = {
            tenant: [job.id for job in (await store.page(JobQuery(tenant=tenant, descending=False))).jobs]
            for tenant in ("default", "other", None)
        }
        assert listed == {"default": [mine.id], "other": [yours.id], None: [mine.id, yours.id]}

    async def test_a_list_is_filtered_by_state_model_user_and_time(self, store: JobStore, fleet: Fleet) -> None:
        """Each filter alone, and all together."""
        done = await fleet.ended()
        ada = make_job(user="ada", at=NOW + 1)
        kling = make_job(model="kling-video", user="ada", at=NOW + 2)
        for job in (ada, kling):
            await store.create(creation(job))

        async def listed(**filters: object) -> list[str]:
            query = JobQuery(tenant="default", descending=False).evolve(**filters)
            return [job.id for job in (await store.page(query)).jobs]

        assert await listed(states=(State.COMPLETED, State.FAILED)) == [done.id]
        assert await listed(model="kling-video") == [kling.id]
        assert await listed(user="ada") == [ada.id, kling.id]
        assert await listed(created_after=NOW) == [ada.id, kling.id]
        assert await listed(created_before=NOW + 2) == [done.id, ada.id]
        assert await listed(
            states=(State.QUEUED,), model="veo3.1", user="ada", created_after=NOW, created_before=NOW + 2
        ) == [ada.id]
        assert await listed(user="nobody") == []

    async def test_a_list_is_narrowed_to_ids_references_and_modes(self, store: JobStore) -> None:
        """Of a list of several, any will do; takes carry no reference of their own."""
        marks = {"one": "ref-1", "two": "ref-2", "three": None}
        jobs = {name: _marked(make_job(), mark) for name, mark in marks.items()}
        edited = jobs["three"].evolve(request=jobs["three"].request.evolve(mode=Mode.EDIT))
        await store.create(creation(jobs["one"], takes=(_marked(make_job(parent=jobs["one"].id), "ref-1"),)))
        await store.create(creation(jobs["two"]))
        await store.create(creation(edited))
        await store.create(creation(_marked(make_job(tenant="other"), "ref-1")))

        async def listed(**filters: object) -> list[str]:
            query = JobQuery(tenant="default", descending=False).evolve(**filters)
            return [job.id for job in (await store.page(query)).jobs]

        one, two, three = (job.id for job in jobs.values())
        assert await listed(ids=(one, "video_nobody", three)) == [one, three]
        assert await listed(client_references=("ref-1", "ref-3")) == [one]
        assert await listed(modes=(Mode.EDIT, Mode.EXTEND)) == [three]
        assert await listed(modes=(Mode.T2V,), ids=(two, three)) == [two]

    async def test_pages_can_be_counted_and_skipped(self, store: JobStore) -> None:
        """For callers who turn pages by number; the count is of all that fit, wherever the page is."""
        jobs = [make_job() for _ in range(5)]
        for job in jobs:
            await store.create(creation(job))
        query = JobQuery(tenant="default", descending=False, limit=2)
        page = await store.page(query.evolve(skip=2, counted=True))
        assert [job.id for job in page.jobs] == [jobs[2].id, jobs[3].id]
        assert (page.total, page.has_more) == (5, True)
        last = await store.page(query.evolve(skip=4, counted=True, after=jobs[0].id))
        assert (last.total, last.has_more, last.jobs) == (5, False, ())
        assert (await store.page(query)).total is None

    async def test_the_queue_is_counted_up_to_a_video(self, store: JobStore, fleet: Fleet) -> None:
        """Queued videos made before it; not takes, not what is under way or final."""
        await fleet.ended()
        running = await fleet.held()
        await store.apply(change(running, running.epoch, state=State.RUNNING))
        jobs = [make_job(at=NOW + number) for number in range(3)]
        for job in jobs:
            await store.create(creation(job))
        await store.create(creation(make_job(at=NOW - 1), takes=(make_job(at=NOW - 1, parent=jobs[0].id),)))
        assert [await store.queue_position(job) for job in jobs] == [1, 2, 3]

    async def test_expiring_are_final_jobs_past_their_time(self, store: JobStore, fleet: Fleet) -> None:
        """The longest overdue first; what has expired is not named again."""
        late, later, _never = (
            await fleet.ended(expires_at=NOW - 1),
            await fleet.ended(expires_at=NOW - 9),
            await fleet.ended(),
        )
        future = await fleet.ended(expires_at=NOW + 1)
        assert [job.id for job in await store.expiring(NOW, 10)] == [later.id, late.id]
        assert [job.id for job in await store.expiring(NOW, 1)] == [later.id]
        await store.apply(change(later, None, expired=True))
        assert [job.id for job in await store.expiring(NOW + 1, 10)] == [late.id, future.id]

    async def test_render_times_are_those_of_each_models_newest(self, store: JobStore, fleet: Fleet) -> None:
        """From submit to rendered; videos that did not render themselves and failures say nothing."""
        for number in range(4):
            await _rendered(store, fleet, seconds=10.0 + number, at=NOW + number)
        await _rendered(store, fleet, seconds=99.0, at=NOW, model="kling-video")
        await _rendered(store, fleet, seconds=5.0, at=NOW, model="hailuo-video", state=State.FAILED)
        await fleet.ended()
        assert await store.render_seconds(limit=2) == {"kling-video": (99.0,), "veo3.1": (13.0,)}
        assert (await store.render_seconds())["veo3.1"] == (13.0, 12.0, 11.0, 10.0)


class KeyConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_a_key_is_found_by_its_hash(self, store: JobStore) -> None:
        """Whole, also with every optional field."""
        plain = _key("1")
        full = _key("2", scopes=("create", "read", "admin"), expires_at=NOW + 5)
        for key in (full, plain):
            await store.add_key(key)
        assert await store.key_by_hash(plain.hash) == plain
        assert await store.key_by_hash(full.hash) == full
        assert await store.key_by_hash("unknown") is None
        assert set(await store.keys()) == {plain, full}

    async def test_a_revoked_key_is_still_known(self, store: JobStore) -> None:
        """The first revocation counts; an unknown key cannot be revoked."""
        key = _key("1")
        await store.add_key(key)
        assert await store.revoke_key(key.id, NOW + 1)
        assert await store.revoke_key(key.id, NOW + 2)
        assert not await store.revoke_key("key_unknown", NOW)
        assert await store.key_by_hash(key.hash) == key.evolve(revoked_at=NOW + 1)

    async def test_a_key_is_added_once(self, store: JobStore) -> None:
        """Two keys never share an id or a hash, and one that is refused does not take others with it."""
        await store.add_key(_key("1"))
        outcomes = await asyncio.gather(store.add_key(_key("1")), store.add_key(_key("2")), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Contradiction, type(None)]

    async def test_a_fact_is_set_once(self, store: JobStore) -> None:
        """Whoever comes second is told what holds."""
        assert await store.fact("secret") is None
        answers = await asyncio.gather(*(store.set_fact("secret", value) for value in ("one", "two", "three")))
        assert len(set(answers)) == 1
        assert await store.fact("secret") == answers[0]
        assert await store.set_fact("other", "") == ""


class JobStoreConformance(
    NodeConformance,
    CreateConformance,
    RepetitionConformance,
    ApplyConformance,
    DeleteConformance,
    ListConformance,
    MessageConformance,
    CharacterConformance,
    ErrandConformance,
    LimitConformance,
    DoubtConformance,
    KeyConformance,
):
    """Everything the contract in `store/spec.py` promises."""


async def _videos(store: JobStore, count: int) -> list[Job]:
    jobs = [make_job() for _ in range(count)]
    await asyncio.gather(*(store.create(creation(job)) for job in jobs))
    return jobs


def _marked(job: Job, reference: str | None) -> Job:
    return job.evolve(request=job.request.evolve(client_reference=reference))


async def _rendered(
    store: JobStore, fleet: Fleet, *, seconds: float, at: float, model: str = "veo3.1", state: State = State.COMPLETED
) -> None:
    job = await fleet.held(model=model)
    values = {**completed(), "state": state, "completed_at": at}
    await store.apply(change(job, job.epoch, submitted_at=at, rendered_at=at + seconds, **values))


def _key(number: str, **values: object) -> ApiKey:
    key = ApiKey(
        id=f"key_{number}", tenant="default", name="test", hash=f"hash-{number}", hint="sk-…abcd", created_at=NOW
    )
    return key.evolve(**values)
