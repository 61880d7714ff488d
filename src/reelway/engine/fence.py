"""The fence around a billable request: its bytes leave only while this node may still send them.

A node can be frozen at any line and go on minutes later, when another one has taken its work over. So the permit is asked
where the bytes leave, by the socket itself, at every write: nothing but the system call comes after the answer. What the
kernel holds when the process dies or the request is given up is thrown away, not delivered late.
"""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.connector import Connection

from reelway.core.errors import NotSent

__all__ = ["FencedRequest", "Permit", "PermitWithdrawn", "fenced_socket", "sending"]

_NO_LINGERING = struct.pack("ii", 1, 0)
"""Closing discards what was not sent yet and resets the connection."""


class PermitWithdrawn(NotSent):
    """The request was ready to go, and this node could not be sure any more that the work is its own."""

    def __init__(self) -> None:
        super().__init__("this node's lease was running out, so nothing was sent")


class Permit:
    """Leave to send one billable request. `holds` is asked whenever bytes of it are about to leave."""

    def __init__(self, holds: Callable[[], bool], *, begins: Callable[[], None] = lambda: None) -> None:
        self._holds = holds
        self._begins = begins
        self._transport: Any = None
        self._is_over = False
        self._began = False
        self._refused_all = False
        self._has_sent = False

    @property
    def is_good(self) -> bool:
        """Whether bytes may leave at this moment."""
        return not self._is_over and self._holds()

    @property
    def has_left(self) -> bool:
        """Whether any byte of the request may have left."""
        return self._began and not self._refused_all

    def begin(self, transport: Any) -> None:
        """Let the request's bytes follow on this connection. Raise `PermitWithdrawn` when it is too late."""
        self._transport = transport
        if not self.is_good:
            raise PermitWithdrawn
        self._began = True
        self._begins()

    def check(self) -> None:
        """Raise `ConnectionAbortedError`, which an event loop takes for a broken line, when nothing may be written now."""
        if not self.is_good:
            self._refused_all = not self._has_sent
            self._is_over = True
            raise ConnectionAbortedError("the permit to send was withdrawn")

    def wrote(self) -> None:
        """Note that the kernel has taken some bytes."""
        self._has_sent = self._began

    def end(self, *, answered: bool) -> None:
        """Let nothing leave any more. Without an answer, what was written and has not left yet is thrown away."""
        self._is_over = True
        if self._transport is not None and not answered:
            self._transport.abort()
        self._transport = None


_CURRENT: ContextVar[Permit] = ContextVar("permit")


@contextmanager
def sending(permit: Permit) -> Iterator[None]:
    """Connections made within belong to this permit alone."""
    token = _CURRENT.set(permit)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class FencedRequest(ClientRequest):
    """A request that asks the permit once its connection stands, when refusing it still leaves no trace at the vendor."""

    async def send(self, conn: Connection) -> ClientResponse:
        _CURRENT.get().begin(conn.transport)
        return await super().send(conn)


class _FencedSocket(socket.socket):
    """A socket that asks the permit before every system call that writes."""

    permit: Permit

    def send(self, data: Any, flags: int = 0, /) -> int:
        self.permit.check()
        sent = super().send(data, flags)
        self.permit.wrote()
        return sent

    def sendmsg(self, *arguments: Any) -> int:
        self.permit.check()
        sent = super().sendmsg(*arguments)
        self.permit.wrote()
        return sent

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        raise AssertionError("an event loop never waits in a system call")


def fenced_socket(arrival_seconds: float) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Return what makes sockets for billable requests. Bytes nobody confirms are given up after `arrival_seconds`."""

    def make(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = _FencedSocket(family, kind, protocol)
        made.permit = _CURRENT.get()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(arrival_seconds * 1000)))
        return made

    return make
