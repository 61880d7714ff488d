"""Where the nodes keep their records and their bytes: how it is started and hurt, and how it is read when all is over."""

import asyncio
import ctypes
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.objects import S3Server, start_s3
from tests.postgres import PostgresServer, start_postgres

__all__ = [
    "Database",
    "FolderObjects",
    "Objects",
    "PostgresDatabase",
    "S3Objects",
    "SmallDisk",
    "SqliteDatabase",
    "read_rows",
]

Row = Mapping[str, Any]

_QUERIES = {
    "jobs": "SELECT id, state, version, account, operation_key, record FROM jobs ORDER BY id",
    "events": "SELECT job_id, seq, at, state, name FROM events ORDER BY job_id, seq",
    "entries": "SELECT job_id, kind, amount FROM entries ORDER BY job_id, kind",
    "keys": "SELECT key, job_id FROM idempotency ORDER BY key",
    "tombstones": "SELECT job_id, operation_key FROM tombstones ORDER BY job_id",
    "messages": "SELECT id, video_id, seq, type, tries, delivered_at, due_at FROM messages ORDER BY video_id, seq",
}
"""Every table that a promise is about, alike in both databases."""
_LIBC = ctypes.CDLL(None, use_errno=True)
_DETACH = 2


class Database(Protocol):
    """The records."""

    port: int
    """Where it listens, 0 when nobody can be cut off from it."""

    def environment(self, port: int) -> dict[str, str]:
        """Return what a node is told that reaches it over this port."""
        ...

    async def hurt(self, how: str, seconds: float) -> None:
        """Let it be away for so long, in a way of its own."""
        ...

    async def read(self, query: str) -> list[Row]: ...

    async def close(self) -> None: ...


async def read_rows(database: Database) -> dict[str, list[Row]]:
    """Return every table of `_QUERIES`."""
    return {name: await database.read(query) for name, query in _QUERIES.items()}


class SqliteDatabase:
    """The file in the data folder of the only node."""

    port = 0

    def __init__(self, file: Path) -> None:
        self._file = file

    def environment(self, port: int) -> dict[str, str]:
        return {}

    async def hurt(self, how: str, seconds: float) -> None:
        raise AssertionError("a file is not restarted")

    async def read(self, query: str) -> list[Row]:
        def read() -> list[Row]:
            connection = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)
            connection.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in connection.execute(query)]
            finally:
                connection.close()

        return await asyncio.to_thread(read)

    async def close(self) -> None:
        """Nothing runs."""


class PostgresDatabase:
    """A server of its own."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._name = server.make_database()
        self.port = server.port

    @classmethod
    async def start(cls) -> "PostgresDatabase":
        return await asyncio.to_thread(lambda: cls(start_postgres()))

    def environment(self, port: int) -> dict[str, str]:
        return {"REELWAY_DATABASE_URL": self._server.url(self._name, port=port)}

    async def hurt(self, how: str, seconds: float) -> None:
        """`restart` as an operator does, `crash` as a power cut does, or `freeze`: it stays connected and answers nothing."""
        begin, end = {
            "restart": (self._server.stop, self._server.start),
            "crash": (self._server.kill, self._server.start),
            "freeze": (self._server.freeze, self._server.thaw),
        }[how]
        await asyncio.to_thread(begin)
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(end)

    async def read(self, query: str) -> list[Row]:
        import asyncpg

        connection = await asyncpg.connect(self._server.url(self._name))
        try:
            return [dict(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def close(self) -> None:
        await asyncio.to_thread(self._server.remove)


class Objects(Protocol):
    """The bytes."""

    port: int

    def environment(self, port: int) -> dict[str, str]:
        """Return what a node is told that reaches them over this port."""
        ...

    async def hurt(self, how: str, seconds: float) -> None: ...

    async def keys(self) -> list[str]:
        """Return the key of everything there is, also of what nobody asked for."""
        ...

    async def close(self) -> None: ...


class FolderObjects:
    """A folder all nodes share."""

    port = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def environment(self, port: int) -> dict[str, str]:
        return {"REELWAY_ASSETS_URL": self._folder.as_uri()}

    async def hurt(self, how: str, seconds: float) -> None:
        raise AssertionError("a folder is not restarted")

    async def keys(self) -> list[str]:
        files = [path.relative_to(self._folder) for path in self._folder.rglob("*") if path.is_file()]
        return [str(file) for file in files if not file.parts[0].startswith(".")]

    async def close(self) -> None:
        """Nothing runs."""


class S3Objects:
    """A bucket on a server of its own."""

    def __init__(self, server: S3Server) -> None:
        self._server = server
        self._bucket = server.make_bucket()
        self.port = server.port

    @classmethod
    async def start(cls) -> "S3Objects":
        return await asyncio.to_thread(lambda: cls(start_s3()))

    def environment(self, port: int) -> dict[str, str]:
        return {"REELWAY_ASSETS_URL": f"s3://{self._bucket}", **self._server.environment(port=port)}

    async def hurt(self, how: str, seconds: float) -> None:
        """`crash` as a power cut does, or `freeze`: it stays connected and answers nothing."""
        begin, end = {
            "crash": (self._server.kill, self._server.start),
            "freeze": (self._server.freeze, self._server.thaw),
        }[how]
        await asyncio.to_thread(begin)
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(end)

    async def keys(self) -> list[str]:
        return list(await asyncio.to_thread(self._server.objects, self._bucket))

    async def close(self) -> None:
        await asyncio.to_thread(self._server.remove)


class SmallDisk:
    """A disk in memory that can be filled to the last byte."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Raises `PermissionError` where this user may not mount one."""
        folder.mkdir(parents=True)
        self.folder = folder
        self._ballast = folder / "ballast"
        self._bytes = megabytes << 20
        if _LIBC.mount(b"reelway-torture", str(folder).encode(), b"tmpfs", 0, f"size={megabytes}m".encode()) != 0:
            raise PermissionError(ctypes.get_errno(), "cannot mount a small disk", str(folder))

    def fill(self) -> None:
        """Leave no room."""
        piece = bytes(1 << 20)
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(piece)
            except OSError:
                return

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Take it away, with what is on it."""
        _LIBC.umount2(os.fsencode(self.folder), _DETACH)
