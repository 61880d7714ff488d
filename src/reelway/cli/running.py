"""What a starting server tells, to the person who started it and to later commands on the same data folder.

`server.json` lies in the data folder while a server runs, readable by its owner alone; it holds no key.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from reelway.cli.output import note

if TYPE_CHECKING:
    from reelway.bootstrap import Server
    from reelway.settings import Settings

__all__ = ["FILE_NAME", "RunningServer", "announce", "running_server"]

FILE_NAME = "server.json"


class RunningServer(NamedTuple):
    """A server that works with a data folder now."""

    address: str
    process_id: int
    embedded: bool
    """It lives as long as another command."""


@contextmanager
def announce(settings: "Settings", *, embedded: bool) -> Iterator[Callable[["Server"], None]]:
    """Lend what is to be called when the server is ready; take the notice away afterwards."""
    file = settings.data_dir / FILE_NAME
    written = False

    def ready(server: "Server") -> None:
        nonlocal written
        content = {"address": settings.address, "process_id": os.getpid(), "embedded": embedded}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump(content, out)
        written = True
        _greet(settings, server)

    try:
        yield ready
    finally:
        if written:
            file.unlink(missing_ok=True)


def running_server(data_dir: Path) -> RunningServer | None:
    """Return the server that works with this data folder; a notice left by one that died does not count."""
    try:
        found = RunningServer(**json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8")))
        os.kill(found.process_id, 0)
    except PermissionError:
        return found
    except (OSError, ValueError, TypeError):
        return None
    return found


def _greet(settings: "Settings", server: "Server") -> None:
    from reelway import __version__
    from reelway.settings import environment_notices, unknown_variables

    typer.echo(f"Reelway {__version__} listens on {settings.address} (API: {settings.address}/v1)")
    typer.echo(f"Data folder: {settings.data_dir}")
    if server.first_key:
        typer.echo(f"Your first API key, shown this once: {server.first_key}")
    if server.sandbox_on:
        typer.echo("The sandbox is on: videos are make-believe and marked as such. Configure a vendor for real ones.")
    if settings.host not in {"127.0.0.1", "localhost", "::1"} and settings.public_url is None:
        note(
            f"Note: links to finished videos begin with {settings.address}; set REELWAY_PUBLIC_URL for callers elsewhere."
        )
    for name in unknown_variables(os.environ):
        note(f"Note: {name} is not a setting of Reelway and has no effect; look for a misspelling.")
    for text in environment_notices(os.environ, own_address=settings.address):
        note(f"Note: {text}")
    typer.echo("Ctrl-C ends it; unfinished videos go on at the next start.")
