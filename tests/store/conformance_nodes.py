"""What every job store must do about nodes, leases and adoption."""

import asyncio

import pytest
from tests.store.records import LEASE, NOW, Fleet, change, completed, creation, make_job

from reelway.core.errors import LeaseLost
from reelway.core.lifecycle import State
from reelway.core.nodes import Node, NodeFacts, Signal
from reelway.store.spec import JobStore


class NodeConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_epochs_only_grow(self, store: JobStore) -> None:
        """Each lease gets an epoch greater than any before, whoever joins, leaves and joins again."""
        epochs = [await store.join(node, NOW, LEASE) for node in ("a", "b", "a")]
        await store.leave("a", epochs[-1])
        epochs += [await store.join(node, NOW, LEASE) for node in ("c", "a")]
        assert epochs == sorted(set(epochs))

    async def test_joining_again_ends_the_former_lease_of_the_node(self, store: JobStore) -> None:
        """A restarted node fences what is left of its former self."""
        former = await store.join("a", NOW, LEASE)
        now = await store.join("a", NOW, LEASE)
        with pytest.raises(LeaseLost, match="'a' has no lease under epoch"):
            await store.renew("a", former, NOW, LEASE)
        await store.renew("a", now, NOW, LEASE)

    async def test_a_renewed_lease_keeps_its_jobs(self, store: JobStore, fleet: Fleet) -> None:
        """One row write keeps everything the node holds."""
        job = await fleet.held("a")
        await store.renew("a", job.epoch, NOW + 9, LEASE)
        other = await store.join("b", NOW, LEASE)
        assert await store.claim("b", other, NOW + 15, 10) == ()

    async def test_jobs_without_owner_are_claimed_oldest_due_first(self, store: JobStore) -> None:
        """A slice takes what is due first, and the next slice goes on from there."""
        jobs = [make_job(due_at=NOW + due) for due in (3, 1, 2)]
        for job in jobs:
            await store.create(creation(job))
        epoch = await store.join("a", NOW, LEASE)
        claimed = [await store.claim("a", epoch, NOW, 2) for _ in range(3)]
        assert [[job.id for job in slice_] for slice_ in claimed] == [[jobs[1].id, jobs[2].id], [jobs[0].id], []]

    async def test_adoption_names_owner_and_epoch_and_keeps_the_version(self, store: JobStore) -> None:
        """What a claim returns is what is read afterwards."""
        job = make_job()
        await store.create(creation(job))
        epoch = await store.join("a", NOW, LEASE)
        [claimed] = await store.claim("a", epoch, NOW, 10)
        assert claimed == job.evolve(owner="a", epoch=epoch) == await store.get(job.id)

    async def test_a_living_nodes_jobs_are_not_claimed(self, store: JobStore, fleet: Fleet) -> None:
        """Until its lease is over, a job is its owner's."""
        await fleet.held("a")
        other = await store.join("b", NOW, LEASE)
        assert await store.claim("b", other, NOW + LEASE - 0.1, 10) == ()

    async def test_a_dead_nodes_jobs_are_claimed_and_it_learns_of_it(self, store: JobStore, fleet: Fleet) -> None:
        """Once its lease ran out and another node came, the former owner can neither write nor renew."""
        job = await fleet.held("a")
        other = await store.join("b", NOW, LEASE)
        [claimed] = await store.claim("b", other, NOW + LEASE, 10)
        assert (claimed.id, claimed.owner, claimed.epoch, claimed.version) == (job.id, "b", other, 1)
        with pytest.raises(LeaseLost, match=job.id):
            await store.apply(change(job, job.epoch))
        with pytest.raises(LeaseLost):
            await store.renew("a", job.epoch, NOW + LEASE, LEASE)

    async def test_a_lease_taken_away_is_gone_for_jobs_not_yet_adopted_too(self, store: JobStore, fleet: Fleet) -> None:
        """The fence is the lease, not the slice in which the jobs happen to be taken over."""
        first, second = await fleet.held("a", due_at=NOW), await fleet.held("a", due_at=NOW + 1)
        other = await store.join("b", NOW, LEASE)
        assert [job.id for job in await store.claim("b", other, NOW + LEASE, 1)] == [first.id]
        with pytest.raises(LeaseLost):
            await store.apply(change(second, second.epoch))
        assert [job.id for job in await store.claim("b", other, NOW + LEASE, 5)] == [second.id]

    async def test_a_node_that_slept_may_renew_what_nobody_took(self, store: JobStore, fleet: Fleet) -> None:
        """A lease that ran out unnoticed goes on."""
        job = await fleet.held("a")
        await store.renew("a", job.epoch, NOW + 5 * LEASE, LEASE)
        await store.apply(change(job, job.epoch))

    async def test_leaving_gives_everything_back_at_once(self, store: JobStore, fleet: Fleet) -> None:
        """After a graceful stop nobody waits for the lease to run out, and the one who left writes no more."""
        job = await fleet.held("a")
        other = await store.join("b", NOW, LEASE)
        await store.leave("a", job.epoch)
        with pytest.raises(LeaseLost):
            await store.apply(change(job, job.epoch))
        assert [claimed.id for claimed in await store.claim("b", other, NOW, 10)] == [job.id]

    async def test_a_node_without_lease_claims_nothing(self, store: JobStore) -> None:
        """Who has left, or was never there, is told so."""
        epoch = await store.join("a", NOW, LEASE)
        await store.leave("a", epoch)
        for node, number in (("a", epoch), ("stranger", 99)):
            with pytest.raises(LeaseLost):
                await store.claim(node, number, NOW, 10)

    async def test_own_jobs_are_not_claimed_again(self, store: JobStore, fleet: Fleet) -> None:
        """Also when the own lease ran out: a second watch over the same job would be a second poll."""
        job = await fleet.held("a")
        assert await store.claim("a", job.epoch, NOW + 5 * LEASE, 10) == ()

    async def test_a_job_created_with_an_owner_is_its_owners_from_the_start(self, store: JobStore) -> None:
        """The node that accepts a video may watch it without claiming it."""
        epoch = await store.join("a", NOW, LEASE)
        job = make_job(owner="a", epoch=epoch)
        await store.create(creation(job))
        assert await store.claim("a", epoch, NOW, 10) == ()
        await store.apply(change(job, epoch))

    async def test_a_job_created_under_a_lost_lease_is_an_orphan(self, store: JobStore) -> None:
        """A node that lost its lease while it accepted a video strands nothing."""
        job = make_job(owner="gone", epoch=77)
        await store.create(creation(job))
        epoch = await store.join("a", NOW, LEASE)
        assert [claimed.id for claimed in await store.claim("a", epoch, NOW, 10)] == [job.id]

    async def test_final_jobs_are_never_claimed(self, store: JobStore, fleet: Fleet) -> None:
        """Nothing will happen to them any more."""
        job = await fleet.held("a")
        await store.apply(change(job, job.epoch, **completed()))
        other = await store.join("b", NOW, LEASE)
        assert await store.claim("b", other, NOW + LEASE, 10) == ()

    async def test_two_nodes_never_claim_the_same_job(self, store: JobStore) -> None:
        """Claims that race each other share the orphans out."""
        jobs = [make_job() for _ in range(60)]
        for job in jobs:
            await store.create(creation(job))
        nodes = {node: await store.join(node, NOW, LEASE) for node in ("a", "b", "c")}
        slices = await asyncio.gather(
            *(store.claim(node, epoch, NOW, 7) for node, epoch in nodes.items() for _ in range(4))
        )
        claimed = [job.id for slice_ in slices for job in slice_]
        assert sorted(claimed) == sorted(job.id for job in jobs)

    async def test_unfinished_jobs_are_counted_by_state(self, store: JobStore, fleet: Fleet) -> None:
        """Every unfinished state is named, also where there is none; final jobs are not counted."""
        running, done = await fleet.held("a"), await fleet.held("b")
        await store.create(creation(make_job()))
        await store.apply(change(running, running.epoch, state=State.RUNNING))
        await store.apply(change(done, done.epoch, **completed()))
        assert await store.count_unfinished() == {
            State.QUEUED: 1,
            State.SUBMITTING: 0,
            State.RUNNING: 1,
            State.COLLECTING: 0,
        }

    async def test_a_job_handed_back_is_anybodys_and_the_others_stay(self, store: JobStore, fleet: Fleet) -> None:
        """A node that drains keeps what must not be cut, under the lease it goes on renewing."""
        given, kept = await fleet.held("a"), await fleet.held("a")
        await store.hand_back("a", given.epoch, (given.id, "video_unknown"))
        assert await store.get(given.id) == given.evolve(owner=None, epoch=0)
        with pytest.raises(LeaseLost):
            await store.apply(change(given, given.epoch))
        other = await store.join("b", NOW, LEASE)
        assert [job.id for job in await store.claim("b", other, NOW, 10)] == [given.id]
        await store.apply(change(kept, kept.epoch))

    async def test_nobody_hands_back_what_is_not_theirs(self, store: JobStore, fleet: Fleet) -> None:
        """Neither another node's job, nor one of a former lease, nor a final one."""
        job, done = await fleet.held("a"), await fleet.ended("a")
        await store.hand_back("b", job.epoch, (job.id,))
        await store.hand_back("a", job.epoch - 1, (job.id,))
        await store.hand_back("a", job.epoch, (done.id,))
        assert await store.get(job.id) == job
        assert await store.get(done.id) == done

    async def test_an_owner_finds_what_somebody_wants_cancelled(self, store: JobStore, fleet: Fleet) -> None:
        """Its own unfinished jobs alone, with the moment of the first wish."""
        wanted, done, _other = await fleet.held("a"), await fleet.held("a"), await fleet.held("a")
        others = await fleet.held("b")
        for number, job in enumerate((wanted, wanted, done, others)):
            await store.request_cancel(job.id, NOW + number)
        await store.apply(change(done, done.epoch, **completed()))
        assert await store.cancel_wishes("a", wanted.epoch) == ((wanted.id, NOW),)
        assert await store.cancel_wishes("b", others.epoch) == ((others.id, NOW + 3),)
        assert await store.cancel_wishes("a", others.epoch) == ()

    async def test_work_is_shared_among_those_who_live_and_work(self, store: JobStore) -> None:
        """Neither a node that only answers, nor one that drains, has left, or has been silent for too long."""
        joining = (("z", "worker"), ("b", "all"), ("api", "api"), ("left", "all"), ("draining", "all"))
        epochs = {name: await store.join(name, NOW, LEASE, NodeFacts(role=role)) for name, role in joining}
        await store.leave("left", epochs["left"])
        await store.ask_to_drain("draining", NOW)
        assert await store.live_nodes(NOW) == ("b", "z")
        await store.renew("b", epochs["b"], NOW + 5, LEASE)
        assert await store.live_nodes(NOW + LEASE) == ("b",)

    async def test_operators_see_every_node_with_what_it_says_of_itself(self, store: JobStore, fleet: Fleet) -> None:
        """Its lease, how many jobs it holds, where it runs; who has left is not listed."""
        job = await fleet.held("a")
        await fleet.held("a")
        await fleet.ended("a")
        facts = NodeFacts(host="one", process_id=7, version="1.2.3", role="api", started_at=NOW - 60)
        epoch = await store.join("b", NOW, LEASE, facts)
        gone = await store.join("c", NOW, LEASE)
        await store.leave("c", gone)
        assert [node.evolve(seconds_left=0) for node in await store.nodes(NOW + 4)] == [
            Node(name="a", epoch=job.epoch, seconds_left=0, draining=False, jobs=2, facts=NodeFacts()),
            Node(name="b", epoch=epoch, seconds_left=0, draining=False, jobs=0, facts=facts),
        ]
        assert [node.seconds_left for node in await store.nodes(NOW + 4)] == [pytest.approx(6), pytest.approx(6)]

    async def test_a_node_learns_at_its_renewal_that_it_is_to_drain(self, store: JobStore) -> None:
        """It alone, or everybody; when it joins again the wish is forgotten."""
        epochs = {name: await store.join(name, NOW, LEASE) for name in ("a", "b")}
        assert await store.ask_to_drain("a", NOW) == ("a",)
        asked = [await store.renew(name, epoch, NOW, LEASE) for name, epoch in epochs.items()]
        assert asked == [True, False]
        again = await store.join("a", NOW, LEASE)
        assert await store.renew("a", again, NOW, LEASE) is False
        assert await store.ask_to_drain(None, NOW) == ("a", "b")
        assert await store.ask_to_drain("stranger", NOW) == ()

    async def test_a_node_does_not_hear_itself(self, store: JobStore) -> None:
        """Signals are for the others; telling without anybody there is no error."""
        heard: list[Signal] = []
        await store.listen(heard.append)
        await store.tell(Signal(kind="queued"), Signal(kind="changed", job_id="video_1", detail="40"))
        assert await store.join("a", NOW, LEASE) > 0
        assert heard == []
