"""Runs migrations on PostgreSQL. Imports SQLAlchemy, so it is itself imported only when there is something to migrate.

The one rule: Alembic writes the statements and we run them, on the connection that holds the lock. All steps are one
transaction, except where a step itself asks for a statement outside of one (`CREATE INDEX CONCURRENTLY`).
"""

import asyncio
from collections.abc import Iterator

from alembic import command
from alembic.util import CommandError

from reelway.core.errors import StorageFailed
from reelway.store.postgres.connections import Connection
from reelway.store.postgres.failures import is_bad_luck
from reelway.store.revisions import KNOWN
from reelway.store.upgrading import alembic_config

__all__ = ["migrate", "statements_between"]

_LOCK_SECONDS = 3
"""A table is not waited for any longer: everybody else who wants it would queue up behind us."""
_TRIES = 60
_PAUSE_SECONDS = 1.0


class _Written:
    """What Alembic writes to, a statement at a time."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def write(self, text: str) -> None:
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("--")]
        if lines:
            self.statements.append("\n".join(lines))

    def flush(self) -> None:
        """Nothing is held back."""


def statements_between(revision: str, target: str) -> list[str]:
    """Return what leads from one revision to another, forward or back; `base` is an empty database."""
    order = ("base", *KNOWN)
    written = _Written()
    config = alembic_config(written=written)
    run = command.upgrade if order.index(revision) < order.index(target) else command.downgrade
    run(config, f"{revision}:{target}", sql=True)
    return written.statements


async def migrate(connection: Connection, revision: str, target: str, place: str) -> None:
    """Run the steps from one revision to another. Raise `StorageFailed`; then everything up to the last COMMIT is kept."""
    try:
        statements = statements_between(revision, target)
    except CommandError as error:
        raise StorageFailed(f"{place}: the migration cannot be written ({error}); the database is as it was") from error
    await connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    for unit in _units(statements):
        await _run(connection, unit)


def _units(statements: list[str]) -> Iterator[list[str]]:
    """Return what is run as one: a transaction from BEGIN to COMMIT, or a single statement outside of any."""
    unit: list[str] = []
    for statement in statements:
        unit.append(statement)
        if unit[0] != "BEGIN;" or statement == "COMMIT;":
            yield unit
            unit = []
    if unit:
        yield unit


async def _run(connection: Connection, unit: list[str]) -> None:
    """Run a unit, again and again while others hold a table it needs."""
    for tried in range(1, _TRIES + 1):
        try:
            for statement in unit:
                await connection.execute(statement)
        except Exception as error:
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK")
            if not is_bad_luck(error) or tried == _TRIES:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return
