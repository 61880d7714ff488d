"""What is read about videos, each function on a connection it is handed.

The one rule: nothing here writes, and every statement finds its rows by an index.
"""

import sqlite3
from typing import Any

from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.lifecycle import FINAL, State
from reelway.core.record import Record
from reelway.store.queries import fetch_rows, load
from reelway.store.rows import entry_from_row, event_from_row, job_from_row, render_seconds_of
from reelway.store.spec import JobPage, JobQuery

__all__ = [
    "IdempotentAnswer",
    "completed_render_seconds",
    "expiring_jobs",
    "find_entries",
    "find_events",
    "find_job",
    "find_jobs",
    "find_page",
    "find_tombstone_tenant",
    "holders",
    "idempotent_answer",
    "is_quick",
    "queued_before",
    "unfinished_counts",
]

_SQL = load("reading")
_JOB = _SQL["job"]

_CONDITIONS = {
    "tenant": "AND tenant = :tenant",
    "model": "AND model = :model",
    "user": "AND end_user = :user",
    "created_after": "AND created_at > :created_after",
    "created_before": "AND created_at < :created_before",
}
_LISTS = {"id": "ids", "state": "states", "client_reference": "client_references", "mode": "modes"}
"""Columns of which any of several values will do, and the field of the query that holds them."""
_BEYOND = {True: "AND id < :after", False: "AND id > :after"}
_DIRECTION = {True: "DESC", False: "ASC"}


class IdempotentAnswer(Record):
    """What a key was used for."""

    body_hash: str
    job_id: str
    expires_at: float


def find_job(connection: sqlite3.Connection, job_id: str) -> Job | None:
    row = connection.execute(_JOB, (job_id,)).fetchone()
    return None if row is None else job_from_row(row)


def find_jobs(connection: sqlite3.Connection, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
    """Return those that exist, in the order of the ids."""
    wanted = dict.fromkeys(job_ids)
    found = {
        row[0]: job_from_row(row[1:]) for row in fetch_rows(connection, _SQL["jobs_by_id"], [(i,) for i in wanted])
    }
    return tuple(found[job_id] for job_id in wanted if job_id in found)


def is_quick(query: JobQuery) -> bool:
    """Tell whether a page is read off the index, row after row, with nothing to pass over."""
    filters = (query.model, query.user, query.created_after, query.created_before)
    lists = (query.states, query.ids, query.client_references, query.modes)
    passes_over = query.skip > 0 or query.counted or any(lists) or any(value is not None for value in filters)
    return query.tenant is not None and not passes_over


def find_page(connection: sqlite3.Connection, query: JobQuery) -> JobPage:
    conditions, values = _conditions(query)
    total = None
    if query.counted:
        text = _SQL["count"].replace("{conditions}", " ".join(conditions))
        total = int(connection.execute(text, values).fetchone()[0])
    if query.after is not None:
        conditions.append(_BEYOND[query.descending])
    text = (
        _SQL["page"].replace("{conditions}", " ".join(conditions)).replace("{direction}", _DIRECTION[query.descending])
    )
    places = {"after": query.after, "limit": query.limit + 1, "skip": query.skip}
    rows = connection.execute(text, {**values, **places}).fetchall()
    jobs = tuple(job_from_row(row) for row in rows[: query.limit])
    return JobPage(jobs=jobs, has_more=len(rows) > query.limit, total=total)


def _conditions(query: JobQuery) -> tuple[list[str], dict[str, Any]]:
    """Return what a video must fulfil, as text from the closed lists here, and the values it names."""
    conditions = [text for name, text in _CONDITIONS.items() if getattr(query, name) is not None]
    values: dict[str, Any] = {name: getattr(query, name) for name in _CONDITIONS}
    for column, wanted in _LISTS.items():
        members = {f"{column}_{number}": value for number, value in enumerate(getattr(query, wanted))}
        if members:
            conditions.append(f"AND {column} IN ({', '.join(f':{name}' for name in members)})")
            values |= members
    return conditions, values


def find_events(connection: sqlite3.Connection, job_id: str, after_seq: int) -> tuple[JobEvent, ...]:
    rows = connection.execute(_SQL["events"], {"id": job_id, "after_seq": after_seq})
    return tuple(event_from_row(row) for row in rows)


def find_entries(connection: sqlite3.Connection, job_id: str) -> tuple[Entry, ...]:
    return tuple(entry_from_row(row) for row in connection.execute(_SQL["entries"], {"id": job_id}))


def idempotent_answer(connection: sqlite3.Connection, key_id: str, key: str) -> IdempotentAnswer | None:
    row = connection.execute(_SQL["idempotent_answer"], {"key_id": key_id, "key": key}).fetchone()
    return None if row is None else IdempotentAnswer(body_hash=row[0], job_id=row[1], expires_at=row[2])


def find_tombstone_tenant(connection: sqlite3.Connection, job_id: str) -> str | None:
    row = connection.execute(_SQL["tombstone_tenant"], {"id": job_id}).fetchone()
    return None if row is None else str(row[0])


def holders(connection: sqlite3.Connection, account: str, operation_keys: tuple[str, ...]) -> dict[str, str]:
    rows = [(key,) for key in dict.fromkeys(operation_keys)]
    return dict(fetch_rows(connection, _SQL["holders"], rows, after=(account, account)))


def expiring_jobs(connection: sqlite3.Connection, now: float, limit: int) -> tuple[Job, ...]:
    rows = connection.execute(_SQL["expiring"], {"now": now, "limit": limit})
    return tuple(job_from_row(row) for row in rows)


def queued_before(connection: sqlite3.Connection, job: Job) -> int:
    names = {"created_at": job.created_at, "id": job.id}
    return int(connection.execute(_SQL["queue_position"], names).fetchone()[0])


def unfinished_counts(connection: sqlite3.Connection) -> dict[State, int]:
    """Return every unfinished state with its number of jobs, also where that is 0."""
    counts = {State(state): int(count) for state, count in connection.execute(_SQL["count_unfinished"])}
    return {state: counts.get(state, 0) for state in State if state not in FINAL}


def completed_render_seconds(connection: sqlite3.Connection, limit: int) -> dict[str, tuple[float, ...]]:
    """Return the render times of each model's newest completed jobs, the newest first."""
    measured: dict[str, tuple[float, ...]] = {}
    for (model,) in connection.execute(_SQL["completed_models"]).fetchall():
        rows = connection.execute(_SQL["newest_completed"], {"model": model, "limit": limit})
        seconds = tuple(taken for (record,) in rows if (taken := render_seconds_of(record)) is not None)
        if seconds:
            measured[model] = seconds
    return measured
