"""What a vendor would have on its books: a line for every submit, every file that was made, and every one that was handed out.

Lines are only ever added, each in one write, so a sandbox that is killed leaves whole lines. Blocks for a moment: call it from a
thread.
"""

import os
from pathlib import Path
from typing import Any

import msgspec

from reelway.core.record import Record

__all__ = ["Journal", "MadeLine", "ServedLine"]


class MadeLine(Record, omit_defaults=False):
    """A file is there, under this hash."""

    task: str
    index: int
    bytes: int
    sha256: str


class ServedLine(Record, omit_defaults=False):
    """Somebody fetched a file, or what the faults put in its place."""

    at: float
    task: str
    index: int
    sha256: str
    """Of the file as it was made."""
    fault: str | None = None


class Journal:
    """Writes to a file, or nowhere when it has none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def add(self, kind: str, line: Record) -> None:
        """Add a line: its `kind`, then the fields of the record."""
        if self._path is None:
            return
        fields: dict[str, Any] = {"kind": kind, **msgspec.to_builtins(line)}
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, msgspec.json.encode(fields) + b"\n")
        finally:
            os.close(file)
