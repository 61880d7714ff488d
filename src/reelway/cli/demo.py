"""`reelway demo`: a server, a video and a file, without an account anywhere. The sandbox makes it, so it costs nothing."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.options import Force

__all__ = ["demo"]

PROMPT = "A paper boat drifts under a stone bridge at sunrise"


def demo(
    prompt: Annotated[str, typer.Argument(help="What the video shows.", show_default=False)] = PROMPT,
    model: Annotated[str, typer.Option("--model", "-m", help="The model to play.")] = "veo3.1",
    seconds: Annotated[int, typer.Option("--seconds", "-s", help="Length.")] = 4,
    size: Annotated[str, typer.Option("--size", help="Pixels.")] = "1280x720",
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("demo.mp4"),
    keep: Annotated[
        bool, typer.Option("--serve", "--keep", help="Leave the server running to try it out; Ctrl-C ends it.")
    ] = False,
    force: Force = False,
) -> None:
    """Make a first video; needs no account.

    Starts a server with the sandbox, creates a video, saves and checks it. Nothing is sent
    anywhere and nothing is charged; vendors you have configured are left out.
    """
    import tempfile

    from reelway.cli.embedded import embedded_server
    from reelway.cli.output import note
    from reelway.cli.saving import check_target

    check_target(output, overwrite=force)
    with tempfile.TemporaryDirectory(prefix="reelway-demo-") as folder:
        note("Starting a server with the sandbox: it plays the video vendors, so nothing is sent or charged.")
        home = Path(folder)
        with embedded_server(home, environment=_demo_environment(), folder=home) as server:
            video = _make(server.address, server.key, output, model=model, prompt=prompt, seconds=seconds, size=size)
            _check(output, seconds, size)
            note(_next_steps(output))
            typer.echo(video["id"])
            if keep:
                _stay(server.address, server.key)


def _make(address: str, key: str, output: Path, **fields: Any) -> dict[str, Any]:
    from reelway.cli.client import Client
    from reelway.cli.finishing import finish
    from reelway.cli.forms import make_body
    from reelway.cli.output import note
    from reelway.cli.progress import make_reporter

    client = Client(address, key)
    with make_reporter(quiet=False) as reporter:
        made = client.create(make_body(fields), idempotency_key="demo")
        reporter.video(made)
        video, _ = finish(client, made["id"], output, reporter, timeout_seconds=120.0)
    for warning in video.get("warnings") or ():
        note(f"Note: {warning.get('message')}")
    return video


def _check(file: Path, seconds: int, size: str) -> None:
    """Open the file and measure it: what we promise to have made must be in it."""
    import asyncio

    from reelway.cli.output import note
    from reelway.media.spec import MediaUnreadableError, VideoFacts
    from reelway.media.worker import ProcessMediaWorker

    async def measure() -> VideoFacts:
        worker = ProcessMediaWorker(1)
        try:
            return await worker.video_facts(file)
        finally:
            await worker.close()

    try:
        facts = asyncio.run(measure())
    except MediaUnreadableError as error:
        raise CommandFailed(f"{file}: was made but cannot be played: {error}", Exit.FAILED) from error
    if f"{facts.width}x{facts.height}" != size or abs(facts.seconds - seconds) > 0.5:
        raise CommandFailed(
            f"{file}: is {facts.width}x{facts.height} and {facts.seconds:.1f} s long; {size} and {seconds} s were asked for.",
            Exit.FAILED,
        )
    sound = "with sound" if facts.has_audio else "silent"
    note(
        f"Saved {file}: {facts.width}x{facts.height}, {facts.seconds:.1f} s, {facts.fps:g} frames a second, "
        f"{facts.codec}, {sound}, {file.stat().st_size / 1_000_000:.1f} MB."
    )


def _demo_environment() -> dict[str, str]:
    """Return our variables without any that configure Reelway or a vendor, so that nothing real can be reached."""
    from reelway.settings import ENVIRONMENT_VENDORS

    secrets = {variable for entry in ENVIRONMENT_VENDORS for variable in entry.variables}
    kept = {
        name: value for name, value in os.environ.items() if name not in secrets and not name.startswith("REELWAY_")
    }
    return kept | {"REELWAY_SANDBOX": "on", "REELWAY_POLL_SHORTEST_SECONDS": "0.5"}


def _next_steps(output: Path) -> str:
    program = _program()
    return (
        f"\nOpen {output} to watch it. Then:\n\n"
        f"  {program} serve\n      run the server; it prints an API key once\n"
        f'  {program} create "a fox in snow" -o fox.mp4\n      make a video of your own\n'
        f"  {program} models\n      see what can be made\n"
    )


def _program() -> str:
    """Return what to type for this very program from here."""
    import shutil

    return "reelway" if shutil.which("reelway") else os.path.relpath(sys.argv[0])


def _stay(address: str, key: str) -> None:
    import threading

    from reelway.cli.output import note

    note(
        f"The server stays at {address}; Ctrl-C ends it. Try:\n"
        f"  curl {address}/v1/videos -H 'Authorization: Bearer {key}' \\\n"
        "    -F model=veo3.1 -F seconds=4 -F 'prompt=a fox in snow'"
    )
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
