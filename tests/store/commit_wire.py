"""A wire to PostgreSQL that breaks at the one moment that matters: when a COMMIT is on it."""

import asyncio
import contextlib
from typing import Literal

__all__ = ["CommitWire", "Moment"]

Moment = Literal["before", "after", "late"]
"""When the connection is cut at a COMMIT: before it arrives, after it was done but before that is heard, or before it
arrives, which it then does all the same, later, as a packet on its way does."""

_COMMIT = b"COMMIT\x00"


class CommitWire:
    """Listens on loopback and hands everything on; `cut_at` arms it for the next COMMIT."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.cuts = 0
        self.arrived = asyncio.Event()
        """A COMMIT that was late has been handed on."""
        self._target_port = target_port
        self._moment: Moment | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._release = asyncio.Event()

    async def __aenter__(self) -> "CommitWire":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_at(self, moment: Moment) -> None:
        self._moment = moment

    def let_it_arrive(self) -> None:
        """Hand the COMMIT on that is late."""
        self._release.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(_pump(there_reader, writer))
        self._tasks.add(back)
        try:
            await self._carry(reader, writer, there_writer, back)
        finally:
            back.cancel()
            for one in (writer, there_writer):
                one.transport.abort()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamWriter,
        back: "asyncio.Task[None]",
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if _COMMIT not in data or self._moment is None:
                    there.write(data)
                    await there.drain()
                    continue
                moment, self._moment = self._moment, None
                self.cuts += 1
                if moment == "before":
                    return
                back.cancel()
                if moment == "late":
                    writer.transport.abort()
                    await self._release.wait()
                there.write(data)
                await there.drain()
                self.arrived.set()
                # Until the server has done it, which its answer shows; nobody hears that.
                await asyncio.sleep(0.2)
                return


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.transport.abort()
