"""What every job store must do about videos: creating, changing, reading, deleting, and the money that goes with them."""

import asyncio

import pytest
from tests.store.records import NOW, Fleet, change, completed, creation, make_job, route

from reelway.core.errors import Conflict, Contradiction, Gone, LeaseLost
from reelway.core.jobs import Attempt, Entry
from reelway.core.lifecycle import State
from reelway.store.spec import Created, JobStore


class CreateConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_what_is_created_is_read_back_whole(self, store: JobStore) -> None:
        """Job, story and ledger line are there together."""
        job = make_job(
            user="ada", attempts=(Attempt(number=1, account="a", reference="r", callback_secret="c", started_at=1),)
        )
        assert await store.create(creation(job)) == Created(job=job)
        assert await store.get(job.id) == job
        assert [(event.seq, event.name, event.state) for event in await store.events(job.id)] == [
            (1, "created", "queued")
        ]
        assert await store.entries(job.id) == (Entry(kind="reserve", amount=400_000, at=NOW),)

    async def test_an_unknown_id_is_none(self, store: JobStore) -> None:
        """Nothing is invented."""
        assert await store.get("video_unknown") is None
        assert await store.events("video_unknown") == ()
        assert await store.entries("video_unknown") == ()
        assert await store.tombstone_tenant("video_unknown") is None

    async def test_takes_are_created_with_their_video(self, store: JobStore) -> None:
        """A video of several takes and all of them are one write."""
        video = make_job()
        takes = tuple(make_job(parent=video.id, take=number) for number in (0, 1))
        video = video.evolve(takes=tuple(take.id for take in takes))
        await store.create(creation(video, takes=takes))
        assert await store.get_many((*video.takes, video.id)) == (*takes, video)

    async def test_many_are_read_in_the_order_asked_for(self, store: JobStore) -> None:
        """Those that do not exist are left out, and hundreds can be asked for."""
        jobs = [make_job() for _ in range(150)]
        await asyncio.gather(*(store.create(creation(job)) for job in jobs))
        asked = [job.id for job in reversed(jobs)]
        assert [job.id for job in await store.get_many(("video_no", *asked))] == asked
        assert await store.get_many(()) == ()

    async def test_an_id_is_used_once(self, store: JobStore) -> None:
        """The second video with the same id is refused, and the first stays as it was."""
        job = make_job()
        await store.create(creation(job))
        with pytest.raises(Contradiction):
            await store.create(creation(job.evolve(tenant="other")))
        assert await store.get(job.id) == job

    async def test_the_same_key_and_body_get_the_first_answer(self, store: JobStore) -> None:
        """A repetition makes nothing and reserves nothing."""
        first, second = make_job(), make_job(at=NOW + 1)
        await store.create(creation(first, key="k"))
        assert await store.create(creation(second, key="k")) == Created(job=first, replayed=True)
        assert await store.get(second.id) is None
        assert await store.entries(second.id) == ()

    async def test_the_replayed_answer_is_the_video_as_it_is_now(self, store: JobStore, fleet: Fleet) -> None:
        """Who repeats a request an hour later sees what became of it."""
        owner = await fleet.held("a")
        job = make_job(owner="a", epoch=owner.epoch)
        await store.create(creation(job, key="k"))
        await store.apply(change(job, job.epoch, **completed()))
        replayed = await store.create(creation(make_job(), key="k"))
        assert (replayed.job.id, replayed.job.state) == (job.id, State.COMPLETED)

    async def test_the_same_key_with_another_body_is_a_conflict(self, store: JobStore) -> None:
        """It says which video the key was used for, and makes nothing."""
        first, second = make_job(), make_job()
        await store.create(creation(first, key="k"))
        asked = creation(second, key="k")
        assert asked.idempotency is not None
        with pytest.raises(Conflict, match=first.id) as raised:
            await store.create(asked.evolve(idempotency=asked.idempotency.evolve(body_hash="another")))
        assert raised.value.code == "idempotency_mismatch"
        assert await store.get(second.id) is None

    async def test_an_idempotency_key_belongs_to_an_api_key(self, store: JobStore) -> None:
        """Two callers may use the same word."""
        mine, yours = make_job(), make_job(key_id="key_2")
        await store.create(creation(mine, key="k"))
        assert await store.create(creation(yours, key="k")) == Created(job=yours)

    async def test_an_idempotency_key_is_free_again_when_its_time_is_over(self, store: JobStore) -> None:
        """After a day the same key makes a new video."""
        first, later, again = make_job(), make_job(at=NOW + 86_400), make_job(at=NOW + 86_401)
        await store.create(creation(first, key="k"))
        assert await store.create(creation(later, key="k")) == Created(job=later)
        assert await store.create(creation(again, key="k")) == Created(job=later, replayed=True)

    async def test_a_repetition_of_a_deleted_video_is_gone(self, store: JobStore, fleet: Fleet) -> None:
        """A late retry must not make, and charge for, a second video."""
        held = await fleet.held("a")
        job = make_job(owner="a", epoch=held.epoch)
        await store.create(creation(job, key="k"))
        await store.apply(change(job, job.epoch, end="settle", **completed()))
        await store.delete(job.id, NOW)
        with pytest.raises(Gone, match=job.id):
            await store.create(creation(make_job(), key="k"))

    async def test_of_racing_repetitions_one_makes_the_video(self, store: JobStore) -> None:
        """Twenty at the same moment, among others: one video, nineteen replays, and nobody else is disturbed."""
        same, others = [make_job() for _ in range(20)], [make_job() for _ in range(20)]
        created = await asyncio.gather(
            *(store.create(creation(job, key="k")) for job in same), *(store.create(creation(job)) for job in others)
        )
        assert sum(not answer.replayed for answer in created[:20]) == 1
        assert len({answer.job.id for answer in created[:20]}) == 1
        assert [answer.job for answer in created[20:]] == others
        assert len(await store.get_many(tuple(job.id for job in same))) == 1

    async def test_a_refused_write_harms_no_neighbour(self, store: JobStore, fleet: Fleet) -> None:
        """Writers share a transaction, not each other's fate."""
        held = [await fleet.held("a") for _ in range(6)]
        twice = make_job()
        await store.create(creation(twice))
        outcomes = await asyncio.gather(
            *(store.apply(change(job, job.epoch)) for job in held[:3]),
            store.apply(change(held[3], held[3].epoch + 100)),
            store.create(creation(twice)),
            store.create(creation(make_job())),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [type(None)] * 3 + [LeaseLost, Contradiction, Created]
        assert [job.version for job in await store.get_many(tuple(job.id for job in held))] == [2, 2, 2, 1, 1, 1]


class ApplyConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_a_change_is_read_back_whole(self, store: JobStore, fleet: Fleet) -> None:
        """Job, story and ledger move together."""
        job = await fleet.held()
        written = change(job, job.epoch, state=State.SUBMITTING, route=route(), due_at=NOW + 5)
        await store.apply(written)
        assert await store.get(job.id) == written.job
        assert [event.seq for event in await store.events(job.id)] == [1, 2]
        assert [event.seq for event in await store.events(job.id, after_seq=1)] == [2]

    async def test_events_keep_their_detail(self, store: JobStore, fleet: Fleet) -> None:
        """What a line of the story says beyond its name is kept as it was."""
        job = await fleet.held()
        written = change(job, job.epoch)
        assert written.event is not None
        event = written.event.evolve(detail={"reason": "ünïcode", "tries": 3, "deep": {"list": [1, None]}})
        await store.apply(written.evolve(event=event))
        assert (await store.events(job.id))[-1] == event

    async def test_a_version_is_written_once(self, store: JobStore, fleet: Fleet) -> None:
        """Whoever saw an older version writes nothing: no job, no event, no money."""
        job = await fleet.held()
        await store.apply(change(job, job.epoch, progress=10))
        with pytest.raises(LeaseLost, match=job.id):
            await store.apply(change(job, job.epoch, end="release", progress=99, state=State.FAILED))
        found = await store.get(job.id)
        assert found is not None
        assert (found.version, found.progress, found.state) == (2, 10, State.QUEUED)
        assert len(await store.events(job.id)) == 2
        assert [entry.kind for entry in await store.entries(job.id)] == ["reserve"]

    async def test_two_racing_writes_of_one_version_have_one_winner(self, store: JobStore, fleet: Fleet) -> None:
        """Also when both arrive for the same transaction."""
        job = await fleet.held()
        outcomes = await asyncio.gather(
            *(store.apply(change(job, job.epoch, progress=number)) for number in range(8)), return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LeaseLost"] * 7 + ["NoneType"]
        found = await store.get(job.id)
        assert found is not None
        assert found.progress == next(number for number, outcome in enumerate(outcomes) if outcome is None)

    async def test_a_foreign_epoch_or_node_writes_nothing(self, store: JobStore, fleet: Fleet) -> None:
        """The owner is a node under an epoch; both must be right."""
        job, other = await fleet.held("a"), await fleet.held("b")
        right = change(job, job.epoch)
        for wrong in (right.evolve(epoch=other.epoch), right.evolve(node="b"), right.evolve(node=None, epoch=None)):
            with pytest.raises(LeaseLost):
                await store.apply(wrong)
        assert await store.get(job.id) == job
        await store.apply(right.evolve(node=None))

    async def test_an_unknown_job_is_a_lost_lease(self, store: JobStore, fleet: Fleet) -> None:
        """A job deleted under its watcher ends the watch."""
        job = await fleet.held()
        with pytest.raises(LeaseLost):
            await store.apply(change(make_job(owner="a", epoch=job.epoch), job.epoch))

    async def test_a_final_job_loses_its_owner(self, store: JobStore, fleet: Fleet) -> None:
        """And its former owner can write it no more."""
        job = await fleet.held()
        final = change(job, job.epoch, **completed())
        await store.apply(final)
        found = await store.get(job.id)
        assert found is not None
        assert (found.owner, found.state, found.version) == (None, State.COMPLETED, 2)
        with pytest.raises(LeaseLost):
            await store.apply(change(final.job, job.epoch))

    async def test_a_final_job_may_expire_without_owner(self, store: JobStore, fleet: Fleet) -> None:
        """The cleaner names no epoch, but still the version it saw."""
        job = await fleet.ended(expires_at=NOW)
        await store.apply(change(job, None, expired=True))
        found = await store.get(job.id)
        assert found is not None
        assert found.expired
        with pytest.raises(LeaseLost):
            await store.apply(change(job, None, expired=True))

    async def test_only_an_owner_ends_an_unfinished_job(self, store: JobStore) -> None:
        """One that nobody owns has to be claimed first, even to fail it."""
        job = make_job()
        await store.create(creation(job))
        with pytest.raises(LeaseLost):
            await store.apply(change(job, None, end="release", **completed()))
        assert await store.get(job.id) == job

    async def test_a_cancel_wish_is_no_version_and_outlives_writes(self, store: JobStore, fleet: Fleet) -> None:
        """Whoever owns the job finds the wish, and a write made in ignorance of it does not wipe it out."""
        job = await fleet.held()
        await store.request_cancel(job.id, NOW + 3)
        await store.request_cancel(job.id, NOW + 4)
        await store.apply(change(job, job.epoch, progress=5))
        found = await store.get(job.id)
        assert found is not None
        assert (found.cancel_requested_at, found.version, found.progress) == (NOW + 3, 2, 5)

    async def test_a_final_or_unknown_job_takes_no_cancel_wish(self, store: JobStore, fleet: Fleet) -> None:
        """There is nothing left to cancel."""
        job = await fleet.ended()
        await store.request_cancel(job.id, NOW)
        await store.request_cancel("video_unknown", NOW)
        assert await store.get(job.id) == job

    async def test_money_is_settled_or_released_once(self, store: JobStore, fleet: Fleet) -> None:
        """A second end contradicts the first, and the write that carries it is not kept at all."""
        job = await fleet.held()
        first = change(job, job.epoch, end="settle", state=State.RUNNING)
        await store.apply(first)
        for end in ("settle", "release"):
            with pytest.raises(Contradiction):
                await store.apply(change(first.job, job.epoch, end=end, state=State.COLLECTING))
        assert [entry.kind for entry in await store.entries(job.id)] == ["reserve", "settle"]
        assert await store.get(job.id) == first.job

    async def test_only_what_was_reserved_can_end(self, store: JobStore, fleet: Fleet) -> None:
        """No money is settled or released that was never set aside."""
        job = await fleet.held(reserve=None)
        with pytest.raises(Contradiction, match=job.id):
            await store.apply(change(job, job.epoch, end="release", **completed()))
        assert await store.get(job.id) == job

    async def test_money_is_reserved_once(self, store: JobStore, fleet: Fleet) -> None:
        """A second reservation of the same video is refused."""
        job = await fleet.held()
        with pytest.raises(Contradiction):
            await store.apply(change(job, job.epoch, end="reserve"))
        assert len(await store.entries(job.id)) == 1

    async def test_a_vendors_work_belongs_to_one_job_of_an_account(self, store: JobStore, fleet: Fleet) -> None:
        """A lost submit is never adopted twice; another account may have the same number."""
        first, second = await fleet.held(), await fleet.held()
        await store.apply(change(first, first.epoch, route=route(), operation_key="op-1"))
        with pytest.raises(Contradiction):
            await store.apply(change(second, second.epoch, route=route(), operation_key="op-1"))
        await store.apply(change(second, second.epoch, route=route("other"), operation_key="op-1"))
        assert await store.holder_of("acme", ("op-1", "op-2")) == {"op-1": first.id}
        assert await store.holder_of("other", ("op-1",)) == {"op-1": second.id}
        assert await store.holder_of("acme", ()) == {}


class DeleteConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_a_deleted_video_leaves_a_tombstone_and_its_ledger(self, store: JobStore, fleet: Fleet) -> None:
        """Who asks for it hears that it is gone; what it cost stays provable."""
        job = await fleet.ended(reserve=400_000)
        await store.delete(job.id, NOW)
        assert await store.get(job.id) is None
        assert await store.events(job.id) == ()
        assert await store.tombstone_tenant(job.id) == "default"
        assert [entry.kind for entry in await store.entries(job.id)] == ["reserve", "settle"]

    async def test_a_deleted_video_takes_its_takes_along(self, store: JobStore) -> None:
        """None of them can be read afterwards."""
        ended = {"state": State.FAILED, "completed_at": NOW}
        video = make_job(**ended)
        takes = tuple(make_job(parent=video.id, take=number, **ended) for number in (0, 1))
        await store.create(creation(video, takes=takes))
        await store.delete(video.id, NOW)
        assert await store.get_many((video.id, *(take.id for take in takes))) == ()

    async def test_what_is_still_being_made_is_not_deleted(self, store: JobStore, fleet: Fleet) -> None:
        """Neither a video under way, nor a final one with a take under way."""
        running = await fleet.held()
        video = make_job(state=State.CANCELLED)
        await store.create(creation(video, takes=(make_job(parent=video.id),)))
        for job_id in (running.id, video.id):
            with pytest.raises(Conflict, match="cancel it"):
                await store.delete(job_id, NOW)
            assert await store.get(job_id) is not None

    async def test_deleting_again_changes_nothing(self, store: JobStore, fleet: Fleet) -> None:
        """Two deletions that race each other both succeed."""
        job = await fleet.ended()
        await asyncio.gather(store.delete(job.id, NOW), store.delete(job.id, NOW))
        await store.delete("video_unknown", NOW)
        assert await store.tombstone_tenant(job.id) == "default"
        assert await store.tombstone_tenant("video_unknown") is None

    async def test_a_deleted_videos_work_is_still_taken(self, store: JobStore, fleet: Fleet) -> None:
        """What a vendor lists is not mistaken for a lost submit because our record of it was deleted."""
        job = await fleet.ended(route=route(), operation_key="op-1")
        await store.delete(job.id, NOW)
        assert await store.holder_of("acme", ("op-1", "op-2")) == {"op-1": job.id}
