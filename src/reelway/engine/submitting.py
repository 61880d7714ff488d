"""From queued to running: the only place from which billable requests go out.

The order never changes: the attempt is on disk, then the request goes out, then its outcome is on disk. Whoever dies in between
leaves an open attempt, and an open attempt is looked up, never repeated (contract 8).
"""

from reelway.core.errors import (
    CallerError,
    Contradiction,
    InputUnreachable,
    NotSent,
    NoWayToLook,
    SubmitOutcomeUnknown,
    UnexpectedResponse,
    VendorError,
    VendorRefused,
    VendorUnreachable,
)
from reelway.core.failures import Failure, FailureKind, Remedy, remedy_for
from reelway.core.jobs import Attempt, AttemptOutcome, HeardOperation, Job
from reelway.core.lifecycle import Event
from reelway.core.schedule import backoff_seconds
from reelway.core.videos import ResolvedRequest
from reelway.engine.account import Account
from reelway.engine.preparing import Preparer
from reelway.engine.router import Choice, Obstacle
from reelway.engine.tools import Tools, Watch
from reelway.telemetry import logger
from reelway.vendors.spec import Accepted, Adapter, Candidate, CanFind, CanReadCallback

__all__ = ["Submitter"]

_log = logger("engine.submit")
_LINE_SECONDS = 60.0
"""How long a job waits in line at most before it looks around by itself."""


class Submitter:
    """Steps of a job that has no operation yet. Each returns the seconds until the next step, None when there is none."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._preparer = Preparer(tools)

    def wait_seconds(self, watch: Watch, now: float) -> float | None:
        """Return how long a queued job has to wait for an account, None when it need not, or would wait in vain."""
        return self._pause(watch, self._choose(watch, now), now)

    async def start(self, watch: Watch) -> float | None:
        """Take a queued job to a vendor."""
        tools, job = self._tools, watch.job
        if tools.stopping.is_set():
            return 0.0
        now = tools.clock()
        choice = self._choose(watch, now)
        pause = self._pause(watch, choice, now)
        if pause is not None:
            return pause
        if choice.route is None:
            await tools.fail(watch, _no_route_left(job, tools.router.obstacles(job.request, now)))
            return None
        tools.hold(watch, choice.route.account)
        adapter = tools.adapters[choice.route.vendor]
        try:
            request = await self._preparer.gather(job, adapter)
        except CallerError as error:
            return await self._not_gathered(watch, error)
        attempt = Attempt(
            number=len(job.attempts) + 1,
            account=choice.route.account,
            reference=f"{job.id}-{len(job.attempts) + 1}",
            callback_secret=tools.token(),
            started_at=tools.clock(),
        )
        watch.heard = ()
        await tools.write(
            watch,
            Event.SUBMIT_STARTED,
            detail={"account": attempt.account, "attempt": attempt.number},
            route=choice.route,
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

    def _choose(self, watch: Watch, now: float) -> Choice:
        return self._tools.router.choose(watch.job.request, now, tried=watch.job.tried_accounts)

    def _pause(self, watch: Watch, choice: Choice, now: float) -> float | None:
        """Put a job that has to wait in line, and return for how long."""
        if choice.route is not None or choice.is_hopeless:
            return None
        if choice.full is not None:
            self._tools.wait_in_line(watch, choice.full)
        return _LINE_SECONDS if choice.again_at is None else choice.again_at - now

    async def resume(self, watch: Watch) -> float | None:
        """Find out what became of an attempt whose outcome is not on disk."""
        attempt = watch.job.attempt
        if attempt is None:
            raise AssertionError(f"{watch.job.id} is submitting without an attempt")
        account, adapter = self._known(watch.job)
        if account is None or adapter is None:
            failure = _unknown(f"its account {attempt.account!r} is not configured any more")
            await self._settle_unknown(watch, failure)
            return None
        heard = await self._free(watch, account)
        if heard:
            return await self._confirm(watch, heard, account, adapter)
        if not isinstance(adapter, CanFind):
            return await self._wait_for_call(watch, account, adapter)
        try:
            submission = await self._preparer.submission(watch.job, account, adapter)
            candidates = await self._tools.driver.run(adapter.find(submission), adapter, account)
        except NoWayToLook:
            return await self._wait_for_call(watch, account, adapter)
        except VendorError as error:
            _log.warning("lookup_failed", video_id=watch.job.id, account=account.name, reason=str(error))
            watch.odd += 1
            return backoff_seconds(watch.odd, self._tools.random(), first=self._tools.limits.lookup_pause_seconds)
        return await self._weigh(watch, candidates, account, adapter)

    async def _send(self, watch: Watch, request: ResolvedRequest) -> float | None:
        tools = self._tools
        account, adapter = self._known(watch.job)
        if account is None or adapter is None:
            raise AssertionError(f"{watch.job.id} was routed to an account that does not exist")
        health = tools.router.health[account.name]
        try:
            submission = await self._preparer.submission(watch.job, account, adapter, request)
            accepted = await tools.driver.run(adapter.submit(submission), adapter, account)
        except CallerError as error:
            await self._end(watch, Failure(kind=FailureKind.INVALID_REQUEST, message=error.message))
            return None
        except VendorRefused as error:
            health.succeeded()
            if watch.heard:
                return await self._contradicted(watch, error)
            return await self._refused(watch, error)
        except SubmitOutcomeUnknown as error:
            health.failed(tools.clock())
            return await self._unknown(watch, str(error))
        except (NotSent, VendorUnreachable, UnexpectedResponse) as error:
            health.failed(tools.clock())
            if watch.heard:
                return await self._contradicted(watch, error)
            return await self._again(
                watch, "not_sent", Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=str(error))
            )
        health.succeeded()
        tools.checkpoint("accepted")
        return await self._accept(watch, accepted)

    async def _accept(self, watch: Watch, accepted: Accepted) -> float | None:
        tools = self._tools
        attempts = self._closed(watch.job, "accepted")
        try:
            await tools.write(
                watch,
                Event.ACCEPTED,
                operation=accepted.operation,
                operation_key=accepted.key,
                submitted_at=attempts[-1].started_at,
                attempts=attempts,
            )
        except Contradiction as error:
            _log.error("operation_held_already", video_id=watch.job.id, reason=str(error))
            await self._settle_unknown(watch, _unknown(f"{attempts[-1].account} named the work of another video"))
            return None
        tools.checkpoint("accepted_recorded")
        watch.looks = watch.odd = 0
        watch.heard = ()
        if accepted.poll_after_seconds is not None:
            watch.looks = 1
            return accepted.poll_after_seconds
        return -1.0

    async def _refused(self, watch: Watch, error: VendorRefused) -> float | None:
        match remedy_for(error.failure.kind):
            case Remedy.LATER:
                return await self._again(watch, "refused", error.failure, rest=error.retry_after_seconds)
            case Remedy.ELSEWHERE:
                tried = (*watch.job.tried_accounts, watch.job.attempts[-1].account)
                choice = self._tools.router.choose(watch.job.request, self._tools.clock(), tried=tried)
                if choice.is_hopeless:
                    await self._end(watch, error.failure)
                    return None
                return await self._again(watch, "refused", error.failure, rest=0.0, tried=tried)
            case Remedy.NONE:
                await self._end(watch, error.failure)
                return None

    async def _again(
        self,
        watch: Watch,
        outcome: AttemptOutcome,
        failure: Failure,
        *,
        rest: float | None = None,
        tried: tuple[str, ...] | None = None,
    ) -> float | None:
        """Back to the queue: this attempt surely made nothing. The account rests, so that another one may step in."""
        tools, job = self._tools, watch.job
        if len(job.attempts) >= tools.limits.submit_tries:
            await self._end(watch, failure)
            return None
        tools.release(watch)
        now = tools.clock()
        wait = tools.backoff(len(job.attempts)) if rest is None else rest
        tools.router.health[job.attempts[-1].account].rest(now, wait)
        await tools.write(
            watch,
            Event.NOT_ACCEPTED,
            detail={
                "outcome": outcome,
                "kind": str(failure.kind),
                "message": failure.message,
                "again_in": round(wait, 3),
            },
            attempts=self._closed(job, outcome, failure),
            tried_accounts=job.tried_accounts if tried is None else tried,
            due_at=now + wait,
            route=None,
        )
        return 0.0

    async def _unknown(self, watch: Watch, reason: str) -> float:
        """The request went out and nobody knows what became of it: write that down, then look it up."""
        _log.warning("submit_outcome_unknown", video_id=watch.job.id, reason=reason)
        await self._tools.write(
            watch, None, name="submit_unknown", detail={"reason": reason}, attempts=self._closed(watch.job, "unknown")
        )
        return 0.0 if watch.heard else self._tools.limits.lookup_pause_seconds

    async def _contradicted(self, watch: Watch, error: VendorError) -> float:
        """The vendor did not take it, and yet called about work of this very attempt: not to be sent again before that is clear."""
        return await self._unknown(watch, f"not accepted ({error}), but its callback named the vendor's work")

    async def _free(self, watch: Watch, account: Account) -> tuple[HeardOperation, ...]:
        """Return what callbacks named and no other video has: what another one has says nothing about this one."""
        named = {heard.key: heard for heard in (*watch.job.attempts[-1].heard, *watch.heard)}
        if not named:
            return ()
        held = await self._tools.store.holder_of(account.name, tuple(named))
        return tuple(heard for key, heard in named.items() if held.get(key, watch.job.id) == watch.job.id)

    async def _confirm(
        self, watch: Watch, named: tuple[HeardOperation, ...], account: Account, adapter: Adapter
    ) -> float | None:
        """Adopt the work that a callback named when the vendor shows it to us. Until then nothing is sent again."""
        tools, job = self._tools, watch.job
        last = job.attempts[-1]
        if last.heard != named:
            attempts = (*job.attempts[:-1], last.evolve(outcome="unknown", heard=named))
            await tools.write(watch, None, name="callback_heard", attempts=attempts)
            tools.checkpoint("heard_recorded")
        for heard in named:
            try:
                await tools.driver.run(adapter.check(heard.operation), adapter, account)
            except VendorError as error:
                _log.warning("heard_not_confirmed", video_id=job.id, account=account.name, reason=str(error))
                continue
            _log.info("submit_heard", video_id=job.id, account=account.name)
            tools.checkpoint("heard_confirmed")
            return await self._accept(watch, Accepted(operation=heard.operation, key=heard.key, poll_after_seconds=0.0))
        watch.odd += 1
        first, longest = tools.limits.lookup_pause_seconds, tools.limits.longest_poll_seconds * 3
        return backoff_seconds(watch.odd, tools.random(), first=first, longest=longest)

    async def _weigh(
        self, watch: Watch, candidates: tuple[Candidate, ...], account: Account, adapter: Adapter
    ) -> float | None:
        """Adopt the one operation that must be ours, count an empty answer; only a call can tell several apart."""
        tools, job = self._tools, watch.job
        held = await tools.store.holder_of(account.name, tuple(candidate.key for candidate in candidates))
        free = [candidate for candidate in candidates if held.get(candidate.key, job.id) == job.id]
        certain = [candidate for candidate in free if candidate.certain]
        chosen = certain[:1] or (free if len(free) == 1 else [])
        if chosen:
            _log.info("submit_found", video_id=job.id, account=account.name)
            return await self._accept(
                watch, Accepted(operation=chosen[0].operation, key=chosen[0].key, poll_after_seconds=0.0)
            )
        if free:
            alike = f"{len(free)} operations at {account.name} look like it"
            return await self._wait_for_call(watch, account, adapter, alike=alike)
        lookups = job.attempts[-1].lookups + 1
        if lookups < tools.limits.lookups_to_be_sure:
            attempts = (*job.attempts[:-1], job.attempts[-1].evolve(outcome="unknown", lookups=lookups))
            await tools.write(watch, None, name="submit_not_found", detail={"lookups": lookups}, attempts=attempts)
            return tools.limits.lookup_pause_seconds
        failure = Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=f"{account.name} never received the request")
        return await self._again(watch, "absent", failure, rest=0.0)

    async def _wait_for_call(
        self, watch: Watch, account: Account, adapter: Adapter, *, alike: str = ""
    ) -> float | None:
        """Give a vendor that shows no list, or several operations that are `alike`, the time to call back; then give up."""
        attempt = watch.job.attempts[-1]
        if self._tools.public_url is None or not isinstance(adapter, CanReadCallback):
            return await self._cannot_look_up(watch, account, alike)
        if attempt.ended_at is None:
            return await self._unknown(watch, "the server ended before the answer was written down")
        left = attempt.ended_at + self._tools.limits.callback_wait_seconds - self._tools.clock()
        return left if left > 0 else await self._cannot_look_up(watch, account, alike)

    async def _cannot_look_up(self, watch: Watch, account: Account, alike: str) -> float | None:
        """Do what the operator chose. Where one of several is surely ours, nothing is sent again."""
        if account.submit_policy == "resubmit" and not alike:
            failure = Failure(
                kind=FailureKind.SUBMISSION_UNKNOWN,
                message=f"the answer of {account.name} was lost; submitted again, as configured for this vendor",
            )
            return await self._again(watch, "abandoned", failure, rest=0.0)
        await self._settle_unknown(watch, _unknown(alike or f"{account.name} has no way to look it up"))
        return None

    async def _settle_unknown(self, watch: Watch, failure: Failure) -> None:
        await self._end(watch, failure, "unknown")

    async def _end(self, watch: Watch, failure: Failure, outcome: AttemptOutcome = "refused") -> None:
        await self._tools.fail(watch, failure, attempts=self._closed(watch.job, outcome, failure))

    def _closed(self, job: Job, outcome: AttemptOutcome, failure: Failure | None = None) -> tuple[Attempt, ...]:
        """Return the attempts with the newest one closed."""
        last = job.attempts[-1].evolve(outcome=outcome, ended_at=self._tools.clock(), failure=failure)
        return (*job.attempts[:-1], last)

    def _known(self, job: Job) -> tuple[Account | None, Adapter | None]:
        account = self._tools.account(job.attempts[-1].account)
        return account, None if account is None else self._tools.adapters.get(account.vendor)


def _unknown(why: str) -> Failure:
    return Failure(
        kind=FailureKind.SUBMISSION_UNKNOWN,
        message=f"The request was sent but its answer was lost, and {why}. It was not repeated, because it may have been "
        "charged. Check the vendor's console before you create it again.",
    )


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
