"""A TCP proxy that breaks as networks break: one wire a server, each with a fault of its own that begins and heals.

What is held back arrives late, in order, also when its sender has long given up: as packets do. Whatever a wire swallowed is lost
for good, so its connections are reset when it heals. One event loop.
"""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import Literal, get_args

from tests.ports import quiet_port

__all__ = ["BREAKS", "Break", "Wire"]

Break = Literal["refuse", "reset", "hold", "deaf", "lost", "slow", "torn", "error"]
"""How a wire is broken.

- `refuse`: connections are cut, and none can be made
- `reset`: connections are cut, and each new one as soon as it sends something
- `hold`: nothing passes; all of it does when the wire heals
- `deaf`: what clients send arrives, what servers answer does not
- `lost`: nothing arrives, in either direction, and nobody is told
- `slow`: everything is late
- `torn`: a connection breaks off a little way into what the server sends
- `error`: a balancer answers 503 in place of the server; for HTTP alone
"""

BREAKS: tuple[Break, ...] = get_args(Break)
_LATE_SECONDS = 0.3
_TORN_BYTES = 2_000
_ABORT = struct.pack("ii", 1, 0)
_UNAVAILABLE = b"\r\n".join(
    [
        b"HTTP/1.1 503 Service Unavailable",
        b"content-type: text/plain",
        b"content-length: 11",
        b"connection: close",
        b"",
        b"unavailable",
    ]
)


class Wire:
    """Listens on loopback and hands everything on to a port on loopback, as well as it can at the moment.

    With several ports it is a balancer too: each connection goes to the next one that somebody listens on.
    """

    def __init__(self, name: str, *target_ports: int) -> None:
        self.name = name
        self._targets = deque(target_ports)
        self.port = quiet_port()
        self.broken: Break | None = None
        self.lines: set[_Line] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Line(self).client, "127.0.0.1", self.port, backlog=1024)

    async def close(self) -> None:
        """Cut everything and stop listening."""
        self._stop_listening()
        for line in tuple(self.lines):
            line.cut()
        await asyncio.sleep(0.01)  # in which the loop closes what was cut

    async def damage(self, how: Break) -> None:
        """Break, until `heal`."""
        self.broken = how
        if how == "refuse":
            self._stop_listening()
        for line in tuple(self.lines):
            if how in ("refuse", "reset"):
                line.cut()
            else:
                line.hold(how == "hold")
                line.sent_bytes = 0

    async def heal(self) -> None:
        """Be whole again."""
        before, self.broken = self.broken, None
        if before == "refuse":
            await self.open()
        for line in tuple(self.lines):
            if line.has_gap:
                line.cut()
            else:
                line.hold(False)

    def targets(self) -> tuple[int, ...]:
        """Return the ports to try, in order; the next connection begins with another one."""
        self._targets.rotate(-1)
        return tuple(self._targets)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class _Line:
    """One connection: the client's end, and ours to the server."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.client = _End(self)
        self.server = _End(self)
        self.has_gap = False
        """Something was swallowed, so that what follows makes no sense."""
        self.sent_bytes = 0
        """Of the server's, since the wire broke."""
        self.is_over = False
        """Neither end sends anything more."""
        self._connecting: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """A client has come."""
        self.wire.lines.add(self)
        self.client.pause()
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        for port in self.wire.targets():
            with contextlib.suppress(OSError):
                await loop.create_connection(lambda: self.server, "127.0.0.1", port)
                break
        else:
            self.cut()
            return
        if self not in self.wire.lines:  # the client has gone, or was cut off, meanwhile
            self.server.abort()
            return
        self.hold(self.wire.broken == "hold")

    def hold(self, held: bool) -> None:
        """Read nothing from either end, or go on. What waits in the kernel is not lost."""
        if self.server.transport is None:
            return
        for end in (self.client, self.server):
            if held:
                end.pause()
            else:
                end.resume()

    def carry(self, end: "_End", data: bytes) -> None:
        """Hand on what an end sent, or do what the wire does at the moment."""
        from_client = end is self.client
        other = self.server if from_client else self.client
        match self.wire.broken:
            case "reset":
                self.cut()
            case "lost":
                self.has_gap = True
            case "deaf" if not from_client:
                self.has_gap = True
            case "error" if from_client:
                if not self.has_gap:
                    self.client.write(_UNAVAILABLE)
                    self.client.finish()
                self.has_gap = True
            case "slow":
                other.write_late(data)
            case "torn" if not from_client:
                other.write(data[: max(0, _TORN_BYTES - self.sent_bytes)])
                self.sent_bytes += len(data)
                if self.sent_bytes >= _TORN_BYTES:
                    self.cut(gently=True)
            case _:
                other.write(data)

    def ended(self, end: "_End", *, cleanly: bool) -> None:
        """An end will send nothing more; `cleanly` says whether it still reads. Nobody hears of it over a wire with a gap."""
        other = self.server if end is self.client else self.client
        if self.has_gap:
            return
        if cleanly:
            end.has_ended = True
            other.finish()
            if other.has_ended:
                self._end()
        else:
            self.wire.lines.discard(self)
            other.abort()

    def _end(self) -> None:
        self.is_over = True
        self.wire.lines.discard(self)
        for end in (self.client, self.server):
            end.close_when_written()

    def cut(self, *, gently: bool = False) -> None:
        """End both connections: with a reset, or so that what was written still arrives."""
        self.wire.lines.discard(self)
        for end in (self.client, self.server):
            if gently and end is self.client:
                end.close()
            else:
                end.abort()


class _End(asyncio.Protocol):
    """One end of a line."""

    def __init__(self, line: _Line) -> None:
        self.transport: asyncio.Transport | None = None
        self.has_ended = False
        self._line = line
        self._late: deque[tuple[float, bytes | None]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self is self._line.client:
            self._line.begin()

    def data_received(self, data: bytes) -> None:
        self._line.carry(self, data)

    def eof_received(self) -> bool:
        self._line.ended(self, cleanly=True)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._line.ended(self, cleanly=False)

    def pause(self) -> None:
        if self.transport is not None and self.transport.is_reading():
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.transport is not None and not self.transport.is_closing() and not self.transport.is_reading():
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self._late:  # what is late must not be overtaken
            self.write_late(data)
        elif self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def write_late(self, data: bytes | None) -> None:
        """Write this, or with None the end of it all, after a while."""
        loop = asyncio.get_running_loop()
        self._late.append((loop.time() + _LATE_SECONDS, data))
        if len(self._late) == 1:
            loop.call_later(_LATE_SECONDS, self._write_due)

    def finish(self) -> None:
        """Say that nothing more comes."""
        if self._late:
            self.write_late(None)
        elif self.transport is not None and not self.transport.is_closing():
            with contextlib.suppress(OSError):
                self.transport.write_eof()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def close_when_written(self) -> None:
        """Close, now or when what is late was written."""
        if not self._late:
            self.close()

    def abort(self) -> None:
        """End it with a reset, so that the other side learns of it as of a crash."""
        if self.transport is None or self.transport.is_closing():
            return
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self.transport.abort()

    def _write_due(self) -> None:
        loop = asyncio.get_running_loop()
        while self._late and self._late[0][0] <= loop.time() + 0.001:
            _, data = self._late.popleft()
            if self.transport is None or self.transport.is_closing():
                continue
            if data is None:
                with contextlib.suppress(OSError):
                    self.transport.write_eof()
            else:
                self.transport.write(data)
        if self._line.is_over:
            self.close_when_written()
        if self._late:
            loop.call_later(max(0.0, self._late[0][0] - loop.time()), self._write_due)
