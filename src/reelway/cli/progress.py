"""What a person sees while a video is made: a live bar in a terminal, one line per change elsewhere, nothing for scripts.

Everything goes to standard error; standard output belongs to results.
"""

import sys
from types import TracebackType
from typing import Any, Protocol, Self

import typer

__all__ = ["Reporter", "make_reporter"]

_WORDS = {"queued": "waiting", "in_progress": "rendering", "completed": "done", "failed": "failed"}


class Reporter(Protocol):
    """Told about every change."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def video(self, video: dict[str, Any]) -> None:
        """Show the video as it is now."""
        ...

    def bytes(self, done: int, total: int | None) -> None:
        """Show how much of the file has arrived."""
        ...


class _Silence:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def video(self, video: dict[str, Any]) -> None:
        """Say nothing."""

    def bytes(self, done: int, total: int | None) -> None:
        """Say nothing."""


class _Lines(_Silence):
    """For logs and pipes: a line when the status changes and at every quarter."""

    def __init__(self) -> None:
        self._shown: tuple[str, int] | None = None

    def video(self, video: dict[str, Any]) -> None:
        """Write a line if there is something new."""
        progress = int(video.get("progress") or 0)
        now = (video["status"], progress // 25)
        if now != self._shown:
            self._shown = now
            typer.echo(f"{video['id']}: {_describe(video)} ({progress}%)", err=True)


class _Bar(_Silence):
    """For terminals."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("sending", total=100, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def video(self, video: dict[str, Any]) -> None:
        """Move the bar."""
        eta = video.get("eta_seconds")
        note = f"about {_clock_text(eta)} left" if eta else ""
        self._progress.update(
            self._task, description=_describe(video), completed=int(video.get("progress") or 0), total=100, note=note
        )

    def bytes(self, done: int, total: int | None) -> None:
        """Show the download on the same bar."""
        self._progress.update(
            self._task, description="saving", completed=done, total=total, note=f"{done / 1_000_000:.1f} MB"
        )


def make_reporter(*, quiet: bool) -> Reporter:
    """Return what fits: silence for scripts, a bar for a terminal, lines otherwise."""
    if quiet:
        return _Silence()
    return _Bar() if sys.stderr.isatty() else _Lines()


def _describe(video: dict[str, Any]) -> str:
    text = _WORDS.get(video["status"], video["status"])
    position = video.get("queue_position")
    return f"{text}, {position} ahead" if video["status"] == "queued" and position else text


def _clock_text(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
