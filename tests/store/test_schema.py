"""The three descriptions of the tables agree, and upgrading is all or nothing."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from reelway.core.errors import StorageFailed
from reelway.store import queries
from reelway.store.connections import connect_to_write, prepare
from reelway.store.revisions import HEAD, KNOWN, revision_of
from reelway.store.schema import METADATA, schema_sql
from reelway.store.upgrading import alembic_config, upgrade_to_head

_ROOM = Path(queries.__file__).parent
_APART = {"schema", "checking", "fleet"}
"""A check reads everything, on purpose; what is about fleets is for PostgreSQL alone."""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A file made from `schema.sql`."""
    path = tmp_path / "made.db"
    prepare(path)
    return path


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A file made by running every migration."""
    path = tmp_path / "migrated.db"
    upgrade_to_head(path, busy_seconds=1.0)
    return path


def _shape(path: Path) -> dict[str, str]:
    """Return what SQLite says of every table and index, without regard to line breaks."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")").strip() for name, sql in rows}


def test_a_new_file_and_a_migrated_one_are_alike(made: Path, migrated: Path) -> None:
    """Every table, column, constraint and index, to the letter."""
    assert _shape(made) == _shape(migrated)
    assert len(_shape(made)) > 15


def test_the_tables_described_are_the_tables_made(migrated: Path) -> None:
    """Alembic finds nothing to add to the migrations."""
    engine = sa.create_engine(f"sqlite:///{migrated}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_schema_sql_is_drawn_from_the_tables() -> None:
    """Run `python -m reelway.store.schema` when this fails."""
    assert (_ROOM / "sql" / "schema.sql").read_text(encoding="utf-8") == schema_sql()
    assert (_ROOM / "sql" / "postgres" / "schema.sql").read_text(encoding="utf-8") == schema_sql("postgres")


def test_every_migration_is_known_in_order() -> None:
    """The list that decides without importing Alembic is the one that Alembic finds."""
    scripts = ScriptDirectory.from_config(alembic_config())
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == KNOWN
    assert scripts.get_current_head() == HEAD


def test_upgrading_again_changes_nothing(made: Path) -> None:
    """A file of today's shape stays as it is."""
    before = _shape(made)
    upgrade_to_head(made, busy_seconds=1.0)
    assert _shape(made) == before


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """The steps are one transaction: the tables made before the one that fails are not there afterwards."""
    path = tmp_path / "reelway.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE tombstones (in_the_way TEXT)")
    with pytest.raises(StorageFailed, match="tombstones"):
        upgrade_to_head(path, busy_seconds=1.0)
    assert list(_shape(path)) == ["tombstones"]


def test_a_kill_while_the_first_tables_are_made_leaves_an_empty_file(tmp_path: Path) -> None:
    """They too are one transaction, so the next start begins anew."""
    path = tmp_path / "reelway.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE jobs (id TEXT)")
    prepare(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert revision_of(connection) == HEAD


def _statements() -> Iterator[tuple[str, str]]:
    for file in sorted((_ROOM / "sql").glob("*.sql")):
        if file.stem not in _APART:
            yield from ((name, statement.text) for name, statement in queries.load(file.stem).items())


@pytest.mark.parametrize(("name", "statement"), list(_statements()))
def test_every_statement_finds_its_jobs_by_an_index(made: Path, name: str, statement: str) -> None:
    """A statement that reads all jobs is quick in a test and slow a year later; counting reads the small index only."""
    widths = [statement.partition(")")[0].count(",") + 1 if "{rows}" in statement else 0, 1]
    with contextlib.closing(connect_to_write(made)) as connection:
        plan = _plan(connection, statement, widths)
    scans = [line for line in plan if line.startswith("SCAN jobs") and "INDEX jobs_unfinished" not in line]
    assert scans == [], plan


def _plan(connection: sqlite3.Connection, statement: str, widths: list[int]) -> list[str]:
    """Explain a statement for two rows, whichever width of a row its `{rows}` takes."""
    complaint = ""
    for width in widths:
        row = f"({', '.join('?' * max(width, 1))})"
        text = statement.replace("{rows}", f"{row}, {row}").replace(
            "{conditions}", "AND tenant = :tenant AND id < :after"
        )
        text = text.replace("{direction}", "DESC")
        text = queries.PARAMETER.sub("?", text)
        parameters = [None] * text.count("?")
        try:
            return [str(line[3]) for line in connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
        except sqlite3.OperationalError as error:
            complaint = str(error)
    raise AssertionError(complaint)


def test_every_statement_is_used() -> None:
    """A statement nobody runs is taken out."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in _ROOM.rglob("*.py"))
    names = [name for file in (_ROOM / "sql").glob("*.sql") for name in queries.load(file.stem)]
    read_by_name = {"ended_without_reservation", "still_reserved", "ended_too_early"}
    assert [name for name in names if f'["{name}"]' not in code and name not in read_by_name] == []


def test_a_statement_without_a_sentence_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """House rule, kept by the loader."""
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "bare.sql").write_text("-- name: bare\nSELECT 1\n")
    monkeypatch.setattr(queries.resources, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="'bare' needs a sentence"):
        queries.load("bare")
