"""The first tables: jobs with events and ledger, idempotency keys, nodes, API keys, tombstones, messages, facts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FINAL = "state IN ('completed', 'failed', 'cancelled')"
_UNFINISHED = "state IN ('queued', 'submitting', 'running', 'collecting')"


def upgrade() -> None:
    """Make every table of the first release."""
    _make_jobs()
    _make_events_and_entries()
    _make_idempotency()
    _make_nodes_keys_and_facts()
    _make_tombstones()
    _make_messages()
    _make_errands()
    _make_characters()


def _index(name: str, table: str, columns: list[str], where: str | None = None, *, unique: bool = False) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("key_id", _TEXT, nullable=False),
        sa.Column("parent", _TEXT),
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
        sa.PrimaryKeyConstraint("id", name="jobs_pk"),
        sa.CheckConstraint(f"{_FINAL} OR {_UNFINISHED}", name=op.f("jobs_known_state")),
        sa.CheckConstraint(f"owner IS NULL OR {_UNFINISHED}", name=op.f("jobs_final_has_no_owner")),
        sa.CheckConstraint(f"owner IS NOT NULL OR epoch = 0 OR {_FINAL}", name=op.f("jobs_unowned_has_no_epoch")),
        sa.ForeignKeyConstraint(["parent"], ["jobs.id"], name="jobs_parent_fk"),
    )
    _index("jobs_by_tenant", "jobs", ["tenant", "id"], "parent IS NULL")
    _index("jobs_by_reference", "jobs", ["tenant", "client_reference"], "client_reference IS NOT NULL")
    _index("jobs_by_parent", "jobs", ["parent"], "parent IS NOT NULL")
    _index("jobs_under_way_by_key", "jobs", ["tenant", "key_id"], f"parent IS NULL AND {_UNFINISHED}")
    under_way_by_user = f"end_user IS NOT NULL AND parent IS NULL AND {_UNFINISHED}"
    _index("jobs_under_way_by_user", "jobs", ["tenant", "end_user"], under_way_by_user)
    _index("jobs_by_epoch", "jobs", ["epoch", "due_at", "id"], _UNFINISHED)
    _index("jobs_cancelling", "jobs", ["epoch"], f"cancel_requested_at IS NOT NULL AND {_UNFINISHED}")
    _index("jobs_unfinished", "jobs", ["created_at", "id", "state", "parent"], _UNFINISHED)
    _index("jobs_by_operation", "jobs", ["account", "operation_key"], "operation_key IS NOT NULL", unique=True)
    _index("jobs_expiring", "jobs", ["expires_at"], "expires_at IS NOT NULL AND expired = 0")
    _index("jobs_completed", "jobs", ["model", "completed_at"], "state = 'completed'")


def _make_events_and_entries() -> None:
    op.create_table(
        "events",
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("detail", sa.LargeBinary),
        sa.PrimaryKeyConstraint("job_id", "seq", name="events_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="events_job_id_fk", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entries",
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("key_id", _TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "kind", name="entries_pk"),
        sa.CheckConstraint(
            "kind IN ('reserve', 'settle', 'release', 'doubt', 'loss')", name=op.f("entries_known_kind")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("entries_amount_not_negative")),
        sqlite_with_rowid=False,
    )
    _index("entries_one_end", "entries", ["job_id"], "kind IN ('settle', 'release')", unique=True)
    _index("entries_in_doubt", "entries", ["job_id"], "kind = 'doubt'")
    op.create_table(
        "testimonies",
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "attempt", name="testimonies_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="testimonies_job_id_fk", ondelete="CASCADE"),
    )


def _make_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("key_id", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("body_hash", _TEXT, nullable=False),
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("sending", sa.Integer),
        sa.PrimaryKeyConstraint("key_id", "key", name="idempotency_pk"),
        sqlite_with_rowid=False,
    )
    _index("idempotency_expiring", "idempotency", ["expires_at"])


def _make_nodes_keys_and_facts() -> None:
    op.create_table(
        "nodes",
        sa.Column("node", _TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("host", _TEXT, nullable=False),
        sa.Column("process_id", sa.Integer, nullable=False),
        sa.Column("version", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("draining_at", sa.Double),
        sa.CheckConstraint("role IN ('all', 'api', 'worker')", name=op.f("nodes_known_role")),
        sa.PrimaryKeyConstraint("node", name="nodes_pk"),
        sa.UniqueConstraint("epoch", name="nodes_epoch_key"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
        sa.Column("hint", _TEXT, nullable=False),
        sa.Column("scopes", _TEXT, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="api_keys_pk"),
        sa.UniqueConstraint("hash", name="api_keys_hash_key"),
    )
    op.create_table(
        "batches",
        sa.Column("writer", _TEXT, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("writer", name="batches_pk"),
    )
    op.create_table(
        "facts",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="facts_pk"),
    )


def _make_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("deleted_at", sa.Double, nullable=False),
        sa.Column("account", _TEXT),
        sa.Column("operation_key", _TEXT),
        sa.PrimaryKeyConstraint("job_id", name="tombstones_pk"),
    )
    _index("tombstones_by_operation", "tombstones", ["account", "operation_key"], "operation_key IS NOT NULL")


def _make_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", _TEXT, nullable=False),
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
        sa.PrimaryKeyConstraint("id", name="messages_pk"),
        sa.CheckConstraint(
            "type IN ('video.queued', 'video.in_progress', 'video.completed', 'video.failed')",
            name=op.f("messages_known_type"),
        ),
        sa.CheckConstraint("delivered_at IS NULL OR due_at IS NULL", name=op.f("messages_delivered_is_not_due")),
    )
    _index("messages_due", "messages", ["due_at", "id"], "due_at IS NOT NULL")
    _index("messages_by_video", "messages", ["video_id", "seq"])


def _make_errands() -> None:
    op.create_table(
        "errands",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("job_id", _TEXT),
        sa.Column("work", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("due_at", sa.Double),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("last_answer", _TEXT),
        sa.PrimaryKeyConstraint("id", name="errands_pk"),
    )
    _index("errands_due", "errands", ["due_at", "id"], "due_at IS NOT NULL")
    _index("errands_by_job", "errands", ["job_id"], "job_id IS NOT NULL")


def _make_characters() -> None:
    op.create_table(
        "characters",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("pictures", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="characters_pk"),
    )
    _index("characters_by_tenant", "characters", ["tenant", "id"])
