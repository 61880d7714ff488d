"""Cancelling, truthfully: free while the job is ours alone, the vendor's word where it can stop, and a cost that stands where
it cannot (contract 7).
"""

from reelway.core.errors import VendorError
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import State
from reelway.engine.tools import Tools, Watch
from reelway.telemetry import logger
from reelway.vendors.spec import CanCancel, CancelAnswer

__all__ = ["Canceller"]

_log = logger("engine.cancel")
_FREE = Failure(kind=FailureKind.CANCELLED, message="The video was cancelled before it cost anything.")
_CHARGED = Failure(
    kind=FailureKind.CANCELLED,
    message="The video was cancelled, but the vendor could not stop it any more: its result is not kept and its cost stands.",
)


class Canceller:
    """The step of a job somebody wants cancelled."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def cancel(self, watch: Watch) -> bool:
        """End the job, and return True; or return False when the vendor was asked and the next look will tell."""
        job = watch.job
        match job.state:
            case State.QUEUED:
                await self._tools.fail(watch, _FREE)
                return True
            case State.RUNNING:
                return await self._stop(watch)
            case _:
                await self._tools.fail(watch, _CHARGED, settled=job.reserved)
                return True

    async def _stop(self, watch: Watch) -> bool:
        match await self.ask_to_stop(watch):
            case "cancelled":
                await self._tools.fail(watch, _FREE)
                return True
            case "asked":
                return False
            case "refused":
                await self._tools.fail(watch, _CHARGED, settled=watch.job.reserved)
                return True

    async def ask_to_stop(self, watch: Watch) -> CancelAnswer:
        """Ask the vendor to stop, where it can; an unclear answer counts as a refusal."""
        tools, job = self._tools, watch.job
        account = tools.account_of(job)
        if account is None or job.operation is None:
            return "refused"
        adapter = tools.adapters[account.vendor]
        if not isinstance(adapter, CanCancel):
            return "refused"
        try:
            return await tools.driver.run(adapter.cancel(job.operation), adapter, account)
        except VendorError as error:
            _log.warning("cancel_failed", video_id=job.id, reason=str(error))
            return "refused"
