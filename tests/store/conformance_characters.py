"""What every job store must do about characters: their files have an owner at any time, whoever dies where."""

import asyncio

import pytest
from tests.store.records import NOW, creation, make_job

from reelway.core.characters import Character
from reelway.core.errands import Errand, RemoveBytes
from reelway.core.errors import Conflict, Gone, Unavailable
from reelway.core.videos import Blob
from reelway.store.spec import IdempotencyClaim, JobStore

_PICTURE = Blob(key="characters/a/0", sha256="0" * 64, bytes=7, media_type="image/png", width=640, height=480)


def character(name: str = "Mira", *, number: int = 1, tenant: str = "default") -> Character:
    return Character(
        id=f"char_{number:026d}", tenant=tenant, key_id="key_1", name=name, pictures=(_PICTURE,), created_at=NOW
    )


def removing(one: Character) -> Errand:
    """Return the errand to remove the files of a character."""
    work = RemoveBytes(prefixes=(f"characters/{one.id}",))
    return Errand(id=f"remove:{one.id}", work=work, created_at=NOW, due_at=NOW, job_id=one.id)


def claim(body: str = "body", key: str = "once") -> IdempotencyClaim:
    return IdempotencyClaim(key_id="key_1", key=key, body_hash=body, expires_at=NOW + 86_400)


async def keep(store: JobStore, one: Character, idempotency: IdempotencyClaim | None = None) -> Character:
    """Do what whoever keeps a character does: plan the removal of its files, and end that with the character."""
    await store.plan_errand(removing(one))
    return await store.add_character(one, ends=removing(one), idempotency=idempotency)


class CharacterConformance:
    """Needs the fixture `store`: an open, empty store."""

    async def test_a_character_is_kept_and_its_removal_is_off(self, store: JobStore) -> None:
        """Read back to the letter; until it is kept, its files are somebody's to remove."""
        one = character("Mira Žižka ☂")
        assert await keep(store, one) == one
        assert await store.character(one.id) == one
        assert await store.errands(one.id) == ()
        assert await store.character("char_nobody") is None

    async def test_a_removed_character_leaves_its_files_to_an_errand(self, store: JobStore) -> None:
        """In one; a second time there is nothing to remove and nothing is planned."""
        one = character()
        await keep(store, one)
        assert await store.remove_character(one.id, removing(one))
        assert await store.character(one.id) is None
        assert await store.errands(one.id) == (removing(one),)
        await store.errand_done(removing(one).id)
        assert not await store.remove_character(one.id, removing(one))
        assert await store.errands(one.id) == ()

    async def test_a_repeated_key_gets_the_first_character(self, store: JobStore) -> None:
        """The files of the second stay somebody's to remove."""
        first, second = character(number=1), character(number=2)
        assert await store.answered_character(claim(), NOW) is None
        await keep(store, first, claim())
        assert await store.answered_character(claim(), NOW) == first.evolve(replayed=True)
        again = await keep(store, second, claim())
        assert again == first.evolve(replayed=True)
        assert await store.character(second.id) is None
        assert await store.errands(second.id) == (removing(second),)

    async def test_a_key_is_good_for_one_thing(self, store: JobStore) -> None:
        """Another character, or a video, with a key that was used is a conflict in either order."""
        await keep(store, character(), claim())
        with pytest.raises(Conflict):
            await keep(store, character(number=2), claim("other"))
        with pytest.raises(Conflict):
            await store.create(creation(make_job()).evolve(idempotency=claim("a video")))
        await store.create(creation(make_job()).evolve(idempotency=claim("a video", "twice")))
        with pytest.raises(Conflict):
            await store.answered_character(claim("body", "twice"), NOW)

    async def test_a_key_whose_character_was_removed_makes_no_other(self, store: JobStore) -> None:
        """Until its time is over; then it is free."""
        one = character()
        await keep(store, one, claim())
        await store.remove_character(one.id, removing(one))
        with pytest.raises(Gone):
            await keep(store, character(number=2), claim())
        assert await store.answered_character(claim(), NOW + 86_400) is None
        late = character(number=3).evolve(created_at=NOW + 86_400)
        renewed = claim().evolve(expires_at=NOW + 2 * 86_400)
        assert await keep(store, late, renewed) == late

    async def test_of_many_at_once_one_is_made(self, store: JobStore) -> None:
        """All of them hear of the same one."""
        made = await asyncio.gather(*(keep(store, character(number=n), claim()) for n in range(8)))
        assert len({one.id for one in made}) == 1
        assert [one.replayed for one in made].count(False) == 1

    async def test_a_character_whose_files_are_being_removed_is_not_kept(self, store: JobStore) -> None:
        """Whoever was making it was asleep for so long that another node took the errand; its key stays free."""
        one = character()
        await store.plan_errand(removing(one))
        assert await store.due_errands(NOW, 9, NOW + 60) != ()
        for _ in range(2):
            with pytest.raises(Unavailable):
                await store.add_character(one, ends=removing(one), idempotency=claim())
            await store.errand_done(removing(one).id)
        assert await store.character(one.id) is None
        assert await keep(store, character(number=2), claim()) == character(number=2)
