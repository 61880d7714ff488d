"""What commands print: results on standard output, everything else on standard error."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

__all__ = ["emit", "moment", "note", "table", "video_line"]

_MILLISECONDS_FROM = 10_000_000_000


def emit(value: Any) -> None:
    """Print one JSON value."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def note(text: str) -> None:
    """Tell the person in front of the terminal something."""
    typer.echo(text, err=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns; plain text, so that `grep` and `awk` work on it."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def moment(seconds: float | None) -> str:
    """Return a time of the API, in seconds or milliseconds, as local text."""
    if seconds is None:
        return "-"
    if seconds >= _MILLISECONDS_FROM:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def video_line(video: dict[str, Any]) -> tuple[str, ...]:
    """Return the row of one video."""
    return (
        str(video["id"]),
        str(video["status"]),
        f"{video.get('progress') or 0}%",
        str(video.get("model") or "-"),
        str(video.get("seconds") or "-"),
        str(video.get("size") or "-"),
        moment(video.get("created_at")),
    )
