"""A billable request leaves only while its permit holds, down to the system call; what had not left then never does."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.engine.loopback import running

from reelway.assets.folder import FolderAssets
from reelway.core.errors import NotSent, VendorUnreachable
from reelway.engine.account import Account
from reelway.engine.fence import Permit, PermitWithdrawn, fenced_socket, sending
from reelway.engine.transport import TimeLimits, Transport
from reelway.vendors.spec import HttpRequest

LARGE = "x" * (24 * 1024 * 1024)
"""More than the kernel takes of a connection whose other end does not read."""


class Lease:
    """Holds until it is told not to; counts how often it was asked."""

    def __init__(self, *, asked: int | None = None) -> None:
        self.holds = True
        self.left = asked
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        if self.left is not None and self.asked > self.left:
            self.holds = False
        return self.holds


class Listener:
    """A server that speaks no HTTP: what arrives is counted, and read only while `reading` is set."""

    def __init__(self) -> None:
        self.arrived = bytearray()
        self.connected = asyncio.Event()
        self.reading = asyncio.Event()
        self.ended = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.set()
        await self.reading.wait()
        try:
            while piece := await reader.read(65536):
                self.arrived += piece
        except OSError:
            pass  # the sender reset the connection
        finally:
            self.ended.set()
            writer.close()


@pytest.fixture
async def transport(tmp_path: Path) -> AsyncIterator[Transport]:
    """The transport under test."""
    assets = FolderAssets(tmp_path / "assets")
    await assets.open()
    transport = Transport(assets, TimeLimits(connect=2.0, read=5.0, total=5.0, arrival=1.0), lambda blob: "")
    yield transport
    await transport.close()
    await assets.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A server on loopback with a small buffer."""
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0, limit=65536)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield listener
    server.close()


def account(url: str) -> Account:
    return Account(name="acme", vendor="acme", base_url=url)


def request(text: str = "a fox") -> HttpRequest:
    return HttpRequest(method="POST", path="/a", json={"prompt": text}, billable=True)


async def test_without_a_lease_nothing_leaves(transport: Transport, listener: Listener) -> None:
    """The connection stands, and not one byte of the request is written to it: surely not sent."""
    listener.reading.set()
    with pytest.raises(PermitWithdrawn):
        await transport.send(account(listener.url), request(), permit=Permit(lambda: False))
    await listener.ended.wait()
    assert listener.connected.is_set()
    assert listener.arrived == b""


async def test_the_socket_asks_once_more(transport: Transport, listener: Listener) -> None:
    """A lease that ends after the connection was made and before the first write still stops every byte."""
    listener.reading.set()
    permit = Permit(Lease(asked=1))
    with pytest.raises(PermitWithdrawn):
        await transport.send(account(listener.url), request(), permit=permit)
    await listener.ended.wait()
    assert listener.arrived == b""
    assert not permit.has_left


async def test_a_lease_that_ends_in_the_middle_of_a_body_cuts_it(transport: Transport, listener: Listener) -> None:
    """Half of it has left, the rest never does: nobody can know, and the vendor never sees a whole request."""
    lease = Lease()
    task = asyncio.create_task(transport.send(account(listener.url), request(LARGE), permit=Permit(lease)))
    await listener.connected.wait()
    while lease.asked < 2:
        await asyncio.sleep(0)
    lease.holds = False
    listener.reading.set()
    with pytest.raises(VendorUnreachable):
        await task
    await listener.ended.wait()
    assert 0 < len(listener.arrived) < len(LARGE)


async def test_what_was_given_up_is_not_delivered_later(transport: Transport, listener: Listener) -> None:
    """Time runs out while the vendor does not read: what waits in buffers here is thrown away, whenever the vendor reads on."""
    lease = Lease()
    task = asyncio.create_task(transport.send(account(listener.url), request(LARGE), permit=Permit(lease)))
    await listener.connected.wait()
    while lease.asked < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    listener.reading.set()
    await listener.ended.wait()
    assert len(listener.arrived) < len(LARGE)


async def test_a_permit_is_for_one_request(transport: Transport) -> None:
    """Whoever sends twice under one permit, or without one, has made a mistake; nothing leaves."""
    async with running() as vendor:
        permit = Permit(lambda: True)
        await transport.send(account(vendor.url), request(), permit=permit)
        with pytest.raises(NotSent):
            await transport.send(account(vendor.url), request(), permit=permit)
        with pytest.raises(AssertionError):
            await transport.send(account(vendor.url), request())
        assert len(vendor.requests) == 1


async def test_the_kernel_gives_up_too() -> None:
    """A billable socket resets when it is closed, and waits for confirmations no longer than a request may be on its way."""
    with sending(Permit(lambda: True)):
        made = fenced_socket(1.5)((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0)))
    with made:
        assert struct.unpack("ii", made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)) == (1, 0)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1500
