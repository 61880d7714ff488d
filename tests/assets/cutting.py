"""A wire between a client and a server that can be cut, at once or after so many bytes of answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

__all__ = ["Wire", "wire_to"]


class Wire:
    """Listens on `port`. Cut, it resets what is connected and whoever comes."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._connections: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answer_bytes_left: int | None = None
        self.port = 0
        self.cuts = 0
        self.is_cut = False

    def cut(self) -> None:
        """From now on nothing passes."""
        self.is_cut = True
        self.cuts += 1
        for writer in self._connections:
            writer.transport.abort()

    def mend(self) -> None:
        """Let everything pass again."""
        self.is_cut = False

    def cut_once_after(self, answer_bytes: int) -> None:
        """Reset the connection that carries this byte of the answers to come; the next ones live."""
        self._answer_bytes_left = answer_bytes

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._tasks.add(task := asyncio.current_task())  # type: ignore[arg-type]
        try:
            if self.is_cut:
                writer.transport.abort()
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            pair = {writer, far_writer}
            self._connections |= pair
            try:
                await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer, answers=True))
            finally:
                self._connections -= pair
                for one in pair:
                    one.transport.abort()
        finally:
            self._tasks.discard(task)  # type: ignore[arg-type]

    async def end(self) -> None:
        """Let go of everybody."""
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                if answers and self._answer_bytes_left is not None:
                    self._answer_bytes_left -= len(piece)
                    if self._answer_bytes_left < 0:
                        self._answer_bytes_left = None
                        self.cuts += 1
                        break
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """Give a wire to a server on this port of this machine."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        await wire.end()
