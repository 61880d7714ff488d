"""From queued to running: the only place from which billable requests go out.

The order never changes: the attempt is on disk, then the request goes out, then its outcome is on disk. Whoever dies in between
leaves an open attempt, and an open attempt is looked up, never repeated (contract 8).
"""

from reelway.core.errors import (
    CallerError,
    InputUnreachable,
    LeaseLost,
    NotSent,
    StorageFailed,
    SubmitOutcomeUnknown,
    UnexpectedResponse,
    VendorError,
    VendorRefused,
    VendorUnreachable,
)
from reelway.core.failures import Failure, FailureKind, Remedy, is_accounts_fault, remedy_for
from reelway.core.jobs import Attempt, Job
from reelway.core.lifecycle import Event
from reelway.core.submits import Testimony
from reelway.core.videos import ResolvedRequest
from reelway.engine.account import Account
from reelway.engine.fence import PermitWithdrawn
from reelway.engine.outcomes import Outcomes
from reelway.engine.preparing import Preparer
from reelway.engine.recovering import Recoverer
from reelway.engine.router import Obstacle
from reelway.engine.tools import Tools, Watch
from reelway.telemetry import logger
from reelway.vendors.spec import Accepted, Adapter, Submission

__all__ = ["Submitter"]

_log = logger("engine.submit")


class Submitter:
    """Steps of a job that has no operation yet. Each returns the seconds until the next step, None when there is none."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._preparer = Preparer(tools)
        self._outcomes = Outcomes(tools)
        self._recoverer = Recoverer(tools, self._outcomes, self._preparer)
        self.resume = self._recoverer.resume
        self.give_up = self._recoverer.give_up

    async def start(self, watch: Watch) -> float | None:
        """Take a queued job to the account it was offered; one without an offer fits none."""
        tools, job, route = self._tools, watch.job, watch.offered
        if tools.stopping.is_set():
            tools.release(watch)
            return 0.0
        if route is None:
            await tools.fail(watch, _no_route_left(job, tools.router.obstacles(job.request, tools.clock())))
            return None
        if not tools.may_send(job.epoch):
            tools.release(watch)
            return tools.limits.lease_seconds / 10
        watch.offered = None
        adapter = tools.adapters[route.vendor]
        try:
            request = await self._preparer.gather(job, adapter)
        except CallerError as error:
            return await self._not_gathered(watch, error)
        attempt = Attempt(
            number=len(job.attempts) + 1,
            account=route.account,
            reference=f"{job.id}-{len(job.attempts) + 1}",
            callback_secret=tools.token(),
            started_at=tools.clock(),
            key=tools.router.accounts[route.account].key_mark,
        )
        watch.heard = ()
        await tools.write(
            watch,
            Event.SUBMIT_STARTED,
            detail={"account": attempt.account, "attempt": attempt.number},
            route=route,
            attempts=(*job.attempts, attempt),
        )
        tools.checkpoint("attempt_recorded")
        return await self._send(watch, request)

    async def _not_gathered(self, watch: Watch, error: CallerError) -> float | None:
        """End a job whose inputs cannot be had; an address that only gives nothing just now is asked again, for half a minute."""
        tools = self._tools
        tools.release(watch)
        if isinstance(error, InputUnreachable) and watch.odd < tools.limits.fetch_tries:
            watch.odd += 1
            _log.info("input_unreachable", video_id=watch.job.id, tries=watch.odd, reason=error.message)
            return tools.backoff(watch.odd)
        await tools.fail(watch, Failure(kind=FailureKind.INVALID_REQUEST, message=error.message))
        return None

    async def _send(self, watch: Watch, request: ResolvedRequest) -> float | None:
        tools = self._tools
        account, adapter = self._outcomes.known(watch.job)
        if account is None or adapter is None:
            raise AssertionError(f"{watch.job.id} was routed to an account that does not exist")
        health, job = tools.health(watch.job, account.name), watch.job
        try:
            submission = await self._preparer.submission(watch.job, account, adapter, request)
            accepted = await self._drive(watch, submission, account, adapter)
        except CallerError as error:
            await self._outcomes.end(watch, Failure(kind=FailureKind.INVALID_REQUEST, message=error.message))
            return None
        except VendorRefused as error:
            self._learn(job, account, error)
            if watch.heard:
                return await self._contradicted(watch, error)
            return await self._refused(watch, error)
        except SubmitOutcomeUnknown as error:
            health.failed("submit", job.id, tools.clock())
            return await self._outcomes.unknown(watch, str(error))
        except PermitWithdrawn as error:
            failure = Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=str(error))
            return await self._outcomes.again(watch, "not_sent", failure, rest=0.0)
        except (NotSent, VendorUnreachable, UnexpectedResponse) as error:
            health.failed("submit", job.id, tools.clock())
            if watch.heard:
                return await self._contradicted(watch, error)
            return await self._outcomes.again(
                watch, "not_sent", Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=str(error))
            )
        health.succeeded("submit", tools.clock())
        tools.router.limits[account.name].accepted()
        tools.checkpoint("accepted")
        try:
            return await self._outcomes.accept(watch, accepted)
        except LeaseLost:
            await self._pass_on(watch, accepted)
            raise

    async def _pass_on(self, watch: Watch, accepted: Accepted) -> None:
        """Leave the answer for whoever holds the job now: where the vendor shows no list, nobody else will ever know."""
        tools, attempt = self._tools, watch.job.attempts[-1]
        said = Testimony(
            job_id=watch.job.id,
            attempt=attempt.number,
            verdict="made",
            by=f"node {tools.node}",
            at=tools.clock(),
            key=accepted.key,
            operation=accepted.operation,
        )
        try:
            is_heard = await tools.store.testify(said)
        except StorageFailed as error:
            _log.error("answer_not_passed_on", video_id=watch.job.id, key=accepted.key, reason=str(error))
            return
        _log.warning("answer_passed_on", video_id=watch.job.id, key=accepted.key, heard=is_heard)

    async def _drive(self, watch: Watch, submission: Submission, account: Account, adapter: Adapter) -> Accepted:
        """Send. Whatever comes of it, nothing leaves after this."""
        tools, started_at = self._tools, watch.job.attempts[-1].started_at
        try:
            return await tools.driver.run(
                adapter.submit(submission), adapter, account, permit_for=lambda: tools.permit(watch, started_at)
            )
        finally:
            tools.seal(watch)

    def _learn(self, job: Job, account: Account, error: VendorRefused) -> None:
        """Draw from a refusal what it says of the account: broken, full, too fast, or none of these."""
        tools, now, kind = self._tools, self._tools.clock(), error.failure.kind
        health, limits = tools.health(job, account.name), tools.router.limits[account.name]
        if is_accounts_fault(kind):
            health.failed("submit", job.id, now)
            return
        health.succeeded("submit", now)
        if kind is FailureKind.RATE_LIMITED:
            sent_at = job.attempts[-1].started_at
            if error.failure.vendor_code in account.full_codes:
                limits.was_full(sent_at, now)
            else:
                limits.was_too_fast(sent_at, now)

    async def _refused(self, watch: Watch, error: VendorRefused) -> float | None:
        match remedy_for(error.failure.kind):
            case Remedy.LATER:
                return await self._outcomes.again(watch, "refused", error.failure, rest=error.retry_after_seconds)
            case Remedy.ELSEWHERE:
                tried = (*watch.job.tried_accounts, watch.job.attempts[-1].account)
                if not self._tools.router.group(watch.job.request, self._tools.clock(), tried=tried).accounts:
                    await self._outcomes.end(watch, error.failure)
                    return None
                return await self._outcomes.again(watch, "refused", error.failure, rest=0.0, tried=tried)
            case Remedy.NONE:
                await self._outcomes.end(watch, error.failure)
                return None

    async def _contradicted(self, watch: Watch, error: VendorError) -> float:
        """The vendor did not take it, and yet called about work of this very attempt: not to be sent again before that is clear."""
        reason = f"not accepted ({error}), but its callback named the vendor's work"
        return await self._outcomes.unknown(watch, reason)


def _no_route_left(job: Job, obstacles: tuple[Obstacle, ...]) -> Failure:
    """Return why the last account that was asked refused, or what keeps the others from it, or that there is none."""
    for attempt in reversed(job.attempts):
        if attempt.failure is not None:
            return attempt.failure
    if obstacles:
        message = f"{obstacles[0].reason}, and REELWAY_PUBLIC_URL is not set any more."
        return Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=message)
    return Failure(
        kind=FailureKind.MODEL_NOT_FOUND,
        message=f"No configured account can make {job.request.model} in mode {job.request.mode} any more.",
    )
