"""API keys and facts: what is written and read about them.

The one rule: a key's text never gets here, only its hash.
"""

from collections.abc import Sequence

from reelway.core.keys import ApiKey
from reelway.core.record import Record
from reelway.store.queries import Work, execute, fetch, load
from reelway.store.rows import key_from_row, key_row

__all__ = ["Fact", "Revocation", "add_keys", "all_keys", "find_fact", "find_key", "revoke_keys", "set_facts"]

_SQL = load("keys")
_KEY_BY_HASH = _SQL["key_by_hash"]


class Revocation(Record):
    key_id: str
    now: float


class Fact(Record):
    name: str
    value: str


def add_keys(keys: Sequence[ApiKey]) -> Work[Sequence[None]]:
    for key in keys:
        yield from execute(_SQL["add_key"], **key_row(key))
    return [None] * len(keys)


def revoke_keys(revocations: Sequence[Revocation]) -> Work[Sequence[bool]]:
    """Revoke; tell for each whether there is such a key."""
    found = []
    for revocation in revocations:
        touched = yield from execute(_SQL["revoke_key"], id=revocation.key_id, now=revocation.now)
        found.append(touched == 1)
    return found


def set_facts(facts: Sequence[Fact]) -> Work[Sequence[str]]:
    """Set what is not set yet; return what holds."""
    values = []
    for fact in facts:
        yield from execute(_SQL["set_fact"], name=fact.name, value=fact.value)
        values.append((yield from find_fact(fact.name)) or "")
    return values


def find_key(key_hash: str) -> Work[ApiKey | None]:
    rows = yield from fetch(_KEY_BY_HASH, hash=key_hash)
    return key_from_row(rows[0]) if rows else None


def all_keys() -> Work[tuple[ApiKey, ...]]:
    rows = yield from fetch(_SQL["keys"])
    return tuple(key_from_row(row) for row in rows)


def find_fact(name: str) -> Work[str | None]:
    rows = yield from fetch(_SQL["fact"], name=name)
    return str(rows[0][0]) if rows else None
