"""Runs an app on the real server, on the loop of the test, for as long as a block lasts."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from granian.constants import Interfaces
from granian.server.embed import Server

__all__ = ["serving"]

_LOOKS = 200


@contextlib.asynccontextmanager
async def serving(app: Any, *, lifespan: bool = False) -> AsyncIterator[str]:
    """Yield the address of a server with this app, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(
        app,
        port=port,
        interface=Interfaces.ASGI if lifespan else Interfaces.ASGINL,
        log_enabled=False,
        websockets=False,
    )
    running = asyncio.ensure_future(server.serve())
    try:
        await _until_listening(port, running)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await running


async def _until_listening(port: int, running: asyncio.Future[Any]) -> None:
    for _ in range(_LOOKS):
        if running.done():
            running.result()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        await writer.wait_closed()
        return
    raise TimeoutError(f"nothing listens on port {port}")


def session() -> aiohttp.ClientSession:
    """Return a client that holds the key of the tests."""
    return aiohttp.ClientSession(headers={"Authorization": "Bearer sk-test"})
