"""Watching a running job: looks are planned in memory, and only a change of state is written.

A look that makes no sense is counted and repeated later; nothing but the deadline ends a job that the vendor has not ended.
"""

import msgspec

from reelway.core.errors import NotSent, UnexpectedResponse, VendorRefused, VendorUnreachable
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Event
from reelway.core.schedule import PollPlan, backoff_seconds, next_look_seconds
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
        account = tools.account(job.route.account) if job.route else None
        adapter = tools.adapters.get(account.vendor) if account else None
        if account is None or adapter is None or job.operation is None:
            return self._odd(watch, f"account {job.route and job.route.account!r} is not configured any more")
        health = tools.router.health[account.name]
        try:
            status = await tools.driver.run(adapter.check(job.operation), adapter, account)
        except (NotSent, VendorUnreachable) as error:
            health.failed(tools.clock())
            return self._odd(watch, str(error), makes_sense=True)
        except (UnexpectedResponse, VendorRefused) as error:
            return self._odd(watch, str(error))
        health.succeeded()
        watch.odd = 0
        match status:
            case Running():
                tools.board.report(job.id, status.progress)
                return self._pause(watch, status.poll_after_seconds)
            case Succeeded():
                await self._rendered(watch, status)
                return 0.0
            case VendorFailed(failure=failure, usage=usage):
                await tools.fail(watch, failure, **({"usage": usage} if usage else {}))
                return None

    def first_look(self, watch: Watch) -> float:
        """Return when to look for the first time after the vendor accepted."""
        return self._pause(watch, None)

    async def give_up(self, watch: Watch) -> None:
        """End a job whose deadline has passed."""
        kind = FailureKind.UNEXPECTED_RESPONSE if watch.odd > 1 else FailureKind.TIMED_OUT
        job = watch.job
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
