"""The named statements of `sql/*.sql`, and the steps in which reads and writes ask for them.

The one rule: what is read and written is said once, as a generator that yields the statement it wants run and is handed what
came of it; a database's own module runs the steps. Every statement has a name and says in a sentence why it is there; a file
that breaks this does not load. Where PostgreSQL needs other words, `sql/postgres/` has a statement of the same name.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

__all__ = [
    "PARAMETER",
    "PostgresText",
    "Statement",
    "Step",
    "Work",
    "execute",
    "fetch",
    "fetch_rows",
    "load",
    "take_turns",
    "write_rows",
]

_Found = TypeVar("_Found")

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
PARAMETER = re.compile(r"(?<!:):([a-z]\w*)")
_ROWS = re.compile(r"(?:\(([\w\s,]+)\)\s*(?:AS \()?)?VALUES \{rows\}")
_TYPES = {
    **dict.fromkeys(("take", "expired", "final", "sending", "tries"), "int4"),
    **dict.fromkeys(("epoch", "version", "seen", "seq", "amount"), "int8"),
    **dict.fromkeys(("record", "detail", "work"), "bytea"),
    **dict.fromkeys(
        ("at", "created_at", "updated_at", "due_at", "deadline_at", "completed_at", "expires_at"), "float8"
    ),
    **dict.fromkeys(("cancel_requested_at", "delivered_at"), "float8"),
}
"""What PostgreSQL must be told of the columns of `{rows}`; all others are text."""


class PostgresText(NamedTuple):
    """A statement as PostgreSQL takes it: first an array for each column of the rows, then the names, in this order."""

    text: str
    names: tuple[str, ...]


class Statement:
    """One statement, with `:name` for a value and `VALUES {rows}` where many rows go in at once."""

    def __init__(self, text: str, own_postgres: str | None = None) -> None:
        self.text = text
        self._own_postgres = own_postgres

    def filled(self, **words: str) -> "Statement":
        """Return it with these words for its braces; they come from closed lists in the code, never from outside."""
        return _filled(self, tuple(words.items()))

    @cached_property
    def postgres(self) -> PostgresText:
        text = self.text if self._own_postgres is None else self._own_postgres
        arrays = 0
        rows = _ROWS.search(text)
        if rows is not None:
            columns = [column.strip() for column in (rows[1] or "id").split(",")]
            arrays = len(columns)
            types = ", ".join(f"${n}::{_TYPES.get(column, 'text')}[]" for n, column in enumerate(columns, 1))
            text = text.replace("VALUES {rows}", f"SELECT * FROM unnest({types})")  # noqa: S608 - of our own words
        names = tuple(dict.fromkeys(PARAMETER.findall(text)))
        places = {name: f"${number}" for number, name in enumerate(names, arrays + 1)}
        return PostgresText(PARAMETER.sub(lambda match: places[match[1]], text), names)

    def with_words(self, words: tuple[tuple[str, str], ...]) -> "Statement":
        own = self._own_postgres
        return Statement(_replaced(self.text, words), None if own is None else _replaced(own, words))


class Step(NamedTuple):
    """What a read or write wants done next. `rows` is None for a statement without `{rows}`.

    What comes back is the rows found, or for a write the number of rows it touched. Without a statement it is a turn: one of
    those who write under this name goes first, in whatever process, and the others wait until its transaction is over.
    """

    statement: Statement | None
    names: Mapping[str, Any]
    rows: Sequence[Sequence[Any]] | None = None
    is_read: bool = False
    turn: str | None = None


Work: TypeAlias = Generator[Step, Any, _Found]
"""A read or a write, step by step."""


def fetch(statement: Statement, /, **names: Any) -> Work[list[Any]]:
    """Run a statement; return the rows it gives."""
    found: list[Any] = yield Step(statement, names, is_read=True)
    return found


def fetch_rows(statement: Statement, rows: Sequence[Sequence[Any]], /, **names: Any) -> Work[list[Any]]:
    """Run a query with `{rows}` over all rows; return everything it found."""
    if not rows:
        return []
    found: list[Any] = yield Step(statement, names, rows, is_read=True)
    return found


def execute(statement: Statement, /, **names: Any) -> Work[int]:
    """Run a statement; return how many rows it touched."""
    touched: int = yield Step(statement, names)
    return touched


def write_rows(statement: Statement, rows: Sequence[Sequence[Any]], /, **names: Any) -> Work[int]:
    """Run a statement with `{rows}` over all rows; return how many rows of the table it touched."""
    if not rows:
        return 0
    touched: int = yield Step(statement, names, rows)
    return touched


def take_turns(name: str) -> Work[None]:
    """Wait for whoever else takes turns under this name; it is ours until the transaction ends. SQLite has one writer anyway."""
    yield Step(None, {}, turn=name)


@cache
def load(subject: str) -> Mapping[str, Statement]:
    """Return the statements of `sql/<subject>.sql` by name, without their comments."""
    own = _read(f"postgres/{subject}")
    shared = _read(subject)
    if own.keys() - shared.keys():
        raise ValueError(
            f"sql/postgres/{subject}.sql: {sorted(own.keys() - shared.keys())} are not in sql/{subject}.sql"
        )
    return MappingProxyType({name: Statement(text, own.get(name)) for name, text in shared.items()})


def _read(subject: str) -> dict[str, str]:
    file = resources.files("reelway.store") / "sql" / f"{subject}.sql"
    if not file.is_file():
        return {}
    pieces = _NAME.split(file.read_text(encoding="utf-8"))[1:]
    statements: dict[str, str] = {}
    for name, piece in zip(pieces[::2], pieces[1::2], strict=True):
        lines = piece.strip().splitlines()
        statement = "\n".join(line for line in lines if not line.startswith("--"))
        if len(statement.splitlines()) == len(lines) or name in statements:
            raise ValueError(f"sql/{subject}.sql: {name!r} needs a sentence of its own, and may stand there once")
        statements[name] = statement.strip()
    return statements


@lru_cache(maxsize=256)
def _filled(statement: Statement, words: tuple[tuple[str, str], ...]) -> Statement:
    return statement.with_words(words)


def _replaced(text: str, words: tuple[tuple[str, str], ...]) -> str:
    for name, word in words:
        text = text.replace(f"{{{name}}}", word)
    return text
