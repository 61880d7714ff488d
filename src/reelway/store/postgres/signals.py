"""Signals between nodes, by LISTEN and NOTIFY.

The one rule: they are hints. They are sent after the commit they tell of, many in one go, because a transaction that notifies
makes all others that notify wait for its sync; whoever misses one finds out by looking.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence

import msgspec

from reelway.core.nodes import Signal
from reelway.store.postgres.connections import Connection, Database
from reelway.store.postgres.readers import Readers
from reelway.store.queries import Work, fetch_rows, load

__all__ = ["Ear", "Voice"]

_SQL = load("fleet")
_CHANNEL = "reelway"
_LARGEST_PAYLOAD = 7_500
"""PostgreSQL takes less than 8,000 bytes."""
_PULSE_SECONDS = 5.0
_PAUSE_SECONDS = 1.0


class _Letter(msgspec.Struct, array_like=True):
    sender: str
    signals: list[tuple[str, str, str]]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Letter).decode


class Voice:
    """Tells the other processes: what was given while the last letters were sent goes into the next ones."""

    def __init__(self, readers: Readers) -> None:
        self.name = secrets.token_hex(8)
        """Who is speaking; a process does not hear itself."""
        self._readers = readers
        self._gathered: dict[Signal, None] = {}
        self._task: asyncio.Task[None] | None = None

    def say(self, signals: Sequence[Signal]) -> None:
        """Send soon; the same signal twice is sent once."""
        self._gathered.update(dict.fromkeys(signals))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send())

    async def finish(self) -> None:
        """Wait until everything said is sent, or has failed to be."""
        if self._task is not None:
            await self._task

    async def _send(self) -> None:
        while self._gathered:
            signals, self._gathered = list(self._gathered), {}
            with contextlib.suppress(Exception):  # a hint that is lost is lost
                await self._readers.run(_notify, letters(self.name, signals))


class Ear:
    """Hears the other processes on a connection of its own, which is made anew whenever it is lost."""

    def __init__(self, database: Database, own_name: str) -> None:
        self._database = database
        self._own_name = own_name
        self._hearers: list[Callable[[Signal], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._connection: Connection | None = None

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Call `hear` from now until `close`."""
        self._hearers.append(hear)
        if self._task is None:
            self._connection = await self._connect()
            self._task = asyncio.create_task(self._keep_listening(), name="reelway-ear")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _keep_listening(self) -> None:
        """Feel the connection's pulse, since one that is cut says nothing, exactly like a quiet one."""
        while True:
            try:
                if self._connection is None:
                    self._connection = await self._connect()
                await asyncio.sleep(_PULSE_SECONDS)
                await self._connection.execute("SELECT 1")
            except Exception:
                if self._connection is not None:
                    self._connection.terminate()
                    self._connection = None
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _connect(self) -> Connection:
        connection = await self._database.connect("reelway listener", answer_seconds=_PULSE_SECONDS)
        try:
            await connection.add_listener(_CHANNEL, self._heard)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, Exception):
                raise self._database.explained(error) from error
            raise
        return connection

    def _heard(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        try:
            letter = _decode(str(payload))
            signals = [msgspec.convert(dict(zip(_FIELDS, one, strict=True)), Signal) for one in letter.signals]
        except msgspec.MsgspecError:
            return  # a node of another version says something we do not know
        if letter.sender != self._own_name:
            for signal in signals:
                for hear in self._hearers:
                    hear(signal)


_FIELDS = ("kind", "job_id", "detail")


def letters(sender: str, signals: Sequence[Signal]) -> list[str]:
    """Return the signals as few texts that are each short enough to be sent; one that is too long by itself is left out."""
    texts: list[str] = []
    packed: list[tuple[str, str, str]] = []
    room = _LARGEST_PAYLOAD
    for signal in signals:
        one = (signal.kind, signal.job_id, signal.detail)
        size = len(_encode(one)) + 1
        if size > _LARGEST_PAYLOAD - 100:
            continue
        if packed and size > room:
            texts.append(_encode(_Letter(sender, packed)).decode())
            packed, room = [], _LARGEST_PAYLOAD
        packed.append(one)
        room -= size
    if packed:
        texts.append(_encode(_Letter(sender, packed)).decode())
    return texts


def _notify(texts: Sequence[str]) -> Work[None]:
    yield from fetch_rows(_SQL["notify"], [(text,) for text in texts], channel=_CHANNEL)
