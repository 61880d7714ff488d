"""The sandbox as a server of its own, in the foreground until SIGTERM or Ctrl-C."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from reelway.media.worker import ProcessMediaWorker
from reelway.mounting.serving import Listener
from reelway.sandbox.app import SandboxSettings, make_sandbox

__all__ = ["run_sandbox"]


def run_sandbox(
    host: str,
    port: int,
    folder: Path,
    *,
    keys: frozenset[str] | None = None,
    settings: SandboxSettings = SandboxSettings(),  # noqa: B008 - a frozen value
    processes: int = 1,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until told to stop. Raises `GatewayError` when the address or the folder cannot be used."""

    async def main() -> None:
        listener = Listener(host, port)
        worker = ProcessMediaWorker(processes)
        sandbox = make_sandbox(folder, worker, keys=keys, settings=settings)
        warming = asyncio.create_task(worker.warm_up())
        try:
            await sandbox.open()
            await listener.run(sandbox, ready)
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            await sandbox.close()
            await worker.close()

    asyncio.run(main())
