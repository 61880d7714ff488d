"""Running errands: bytes that no record names any more, copies at vendors, inputs whose time is over, what crashes left behind.

The one rule: an errand is forgotten only after it was done, so it may be done twice, and must do no harm the second time.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reelway.core.errands import Errand, ExpireInputs, ForgetWork, RemoveBytes, SweepOrphans
from reelway.core.errors import GatewayError, LeaseLost, StorageFailed, VendorError
from reelway.core.jobs import JobEvent, VendorCopy
from reelway.engine.parting import INPUTS
from reelway.engine.sweeping import Sweeper
from reelway.engine.tools import Tools
from reelway.store.spec import Change
from reelway.telemetry import logger
from reelway.vendors.spec import CanDelete

__all__ = ["ErrandRunner"]

_log = logger("engine.errand")
_LONGEST_SECONDS = 900.0
"""For one video's files, or one vendor's copy."""
_LEASES = 3
"""So many leases after its last sign of life, an errand is taken for one whose node has died, and run by another."""
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 3600.0
_FORGETTING_SECONDS = 3 * 86_400.0
"""How long a vendor is asked to delete its copy before that is left to the operator."""
_INPUTS_EVERY_SECONDS = 3600.0
_SWEEP_EVERY_SECONDS = 86_400.0
_WRITES = 5


class _CannotBeDone(Exception):
    """Trying again is no use; the text says why."""


class ErrandRunner:
    """Runs one errand at a time for each caller, and never raises for one that does not succeed."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._sweeper = Sweeper(tools)

    @property
    def hold_seconds(self) -> float:
        """For how long an errand is taken, unless it is held on to."""
        return self._tools.limits.lease_seconds * _LEASES

    async def run(self, errand: Errand) -> None:
        """Do it, and note what became of it."""
        store = self._tools.store
        try:
            async with self._held(errand):
                again_in = await self._do(errand)
            self._tools.checkpoint(f"{errand.id.partition(':')[0]}_run")
            if again_in is None:
                await store.errand_done(errand.id)
            else:
                await store.errand_put_off(errand.id, self._tools.clock() + again_in, 0, None)
        except (VendorError, GatewayError, TimeoutError, _CannotBeDone) as error:
            await self._put_off(
                errand, str(error) or type(error).__name__, is_hopeless=isinstance(error, _CannotBeDone)
            )
        except Exception as error:
            _log.exception("errand_broke", errand=errand.id)
            await self._put_off(errand, repr(error))

    @asynccontextmanager
    async def _held(self, errand: Errand) -> AsyncIterator[None]:
        """Keep others from taking it as long as it is being run."""

        async def hold() -> None:
            while True:
                await asyncio.sleep(self.hold_seconds / _LEASES)
                until = self._tools.clock() + self.hold_seconds
                with contextlib.suppress(StorageFailed):
                    await self._tools.store.errand_put_off(errand.id, until, errand.tries, errand.last_answer)

        holding = asyncio.create_task(hold())
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    async def _do(self, errand: Errand) -> float | None:
        """Return the seconds until it comes round again, None when it does not."""
        tools = self._tools
        match errand.work:
            case RemoveBytes() as work:
                async with asyncio.timeout(_LONGEST_SECONDS):
                    await self._remove(errand, work)
                return None
            case ForgetWork() as work:
                async with asyncio.timeout(_LONGEST_SECONDS):
                    await self._forget(errand, work)
                return None
            case ExpireInputs():
                kept_seconds = tools.limits.input_retention_seconds
                await tools.assets.delete_older(INPUTS, tools.clock() - kept_seconds)
                return min(_INPUTS_EVERY_SECONDS, max(kept_seconds / 10, 1.0))
            case SweepOrphans():
                await self._sweeper.sweep()
                return _SWEEP_EVERY_SECONDS

    async def _remove(self, errand: Errand, work: RemoveBytes) -> None:
        count = 0
        for prefix in work.prefixes:
            count += await self._tools.assets.delete_under(prefix)
        for key in work.keys:
            await self._tools.assets.delete(key)
        _log.info("bytes_removed", errand=errand.id, files=count + len(work.keys))

    async def _forget(self, errand: Errand, work: ForgetWork) -> None:
        tools = self._tools
        account = tools.account(work.account)
        if account is None or account.vendor not in tools.adapters:
            raise VendorError(f"the account {work.account} is not configured any more")
        adapter = tools.adapters[account.vendor]
        if not isinstance(adapter, CanDelete):
            raise _CannotBeDone(f"{account.vendor} has no way to delete what it made")
        await tools.driver.run(adapter.delete(work.operation), adapter, account.signed_as(work.key))
        tools.checkpoint("forgotten")
        _log.info("vendor_copy_deleted", errand=errand.id, account=account.name)
        await self._note(errand.job_id, "deleted", {"account": account.name})

    async def _put_off(self, errand: Errand, reason: str, *, is_hopeless: bool = False) -> None:
        """Try again later; what a vendor will not do is told to the operator in the end, who alone can mend it."""
        now, tries = self._tools.clock(), errand.tries + 1
        pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(tries - 1, 10), _LONGEST_PAUSE_SECONDS)
        is_over = isinstance(errand.work, ForgetWork) and now + pause > errand.created_at + _FORGETTING_SECONDS
        due_at = None if is_hopeless or is_over else now + pause
        log = _log.error if due_at is None else _log.warning
        log("errand_given_up" if due_at is None else "errand_failed", errand=errand.id, tries=tries, reason=reason)
        try:
            if due_at is None and isinstance(errand.work, ForgetWork):
                await self._note(errand.job_id, "stuck", {"account": errand.work.account, "reason": reason})
            await self._tools.store.errand_put_off(errand.id, due_at, tries, reason)
        except StorageFailed as error:  # then its hold runs out
            _log.warning("errand_not_noted", errand=errand.id, reason=str(error))

    async def _note(self, job_id: str | None, copy: VendorCopy, detail: dict[str, str]) -> None:
        """Write into a video's story what became of the vendor's copy, once; a deleted video has no story."""
        store = self._tools.store
        for _ in range(_WRITES):
            job = None if job_id is None else await store.get(job_id)
            if job is None or job.vendor_copy not in {"deleting", "stuck"} or job.vendor_copy == copy:
                return
            now = self._tools.clock()
            noted = job.evolve(version=job.version + 1, vendor_copy=copy)
            event = JobEvent(seq=noted.version, at=now, state=job.state, name=f"vendor_copy_{copy}", detail=detail)
            try:
                await store.apply(Change(job=noted, event=event))
                return
            except LeaseLost:
                continue  # it expired, or was deleted, at the same moment
