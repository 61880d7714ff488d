"""A line between client and server that loses answers to creates, and remembers what went over it.

Whatever is lost was answered: what the server made, it made.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
from typing import Literal, Self

__all__ = ["Loss", "LossyProxy"]

Loss = Literal["reset", "close", "half", "silence", "502"]
"""How an answer is lost: the connection is reset, or closed, or closed after some bytes, or simply stays quiet; or a balancer says
that it got none."""

_PIECE_BYTES = 65_536
_CREATE = re.compile(
    rb"POST \S*(?:/videos(?:/edits|/extensions|/generations|/[^/ ]+/remix)?|/contents/generations/tasks|/interactions"
    rb"|:predictLongRunning|/video-synthesis)"
    rb" HTTP/1\.1\r\n(.*?\r\n)\r\n",
    re.DOTALL,
)
_BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 11\r\nconnection: close\r\n\r\nbad gateway"
)
_COUNT = re.compile(rb"^x-stainless-retry-count: *(\S+)\r$", re.IGNORECASE | re.MULTILINE)


class LossyProxy:
    """Listens on loopback and hands everything on to a server on loopback, except the answers to the first creates."""

    def __init__(self, port: int, *, loss: Loss = "reset", losses: int = 1) -> None:
        self.creates: list[str] = []
        """Of each create that went over the line: how often its client says it has sent it before, `-` if it does not say."""
        self._port = port
        self._loss = loss
        self._losses = losses
        self._loop = asyncio.new_event_loop()
        self._moved = asyncio.Condition()
        self._lines: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._live()))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    def move(self, port: int) -> None:
        """Lead to another server from now on. Who found nobody at the old one waits for this."""
        asyncio.run_coroutine_threadsafe(self._move(port), self._loop).result()

    async def _move(self, port: int) -> None:
        async with self._moved:
            self._port = port
            self._moved.notify_all()

    async def _live(self) -> None:
        server = await asyncio.start_server(self._serve, sock=self._listener)
        await self._over.wait()
        server.close()
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._carry(reader, writer)
        await _close(writer)
        self._lines.discard(line)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await self._connect()
        carried = _Carried()
        forward = asyncio.create_task(self._forward(reader, upstream, carried))
        try:
            await self._backward(upstream_reader, writer, carried)
        finally:
            forward.cancel()
            await asyncio.gather(forward, return_exceptions=True)
            await _close(upstream)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            port = self._port
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                async with self._moved:
                    await self._moved.wait_for(lambda: self._port != port)  # noqa: B023 - awaited at once

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carried: "_Carried") -> None:
        while piece := await reader.read(_PIECE_BYTES):
            self.creates += carried.creates_in(piece)
            writer.write(piece)
            await writer.drain()

    async def _backward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carried: "_Carried") -> None:
        while piece := await reader.read(_PIECE_BYTES):
            if carried.is_create and self._losses > 0:
                self._losses -= 1
                await self._lose(writer, piece)
                return
            carried.is_create = False
            writer.write(piece)
            await writer.drain()

    async def _lose(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        match self._loss:
            case "reset":
                line: socket.socket = writer.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "half":
                writer.write(piece[: len(piece) - 20])
                await writer.drain()
            case "silence":
                await self._over.wait()
            case "502":
                writer.write(_BAD_GATEWAY)
                await writer.drain()
            case "close":
                pass


class _Carried:
    """What one connection carries now."""

    def __init__(self) -> None:
        self.is_create = False
        self._seen = b""

    def creates_in(self, piece: bytes) -> list[str]:
        """Return the counts of the creates whose heads end in this piece of what the client sends."""
        self._seen = (self._seen + piece)[-2 * _PIECE_BYTES :]
        counts = []
        while head := _CREATE.search(self._seen):
            self._seen = self._seen[head.end() :]
            self.is_create = True
            count = _COUNT.search(head[1])
            counts.append("-" if count is None else count[1].decode())
        return counts


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
