"""The named statements of `sql/*.sql`, and how one of them takes many rows at once.

The one rule: every statement has a name and says in a sentence why it is there; a file that breaks it does not load.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

__all__ = ["fetch_rows", "load", "write_rows"]

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETERS_AT_ONCE = 2048
"""Far below SQLite's limit of 32,766; 64 jobs at once, or 1,024 ids."""


def load(subject: str) -> Mapping[str, str]:
    """Return the statements of `sql/<subject>.sql` by name, without their comments."""
    text = (resources.files("reelway.store") / "sql" / f"{subject}.sql").read_text(encoding="utf-8")
    pieces = _NAME.split(text)[1:]
    statements: dict[str, str] = {}
    for name, piece in zip(pieces[::2], pieces[1::2], strict=True):
        lines = piece.strip().splitlines()
        statement = "\n".join(line for line in lines if not line.startswith("--"))
        if len(statement.splitlines()) == len(lines) or name in statements:
            raise ValueError(f"sql/{subject}.sql: {name!r} needs a sentence of its own, and may stand there once")
        statements[name] = statement.strip()
    return MappingProxyType(statements)


def write_rows(
    connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]], *, before: tuple[Any, ...] = ()
) -> int:
    """Run a statement with `{rows}` over all rows; return how many rows of the table it touched.

    One statement for many rows, because Python lets go of its lock around each: while the event loop is busy, a thread
    waits up to 5 ms to get it back, and a batch written row by row would take a second.
    """
    before_all = connection.total_changes  # a cursor's `rowcount` knows nothing of statements that begin with WITH
    for text, parameters in _calls(statement, rows, before, ()):
        connection.execute(text, parameters)
    return connection.total_changes - before_all


def fetch_rows(
    connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]], *, after: tuple[Any, ...] = ()
) -> list[Any]:
    """Run a query with `{rows}` over all rows; return everything it found."""
    found: list[Any] = []
    for text, parameters in _calls(statement, rows, (), after):
        found.extend(connection.execute(text, parameters))
    return found


def _calls(
    statement: str, rows: Sequence[Sequence[Any]], before: tuple[Any, ...], after: tuple[Any, ...]
) -> Iterator[tuple[str, list[Any]]]:
    """Split the rows into powers of two, so that few different texts have to be compiled and stay compiled."""
    width = len(rows[0]) if rows else 1
    largest = 1 << ((_PARAMETERS_AT_ONCE // width).bit_length() - 1)
    position = 0
    while position < len(rows):
        count = min(largest, 1 << ((len(rows) - position).bit_length() - 1))
        values = [value for row in rows[position : position + count] for value in row]
        yield _with_rows(statement, count, width), [*before, *values, *after]
        position += count


@cache
def _with_rows(statement: str, count: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return statement.replace("{rows}", ", ".join([row] * count))
