"""How an attempt ends, written down: accepted, surely not made, unknown, or the end of its video.

The one rule: an attempt is closed by the same write that says what becomes of its job.
"""

from typing import Any

from reelway.core.errors import Contradiction
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Attempt, AttemptOutcome, Entry, Job
from reelway.core.lifecycle import Event
from reelway.core.submits import Settlement
from reelway.engine.account import Account
from reelway.engine.tools import Tools, Watch
from reelway.telemetry import logger
from reelway.vendors.spec import Accepted, Adapter

__all__ = ["Outcomes", "unknown_failure"]

_log = logger("engine.submit")


class Outcomes:
    """Writes outcomes. Each returns the seconds until the job's next step, None when there is none."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def accept(self, watch: Watch, accepted: Accepted, settlement: Settlement | None = None) -> float | None:
        """The vendor has it: watch its operation from now on. A negative pause means: as the plan of first looks says."""
        tools = self._tools
        attempts = self.closed(watch.job, "accepted", settlement=settlement)
        try:
            await tools.write(
                watch,
                Event.ACCEPTED,
                detail=_told(settlement),
                operation=accepted.operation,
                operation_key=accepted.key,
                submitted_at=attempts[-1].started_at,
                attempts=attempts,
            )
        except Contradiction as error:
            _log.error("operation_held_already", video_id=watch.job.id, reason=str(error))
            await self.end_unknown(watch, f"{attempts[-1].account} named the work of another video")
            return None
        tools.checkpoint("accepted_recorded")
        watch.looks = watch.odd = 0
        watch.heard = ()
        if accepted.poll_after_seconds is not None:
            watch.looks = 1
            return accepted.poll_after_seconds
        return -1.0

    async def again(
        self,
        watch: Watch,
        outcome: AttemptOutcome,
        failure: Failure,
        *,
        rest: float | None = None,
        tried: tuple[str, ...] | None = None,
        settlement: Settlement | None = None,
    ) -> float | None:
        """Back to the queue: this attempt surely made nothing. The account rests, so that another one may step in."""
        tools, job = self._tools, watch.job
        if _tries(job) >= tools.limits.submit_tries and failure.kind is not FailureKind.RATE_LIMITED:
            await self.end(watch, failure, outcome, settlement)
            return None
        tools.release(watch)
        now = tools.clock()
        wait = tools.backoff(len(job.attempts)) if rest is None else rest
        account = tools.account(job.attempts[-1].account)
        if account is not None:
            limits = tools.router.limits[account.name]
            if rest is None and failure.vendor_code in account.full_codes and limits.in_flight:
                wait = 0.0  # a place is worth waiting for, and the next one to end makes it
            limits.rest(now, wait)
        await tools.write(
            watch,
            Event.NOT_ACCEPTED,
            detail={
                "outcome": outcome,
                "kind": str(failure.kind),
                "message": failure.message,
                "again_in": round(wait, 3),
                **_told(settlement),
            },
            attempts=self.closed(job, outcome, failure, settlement),
            tried_accounts=job.tried_accounts if tried is None else tried,
            due_at=now + wait,
            route=None,
        )
        tools.checkpoint("not_accepted_recorded")
        return 0.0

    async def unknown(self, watch: Watch, reason: str) -> float:
        """The request went out and nobody knows what became of it: write that down, then look it up."""
        _log.warning("submit_outcome_unknown", video_id=watch.job.id, reason=reason)
        await self._tools.write(
            watch, None, name="submit_unknown", detail={"reason": reason}, attempts=self.closed(watch.job, "unknown")
        )
        self._tools.checkpoint("unknown_recorded")
        return 0.0 if watch.heard else self._tools.limits.lookup_pause_seconds

    async def end_unknown(self, watch: Watch, why: str, settlement: Settlement | None = None) -> None:
        """End the video as `submission_unknown`. What it may have cost is the operator's, until somebody has looked."""
        now, failure = self._tools.clock(), unknown_failure(why)
        doubts = [Entry(kind="doubt", amount=watch.job.reserved, at=now)]
        if settlement is not None:
            doubts.append(Entry(kind="loss", amount=settlement.amount, at=now))
        attempts = self.closed(watch.job, "unknown", failure, settlement)
        await self._tools.fail(watch, failure, attempts=attempts, doubts=tuple(doubts))
        self._tools.checkpoint("unknown_ended")

    async def end(
        self,
        watch: Watch,
        failure: Failure,
        outcome: AttemptOutcome = "refused",
        settlement: Settlement | None = None,
    ) -> None:
        """End the video with its newest attempt."""
        await self._tools.fail(watch, failure, attempts=self.closed(watch.job, outcome, failure, settlement))

    def closed(
        self,
        job: Job,
        outcome: AttemptOutcome,
        failure: Failure | None = None,
        settlement: Settlement | None = None,
    ) -> tuple[Attempt, ...]:
        """Return the attempts with the newest one closed."""
        now = self._tools.clock()
        last = job.attempts[-1].evolve(outcome=outcome, ended_at=now, failure=failure, settlement=settlement)
        return (*job.attempts[:-1], last)

    def known(self, job: Job) -> tuple[Account | None, Adapter | None]:
        """Return the account of the newest attempt and its adapter, as far as they are still configured."""
        account = self._tools.account_of(job)
        return account, None if account is None else self._tools.adapters.get(account.vendor)


def _tries(job: Job) -> int:
    """Return how many attempts count against the job: not those that only came too soon, for which it waits as long as it may."""
    return sum(1 for tried in job.attempts if not (tried.failure and tried.failure.kind is FailureKind.RATE_LIMITED))


def _told(settlement: Settlement | None) -> dict[str, Any]:
    """Return what a video's story says of who settled it."""
    return {} if settlement is None else {"settled_by": settlement.by, "verdict": settlement.verdict}


def unknown_failure(why: str) -> Failure:
    """Return what a caller is told of a submit that nobody can find out about."""
    return Failure(
        kind=FailureKind.SUBMISSION_UNKNOWN,
        message=f"The request was sent but its answer was lost, and {why}. It was not repeated, because it may have been "
        "charged. Check the vendor's console before you create it again.",
    )
