"""Watching a running job: looks are planned in memory, and only a change of state is written.

A look that makes no sense is counted and repeated later; nothing but the deadline ends a job that the vendor has not ended.
"""

from typing import Any

import msgspec

from reelway.core.errors import NotSent, UnexpectedResponse, VendorRefused, VendorUnreachable
from reelway.core.failures import Failure, FailureKind, is_accounts_fault, may_render_elsewhere
from reelway.core.lifecycle import Event
from reelway.core.schedule import PollPlan, backoff_seconds, next_look_seconds
from reelway.engine.account import Account
from reelway.engine.tools import Tools, Watch
from reelway.telemetry import logger
from reelway.vendors.spec import Running, Succeeded, VendorFailed

__all__ = ["Checker"]

_log = logger("engine.check")


class Checker:
    """The step of a running job. Returns the seconds until the next one, None when there is none."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def check(self, watch: Watch) -> float | None:
        """Look once at the vendor."""
        tools, job = self._tools, watch.job
        account = tools.account_of(job)
        adapter = tools.adapters.get(account.vendor) if account else None
        if account is None or adapter is None or job.operation is None:
            return self._odd(watch, "its account is not configured any more", makes_sense=True)
        health = tools.health(job, account.name)
        try:
            status = await tools.driver.run(adapter.check(job.operation), adapter, account)
        except (NotSent, VendorUnreachable) as error:
            health.failed("look", job.id, tools.clock())
            return self._odd(watch, str(error), makes_sense=True)
        except (UnexpectedResponse, VendorRefused) as error:
            return self._odd(watch, str(error))
        health.succeeded("look", tools.clock())
        watch.odd = 0
        match status:
            case Running():
                tools.board.report(job.id, status.progress)
                return self._pause(watch, status.poll_after_seconds)
            case Succeeded():
                await self._rendered(watch, status)
                return 0.0
            case VendorFailed(failure=failure, usage=usage):
                return await self._failed(watch, failure, usage, account)

    async def _failed(self, watch: Watch, failure: Failure, usage: dict[str, Any], account: Account) -> float | None:
        """End the job, unless the operator lets another account try and there is one that may do better."""
        tools, job = self._tools, watch.job
        if is_accounts_fault(failure.kind):
            tools.health(job, account.name).failed("render", job.id, tools.clock())
        tried = (*job.tried_accounts, account.name)
        if not self._may_go_elsewhere(watch, failure, usage, account, tried):
            await tools.fail(watch, failure, **({"usage": usage} if usage else {}))
            return None
        _log.info("render_failed", video_id=job.id, account=account.name, error_type=str(failure.kind))
        failed = job.attempts[-1].evolve(outcome="failed", failure=failure, ended_at=tools.clock(), usage=usage or None)
        tools.release(watch)
        await tools.write(
            watch,
            Event.RENDER_FAILED,
            detail={"account": account.name, "kind": str(failure.kind), "message": failure.message},
            attempts=(*job.attempts[:-1], failed),
            tried_accounts=tried,
            route=None,
            operation=None,
            operation_key=None,
            submitted_at=None,
        )
        tools.checkpoint("render_failed_recorded")
        return 0.0

    def _may_go_elsewhere(
        self, watch: Watch, failure: Failure, usage: dict[str, Any], account: Account, tried: tuple[str, ...]
    ) -> bool:
        """Tell whether to try again: it may help, the operator wants it, and nothing or nothing unwanted was paid for."""
        tools, job = self._tools, watch.job
        if account.retry_failed_renders == "never" or not may_render_elsewhere(failure.kind):
            return False
        if (
            job.rendered_at is not None
            or job.cancel_requested_at is not None
            or len(job.attempts) >= tools.limits.submit_tries
        ):
            return False
        may_have_cost = account.charges_failed_renders or tools.charging.was_charged(job, usage)
        if may_have_cost and account.retry_failed_renders == "free":
            return False
        return bool(tools.router.group(job.request, tools.clock(), tried=tried).accounts)

    def first_look(self, watch: Watch) -> float:
        """Return when to look for the first time after the vendor accepted."""
        return self._pause(watch, None)

    async def give_up(self, watch: Watch) -> None:
        """End a job whose deadline has passed."""
        kind = FailureKind.UNEXPECTED_RESPONSE if watch.odd > 1 else FailureKind.TIMED_OUT
        job = watch.job
        if job.route is not None and self._tools.account(job.route.account) is None:
            message = (
                f"The account that made it is not configured any more, so nobody could ask for {job.request.model} "
                "until its time was over. The operator may find it in the vendor's console."
            )
            await self._tools.fail(watch, Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=message))
            return
        if job.route is not None and kind is FailureKind.TIMED_OUT:
            self._tools.health(job, job.route.account).failed("render", job.id, self._tools.clock())
        hours = (job.deadline_at - job.created_at) / 3600
        message = (
            f"{job.request.model} did not finish within {hours:.1f} hours; create it again or choose another model."
        )
        if kind is FailureKind.UNEXPECTED_RESPONSE:
            message = f"The last {watch.odd} answers of the vendor made no sense. {message}"
        await self._tools.fail(watch, Failure(kind=kind, message=message))

    async def _rendered(self, watch: Watch, status: Succeeded) -> None:
        tools, job, now = self._tools, watch.job, self._tools.clock()
        tools.checkpoint("rendered")
        if job.submitted_at is not None and job.rendered_at is None:
            tools.durations.add(job.request.card, now - job.submitted_at)
        if watch.holding is not None:
            tools.health(job, watch.holding).succeeded("render", now)
        tools.release(watch)
        await tools.write(
            watch,
            Event.RENDERED,
            result=msgspec.to_builtins(status),
            rendered_at=job.rendered_at or now,  # the day in which it must be kept does not begin anew with every look
            usage=status.usage or None,
        )
        tools.checkpoint("rendered_recorded")

    def _pause(self, watch: Watch, hint_seconds: float | None) -> float:
        looks, watch.looks = watch.looks, watch.looks + 1
        jitter = self._tools.random()
        limits = self._tools.limits
        if hint_seconds is not None:
            # Our own sandbox may be asked as often as it likes; a vendor's slip must not become a storm of looks.
            is_ours = watch.job.route is not None and watch.job.route.sandbox
            return max(hint_seconds, 0.0 if is_ours else limits.shortest_poll_seconds) * (1 + 0.1 * jitter)
        plan = PollPlan(
            typical_seconds=self._tools.typical_seconds(watch.job),
            shortest_seconds=limits.shortest_poll_seconds,
            longest_seconds=limits.longest_poll_seconds,
        )
        return next_look_seconds(plan, looks, jitter)

    def _odd(self, watch: Watch, reason: str, *, makes_sense: bool = False) -> float:
        """Count a look that told nothing; silence is no nonsense."""
        watch.odd = watch.odd if makes_sense else watch.odd + 1
        watch.looks += 1
        _log.warning("look_failed", video_id=watch.job.id, odd=watch.odd, reason=reason)
        limits = self._tools.limits
        return backoff_seconds(
            min(watch.looks, 10),
            self._tools.random(),
            first=limits.shortest_poll_seconds,
            longest=limits.longest_poll_seconds * 3,
        )
