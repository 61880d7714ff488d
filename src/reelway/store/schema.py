"""The tables, as SQLAlchemy Core describes them. Read by migrations, administration and tests; never on a request's path.

The one rule: this file, the migrations, `sql/schema.sql` and `sql/postgres/schema.sql` (with which a new database is made,
without importing SQLAlchemy) say the same; a test compares them. After a change here, run `python -m reelway.store.schema` to
write both of them anew.
"""

from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from reelway.store.revisions import HEAD

__all__ = ["METADATA", "schema_sql"]

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Compared byte by byte in both databases: pages go by id, and a new version of a system's alphabet damages no index."""

_FINAL = "state IN ('completed', 'failed', 'cancelled')"
_UNFINISHED = "state IN ('queued', 'submitting', 'running', 'collecting')"

_ROLES = "role IN ('all', 'api', 'worker')"
_MESSAGE_TYPES = "type IN ('video.queued', 'video.in_progress', 'video.completed', 'video.failed')"

_VERSION_TABLE = """CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""
"""As Alembic makes it."""

METADATA = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "ck": "%(table_name)s_%(constraint_name)s",
        "uq": "%(table_name)s_%(column_0_name)s_key",
    }
)


def _index(name: str, *columns: sa.Column[Any], where: str | None = None, unique: bool = False) -> None:
    """Declare an index, over some of the rows only where `where` says so, alike in both databases."""
    condition = None if where is None else sa.text(where)
    sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


_JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", _TEXT, primary_key=True),
    sa.Column("tenant", _TEXT, nullable=False),
    sa.Column("key_id", _TEXT, nullable=False),
    sa.Column("parent", _TEXT, sa.ForeignKey("jobs.id")),
    sa.Column("take", sa.Integer, nullable=False),
    sa.Column("state", _TEXT, nullable=False),
    sa.Column("owner", _TEXT),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("due_at", sa.Double, nullable=False),
    sa.Column("deadline_at", sa.Double, nullable=False),
    sa.Column("model", _TEXT, nullable=False),
    sa.Column("end_user", _TEXT),
    sa.Column("client_reference", _TEXT),
    sa.Column("mode", _TEXT, nullable=False),
    sa.Column("account", _TEXT),
    sa.Column("operation_key", _TEXT),
    sa.Column("completed_at", sa.Double),
    sa.Column("expires_at", sa.Double),
    sa.Column("expired", sa.Integer, nullable=False),
    sa.Column("cancel_requested_at", sa.Double),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sa.CheckConstraint(f"{_FINAL} OR {_UNFINISHED}", name="known_state"),
    sa.CheckConstraint(f"owner IS NULL OR {_UNFINISHED}", name="final_has_no_owner"),
    sa.CheckConstraint(f"owner IS NOT NULL OR epoch = 0 OR {_FINAL}", name="unowned_has_no_epoch"),
)

# Videos of one tenant in order; takes are not listed.
_index("jobs_by_tenant", _JOBS.c.tenant, _JOBS.c.id, where="parent IS NULL")
# The caller's own marks, by which a video is found when the answer with its id was lost.
_index("jobs_by_reference", _JOBS.c.tenant, _JOBS.c.client_reference, where="client_reference IS NOT NULL")
_index("jobs_by_parent", _JOBS.c.parent, where="parent IS NOT NULL")
# What an API key, or an end user, has under way; small, because final jobs are not in it.
_index("jobs_under_way_by_key", _JOBS.c.tenant, _JOBS.c.key_id, where=f"parent IS NULL AND {_UNFINISHED}")
_index(
    "jobs_under_way_by_user",
    _JOBS.c.tenant,
    _JOBS.c.end_user,
    where=f"end_user IS NOT NULL AND parent IS NULL AND {_UNFINISHED}",
)
# Who holds which unfinished job, the oldest due first; small, because final jobs are not in it.
_index("jobs_by_epoch", _JOBS.c.epoch, _JOBS.c.due_at, _JOBS.c.id, where=_UNFINISHED)
# What somebody wants cancelled and is not final yet: read at every renewal of a lease, and all but empty.
_index("jobs_cancelling", _JOBS.c.epoch, where=f"cancel_requested_at IS NOT NULL AND {_UNFINISHED}")
# Counted, never looked up; `state` is not its first column, lest the planner take it where `jobs_by_epoch` is meant.
_index("jobs_unfinished", _JOBS.c.created_at, _JOBS.c.id, _JOBS.c.state, _JOBS.c.parent, where=_UNFINISHED)
# A vendor's piece of work belongs to one job at most.
_index("jobs_by_operation", _JOBS.c.account, _JOBS.c.operation_key, where="operation_key IS NOT NULL", unique=True)
_index("jobs_expiring", _JOBS.c.expires_at, where="expires_at IS NOT NULL AND expired = 0")
_index("jobs_completed", _JOBS.c.model, _JOBS.c.completed_at, where="state = 'completed'")

sa.Table(
    "events",
    METADATA,
    sa.Column("job_id", _TEXT, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("state", _TEXT, nullable=False),
    sa.Column("name", _TEXT, nullable=False),
    sa.Column("detail", sa.LargeBinary),
    sqlite_with_rowid=False,
)

# The ledger outlives its videos, so it points at nothing. Two keys make it sound: one line of a kind for each video, and one
# end, settled or released, for each reservation.
_ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("job_id", _TEXT, primary_key=True),
    sa.Column("kind", _TEXT, primary_key=True),
    sa.Column("tenant", _TEXT, nullable=False),
    sa.Column("key_id", _TEXT, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.CheckConstraint("kind IN ('reserve', 'settle', 'release', 'doubt', 'loss')", name="known_kind"),
    sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
    sqlite_with_rowid=False,
)
_index("entries_one_end", _ENTRIES.c.job_id, where="kind IN ('settle', 'release')", unique=True)
_index("entries_in_doubt", _ENTRIES.c.job_id, where="kind = 'doubt'")

# What others say of a submit whose outcome its owner does not know.
sa.Table(
    "testimonies",
    METADATA,
    sa.Column("job_id", _TEXT, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
)

_IDEMPOTENCY = sa.Table(
    "idempotency",
    METADATA,
    sa.Column("key_id", _TEXT, primary_key=True),
    sa.Column("key", _TEXT, primary_key=True),
    sa.Column("body_hash", _TEXT, nullable=False),
    sa.Column("job_id", _TEXT, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("sending", sa.Integer),
    sqlite_with_rowid=False,
)
_index("idempotency_expiring", _IDEMPOTENCY.c.expires_at)

sa.Table(
    "nodes",
    METADATA,
    sa.Column("node", _TEXT, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False, unique=True),
    sa.Column("lease_until", sa.Double, nullable=False),
    sa.Column("host", _TEXT, nullable=False),
    sa.Column("process_id", sa.Integer, nullable=False),
    sa.Column("version", _TEXT, nullable=False),
    sa.Column("role", _TEXT, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("draining_at", sa.Double),
    sa.CheckConstraint(_ROLES, name="known_role"),
)

sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", _TEXT, primary_key=True),
    sa.Column("tenant", _TEXT, nullable=False),
    sa.Column("name", _TEXT, nullable=False),
    sa.Column("hash", _TEXT, nullable=False, unique=True),
    sa.Column("hint", _TEXT, nullable=False),
    sa.Column("scopes", _TEXT, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double),
    sa.Column("revoked_at", sa.Double),
)

# What is left of a deleted job: whose it was, and which piece of a vendor's work it had, so that nobody adopts that again.
_TOMBSTONES = sa.Table(
    "tombstones",
    METADATA,
    sa.Column("job_id", _TEXT, primary_key=True),
    sa.Column("tenant", _TEXT, nullable=False),
    sa.Column("deleted_at", sa.Double, nullable=False),
    sa.Column("account", _TEXT),
    sa.Column("operation_key", _TEXT),
)
_index(
    "tombstones_by_operation",
    _TOMBSTONES.c.account,
    _TOMBSTONES.c.operation_key,
    where="operation_key IS NOT NULL",
)

# What callers showed once and call by name; `pictures` says where the files are.
_CHARACTERS = sa.Table(
    "characters",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("pictures", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)
_index("characters_by_tenant", _CHARACTERS.c.tenant, _CHARACTERS.c.id)

# Delivered messages outlive their video, so they point at nothing.
_MESSAGES = sa.Table(
    "messages",
    METADATA,
    sa.Column("id", _TEXT, primary_key=True),
    sa.Column("video_id", _TEXT, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("tenant", _TEXT, nullable=False),
    sa.Column("type", _TEXT, nullable=False),
    sa.Column("url", _TEXT, nullable=False),
    sa.Column("body", _TEXT, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("delivered_at", sa.Double),
    sa.Column("last_answer", _TEXT),
    sa.CheckConstraint(_MESSAGE_TYPES, name="known_type"),
    sa.CheckConstraint("delivered_at IS NULL OR due_at IS NULL", name="delivered_is_not_due"),
)
# Small, because what is delivered or given up is not in it.
_index("messages_due", _MESSAGES.c.due_at, _MESSAGES.c.id, where="due_at IS NOT NULL")
_index("messages_by_video", _MESSAGES.c.video_id, _MESSAGES.c.seq)

# What is still to be done, also about deleted videos, so it points at nothing.
_ERRANDS = sa.Table(
    "errands",
    METADATA,
    sa.Column("id", _TEXT, primary_key=True),
    sa.Column("job_id", _TEXT),
    sa.Column("work", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("last_answer", _TEXT),
)
_index("errands_due", _ERRANDS.c.due_at, _ERRANDS.c.id, where="due_at IS NOT NULL")
_index("errands_by_job", _ERRANDS.c.job_id, where="job_id IS NOT NULL")

# Which batch each writer committed last, so that one whose connection broke at that moment finds out whether it arrived.
# SQLite, which has no connection to lose, leaves it empty.
sa.Table(
    "batches",
    METADATA,
    sa.Column("writer", _TEXT, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)

sa.Table(
    "facts",
    METADATA,
    sa.Column("name", _TEXT, primary_key=True),
    sa.Column("value", _TEXT, nullable=False),
)


def schema_sql(kind: Literal["sqlite", "postgres"] = "sqlite") -> str:
    """Return the statements that make a new database of this shape, one after another, each ended by `;` and a line break."""
    dialect = postgresql.dialect() if kind == "postgres" else sqlite.dialect()  # type: ignore[no-untyped-call]
    statements = []
    for table in METADATA.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements.extend(str(CreateIndex(index).compile(dialect=dialect)).strip() for index in indexes)
    statements.append(_VERSION_TABLE)
    statements.append(f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')")  # noqa: S608 - a constant of ours
    heading = "-- Drawn from schema.py by `python -m reelway.store.schema`; a test fails when it lags.\n\n"
    lines = (line.rstrip() for statement in statements for line in [*f"{statement};".splitlines(), ""])
    return heading + "\n".join(lines)


if __name__ == "__main__":
    _FOLDER = Path(__file__).parent / "sql"
    (_FOLDER / "schema.sql").write_text(schema_sql(), encoding="utf-8")
    (_FOLDER / "postgres" / "schema.sql").write_text(schema_sql("postgres"), encoding="utf-8")
