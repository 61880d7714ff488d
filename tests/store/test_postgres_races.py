"""Nodes that do the same thing at the same moment: each race is stopped in the middle and looked at from the other side."""

import asyncio

import asyncpg
import pytest
from tests.store.conformance_messages import told
from tests.store.other_node import OtherNode, stopped_by_a_lock
from tests.store.records import LEASE, NOW, Fleet, change, completed, creation, make_job, removing

from reelway.core.errors import LeaseLost
from reelway.store import errands, keyring, leases, outbox, writes
from reelway.store.postgres import PostgresStore
from reelway.store.postgres.connections import Patience
from reelway.store.spec import Created


@pytest.fixture
def store(two: tuple[PostgresStore, PostgresStore]) -> PostgresStore:
    return two[0]


def _claim(node: str, epoch: int, *, limit: int = 10, now: float = NOW) -> leases.Adoption:
    return leases.Adoption(node=node, epoch=epoch, now=now, limit=limit)


# --- creating


@pytest.mark.parametrize("commits", [True, False])
async def test_of_two_nodes_that_create_under_one_key_one_makes_the_video(
    store: PostgresStore, postgres_stores: str, commits: bool
) -> None:
    """The second waits for the first: then it returns the first one's video, or makes its own when there is none."""
    first, second = make_job(), make_job()
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.create_videos([creation(first, key="k")]))
        waiting = await stopped_by_a_lock(postgres_stores, store.create(creation(second, key="k")))
        await (other.commits() if commits else other.gives_up())
        assert await waiting == (Created(job=first, replayed=True) if commits else Created(job=second))
    assert (await store.get(second.id) is None) is commits


async def test_a_storm_of_one_key_on_two_nodes_makes_one_video(two: tuple[PostgresStore, PostgresStore]) -> None:
    """And among it, videos of others are made."""
    same, others = [make_job() for _ in range(40)], [make_job() for _ in range(40)]
    created = await asyncio.gather(
        *(two[number % 2].create(creation(job, key="k")) for number, job in enumerate(same)),
        *(two[number % 2].create(creation(job, key=job.id)) for number, job in enumerate(others)),
    )
    assert len({answer.job.id for answer in created[:40]}) == 1
    assert sum(not answer.replayed for answer in created[:40]) == 1
    assert [answer.job for answer in created[40:]] == others


async def test_a_key_whose_video_is_being_deleted_is_free_afterwards(
    store: PostgresStore, postgres_stores: str
) -> None:
    """A repetition nobody chose a key for makes a video when the first one's goes away under it."""
    held = await Fleet(store).held("a")
    first = make_job(owner="a", epoch=held.epoch)
    await store.create(creation(first, key="body", sending=0))
    await store.apply(change(first, first.epoch, end="settle", **completed()))
    again = make_job(at=NOW + 1)
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.delete_videos([writes.Deletion(job_id=first.id, now=NOW)]))
        assert (await store.create(creation(make_job(at=NOW + 1), key="body", sending=1))).replayed
        await other.commits()
    assert await store.create(creation(again, key="body", sending=1)) == Created(job=again)


# --- leases


async def test_two_nodes_that_join_at_once_get_two_epochs(store: PostgresStore, postgres_stores: str) -> None:
    """The second waits for the first."""
    async with OtherNode(postgres_stores) as other:
        [first] = await other.does(leases.join_nodes([leases.Lease(node="a", now=NOW, lease_seconds=LEASE)]))
        waiting = await stopped_by_a_lock(postgres_stores, store.join("b", NOW, LEASE))
        await other.commits()
        assert await waiting == first + 1


async def test_a_job_that_another_node_is_claiming_is_passed_over(store: PostgresStore, postgres_stores: str) -> None:
    """Nobody waits, and nobody gets it twice."""
    jobs = [make_job() for _ in range(6)]
    for job in jobs:
        await store.create(creation(job))
    epochs = {node: await store.join(node, NOW, LEASE) for node in ("a", "b")}
    async with OtherNode(postgres_stores) as other:
        [taken] = await other.does(leases.adopt_jobs([_claim("a", epochs["a"], limit=4)]))
        mine = await store.claim("b", epochs["b"], NOW, 10)
        await other.commits()
    assert [job.id for job in (*taken, *mine)] == [job.id for job in jobs]
    assert await store.claim("b", epochs["b"], NOW, 10) == ()


async def test_two_nodes_share_a_thousand_orphans_out(two: tuple[PostgresStore, PostgresStore]) -> None:
    """Every one is claimed once, while both go on asking."""
    jobs = [make_job() for _ in range(1000)]
    await asyncio.gather(*(two[0].create(creation(job)) for job in jobs))

    async def take(store: PostgresStore, node: str) -> list[str]:
        epoch = await store.join(node, NOW, LEASE)
        taken: list[str] = []
        for _ in range(20):
            taken += [job.id for job in await store.claim(node, epoch, NOW, 70)]
        return taken

    slices = await asyncio.gather(take(two[0], "a"), take(two[1], "b"))
    assert sorted(slices[0] + slices[1]) == [job.id for job in jobs]


async def test_a_lease_in_use_is_not_ended_and_not_waited_for(store: PostgresStore, postgres_stores: str) -> None:
    """Its node may be frozen: whoever needs its jobs comes again later, and then finds what was written under it."""
    job = await Fleet(store).held("a")
    epoch = await store.join("b", NOW, LEASE)
    async with OtherNode(postgres_stores) as owner:
        await owner.does(writes.apply_changes([change(job, job.epoch, progress=40)]))
        assert await store.claim("b", epoch, NOW + LEASE, 10) == ()
        await owner.commits()
    [claimed] = await store.claim("b", epoch, NOW + LEASE, 10)
    assert (claimed.id, claimed.owner, claimed.version, claimed.progress) == (job.id, "b", 2, 40)


@pytest.mark.parametrize("commits", [True, False])
async def test_a_change_waits_for_whoever_is_ending_its_lease(
    store: PostgresStore, postgres_stores: str, commits: bool
) -> None:
    """Of two jobs only one was taken so far; the other is fenced all the same, by the lease."""
    fleet = Fleet(store)
    first, second = await fleet.held("a", due_at=NOW), await fleet.held("a", due_at=NOW + 1)
    epoch = await store.join("b", NOW, LEASE)
    async with OtherNode(postgres_stores) as other:
        [[taken]] = await other.does(leases.adopt_jobs([_claim("b", epoch, limit=1, now=NOW + LEASE)]))
        assert taken.id == first.id
        waiting = await stopped_by_a_lock(postgres_stores, store.apply(change(second, second.epoch)))
        await (other.commits() if commits else other.gives_up())
        if commits:
            with pytest.raises(LeaseLost):
                await waiting
        else:
            await waiting


async def test_a_node_that_joins_again_fences_its_former_self_at_once(
    store: PostgresStore, postgres_stores: str
) -> None:
    """A change under the old epoch that comes meanwhile waits, and then fails."""
    job = await Fleet(store).held("a")
    async with OtherNode(postgres_stores) as reborn:
        await reborn.does(leases.join_nodes([leases.Lease(node="a", now=NOW, lease_seconds=LEASE)]))
        waiting = await stopped_by_a_lock(postgres_stores, store.apply(change(job, job.epoch)))
        await reborn.commits()
        with pytest.raises(LeaseLost):
            await waiting


async def test_a_node_frozen_in_a_transaction_does_not_freeze_the_others(postgres_stores: str) -> None:
    """The server ends its session, and with it its locks; what it was writing is not there."""
    store = PostgresStore(postgres_stores, callers_clock=True, patience=Patience(idle_in_transaction=0.2))
    await store.open()
    job = await Fleet(store).held("a")
    epoch = await store.join("b", NOW, LEASE)
    frozen = await store._database.connect("frozen", answer_seconds=5.0)
    await frozen.execute("BEGIN")
    await frozen.execute("SELECT 1 FROM nodes WHERE node = 'a' FOR SHARE")
    await frozen.execute("UPDATE jobs SET version = 7 WHERE id = $1", job.id)
    claimed: tuple[object, ...] = ()
    async with asyncio.timeout(10):
        while not claimed:
            claimed = await store.claim("b", epoch, NOW + LEASE, 10)
    assert claimed == (job.evolve(owner="b", epoch=epoch),)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await frozen.execute("COMMIT")
    frozen.terminate()
    await store.close()


# --- changing


async def test_of_two_writes_of_one_version_the_second_finds_it_gone(
    store: PostgresStore, postgres_stores: str
) -> None:
    """It waits for the first, and looks at the row again as it is then."""
    job = await Fleet(store).held("a")
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.apply_changes([change(job, job.epoch, progress=1)]))
        waiting = await stopped_by_a_lock(postgres_stores, store.apply(change(job, job.epoch, progress=2)))
        await other.commits()
        with pytest.raises(LeaseLost):
            await waiting
    found = await store.get(job.id)
    assert found is not None
    assert (found.version, found.progress) == (2, 1)
    assert len(await store.events(job.id)) == 2


async def test_a_wish_noted_while_a_change_is_written_is_not_wiped_out(
    store: PostgresStore, postgres_stores: str
) -> None:
    """Nor does it stop the change."""
    job = await Fleet(store).held("a")
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.request_cancels([writes.CancelWish(job_id=job.id, now=NOW + 3)]))
        waiting = await stopped_by_a_lock(postgres_stores, store.apply(change(job, job.epoch, progress=5)))
        await other.commits()
        await waiting
    found = await store.get(job.id)
    assert found is not None
    assert (found.cancel_requested_at, found.version, found.progress) == (NOW + 3, 2, 5)


async def test_nodes_in_each_others_way_both_get_through(store: PostgresStore, postgres_stores: str) -> None:
    """Two that hold what the other needs: one is rolled back by the server, and begins anew by itself."""
    fleet = Fleet(store)
    jobs = [await fleet.held("a") for _ in range(2)]
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.request_cancels([writes.CancelWish(job_id=jobs[1].id, now=NOW)]))
        both = asyncio.gather(*(store.apply(change(job, job.epoch)) for job in jobs))
        waiting = await stopped_by_a_lock(postgres_stores, both)
        await other.does(writes.request_cancels([writes.CancelWish(job_id=jobs[0].id, now=NOW)]))
        await other.commits()
        await waiting
    found = await store.get_many(tuple(job.id for job in jobs))
    assert [(job.version, job.cancel_requested_at) for job in found] == [(2, NOW), (2, NOW)]


# --- deleting


async def test_two_nodes_that_delete_one_video_both_succeed(store: PostgresStore, postgres_stores: str) -> None:
    """The second waits, and finds it deleted."""
    job = await Fleet(store).ended("a")
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.delete_videos([writes.Deletion(job_id=job.id, now=NOW)]))
        waiting = await stopped_by_a_lock(postgres_stores, store.delete(job.id, NOW))
        await other.commits()
        await waiting
    assert await store.tombstone_tenant(job.id) == "default"


async def test_a_video_that_is_deleted_does_not_expire(store: PostgresStore, postgres_stores: str) -> None:
    """The cleaner on another node learns that there is nothing to do."""
    job = await Fleet(store).ended("a", expires_at=NOW)
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.delete_videos([writes.Deletion(job_id=job.id, now=NOW)]))
        waiting = await stopped_by_a_lock(postgres_stores, store.apply(change(job, None, expired=True)))
        await other.commits()
        with pytest.raises(LeaseLost):
            await waiting
    assert await store.events(job.id) == ()


# --- messages, errands, facts


async def test_what_another_node_is_sending_is_passed_over(store: PostgresStore, postgres_stores: str) -> None:
    """Messages and errands alike: nobody waits, nothing is taken twice."""
    fleet = Fleet(store)
    messages = [await told(store, fleet) for _ in range(4)]
    wanted = [removing(make_job(), due_at=NOW + number) for number in range(4)]
    for errand in wanted:
        await store.plan_errand(errand)
    hold = outbox.Hold(now=NOW + 9, limit=2, hold_until=NOW + 60)
    async with OtherNode(postgres_stores) as other:
        [sent] = await other.does(outbox.hold_due_messages([hold]))
        [run] = await other.does(errands.hold_due_errands([hold]))
        rest = await store.due_messages(NOW + 9, 10, NOW + 60)
        later = await store.due_errands(NOW + 9, 10, NOW + 60)
        await other.commits()
    assert [one.id for one in (*sent, *rest)] == [one.id for one in messages]
    assert sorted(one.id for one in (*run, *later)) == sorted(one.id for one in wanted)
    assert await store.due_messages(NOW + 10, 10, NOW + 60) == ()


async def test_of_two_nodes_that_set_a_fact_both_learn_what_holds(store: PostgresStore, postgres_stores: str) -> None:
    """The first one's, also for the one who waited."""
    async with OtherNode(postgres_stores) as other:
        await other.does(keyring.set_facts([keyring.Fact(name="secret", value="one")]))
        waiting = await stopped_by_a_lock(postgres_stores, store.set_fact("secret", "two"))
        await other.commits()
        assert await waiting == "one"
