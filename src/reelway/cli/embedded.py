"""A server of our own for the length of one command: `reelway serve` in a child process on a free loopback port.

It is ended by its process id, gracefully, so that unfinished videos are handed back; it also ends when we die.
"""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from reelway.cli.client import Client
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.output import note
from reelway.cli.running import RunningServer, running_server

__all__ = ["Server", "connect", "embedded_server", "free_port"]

_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.05


class Server(NamedTuple):
    """A running server."""

    address: str
    key: str
    process_id: int


@contextmanager
def connect(url: str | None, key: str | None, data_dir: Path | None, *, quiet: bool) -> Iterator[Client]:
    """Lend a client for the server that was named, or for one that lives as long as this context."""
    if url:
        if not key:
            raise CommandFailed(
                "no API key: set REELWAY_API_KEY (make a key with `reelway keys create` where the server runs).",
                Exit.NOT_ALLOWED,
            )
        yield Client(url, key)
        return
    home = _data_dir(data_dir)
    running = running_server(home)
    if running is not None:
        if running.embedded or not key:
            raise CommandFailed(
                _how_to_share(home, running), Exit.NOT_ALLOWED if not running.embedded else Exit.MACHINE
            )
        yield Client(running.address, key)
        return
    if not quiet:
        note("Starting a server for this command (set REELWAY_URL to use one that runs).")
    with embedded_server(home, key=key) as server:
        yield Client(server.address, server.key)


@contextmanager
def embedded_server(
    home: Path,
    *,
    key: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[Server]:
    """Start a server, lend it when it is ready, and end it. `folder` is where it looks for `reelway.toml`."""
    key = key or f"sk-{secrets.token_hex(20)}"
    variables = {**(os.environ if environment is None else environment), "REELWAY_API_KEY": key}
    port = free_port()
    log = home / f"embedded-{os.getpid()}.log"
    try:
        home.mkdir(parents=True, exist_ok=True)
        output = log.open("wb")
    except OSError as error:
        raise CommandFailed(
            f"{home}: cannot be used as the data folder ({error.strerror}); check its rights or name another with --data-dir.",
            Exit.MACHINE,
        ) from error
    command = [sys.executable, "-m", "reelway.cli.main", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--data-dir", str(home), "--stop-with-parent"]
    with output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=variables,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is ours to handle: the server is stopped after we said what happened
        )
    server = Server(f"http://127.0.0.1:{port}", key, process.pid)
    try:
        _wait_until_ready(process, server, home, log)
        yield server
    finally:
        _end(process)
        log.unlink(missing_ok=True)


def _data_dir(given: Path | None) -> Path:
    if given is not None:
        return given.expanduser().absolute()
    from reelway.settings import load_settings

    return load_settings().data_dir


def _how_to_share(home: Path, running: RunningServer) -> str:
    if running.embedded:
        return (
            f"another reelway command (process {running.process_id}) works with the data folder {home}; wait until it is "
            "done, or run `reelway serve` once and let all commands use it with REELWAY_API_KEY."
        )
    return (
        f"a server works with the data folder {home} at {running.address}: set REELWAY_API_KEY to one of its keys "
        "(`reelway keys create` makes one)."
    )


def free_port() -> int:
    """Return a port of this machine nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], server: Server, home: Path, log: Path) -> None:
    """Return when the server has said that it listens, and answers."""
    client = Client(server.address, server.key, timeout_seconds=5.0)
    end = time.monotonic() + _START_SECONDS
    while (running := running_server(home)) is None or running.process_id != process.pid or not client.is_ready():
        if process.poll() is not None:
            reason = _last_lines(log)
            raise CommandFailed(
                f"the server for this command did not start:\n{reason}" if reason else "the server did not start.",
                Exit(process.returncode) if process.returncode in set(Exit) else Exit.MACHINE,
            )
        if time.monotonic() > end:
            raise CommandFailed(
                f"the server for this command was not ready after {_START_SECONDS:g} seconds:\n{_last_lines(log)}",
                Exit.MACHINE,
            )
        time.sleep(_LOOK_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_lines(log: Path, count: int = 12) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-count:])
