"""Moves an installation from one database to another, of whichever kind, by one file of JSON lines.

The file begins with what it is and which shape its tables have; then comes every row, a line each, table by table; at its end
stand the number of rows and the hash of every table. The one rule: an import is kept only when what is read back from the new
database has the numbers and the hashes of the file. Leases are not moved: nobody holds an unfinished job afterwards.
"""

import base64
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
import sqlalchemy as sa

from reelway.core.disk import disk_failed
from reelway.core.errors import StorageFailed
from reelway.core.record import Record
from reelway.store.revisions import HEAD
from reelway.store.schema import METADATA

__all__ = ["MOVED", "Figures", "MovedTable", "Place", "export_to", "figures_of", "import_from"]

_FORMAT = "reelway export"
_VERSION = 1
_ROWS_AT_ONCE = 500
_STAYS = {"nodes", "batches"}
"""What is about processes, not about videos."""

_encode = msgspec.json.Encoder().encode
_decode_row = msgspec.json.Decoder(tuple[str, list[Any]]).decode


class Figures(Record):
    """Of each table the number of its rows, and a hash over all of them in order."""

    counts: dict[str, int]
    hashes: dict[str, str]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class _Head(msgspec.Struct):
    format: str
    version: int
    revision: str
    exported_at: float
    columns: dict[str, list[str]]


class MovedTable:
    """A table, and the statement that gives its rows in an order that is the same in every database."""

    def __init__(self, table: sa.Table) -> None:
        self.name = str(table.name)
        self.columns = [str(column.name) for column in table.columns]
        self.bytes_at = [n for n, column in enumerate(table.columns) if isinstance(column.type, sa.LargeBinary)]
        quoted = [f'"{name}"' for name in self.columns]
        chosen = ", ".join(_UNOWNED.get((self.name, name), f'"{name}"') for name in self.columns)
        order = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
        if self.name == "jobs":
            order = f"parent IS NOT NULL, {order}"  # a video comes before its takes, which point at it
        self.reading = f"SELECT {chosen} FROM {self.name} ORDER BY {order}"  # noqa: S608 - names of ours
        places = ", ".join("?" * len(quoted))
        self.writing = f"INSERT INTO {self.name} ({', '.join(quoted)}) VALUES ({places})"  # noqa: S608 - names of ours
        self.looking = f"SELECT 1 FROM {self.name} LIMIT 1"  # noqa: S608 - names of ours


_FINAL = "state IN ('completed', 'failed', 'cancelled')"
_UNOWNED = {("jobs", "owner"): "NULL", ("jobs", "epoch"): f"CASE WHEN {_FINAL} THEN epoch ELSE 0 END"}
"""A lease of the old database means nothing in the new one, where epochs are counted anew."""

MOVED = tuple(MovedTable(table) for table in METADATA.sorted_tables if table.name not in _STAYS)
"""What points at a table comes after it."""


class Place(Protocol):
    """A database as of one moment, or to be filled in one transaction."""

    @property
    def name(self) -> str:
        """Its address, without a password."""
        ...

    async def revision(self) -> str | None: ...

    async def working_nodes(self) -> tuple[str, ...]:
        """Return the nodes whose lease is not over."""
        ...

    async def is_empty(self, table: MovedTable) -> bool: ...

    def rows(self, table: MovedTable) -> AsyncIterator[Sequence[Any]]: ...

    async def add(self, table: MovedTable, rows: Sequence[Sequence[Any]]) -> None: ...


async def export_to(target: Path, source: Place, *, while_running: bool = False) -> Figures:
    """Write every row to a new file, which appears whole or not at all. Raise `StorageFailed`."""
    _must_be_new(target)
    await _check(source)
    if not while_running:
        await _nobody_works(source, "what it writes from now on would be missing from the export")
    partial = target.with_name(f"{target.name}.partial")
    try:
        with partial.open("wb") as file:
            figures = await _write(file, source)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    except OSError as error:
        raise disk_failed(error, str(target)) from error
    finally:
        partial.unlink(missing_ok=True)
    return figures


async def import_from(source: Path, target: Place) -> Figures:
    """Fill an empty database and read it back, inside the transaction that is open. Raise `StorageFailed`; then keep nothing."""
    await _check(target)
    await _nobody_works(target, "it would take up what is only half there")
    for table in MOVED:
        if not await target.is_empty(table):
            raise StorageFailed(
                f"{target.name}: it is not empty (table {table.name}): import into a database of its own"
            )
    try:
        with source.open("rb") as file:
            said = await _read(file, source, target)
    except OSError as error:
        raise disk_failed(error, str(source)) from error
    kept = await figures_of(target)
    if kept != said:
        wrong = [name for name in said.counts if kept.hashes.get(name) != said.hashes[name]]
        raise StorageFailed(f"{target.name}: what was read back differs in {', '.join(wrong)}; nothing was kept")
    return kept


async def figures_of(place: Place) -> Figures:
    """Read everything and return its figures."""
    counting = _Counting()
    for table in MOVED:
        async for row in place.rows(table):
            counting.add(table.name, _line(table, row))
    return counting.figures()


class _Counting:
    def __init__(self) -> None:
        self._counts = {table.name: 0 for table in MOVED}
        self._hashes = {table.name: hashlib.sha256() for table in MOVED}

    def add(self, table: str, line: bytes) -> None:
        self._counts[table] += 1
        self._hashes[table].update(line)

    def figures(self) -> Figures:
        return Figures(counts=self._counts, hashes={name: one.hexdigest() for name, one in self._hashes.items()})


def _must_be_new(target: Path) -> None:
    if target.exists():
        raise StorageFailed(f"{target} is there already: choose another name for the export")


async def _check(place: Place) -> None:
    revision = await place.revision()
    if revision != HEAD:
        raise StorageFailed(f"{place.name}: its shape is {revision}, not {HEAD}: run `reelway db upgrade` first")


async def _nobody_works(place: Place, because: str) -> None:
    nodes = await place.working_nodes()
    if nodes:
        raise StorageFailed(
            f"{place.name}: a server works with it ({', '.join(nodes)}), and {because}. "
            "Stop it; one that was killed counts as stopped when its lease is over, some ten seconds later."
        )


async def _write(file: BinaryIO, source: Place) -> Figures:
    columns = {table.name: table.columns for table in MOVED}
    file.write(_encode(_Head(_FORMAT, _VERSION, HEAD, time.time(), columns)) + b"\n")
    counting = _Counting()
    for table in MOVED:
        async for row in source.rows(table):
            line = _line(table, row)
            counting.add(table.name, line)
            file.write(line)
    figures = counting.figures()
    file.write(_encode(figures) + b"\n")
    return figures


def _line(table: MovedTable, row: Sequence[Any]) -> bytes:
    return _encode((table.name, list(row))) + b"\n"


async def _read(file: BinaryIO, source: Path, target: Place) -> Figures:
    """Write the file's rows to the target; return the figures at its end, which must be those of its rows."""
    _check_head(file.readline(), source)
    counting = _Counting()
    said: Figures | None = None
    try:
        for table, lines in _batches(file):
            if table is None or said is not None:
                said = msgspec.json.decode(b"".join(lines), type=Figures)
                continue
            for line in lines:
                counting.add(table.name, line)
            await target.add(table, [_row(table, line) for line in lines])
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise StorageFailed(f"{source}: a line cannot be read ({error}): export again") from error
    if said is None:
        raise StorageFailed(f"{source}: its end is missing: copy it again, or export again")
    if said != counting.figures():
        raise StorageFailed(f"{source}: its rows are not those it was made with: copy it again, or export again")
    return said


def _batches(file: BinaryIO) -> Iterator[tuple[MovedTable | None, list[bytes]]]:
    """Return the lines, many of one table at once; last, without a table, the one with the figures."""
    tables = {f'["{table.name}",'.encode(): table for table in MOVED}
    waiting: list[bytes] = []
    current: MovedTable | None = None
    for line in file:
        table = tables[line[: line.index(b",") + 1]] if line.startswith(b"[") else None
        if waiting and (table is not current or len(waiting) == _ROWS_AT_ONCE):
            yield current, waiting
            waiting = []
        current = table
        waiting.append(line)
    if waiting:
        yield current, waiting


def _row(table: MovedTable, line: bytes) -> list[Any]:
    _, row = _decode_row(line)
    if len(row) != len(table.columns):
        raise ValueError(f"a row of {table.name} has {len(row)} values")
    for place in table.bytes_at:
        if row[place] is not None:
            row[place] = base64.b64decode(row[place])
    return row


def _check_head(line: bytes, source: Path) -> None:
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.MsgspecError:
        head = None
    if head is None or head.format != _FORMAT:
        raise StorageFailed(f"{source}: it is not an export of Reelway (`reelway db export` makes them)")
    if head.version != _VERSION or head.revision != HEAD:
        raise StorageFailed(
            f"{source}: it was made by another version (shape {head.revision}, this version has {HEAD}): "
            "bring the old database to today's shape with `reelway db upgrade`, and export it again"
        )
