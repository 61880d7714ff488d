"""Listens with an ASGI app on one address, until SIGTERM, SIGINT or `stop`. The gateway and the sandbox are served alike."""

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reelway.core.errors import GatewayError

__all__ = ["AddressInUse", "Listener", "closing"]

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, never bound
_LOOK_SECONDS = 0.02
_BACKLOG = 1024


class AddressInUse(GatewayError):
    """Nobody can listen there, most likely because somebody does."""


class Listener:
    """One address. Make it before anything else is opened: it tells at once whether the address can be had."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._server: Server | None = None
        _check(host, port)

    async def run(self, app: Any, ready: Callable[[], None], *, ended: Callable[[], None] | None = None) -> None:
        """Answer requests; `ready` is called when the first can come.

        `ended` is called at SIGTERM and SIGINT, and calls `stop` when it is time; without it they stop at once.
        """
        self._server = Server(
            app,
            address=self._host,
            port=self._port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
            backlog=_BACKLOG,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended or self.stop)
        serving = asyncio.create_task(self._server.serve())
        try:
            await self._until_listening(serving)
            ready()
            await serving
        finally:
            self.stop()
            await asyncio.gather(serving, return_exceptions=True)

    def stop(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.stop()  # type: ignore[no-untyped-call]  # granian does not annotate it

    async def _until_listening(self, serving: asyncio.Task[None]) -> None:
        target = "127.0.0.1" if self._host in _EVERYWHERE else self._host
        while not serving.done():
            try:
                _, writer = await asyncio.open_connection(target, self._port)
            except OSError:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            writer.close()
            return
        serving.result()
        raise GatewayError(f"the server ended before it listened on {self._host}:{self._port}")


def closing(app: ASGIApp, ends: Callable[[], bool]) -> ASGIApp:
    """Return an app that asks clients to close their connection after each answer while `ends` says so.

    A client that keeps a connection to a server about to end would send its next request into a closed one.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def parting(message: Message) -> None:
            if message["type"] == "http.response.start" and ends():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await app(scope, receive, parting)

    return answer


def _check(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise AddressInUse(
                f"cannot listen on {host}:{port}: {error.strerror or error}. Choose another port with --port or REELWAY_PORT."
            ) from error
