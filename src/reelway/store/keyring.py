"""API keys and facts: what is written and read about them.

The one rule: a key's text never gets here, only its hash.
"""

import sqlite3
from collections.abc import Sequence

from reelway.core.keys import ApiKey
from reelway.core.record import Record
from reelway.store.queries import load
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


def add_keys(connection: sqlite3.Connection, keys: Sequence[ApiKey]) -> Sequence[None]:
    connection.executemany(_SQL["add_key"], [key_row(key) for key in keys])
    return [None] * len(keys)


def revoke_keys(connection: sqlite3.Connection, revocations: Sequence[Revocation]) -> Sequence[bool]:
    """Revoke; tell for each whether there is such a key."""
    return [
        connection.execute(_SQL["revoke_key"], {"id": revocation.key_id, "now": revocation.now}).rowcount == 1
        for revocation in revocations
    ]


def set_facts(connection: sqlite3.Connection, facts: Sequence[Fact]) -> Sequence[str]:
    """Set what is not set yet; return what holds."""
    values = []
    for fact in facts:
        connection.execute(_SQL["set_fact"], {"name": fact.name, "value": fact.value})
        values.append(find_fact(connection, fact.name) or "")
    return values


def find_key(connection: sqlite3.Connection, key_hash: str) -> ApiKey | None:
    row = connection.execute(_KEY_BY_HASH, (key_hash,)).fetchone()
    return None if row is None else key_from_row(row)


def all_keys(connection: sqlite3.Connection) -> tuple[ApiKey, ...]:
    return tuple(key_from_row(row) for row in connection.execute(_SQL["keys"]))


def find_fact(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute(_SQL["fact"], (name,)).fetchone()
    return None if row is None else str(row[0])
