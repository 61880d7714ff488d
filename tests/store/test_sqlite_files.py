"""Files that cannot be used: each is a `StorageFailed` or `SchemaTooNew` that says what to do, and nothing is overwritten."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelway.core.errors import SchemaTooNew, StorageFailed
from reelway.store import connections, upgrading
from reelway.store.revisions import HEAD
from reelway.store.sqlite import SqliteStore

_NOBODY = 65534


async def _refusal(path: Path) -> str:
    """Return what opening this file says; it must refuse, and must be ready to be closed."""
    store = SqliteStore(path, busy_seconds=0.1)
    with pytest.raises(StorageFailed) as raised:
        await store.open()
    await store.close()
    return str(raised.value)


def _set_revision(path: Path, revision: str) -> None:
    connections.prepare(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


@pytest.fixture
def folder_of_another_user() -> Iterator[Path]:
    """A folder everybody may look into and only its owner may write in; the test goes on as nobody."""
    if os.geteuid() != 0:
        pytest.skip("only root can step back and be somebody else")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def _as_nobody() -> Iterator[None]:
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """The first start needs nothing but a name."""
    path = tmp_path / "deep" / "data" / "reelway.db"
    store = SqliteStore(path)
    await store.open()
    await store.close()
    assert path.is_file()


async def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    """Says that it cannot be opened."""
    assert "cannot be opened" in await _refusal(tmp_path)


async def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """Says what is in the way."""
    (tmp_path / "data").write_text("in the way")
    assert "a file is where a folder should be" in await _refusal(tmp_path / "data" / "reelway.db")


async def test_something_that_is_no_database(tmp_path: Path) -> None:
    """It is left as it was."""
    path = tmp_path / "reelway.db"
    path.write_bytes(b"holiday photographs " * 500)
    assert "restore a backup" in await _refusal(path)
    assert path.read_bytes().startswith(b"holiday")


async def test_a_damaged_database(tmp_path: Path) -> None:
    """A file whose pages were overwritten is refused, not repaired by guess."""
    path = tmp_path / "reelway.db"
    connections.prepare(path)
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    assert "damaged" in await _refusal(path)


async def test_another_programs_database(tmp_path: Path) -> None:
    """A database with other tables is not ours to fill."""
    path = tmp_path / "reelway.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    assert "not one of Reelway" in await _refusal(path)


async def test_a_newer_database(tmp_path: Path) -> None:
    """Names the version it finds and the newest it knows, and changes nothing."""
    path = tmp_path / "reelway.db"
    _set_revision(path, "0999")
    with pytest.raises(SchemaTooNew, match=f"newer version of Reelway .*'0999'.*'{HEAD}'"):
        await SqliteStore(path).open()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0999",)]


async def test_an_older_database_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known revision that is not the newest goes to Alembic before the store opens."""
    path = tmp_path / "reelway.db"
    _set_revision(path, "0000")
    upgraded: list[Path] = []
    monkeypatch.setattr(connections, "KNOWN", ("0000", HEAD))
    monkeypatch.setattr(upgrading, "upgrade_to_head", lambda file, *, busy_seconds: upgraded.append(file))
    store = SqliteStore(path)
    await store.open()
    await store.close()
    assert upgraded == [path]


async def test_a_folder_that_may_not_be_written(folder_of_another_user: Path) -> None:
    """Says whose business it is."""
    with _as_nobody():
        assert "check" in (said := await _refusal(folder_of_another_user / "reelway.db"))
        assert "this user may" in said
        assert "this user may not write there" in await _refusal(folder_of_another_user / "data" / "reelway.db")


async def test_a_file_that_may_not_be_written(folder_of_another_user: Path) -> None:
    """A file one may read but not write is refused at the start, not at the first video."""
    path = folder_of_another_user / "reelway.db"
    connections.prepare(path)
    path.chmod(0o444)
    with _as_nobody():
        assert "check the owner and permissions" in await _refusal(path)
