"""Processes that are started, killed, frozen and started again; each with a log that all of its lives write to."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Program"]

_PATIENCE_SECONDS = 60.0
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
_ROOT = Path(__file__).resolve().parents[2]


class Program:
    """One Python program, by its module. Ended by process id, always."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        """`arguments` follow the interpreter. It is ready when it says `listens on`."""
        self.name = name
        self.log = log
        self._arguments = arguments
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    async def start(self) -> None:
        """Start it and wait until it is ready. A start that fails is tried again, as whoever watches over servers does."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            place = self.log.stat().st_size if self.log.exists() else 0
            self._begin()
            if await self._is_ready(place, deadline):
                return
            if time.monotonic() > deadline:
                await self.kill()
                raise AssertionError(f"{self.name} does not start; see {self.log}")
            await asyncio.sleep(0.5)

    def _begin(self) -> None:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                env={**inherited, "PYTHONPATH": str(_ROOT), **self._environment},
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _is_ready(self, place: int, deadline: float) -> bool:
        while time.monotonic() < deadline:
            with self.log.open("rb") as log:
                log.seek(place)
                if b"listens on" in log.read():
                    return True
            if self.pid is None:
                return False
            await asyncio.sleep(0.05)
        return False

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it as an operator would, and return its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            if self._frozen:
                self.thaw()
            self._process.send_signal(number)
        try:
            return await asyncio.to_thread(self._process.wait, _PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
            raise AssertionError(f"{self.name} did not end within {_PATIENCE_SECONDS:.0f} s; see {self.log}") from None

    def freeze(self) -> None:
        """Stop it where it stands."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGSTOP)
            self._frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        self._frozen = False
        if self.pid is not None:
            os.kill(self.pid, signal.SIGCONT)
