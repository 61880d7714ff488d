"""API keys: who holds which, what a stranger hears, and how soon a revocation arrives."""

import hashlib
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.accounts.keys import (
    FIXED_KEY_ID,
    KEY_ENTROPY_BYTES,
    REVOCATION_SECONDS,
    KeyRing,
    hash_key,
    hint_of,
    mint_key,
)
from reelway.core.errors import AuthenticationRequired
from reelway.core.keys import ApiKey, Caller

NOW = 1_790_000_000.0


class Store:
    """Keeps keys in memory and counts the reads."""

    def __init__(self) -> None:
        self.kept: dict[str, ApiKey] = {}
        self.facts: dict[str, str] = {}
        self.reads = 0
        self.before_set_fact: Callable[[], None] = lambda: None

    async def add_key(self, key: ApiKey) -> None:
        self.kept[key.hash] = key

    async def key_by_hash(self, key_hash: str) -> ApiKey | None:
        self.reads += 1
        return self.kept.get(key_hash)

    async def revoke_key(self, key_id: str, now: float) -> bool:
        found = [key for key in self.kept.values() if key.id == key_id]
        for key in found:
            self.kept[key.hash] = key.evolve(revoked_at=now)
        return bool(found)

    async def fact(self, name: str) -> str | None:
        return self.facts.get(name)

    async def set_fact(self, name: str, value: str) -> str:
        self.before_set_fact()
        return self.facts.setdefault(name, value)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def ring(store: Store) -> KeyRing:
    return KeyRing(store)


async def _refusal(ring: KeyRing, text: str | None, now: float = NOW) -> str:
    with pytest.raises(AuthenticationRequired) as raised:
        await ring.authenticate(text, now)
    return raised.value.message


@given(st.binary(min_size=KEY_ENTROPY_BYTES, max_size=KEY_ENTROPY_BYTES))
def test_a_key_carries_all_of_its_randomness(entropy: bytes) -> None:
    """160 bits in 32 characters that survive a shell, a URL and a double click."""
    text = mint_key(entropy)
    head, _, tail = text.partition("-")
    assert head == "sk"
    assert len(tail) == 32
    assert tail.isalnum()
    assert tail == tail.lower()
    flipped = bytes([entropy[0] ^ 1]) + entropy[1:]
    assert mint_key(flipped) != text


def test_a_key_takes_twenty_random_bytes() -> None:
    """A key with less would be guessable, and nobody would notice."""
    with pytest.raises(ValueError, match="20 random bytes"):
        mint_key(bytes(16))


def test_a_hint_tells_keys_apart_and_nothing_else() -> None:
    """Four characters of a long key, none of a short one."""
    assert hint_of("sk-0123456789abcdef0123456789abcdef") == "sk-…cdef"
    assert hint_of("secret") == "sk-…"
    assert hint_of("") == "sk-…"


def test_a_hash_is_a_plain_sha_256() -> None:
    """Of any text whatever, also of one that is no proper Unicode."""
    assert hash_key("sk-x") == hashlib.sha256(b"sk-x").hexdigest()
    assert len(hash_key("\udcff")) == 64


async def test_an_issued_key_opens_the_door(store: Store, ring: KeyRing) -> None:
    """Its text is nowhere but in the answer."""
    text, key = await ring.issue("laptop", "team", ("create", "read"), NOW)
    assert await ring.authenticate(text, NOW) == Caller(tenant="team", key_id=key.id, scopes=("create", "read"))
    assert text not in repr(store.kept)
    assert (key.name, key.hint, key.created_at) == ("laptop", hint_of(text), NOW)


async def test_no_two_keys_are_alike(ring: KeyRing) -> None:
    """Text and id are new each time."""
    made = [await ring.issue("x", "default", ("read",), NOW) for _ in range(50)]
    assert len({text for text, _ in made}) == len({key.id for _, key in made}) == 50


@pytest.mark.parametrize("text", [None, ""])
async def test_a_missing_key(ring: KeyRing, text: str | None) -> None:
    """Says which header to send."""
    assert await _refusal(ring, text) == "an API key is missing: send the header `Authorization: Bearer sk-…`"


async def test_an_unknown_key(ring: KeyRing) -> None:
    """Shows its end, not the key, and says how to get one."""
    text = mint_key(os.urandom(KEY_ENTROPY_BYTES))
    said = await _refusal(ring, text)
    assert text[-4:] in said
    assert text not in said
    assert "reelway keys create" in said


async def test_a_key_that_is_far_too_long(store: Store, ring: KeyRing) -> None:
    """Is neither hashed nor looked up."""
    assert "far too long" in await _refusal(ring, "x" * 100_000)
    assert store.reads == 0


async def test_a_revoked_key(ring: KeyRing) -> None:
    """Where it was revoked, it is refused at once, and the message names the key."""
    text, key = await ring.issue("laptop", "default", ("read",), NOW)
    await ring.authenticate(text, NOW)
    assert await ring.revoke(key.id, NOW)
    assert not await ring.revoke("key_unknown", NOW)
    assert await _refusal(ring, text) == (
        f"the API key {key.hint} (laptop) was revoked: use another, or make one with `reelway keys create`"
    )


async def test_a_revocation_arrives_elsewhere_in_time(store: Store, ring: KeyRing) -> None:
    """Another process remembers a key for so long and no longer."""
    elsewhere = KeyRing(store)
    text, key = await ring.issue("laptop", "default", ("read",), NOW)
    await elsewhere.authenticate(text, NOW)
    await ring.revoke(key.id, NOW)
    await elsewhere.authenticate(text, NOW + REVOCATION_SECONDS - 0.1)
    assert "was revoked" in await _refusal(elsewhere, text, NOW + REVOCATION_SECONDS)
    assert REVOCATION_SECONDS <= 5


async def test_an_expired_key(ring: KeyRing) -> None:
    """To the second, also while it is remembered."""
    text, _ = await ring.issue("laptop", "default", ("read",), NOW, NOW + 1)
    await ring.authenticate(text, NOW + 0.9)
    assert "(laptop) has expired" in await _refusal(ring, text, NOW + 1)


async def test_a_key_in_use_is_not_read_each_time(store: Store, ring: KeyRing) -> None:
    """Once per span of memory; a clock that jumps back reads again."""
    text, _ = await ring.issue("laptop", "default", ("read",), NOW)
    for moment in (0.0, 0.5, 2.9, 3.0, 4.0):
        await ring.authenticate(text, NOW + moment)
    assert store.reads == 2
    await ring.authenticate(text, NOW - 100)
    assert store.reads == 3


async def test_strangers_do_not_fill_the_memory(store: Store, ring: KeyRing) -> None:
    """Unknown keys are not remembered, so a new key works the moment it is made."""
    text = mint_key(bytes(KEY_ENTROPY_BYTES))
    await _refusal(ring, text)
    made = KeyRing(store, entropy=bytes)
    assert (await made.issue("x", "default", ("read",), NOW))[0] == text
    assert (await ring.authenticate(text, NOW)).tenant == "default"


async def test_the_memory_is_bounded(store: Store, ring: KeyRing) -> None:
    """Ten thousand keys in use cost reads, not memory without end."""
    for number in range(10_000):
        text = f"sk-{number:032}"
        key = ApiKey(id=str(number), tenant="t", name="n", hash=hash_key(text), hint="h", created_at=NOW)
        await store.add_key(key)
        await ring.authenticate(text, NOW)
    assert len(ring._remembered) <= 4096


async def test_a_fixed_key_is_an_administrators(store: Store) -> None:
    """`REELWAY_API_KEY` is any text; it is the default tenant's, with every scope, and nothing is read for it."""
    ring = KeyRing(store, fixed_key="wörd")
    caller = await ring.authenticate("wörd", NOW)
    assert caller == Caller(tenant="default", key_id=FIXED_KEY_ID, scopes=("create", "read", "admin"))
    assert caller.is_admin
    assert store.reads == 0
    assert "nobody knows" in await _refusal(ring, "word")


async def test_beside_a_fixed_key_others_go_on_working(store: Store) -> None:
    """It is one more key, not the only one."""
    ring = KeyRing(store, fixed_key="dev")
    text, key = await ring.issue("laptop", "team", ("read",), NOW)
    assert (await ring.authenticate(text, NOW)).key_id == key.id


async def test_the_first_key_is_made_once(store: Store, ring: KeyRing) -> None:
    """At the very first start; a later one, in this process or another, makes none."""
    text = await ring.ensure_first_key(NOW)
    assert text is not None
    assert (await ring.authenticate(text, NOW)).is_admin
    assert await ring.ensure_first_key(NOW) is None
    assert await KeyRing(store).ensure_first_key(NOW) is None
    assert len(store.kept) == 1


async def test_of_two_first_starts_one_gets_the_key(store: Store, ring: KeyRing) -> None:
    """The other one's is revoked before anybody could see it."""
    store.before_set_fact = lambda: store.facts.update(first_key="key_of_the_other")
    assert await ring.ensure_first_key(NOW) is None
    assert [key.revoked_at for key in store.kept.values()] == [NOW]


async def test_with_a_fixed_key_no_first_one_is_made(store: Store) -> None:
    """Nobody would see it; once the fixed one is taken out, there is a first start to come."""
    assert await KeyRing(store, fixed_key="dev").ensure_first_key(NOW) is None
    assert store.kept == {}
    assert await KeyRing(store).ensure_first_key(NOW) is not None
