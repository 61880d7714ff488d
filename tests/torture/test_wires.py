"""Each way a wire breaks is what it says, and heals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from tests.ports import quiet_port
from tests.torture.wires import Wire

PATIENCE_SECONDS = 5.0


class Echo:
    """A server that answers every line with itself, and remembers what arrived."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = quiet_port()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line)
        writer.close()

    async def hear(self, line: bytes) -> None:
        while line not in self.heard:
            await asyncio.sleep(0.01)


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", echo.port)
    yield echo
    server.close()


@pytest.fixture
async def wire(echo: Echo) -> AsyncIterator[Wire]:
    wire = Wire("test", echo.port)
    await wire.open()
    yield wire
    await wire.close()


class Client:
    """One connection over a wire."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def of(cls, wire: Wire) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", wire.port))

    def say(self, line: bytes) -> None:
        self._writer.write(line)

    async def hear(self, seconds: float = PATIENCE_SECONDS) -> bytes:
        async with asyncio.timeout(seconds):
            return await self._reader.readline()

    def hang_up(self) -> None:
        self._writer.close()


async def test_a_whole_wire_carries_both_ways(wire: Wire) -> None:
    client = await Client.of(wire)
    client.say(b"a fox\n")
    assert await client.hear() == b"a fox\n"
    client.hang_up()


async def test_a_line_that_both_have_ended_is_gone(wire: Wire) -> None:
    """However many connections come and go, none is left."""
    for _ in range(5):
        client = await Client.of(wire)
        client.say(b"a fox\n")
        assert await client.hear() == b"a fox\n"
        client.hang_up()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while wire.lines:
            await asyncio.sleep(0.01)


async def test_refused_until_it_heals(wire: Wire) -> None:
    """Nobody is there, as when a server is down; afterwards the port is the same."""
    client = await Client.of(wire)
    client.say(b"a fox\n")
    await client.hear()
    await wire.damage("refuse")
    with pytest.raises(ConnectionResetError):
        await client.hear()
    with pytest.raises(ConnectionRefusedError):
        await Client.of(wire)
    await wire.heal()
    again = await Client.of(wire)
    again.say(b"a wolf\n")
    assert await again.hear() == b"a wolf\n"
    again.hang_up()


async def test_reset_as_soon_as_something_is_said(wire: Wire, echo: Echo) -> None:
    """The server hears nothing of it."""
    await wire.damage("reset")
    client = await Client.of(wire)
    client.say(b"a fox\n")
    with pytest.raises(ConnectionResetError):
        await client.hear()
    assert echo.heard == []


async def test_held_back_it_arrives_late_though_its_sender_is_gone(wire: Wire, echo: Echo) -> None:
    """What a network keeps is not what it loses: the reason why a time-out proves nothing."""
    await wire.damage("hold")
    client = await Client.of(wire)
    client.say(b"a fox\n")
    with pytest.raises(TimeoutError):
        await client.hear(0.2)
    client.hang_up()
    assert echo.heard == []
    await wire.heal()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await echo.hear(b"a fox\n")


async def test_deaf_the_server_works_and_nobody_hears_of_it(wire: Wire, echo: Echo) -> None:
    client = await Client.of(wire)
    client.say(b"a fox\n")
    await client.hear()
    await wire.damage("deaf")
    client.say(b"a wolf\n")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await echo.hear(b"a wolf\n")
    with pytest.raises(TimeoutError):
        await client.hear(0.2)
    await wire.heal()
    with pytest.raises(ConnectionResetError):
        await client.hear()


async def test_lost_is_lost(wire: Wire, echo: Echo) -> None:
    """Nothing arrives, also not later; who waits is cut off when the wire heals."""
    await wire.damage("lost")
    client = await Client.of(wire)
    client.say(b"a fox\n")
    with pytest.raises(TimeoutError):
        await client.hear(0.2)
    await wire.heal()
    with pytest.raises(ConnectionResetError):
        await client.hear()
    assert echo.heard == []


async def test_slow_keeps_the_order(wire: Wire) -> None:
    client = await Client.of(wire)
    await wire.damage("slow")
    for number in range(5):
        client.say(b"%d\n" % number)
    assert [await client.hear() for _ in range(2)] == [b"0\n", b"1\n"]
    await wire.heal()
    client.say(b"5\n")
    assert [await client.hear() for _ in range(4)] == [b"2\n", b"3\n", b"4\n", b"5\n"]
    client.hang_up()


async def test_torn_the_answer_breaks_off(wire: Wire) -> None:
    await wire.damage("torn")
    client = await Client.of(wire)
    client.say(b"x" * 5_000 + b"\n")
    got = await client.hear()
    assert 0 < len(got) < 5_000
    client.hang_up()


async def test_an_error_comes_from_nobody(wire: Wire, echo: Echo) -> None:
    """As when a balancer answers in place of a server."""
    await wire.damage("error")
    client = await Client.of(wire)
    client.say(b"POST /v1/videos HTTP/1.1\r\n")
    assert await client.hear() == b"HTTP/1.1 503 Service Unavailable\r\n"
    assert echo.heard == []
    client.hang_up()
