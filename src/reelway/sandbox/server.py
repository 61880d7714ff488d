"""The sandbox as a server of its own, in the foreground until SIGTERM or Ctrl-C."""

import asyncio
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from reelway.core.errors import GatewayError
from reelway.media.worker import ProcessMediaWorker
from reelway.sandbox.app import SandboxSettings, make_sandbox

__all__ = ["run_sandbox"]

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, never bound
_LOOK_SECONDS = 0.02


def run_sandbox(
    host: str,
    port: int,
    folder: Path,
    *,
    keys: frozenset[str] | None = None,
    settings: SandboxSettings = SandboxSettings(),  # noqa: B008 - a frozen value
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until told to stop. Raises `GatewayError` when the address or the folder cannot be used."""
    asyncio.run(_serve(host, port, folder, keys, settings, ready))


async def _serve(
    host: str,
    port: int,
    folder: Path,
    keys: frozenset[str] | None,
    settings: SandboxSettings,
    ready: Callable[[], None],
) -> None:
    _check_address(host, port)
    worker = ProcessMediaWorker()
    sandbox = make_sandbox(folder, worker, keys=keys, settings=settings)
    server = Server(sandbox, address=host, port=port, interface=Interfaces.ASGINL, log_enabled=False, websockets=False)
    stop: Callable[[], None] = server.stop
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    warming = asyncio.create_task(worker.warm_up())
    serving = asyncio.create_task(server.serve())
    try:
        await _until_listening(host, port, serving)
        ready()
        await serving
    finally:
        stop()
        warming.cancel()
        await asyncio.gather(serving, warming, return_exceptions=True)
        await sandbox.close()
        await worker.close()


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise GatewayError(
                f"the sandbox cannot listen on {host}:{port}: {error.strerror or error}. Choose another port."
            ) from error


async def _until_listening(host: str, port: int, serving: asyncio.Task[None]) -> None:
    target = "127.0.0.1" if host in _EVERYWHERE else host
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(target, port)
        except OSError:
            await asyncio.sleep(_LOOK_SECONDS)
            continue
        writer.close()
        return
    serving.result()
