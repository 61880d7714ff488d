"""What is written about videos, each function many items at once, inside a transaction that a committer opens and ends.

The one rule: a function either writes all of its items or raises, and may then be run again item by item. None of them looks
at a clock.
"""

from collections import Counter
from collections.abc import Sequence

from reelway.core.errands import Errand
from reelway.core.errors import Conflict, Contradiction, LeaseLost
from reelway.core.record import Record
from reelway.store.claims import earlier_answer, gone
from reelway.store.errands import add_errands
from reelway.store.outbox import add_messages, drop_bodies
from reelway.store.queries import Work, execute, fetch, load, take_turns, write_rows
from reelway.store.reads import find_job, unfinished_within
from reelway.store.rows import change_row, claim_row, entry_row, event_row, job_row
from reelway.store.spec import Change, Created, Creation, IdempotencyClaim

__all__ = [
    "CancelWish",
    "Deletion",
    "apply_changes",
    "create_videos",
    "delete_videos",
    "replay",
    "request_cancels",
    "turns_of",
]

_SQL = load("writing")


class CancelWish(Record):
    job_id: str
    now: float


class Deletion(Record):
    job_id: str
    now: float
    errands: tuple[Errand, ...] = ()


class _KeyIsHeld(Exception):
    """One of several idempotency keys is not free; tried alone, each will find out whether it was that one."""


def create_videos(creations: Sequence[Creation]) -> Work[Sequence[Created]]:
    """Write new videos with all that belongs to them; one whose idempotency key is held gets the earlier answer."""
    for turn in sorted({turn for creation in creations for turn in turns_of(creation)}):
        yield from take_turns(turn)
    claims = [(creation, creation.idempotency) for creation in creations if creation.idempotency is not None]
    if claims and not (yield from _claim_keys(claims)):
        if len(creations) > 1:
            raise _KeyIsHeld
        [(creation, claim)] = claims
        earlier = yield from replay(claim, creation.job.created_at)
        if earlier is not None:
            return [earlier]
        # Another node deleted the video between our two looks, so the key is free now.
        if not (yield from _claim_keys(claims)):
            raise Contradiction(
                f"{creation.job.id}: its idempotency key was neither free nor held; run `reelway db check`"
            )

    yield from _keep_limits(creations)
    jobs = [job for creation in creations for job in (creation.job, *creation.takes)]
    yield from write_rows(_SQL["add_jobs"], [job_row(job) for job in jobs])
    yield from write_rows(_SQL["add_events"], [event_row(creation.job, creation.event) for creation in creations])
    reserved = [entry_row(creation.job, creation.entry) for creation in creations if creation.entry is not None]
    yield from write_rows(_SQL["add_entries"], reserved)
    yield from add_messages([creation.message for creation in creations if creation.message is not None])
    return [Created(job=creation.job) for creation in creations]


def turns_of(creation: Creation) -> tuple[str, ...]:
    """Return the names under which a new video takes turns: two nodes never both see the last place of a limit free."""
    return tuple(f"unfinished {limit.scope} {limit.tenant} {limit.name}" for limit in creation.limits)


def _keep_limits(creations: Sequence[Creation]) -> Work[None]:
    """Raise `RateLimited` when one of these videos would exceed a limit; of several, each will find out alone."""
    asked = Counter(limit for creation in creations for limit in creation.limits)
    for limit, videos in asked.items():
        if (yield from unfinished_within(limit)) + videos > limit.most:
            raise limit.refusal()


def replay(claim: IdempotencyClaim, now: float) -> Work[Created | None]:
    """Return the answer an earlier request with this key got, None when the key is free.

    Raise `Conflict` when that request had another body, and `Gone` when its video was deleted since: making a second one
    would charge for a repetition. A key that nobody chose is free then: whoever deletes a video has had the answer.
    """
    earlier_id = yield from earlier_answer(claim, now, "video")
    if earlier_id is None:
        return None
    job = yield from find_job(earlier_id)
    if job is None and claim.sending is not None:
        return None
    if job is None:
        raise gone(claim, earlier_id, "video")
    return Created(job=job, replayed=True)


def apply_changes(changes: Sequence[Change]) -> Work[Sequence[None]]:
    """Write one change of each job, or raise `LeaseLost` when one of them is not the caller's to change any more."""
    written = yield from write_rows(_SQL["apply_changes"], [change_row(change) for change in changes])
    if written != len(changes):
        raise LeaseLost(_lost(changes[0]) if len(changes) == 1 else "one of several jobs")
    told = [event_row(change.job, change.event) for change in changes if change.event is not None]
    yield from write_rows(_SQL["add_events"], told)
    yield from _add_entries(changes)
    yield from add_messages([change.message for change in changes if change.message is not None])
    yield from add_errands([errand for change in changes for errand in change.errands])
    return [None] * len(changes)


def request_cancels(wishes: Sequence[CancelWish]) -> Work[Sequence[None]]:
    """Note who wants what cancelled."""
    for wish in wishes:
        yield from execute(_SQL["request_cancel"], id=wish.job_id, now=wish.now)
    return [None] * len(wishes)


def delete_videos(deletions: Sequence[Deletion]) -> Work[Sequence[None]]:
    """Remove final videos with all but their ledger and leave tombstones; what is not there is deleted already."""
    for deletion in deletions:
        unfinished = yield from fetch(_SQL["unfinished_of"], id=deletion.job_id)
        if unfinished:
            raise Conflict(f"{unfinished[0][0]} is still being made: cancel it, then delete it")
        yield from execute(_SQL["bury"], id=deletion.job_id, now=deletion.now)
        yield from drop_bodies(deletion.job_id)
        yield from execute(_SQL["delete_takes"], id=deletion.job_id)
        yield from execute(_SQL["delete_job"], id=deletion.job_id)
        yield from add_errands(deletion.errands)
    return [None] * len(deletions)


def _claim_keys(claims: Sequence[tuple[Creation, IdempotencyClaim]]) -> Work[bool]:
    """Take all of these keys; False when one is held, or two of them are the same.

    Sweeps twice as many old ones, so that they never pile up.
    """
    now = max(creation.job.created_at for creation, _ in claims)
    yield from execute(_SQL["forget_idempotency_keys"], now=now, limit=2 * len(claims))
    rows = {(claim.key_id, claim.key): claim_row(claim, creation.job) for creation, claim in claims}
    if len(rows) != len(claims):
        return False
    # In one order, lest two nodes that claim the same keys wait for each other.
    claimed = yield from write_rows(_SQL["claim_idempotency_keys"], [rows[key] for key in sorted(rows)])
    return claimed == len(claims)


def _add_entries(changes: Sequence[Change]) -> Work[None]:
    entries = [(change.job, change.entry) for change in changes if change.entry is not None]
    reserved = [entry_row(job, entry) for job, entry in entries if entry.kind == "reserve"]
    reserved += [entry_row(change.job, entry) for change in changes for entry in change.doubts]
    ended = [entry_row(job, entry) for job, entry in entries if entry.kind != "reserve"]
    yield from write_rows(_SQL["add_entries"], reserved)
    if (yield from write_rows(_SQL["close_reservations"], ended)) != len(ended):
        names = ", ".join(job.id for job, _ in entries)
        raise Contradiction(f"{names}: nothing was reserved, so nothing can be settled or released")


def _lost(change: Change) -> str:
    job = change.job
    held = "as a final job" if change.epoch is None else f"under epoch {change.epoch}"
    return f"{job.id}: version {job.version} was not written {held}; another node or a newer version owns the job"
