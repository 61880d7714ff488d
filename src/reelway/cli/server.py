"""`reelway serve` and `reelway sandbox`: servers in the foreground, until Ctrl-C or SIGTERM."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import Config, DataDir

__all__ = ["sandbox", "serve"]

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on.", show_default="8080")]


def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    config: Config = None,
    sandbox: Annotated[str | None, typer.Option("--sandbox", help="on, off or auto.", show_default="auto")] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="all, api or worker, of a fleet on one PostgreSQL.", show_default="all")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", help="debug, info, warning or error.", show_default="info")
    ] = None,
    stop_with_parent: Annotated[bool, typer.Option("--stop-with-parent", hidden=True)] = False,
) -> None:
    """Run the server.

    Needs no settings at all: records and files go to a data folder, a sandbox stands in for vendors, and the first API key is
    printed once. docs/configuration.md lists everything that can be set.
    """
    from reelway.bootstrap import serve as run
    from reelway.cli.running import announce
    from reelway.settings import load_settings

    settings = load_settings(
        config=config,
        host=host,
        port=port,
        data_dir=data_dir,
        sandbox=sandbox,
        role=role,
        log_level=log_level,
    )
    if stop_with_parent:
        _stop_when_input_ends()
    with announce(settings, embedded=stop_with_parent) as ready:
        run(settings, ready=ready)


def sandbox(
    host: Host = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to listen on.", show_default="8090")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A key to accept; again for more. Without it, any key will do.", show_default=False),
    ] = None,
    render_seconds: Annotated[
        float | None,
        typer.Option("--render-seconds", min=0, help="How long every video takes, at least.", show_default=False),
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option("--faults", help="What goes wrong with every video: '[[poll:500x3]]' say.", show_default=False),
    ] = None,
    stock: Annotated[
        bool,
        typer.Option("--stock", help="Hand out copies of one small clip: thousands of videos cost almost nothing."),
    ] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log", help="Add a JSON line here for every submit and every file made or handed out.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Run the make-believe video vendor alone.

    It speaks the OpenAI Videos API and the vendors' own: point any client at it to test without spending. Words in
    the prompt make it misbehave; docs/howto/sandbox.md lists them, and where each vendor's paths begin.
    """
    from reelway.bootstrap import serve_sandbox
    from reelway.core.errors import CallerError
    from reelway.sandbox.faults import read_faults
    from reelway.settings import load_settings

    settings = load_settings(
        host=host,
        port=port or 8090,
        data_dir=data_dir,
        sandbox_render_seconds=render_seconds,
        sandbox_faults=faults,
        sandbox_stock=stock or None,
        sandbox_log=log,
    )
    try:
        read_faults(settings.sandbox_directives)
    except CallerError as error:
        raise CommandFailed(error.message, Exit.INVALID, param="faults") from error

    def ready() -> None:
        typer.echo(f"The sandbox listens on {settings.address} (OpenAI: {settings.address}/v1). Ctrl-C ends it.")

    serve_sandbox(settings, keys=frozenset(key or ()), ready=ready)


def _stop_when_input_ends() -> None:
    """End with the command that started us, also when it dies without a word: its end of our standard input closes."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
