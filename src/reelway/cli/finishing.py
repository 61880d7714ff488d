"""From a video that is being made to a file on disk: watch it, save what it made, and say how it went."""

from pathlib import Path
from typing import Any

import typer

from reelway.cli.client import Client
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.output import emit, note
from reelway.cli.progress import Reporter
from reelway.cli.saving import save
from reelway.cli.watching import watch

__all__ = ["finish", "print_result", "targets_for"]

ENDINGS = {"video": ".mp4", "thumbnail": ".webp", "spritesheet": ".jpg", "last_frame": ".png"}


def targets_for(output: Path, count: int) -> list[Path]:
    """Return the files for `count` outputs: the one asked for, or `name-1`, `name-2`, …"""
    if count == 1:
        return [output]
    return [output.with_name(f"{output.stem}-{number}{output.suffix}") for number in range(1, count + 1)]


def finish(
    client: Client, video_id: str, output: Path | None, reporter: Reporter, *, timeout_seconds: float | None
) -> tuple[dict[str, Any], list[Path]]:
    """Watch until the video is final and save its outputs; raise when it failed."""
    video: dict[str, Any] = {}
    for video in watch(client, video_id, timeout_seconds=timeout_seconds):
        reporter.video(video)
    if video["status"] == "failed":
        error = video.get("error") or {}
        raise CommandFailed(
            f"{video_id} failed: {error.get('message', 'no reason was given')}", Exit.FAILED, code=error.get("code")
        )
    if output is None:
        return video, []
    outputs = video.get("outputs") or [{"index": 0}]
    targets = targets_for(output, len(outputs))
    for made, target in zip(outputs, targets, strict=True):
        save(client, video_id, target, index=int(made["index"]), sha256=made.get("sha256"), report=reporter.bytes)
    return video, targets


def print_result(video: dict[str, Any], files: list[Path], *, as_json: bool) -> None:
    """Print the id on standard output and the story on standard error, or everything as one object."""
    if as_json:
        emit(video | {"files": [str(file) for file in files]})
        return
    for warning in video.get("warnings") or ():
        note(f"Note: {warning.get('message')}")
    for made, file in zip(video.get("outputs") or (), files, strict=False):
        sound = "with sound" if made.get("has_audio") else "silent"
        note(
            f"Saved {file}: {made.get('width')}x{made.get('height')}, {float(made.get('seconds') or 0):.1f} s, "
            f"{int(made.get('bytes') or 0) / 1_000_000:.1f} MB, {sound}."
        )
    typer.echo(video["id"])
