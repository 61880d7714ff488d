"""What is read about videos, step by step, from whichever database.

The one rule: nothing here writes, and every statement finds its rows by an index.
"""

from typing import Any

from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.keys import UnfinishedLimit
from reelway.core.lifecycle import FINAL, State
from reelway.core.record import Record
from reelway.store.queries import Work, fetch, fetch_rows, load
from reelway.store.rows import entry_from_row, event_from_row, job_from_row, render_seconds_of
from reelway.store.spec import JobPage, JobQuery

__all__ = [
    "IdempotentAnswer",
    "completed_render_seconds",
    "exceeded_limit",
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
    "unfinished_within",
]

_SQL = load("reading")
_JOB = _SQL["job"]

_UNDER_WAY = {"key": _SQL["unfinished_of_key"], "user": _SQL["unfinished_of_user"]}
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


def find_job(job_id: str) -> Work[Job | None]:
    rows = yield from fetch(_JOB, id=job_id)
    return job_from_row(rows[0]) if rows else None


def find_jobs(job_ids: tuple[str, ...]) -> Work[tuple[Job, ...]]:
    """Return those that exist, in the order of the ids."""
    wanted = dict.fromkeys(job_ids)
    rows = yield from fetch_rows(_SQL["jobs_by_id"], [(job_id,) for job_id in wanted])
    found = {row[0]: job_from_row(row[1:]) for row in rows}
    return tuple(found[job_id] for job_id in wanted if job_id in found)


def is_quick(query: JobQuery) -> bool:
    """Tell whether a page is read off the index, row after row, with nothing to pass over."""
    filters = (query.model, query.user, query.created_after, query.created_before)
    lists = (query.states, query.ids, query.client_references, query.modes)
    passes_over = query.skip > 0 or query.counted or any(lists) or any(value is not None for value in filters)
    return query.tenant is not None and not passes_over


def find_page(query: JobQuery) -> Work[JobPage]:
    conditions, values = _conditions(query)
    total = None
    if query.counted:
        [(counted,)] = yield from fetch(_SQL["count"].filled(conditions=" ".join(conditions)), **values)
        total = int(counted)
    if query.after is not None:
        conditions.append(_BEYOND[query.descending])
    statement = _SQL["page"].filled(conditions=" ".join(conditions), direction=_DIRECTION[query.descending])
    values |= {"after": query.after, "limit": query.limit + 1, "skip": query.skip}
    rows = yield from fetch(statement, **values)
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


def find_events(job_id: str, after_seq: int) -> Work[tuple[JobEvent, ...]]:
    rows = yield from fetch(_SQL["events"], id=job_id, after_seq=after_seq)
    return tuple(event_from_row(row) for row in rows)


def find_entries(job_id: str) -> Work[tuple[Entry, ...]]:
    rows = yield from fetch(_SQL["entries"], id=job_id)
    return tuple(entry_from_row(row) for row in rows)


def idempotent_answer(key_id: str, key: str) -> Work[IdempotentAnswer | None]:
    rows = yield from fetch(_SQL["idempotent_answer"], key_id=key_id, key=key)
    return IdempotentAnswer(body_hash=rows[0][0], job_id=rows[0][1], expires_at=rows[0][2]) if rows else None


def unfinished_within(limit: UnfinishedLimit) -> Work[int]:
    """Return how many videos are under way that a limit counts, but no more than it allows."""
    rows = yield from fetch(_UNDER_WAY[limit.scope], tenant=limit.tenant, name=limit.name, most=limit.most)
    return int(rows[0][0])


def exceeded_limit(limits: tuple[UnfinishedLimit, ...]) -> Work[UnfinishedLimit | None]:
    """Return the first limit that one more video would exceed."""
    for limit in limits:
        if (yield from unfinished_within(limit)) >= limit.most:
            return limit
    return None


def find_tombstone_tenant(job_id: str) -> Work[str | None]:
    rows = yield from fetch(_SQL["tombstone_tenant"], id=job_id)
    return str(rows[0][0]) if rows else None


def holders(account: str, operation_keys: tuple[str, ...]) -> Work[dict[str, str]]:
    keys = [(key,) for key in dict.fromkeys(operation_keys)]
    rows = yield from fetch_rows(_SQL["holders"], keys, account=account)
    return dict(rows)


def expiring_jobs(now: float, limit: int) -> Work[tuple[Job, ...]]:
    rows = yield from fetch(_SQL["expiring"], now=now, limit=limit)
    return tuple(job_from_row(row) for row in rows)


def queued_before(job: Job) -> Work[int]:
    [(count,)] = yield from fetch(_SQL["queue_position"], created_at=job.created_at, id=job.id)
    return int(count)


def unfinished_counts() -> Work[dict[State, int]]:
    """Return every unfinished state with its number of jobs, also where that is 0."""
    rows = yield from fetch(_SQL["count_unfinished"])
    counts = {State(state): int(count) for state, count in rows}
    return {state: counts.get(state, 0) for state in State if state not in FINAL}


def completed_render_seconds(limit: int) -> Work[dict[str, tuple[float, ...]]]:
    """Return the render times of each model's newest completed jobs, the newest first."""
    measured: dict[str, tuple[float, ...]] = {}
    models = yield from fetch(_SQL["completed_models"])
    for (model,) in models:
        rows = yield from fetch(_SQL["newest_completed"], model=model, limit=limit)
        seconds = tuple(taken for (record,) in rows if (taken := render_seconds_of(record)) is not None)
        if seconds:
            measured[model] = seconds
    return measured
