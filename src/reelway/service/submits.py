"""The operator's view of submits whose outcome nobody knows, and their settling.

The one rule: what is final for the caller stays as it was told. Settling says what became of the work and what it cost the
operator; it never charges the caller. While a video is still looked up, its owner does as it is told here, under its own lease.
"""

from collections.abc import Callable

from reelway.core.errors import Conflict, InvalidRequest, LeaseLost, NotFound
from reelway.core.failures import FailureKind
from reelway.core.jobs import Attempt, Entry, Job, JobEvent
from reelway.core.lifecycle import State
from reelway.core.money import Micros
from reelway.core.record import Record
from reelway.core.submits import Settlement, Testimony, Verdict
from reelway.store.spec import Change, JobStore

__all__ = ["LostSubmit", "Submits"]

_OPEN_SECONDS = 60.0
"""An attempt without outcome is on its way for so long before it looks lost."""
_MOST = 1000


class LostSubmit(Record):
    """One submit whose outcome nobody knows, with what there is to search for at the vendor."""

    video: str
    tenant: str
    state: str
    """`looked_up` while nobody knows, `ended` as `submission_unknown`, `settled`, or `deleted` with its record."""
    reserved: Micros
    """What it may have cost, as quoted; 0 for a take of a video with several."""
    model: str = ""
    account: str = ""
    attempts: tuple[Attempt, ...] = ()
    said: Testimony | None = None
    """What was said about it and not acted upon yet."""


class Submits:
    """Lists, shows and settles."""

    def __init__(self, store: JobStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def lost(self, limit: int = 100) -> tuple[LostSubmit, ...]:
        """Return those nobody knows about, the ones that are still looked up first."""
        before = self._clock() - _OPEN_SECONDS
        waiting = [job for job in await self._store.submitting(_MOST) if _is_lost(job, before)]
        found = tuple(_view(job, "looked_up") for job in waiting[:limit])
        ids = await self._store.doubts(limit - len(found)) if len(found) < limit else ()
        ended = {job.id: _view(job, "ended") for job in await self._store.get_many(ids)}
        return found + tuple([ended.get(job_id) or await self._deleted(job_id) for job_id in ids])

    async def show(self, video_id: str) -> LostSubmit:
        """Return one, with its whole journal. Raises `NotFound` for a video whose submits are all accounted for."""
        job = await self._store.get(video_id)
        if job is None:
            return await self._deleted(video_id)
        if job.state is State.SUBMITTING:
            said = await self._store.testimony(job.id, job.attempts[-1].number)
            return _view(job, "looked_up").evolve(said=said)
        if not _ended_in_doubt(job):
            raise Conflict(f"{video_id} is {job.state}, and the outcome of its submit is known")
        return _view(job, "ended" if job.attempts[-1].settlement is None else "settled")

    async def settle(
        self, video_id: str, verdict: Verdict, *, by: str, key: str = "", amount: Micros | None = None
    ) -> str:
        """Say what became of a submit; return what comes of that, in words. Saying it twice changes nothing more."""
        if verdict == "charged" and amount is None:
            raise InvalidRequest("say what it cost", param="amount")
        now = self._clock()
        job = await self._store.get(video_id)
        if job is None:
            return await self._settle_deleted(video_id, verdict, amount, now)
        if job.state is State.SUBMITTING:
            said = Testimony(
                job_id=job.id,
                attempt=job.attempts[-1].number,
                verdict=verdict,
                by=by,
                at=now,
                key=key,
                amount=amount,
            )
            if verdict == "made" and not key:
                raise InvalidRequest("name the vendor's id of what was made", param="key")
            if await self._store.testify(said):
                return "its node acts upon it at its next look"
            raise Conflict(f"{video_id} has just gone on; look again")
        if not _ended_in_doubt(job) or job.attempts[-1].settlement is not None:
            raise Conflict(f"{video_id} is {job.state}, and there is nothing to settle")
        return await self._settle_ended(job, verdict, by, key, amount, now)

    async def _settle_ended(
        self, job: Job, verdict: Verdict, by: str, key: str, amount: Micros | None, now: float
    ) -> str:
        cost = _cost(verdict, amount, job.reserved)
        settlement = Settlement(verdict=verdict, by=by, at=now, key=key, amount=cost)
        attempts = (*job.attempts[:-1], job.attempts[-1].evolve(settlement=settlement))
        changed = job.evolve(version=job.version + 1, updated_at=now, attempts=attempts)
        detail = {"by": by, "verdict": verdict, "key": key, "amount": cost}
        change = Change(
            job=changed,
            event=JobEvent(seq=changed.version, at=now, state=job.state, name="submit_settled", detail=detail),
            doubts=(Entry(kind="loss", amount=cost, at=now),),
        )
        try:
            await self._store.apply(change)
        except LeaseLost:
            raise Conflict(f"{job.id} has just been changed; look again") from None
        return "written down; the video stays failed, and its caller pays nothing"

    async def _settle_deleted(self, video_id: str, verdict: Verdict, amount: Micros | None, now: float) -> str:
        deleted = await self._deleted(video_id)
        if not await self._store.write_loss(video_id, _cost(verdict, amount, deleted.reserved), now):
            raise Conflict(f"{video_id} was settled already")
        return "written down; the video was deleted"

    async def _deleted(self, video_id: str) -> LostSubmit:
        doubt = [entry for entry in await self._store.entries(video_id) if entry.kind == "doubt"]
        if not doubt:
            raise NotFound(f"there is no video {video_id!r} whose submit is in doubt")
        tenant = await self._store.tombstone_tenant(video_id) or ""
        return LostSubmit(video=video_id, tenant=tenant, state="deleted", reserved=doubt[0].amount)


def _cost(verdict: Verdict, amount: Micros | None, quoted: Micros) -> Micros:
    if amount is not None:
        return amount
    return quoted if verdict == "made" else 0


def _is_lost(job: Job, before: float) -> bool:
    attempt = job.attempts[-1]
    return attempt.outcome == "unknown" or attempt.started_at < before


def _ended_in_doubt(job: Job) -> bool:
    return job.failure is not None and job.failure.kind is FailureKind.SUBMISSION_UNKNOWN and bool(job.attempts)


def _view(job: Job, state: str) -> LostSubmit:
    return LostSubmit(
        video=job.id,
        tenant=job.tenant,
        state=state,
        reserved=job.reserved,
        model=job.request.model,
        account=job.attempts[-1].account,
        attempts=job.attempts,
    )
