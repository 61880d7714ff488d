"""Connections to one PostgreSQL database: how they are made, and how steps are run on them.

The one rule: nothing waits for ever. A server that is away is waited for a while and then said to be away; a statement that is
not answered ends its connection; a session whose node has gone silent is ended by the server, with its locks.
"""

import asyncio
import random
import time
from typing import Any, NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from reelway.core.errors import StorageFailed
from reelway.store.postgres.failures import explained, is_passing
from reelway.store.queries import Step, Work

__all__ = ["Connection", "Database", "Patience", "perform", "place_of"]

_Found = TypeVar("_Found")

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_SILENT_AFTER_SECONDS = 10
_LARGEST_PORT = 65_535


class Patience(NamedTuple):
    """How long is waited for what, in seconds."""

    away: float = 5.0
    """For a server that is restarting, before callers are told; afterwards they are told at once until it is back."""
    connect: float = 5.0
    write: float = 10.0
    """For the answer to one statement of a writer: no longer than a lease lasts."""
    read: float = 20.0
    idle_in_transaction: float = 5.0
    """How long the server lets a session hold its locks in silence: a node that is frozen must not freeze the others."""


class Database:
    """Where the records are. Its words for itself never hold the password."""

    def __init__(self, url: str, patience: Patience) -> None:
        self.patience = patience
        self.place = place_of(url)
        self._url = url
        self._away_since: float | None = None
        self._next_try_at = 0.0
        self._why_away: Exception | None = None

    async def connect(self, purpose: str, *, answer_seconds: float, **settings: str) -> Connection:
        """Connect; `purpose` is what the server's list of sessions says. Raise `StorageFailed` when it stays away."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            if self._why_away is not None and time.monotonic() < self._next_try_at:
                raise self.explained(self._why_away)
            try:
                connection = await self._connect(purpose, answer_seconds, settings)
            except Exception as error:
                if not is_passing(error) or not self._may_wait():
                    self._why_away = error
                    self._next_try_at = time.monotonic() + _LONGEST_PAUSE_SECONDS
                    raise self.explained(error) from error
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the nodes out
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                self._away_since = self._why_away = None
                return connection

    def explained(self, error: Exception) -> Exception:
        """Return what to raise for an error met here."""
        return explained(error, self.place)

    async def _connect(self, purpose: str, answer_seconds: float, settings: dict[str, str]) -> Connection:
        return await asyncpg.connect(
            self._url,
            timeout=self.patience.connect,
            command_timeout=answer_seconds,
            target_session_attrs=SessionAttribute.read_write,
            server_settings={
                "application_name": purpose,
                "default_transaction_isolation": "read committed",
                "idle_in_transaction_session_timeout": _milliseconds(self.patience.idle_in_transaction),
                "statement_timeout": _milliseconds(answer_seconds),
                "tcp_keepalives_idle": str(_SILENT_AFTER_SECONDS),
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
                "tcp_user_timeout": _milliseconds(3 * _SILENT_AFTER_SECONDS),
                "jit": "off",
                **settings,
            },
        )

    def _may_wait(self) -> bool:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
        return now - self._away_since < self.patience.away


async def perform(connection: Connection, work: Work[_Found]) -> _Found:
    """Run a read or a write step by step; return what it comes to."""
    try:
        step = next(work)
        while True:
            step = work.send(await _run(connection, step))
    except StopIteration as ended:
        found: _Found = ended.value
        return found


async def _run(connection: Connection, step: Step) -> Any:
    if step.statement is None:
        return await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"reelway {step.turn}")
    text, names = step.statement.postgres
    arguments: list[Any] = [] if step.rows is None else list(zip(*step.rows, strict=True))
    arguments.extend(step.names[name] for name in names)
    if step.is_read:
        return await connection.fetch(text, *arguments)
    return int((await connection.execute(text, *arguments)).rpartition(" ")[2])


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1_000))


def place_of(url: str) -> str:
    """Return the address without password and options."""
    try:
        parts = urlsplit(url)
        hosts = parts.netloc.rpartition("@")[2]
        user = unquote(parts.username or "")
        for host in hosts.split(","):
            port = host.rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""
            if port and (not port.isdecimal() or int(port) > _LARGEST_PORT):
                raise ValueError("not a port")
    except ValueError:
        # Without the reason, which may quote a piece of the password.
        raise StorageFailed(
            "REELWAY_DATABASE_URL cannot be read: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "with %XX for whatever is not a letter or a digit in the password"
        ) from None
    return f"postgresql://{user}{'@' if user else ''}{hosts}{parts.path}"
