"""Nodes that create at the same moment, under one limit or one idempotency key: together they keep to what each would."""

import asyncio
from collections import Counter
from collections.abc import Awaitable

import pytest
from tests.store.conformance_characters import character, claim, removing
from tests.store.other_node import OtherNode, stopped_by_a_lock
from tests.store.records import NOW, creation, make_job

from reelway.core.errors import Conflict, RateLimited, Unavailable
from reelway.core.keys import UnfinishedLimit
from reelway.store import characters, errands, outbox, writes
from reelway.store.postgres import PostgresStore
from reelway.store.spec import Created, Creation


@pytest.fixture
def store(two: tuple[PostgresStore, PostgresStore]) -> PostgresStore:
    return two[0]


def _limit(name: str, *, most: int = 10) -> UnfinishedLimit:
    return UnfinishedLimit(scope="user", tenant="default", name=name, most=most)


def _limited(name: str, *, most: int = 10, key: str | None = None) -> Creation:
    """Return what makes a video of this user, of whom at most so many may be under way."""
    return creation(make_job(user=name), key=key).evolve(limits=(_limit(name, most=most),))


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize("scope", ["key", "user"])
async def test_two_nodes_do_not_both_take_the_last_place(
    store: PostgresStore, postgres_stores: str, scope: str, commits: bool
) -> None:
    """The second waits for the first: then it is refused, or has the place when the first one gives up."""
    limit = _limit("ada", most=1) if scope == "user" else _limit("ada", most=1).evolve(scope="key", name="key_1")
    first, second = (creation(make_job(user="ada"), key=key).evolve(limits=(limit,)) for key in ("one", "two"))
    async with OtherNode(postgres_stores) as other:
        await other.does(writes.create_videos([first]))
        await store.create(
            creation(make_job(key_id="key_2", user="bob")).evolve(limits=(_limit("bob"),))
        )  # waits for nobody
        waiting = await stopped_by_a_lock(postgres_stores, store.create(second))
        await (other.commits() if commits else other.gives_up())
        if commits:
            with pytest.raises(RateLimited):
                await waiting
            assert second.idempotency is not None
            assert await store.answered(second.idempotency, NOW) is None
        else:
            assert await waiting == Created(job=second.job)
    made = first if commits else second
    assert [job.id for job in await store.get_many((first.job.id, second.job.id))] == [made.job.id]


async def test_a_thousand_creates_on_two_nodes_make_as_many_videos_as_allowed(
    two: tuple[PostgresStore, PostgresStore],
) -> None:
    """Exactly, of a key and of each of its users; what was refused left nothing behind."""
    key = UnfinishedLimit(scope="key", tenant="default", name="key_1", most=10)
    users = [_limit(name, most=4) for name in ("ada", "bob", "eve")]
    wanted = [
        creation(make_job(user=user.name), key=f"k{number}").evolve(limits=(key, user))
        for number, user in enumerate(users[n % 3] for n in range(1000))
    ]
    answers = await asyncio.gather(
        *(two[number % 2].create(one) for number, one in enumerate(wanted)), return_exceptions=True
    )
    made = [answer.job for answer in answers if isinstance(answer, Created)]
    assert len(made) == key.most
    assert all(isinstance(answer, Created | RateLimited) for answer in answers)
    assert max(Counter(job.request.user for job in made).values()) <= 4
    assert sorted(job.id for job in await two[0].get_many(tuple(one.job.id for one in wanted))) == sorted(
        job.id for job in made
    )


async def test_a_refusal_does_not_make_two_nodes_wait_for_each_other(
    store: PostgresStore, postgres_stores: str
) -> None:
    """A batch with a refused one is written one by one, and still waits for nobody while it is in somebody's way."""
    await store.create(_limited("Full", most=1))
    async with OtherNode(postgres_stores) as other:
        await other.connection.execute("SET LOCAL lock_timeout = '500ms'")
        await other.does(writes.create_videos([_limited("ada")]))
        batch = asyncio.gather(
            *(store.create(_limited(name, most=most)) for name, most in (("bob", 10), ("Full", 1), ("ada", 10))),
            return_exceptions=True,
        )
        waiting = await stopped_by_a_lock(postgres_stores, batch)
        await other.does(writes.create_videos([_limited("bob")]))
        await other.commits()
        assert [type(answer) for answer in await waiting] == [Created, RateLimited, Created]


# --- characters


@pytest.mark.parametrize("commits", [True, False])
async def test_of_two_nodes_that_keep_a_character_under_one_key_one_does(
    store: PostgresStore, postgres_stores: str, commits: bool
) -> None:
    """The second waits for the first: then it returns the first one's and its own files keep their errand."""
    first, second = character(number=1), character(number=2)
    for one in (first, second):
        await store.plan_errand(removing(one))
    addition = characters.Addition(character=first, ends=removing(first), idempotency=claim())
    async with OtherNode(postgres_stores) as other:
        await other.does(characters.add_characters([addition]))
        waiting = await stopped_by_a_lock(
            postgres_stores, store.add_character(second, ends=removing(second), idempotency=claim())
        )
        await (other.commits() if commits else other.gives_up())
        assert await waiting == (first.evolve(replayed=True) if commits else second)
    assert await store.errands(second.id) == ((removing(second),) if commits else ())
    assert (await store.character(second.id) is None) is commits


@pytest.mark.parametrize("video_first", [True, False])
async def test_a_key_is_good_for_a_video_or_a_character_on_two_nodes(
    store: PostgresStore, postgres_stores: str, video_first: bool
) -> None:
    """Whichever is second waits, and hears that the key is taken."""
    video = creation(make_job()).evolve(idempotency=claim("a video"))
    addition = characters.Addition(character=character(), ends=removing(character()), idempotency=claim())
    await store.plan_errand(removing(character()))
    async with OtherNode(postgres_stores) as other:
        second: Awaitable[object]
        if video_first:
            await other.does(writes.create_videos([video]))
            second = store.add_character(character(), ends=removing(character()), idempotency=claim())
        else:
            await other.does(characters.add_characters([addition]))
            second = store.create(video)
        waiting = await stopped_by_a_lock(postgres_stores, second)
        await other.commits()
        with pytest.raises(Conflict):
            await waiting
    assert (await store.get(video.job.id) is not None) is video_first
    assert (await store.character(character().id) is None) is video_first


async def test_files_that_another_node_is_taking_away_are_no_characters(
    store: PostgresStore, postgres_stores: str
) -> None:
    """Whoever keeps it waits, and is told to begin anew: never a character without files."""
    one = character()
    await store.plan_errand(removing(one))
    async with OtherNode(postgres_stores) as other:
        await other.does(errands.hold_due_errands([outbox.Hold(now=NOW, limit=9, hold_until=NOW + 60)]))
        waiting = await stopped_by_a_lock(postgres_stores, store.add_character(one, ends=removing(one)))
        await other.commits()
        with pytest.raises(Unavailable):
            await waiting
    assert await store.character(one.id) is None
