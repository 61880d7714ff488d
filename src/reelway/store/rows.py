"""Records and rows, one into the other.

The one rule: columns outrank the record. Owner, epoch, version and the cancel wish change without the record being written
anew, so they are put over it whenever a row is read.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from reelway.core.characters import Character
from reelway.core.errands import Errand, ErrandWork
from reelway.core.errors import StorageFailed
from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.keys import ApiKey
from reelway.core.lifecycle import State
from reelway.core.messages import Message
from reelway.core.videos import Blob
from reelway.store.spec import Change, IdempotencyClaim

__all__ = [
    "change_row",
    "character_from_row",
    "character_row",
    "claim_row",
    "entry_from_row",
    "entry_row",
    "errand_from_row",
    "errand_row",
    "event_from_row",
    "event_row",
    "job_from_row",
    "job_row",
    "key_from_row",
    "key_row",
    "message_from_row",
    "message_row",
    "render_seconds_of",
]

_encode = msgspec.json.Encoder().encode
_decode_job = msgspec.json.Decoder(Job).decode
_decode_detail = msgspec.json.Decoder(dict[str, Any]).decode
_decode_work: Callable[[bytes], ErrandWork] = msgspec.json.Decoder(ErrandWork).decode
_decode_pictures = msgspec.json.Decoder(tuple[Blob, ...]).decode
_decode_scopes = msgspec.json.Decoder(tuple[str, ...]).decode


class _Times(msgspec.Struct):
    """The two fields of a job's record that say how long its render took."""

    submitted_at: float | None = None
    rendered_at: float | None = None


_decode_times = msgspec.json.Decoder(_Times).decode


def job_row(job: Job) -> tuple[Any, ...]:
    """Return the columns of `add_jobs`. A job without owner is held under epoch 0, a final one by nobody."""
    owner = None if job.is_final else job.owner
    return (
        job.id,
        job.tenant,
        job.key_id,
        job.parent,
        job.take,
        job.state,
        owner,
        job.epoch if owner is not None or job.is_final else 0,
        job.version,
        job.created_at,
        job.updated_at,
        job.due_at,
        job.deadline_at,
        job.request.model,
        job.request.user,
        None if job.parent is not None else job.request.client_reference,
        job.request.mode,
        _account(job),
        job.operation_key,
        job.completed_at,
        job.expires_at,
        int(job.expired),
        job.cancel_requested_at,
        _encode(job),
    )


def change_row(change: Change) -> tuple[Any, ...]:
    """Return the parameters of `apply_changes`."""
    job = change.job
    return (
        job.id,
        change.node,
        change.epoch,
        job.version - 1,
        int(job.is_final),
        job.state,
        job.version,
        job.updated_at,
        job.due_at,
        job.deadline_at,
        _account(job),
        job.operation_key,
        job.completed_at,
        job.expires_at,
        int(job.expired),
        job.cancel_requested_at,
        _encode(job),
    )


def job_from_row(row: tuple[Any, ...]) -> Job:
    """Return the job behind `record, owner, epoch, version, cancel_requested_at`."""
    record, owner, epoch, version, cancel_requested_at = row
    try:
        job = _decode_job(record)
    except msgspec.MsgspecError as error:
        raise StorageFailed(
            f"a job's record in the database cannot be read ({error}); run `reelway db check`, and restore a backup if it agrees"
        ) from error
    if (
        job.version != version
        or job.epoch != epoch
        or job.owner != owner
        or job.cancel_requested_at != cancel_requested_at
    ):
        return job.evolve(owner=owner, epoch=epoch, version=version, cancel_requested_at=cancel_requested_at)
    return job


def render_seconds_of(record: bytes) -> float | None:
    """Return how long a job took from submit to rendered, None where it did not render itself."""
    times = _decode_times(record)
    if times.submitted_at is None or times.rendered_at is None:
        return None
    return times.rendered_at - times.submitted_at


def event_row(job: Job, event: JobEvent) -> tuple[Any, ...]:
    """Return the columns of `add_events`."""
    return (job.id, event.seq, event.at, event.state, event.name, _encode(event.detail) if event.detail else None)


def event_from_row(row: tuple[Any, ...]) -> JobEvent:
    """Return the line behind `seq, at, state, name, detail`."""
    seq, at, state, name, detail = row
    return JobEvent(
        seq=seq, at=at, state=State(state), name=name, detail={} if detail is None else _decode_detail(detail)
    )


def entry_row(job: Job, entry: Entry) -> tuple[Any, ...]:
    """Return the columns of `add_entries` and `close_reservations`."""
    return (job.id, entry.kind, job.tenant, job.key_id, entry.amount, entry.at)


def entry_from_row(row: tuple[Any, ...]) -> Entry:
    """Return the ledger line behind `kind, amount, at`."""
    kind, amount, at = row
    return Entry(kind=kind, amount=amount, at=at)


def claim_row(claim: IdempotencyClaim, made: Job | Character) -> tuple[Any, ...]:
    """Return the columns of `claim_idempotency_keys`; the time of what is made is the time of the claim."""
    return (claim.key_id, claim.key, claim.body_hash, made.id, made.created_at, claim.expires_at, claim.sending)


def character_row(character: Character) -> dict[str, Any]:
    """Return the parameters of `add_character`."""
    return {
        "id": character.id,
        "tenant": character.tenant,
        "key_id": character.key_id,
        "name": character.name,
        "pictures": _encode(character.pictures),
        "created_at": character.created_at,
    }


def character_from_row(row: tuple[Any, ...]) -> Character:
    """Return the character behind `id, tenant, key_id, name, pictures, created_at`."""
    character_id, tenant, key_id, name, pictures, created_at = row
    return Character(
        id=character_id,
        tenant=tenant,
        key_id=key_id,
        name=name,
        pictures=_decode_pictures(pictures),
        created_at=created_at,
    )


def key_row(key: ApiKey) -> dict[str, Any]:
    """Return the parameters of `add_key`."""
    return {**msgspec.structs.asdict(key), "scopes": _encode(key.scopes).decode()}


def key_from_row(row: tuple[Any, ...]) -> ApiKey:
    """Return the key behind a row of `api_keys`."""
    names = ("id", "tenant", "name", "hash", "hint", "scopes", "created_at", "expires_at", "revoked_at")
    values = dict(zip(names, row, strict=True))
    return msgspec.convert({**values, "scopes": _decode_scopes(values["scopes"])}, ApiKey)


def message_row(message: Message) -> tuple[Any, ...]:
    """Return the columns of `add_messages`."""
    return msgspec.structs.astuple(message)


def message_from_row(row: tuple[Any, ...]) -> Message:
    """Return the message behind a row of `messages`, whose columns stand in the order of its fields."""
    return Message(**dict(zip(Message.__struct_fields__, row, strict=True)))


def _account(job: Job) -> str | None:
    return None if job.route is None else job.route.account


def errand_row(errand: Errand) -> tuple[Any, ...]:
    """Return the columns of `add_errands`."""
    return (
        errand.id,
        errand.job_id,
        _encode(errand.work),
        errand.created_at,
        errand.due_at,
        errand.tries,
        errand.last_answer,
    )


def errand_from_row(row: tuple[Any, ...]) -> Errand:
    """Return the errand behind `id, job_id, work, created_at, due_at, tries, last_answer`."""
    errand_id, job_id, work, created_at, due_at, tries, last_answer = row
    return Errand(
        id=errand_id,
        job_id=job_id,
        work=_decode_work(work),
        created_at=created_at,
        due_at=due_at,
        tries=tries,
        last_answer=last_answer,
    )
