"""What became of a submit whose answer was lost: callbacks, the vendor's list, time; and never a second one on suspicion.

The one rule: what was sent counts as absent only when it cannot be on its way any more and the vendor, asked after that,
shows nothing. Whoever sent it has ended or lost its lease by then, and its fence lets nothing leave.
"""

from reelway.core.errors import NoWayToLook, VendorError
from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import HeardOperation
from reelway.core.schedule import backoff_seconds
from reelway.core.submits import Settlement, Testimony
from reelway.engine.account import Account
from reelway.engine.outcomes import Outcomes
from reelway.engine.preparing import Preparer
from reelway.engine.tools import Tools, Watch
from reelway.telemetry import logger
from reelway.vendors.spec import Accepted, Adapter, Candidate, CanFind, CanName, CanReadCallback

__all__ = ["Recoverer"]

_log = logger("engine.submit")
_LISTEN_SECONDS = 10.0
"""Between two looks at what operators say, while a call is waited for."""


class Recoverer:
    """Steps of a job whose newest attempt has no outcome. Each returns the seconds until the next step, None for none."""

    def __init__(self, tools: Tools, outcomes: Outcomes, preparer: Preparer) -> None:
        self._tools = tools
        self._outcomes = outcomes
        self._preparer = preparer

    async def resume(self, watch: Watch) -> float | None:
        """Find out what became of an attempt whose outcome is not on disk."""
        attempt = watch.job.attempt
        if attempt is None:
            raise AssertionError(f"{watch.job.id} is submitting without an attempt")
        account, adapter = self._outcomes.known(watch.job)
        if account is None or adapter is None:
            await self._outcomes.end_unknown(watch, f"its account {attempt.account!r} is not configured any more")
            return None
        said = await self._tools.store.testimony(watch.job.id, attempt.number)
        if said is not None and said.at != watch.doubted_at:
            return await self._obey(watch, said, account, adapter)
        heard = await self._free(watch, account)
        if heard:
            return await self._confirm(watch, heard, account, adapter)
        if not isinstance(adapter, CanFind):
            return await self._wait_for_call(watch, account, adapter)
        try:
            submission = await self._preparer.submission(watch.job, account, adapter)
            flow = adapter.find(submission.evolve(left_by=watch.sealed_at))
            candidates = await self._tools.driver.run(flow, adapter, account)
        except NoWayToLook:
            return await self._wait_for_call(watch, account, adapter)
        except VendorError as error:
            _log.warning("lookup_failed", video_id=watch.job.id, account=account.name, reason=str(error))
            watch.odd += 1
            return backoff_seconds(watch.odd, self._tools.random(), first=self._tools.limits.lookup_pause_seconds)
        return await self._weigh(watch, candidates, account, adapter)

    async def give_up(self, watch: Watch) -> None:
        """The deadline has passed and nobody knows."""
        await self._outcomes.end_unknown(watch, "the vendor could not be asked about it in time")

    async def _obey(self, watch: Watch, said: Testimony, account: Account, adapter: Adapter) -> float | None:
        """Do as an operator says, or a node that lost its lease with the answer in hand. Work is adopted when it is shown to us."""
        tools, job = self._tools, watch.job
        settlement = Settlement(verdict=said.verdict, by=said.by, at=said.at, key=said.key, amount=said.amount or 0)
        _log.info("submit_settled", video_id=job.id, account=account.name, verdict=said.verdict, by=said.by)
        match said.verdict:
            case "not_made":
                failure = Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=f"{account.name} never made it")
                return await self._outcomes.again(watch, "absent", failure, rest=0.0, settlement=settlement)
            case "charged":
                await self._outcomes.end_unknown(watch, "the operator found nothing to fetch", settlement)
                return None
            case "made":
                accepted = await self._shown(watch, said, account, adapter)
        if accepted is not None:
            tools.checkpoint("testimony_confirmed")
            return await self._outcomes.accept(watch, accepted, settlement)
        watch.doubted_at = said.at
        detail = {"by": said.by, "key": said.key, "account": account.name}
        await tools.write(watch, None, name="settlement_refused", detail=detail)
        return tools.limits.lookup_pause_seconds

    async def _shown(self, watch: Watch, said: Testimony, account: Account, adapter: Adapter) -> Accepted | None:
        """Return the work that was named, when the vendor shows it and no other video has it."""
        named = await self._named(watch, said, account, adapter)
        if named is None:
            return None
        held = await self._tools.store.holder_of(account.name, (named.key,))
        if held.get(named.key, watch.job.id) != watch.job.id:
            return None
        try:
            await self._tools.driver.run(adapter.check(named.operation), adapter, account)
        except VendorError as error:
            _log.warning("named_not_confirmed", video_id=watch.job.id, account=account.name, reason=str(error))
            return None
        return Accepted(operation=named.operation, key=named.key, poll_after_seconds=0.0)

    async def _named(self, watch: Watch, said: Testimony, account: Account, adapter: Adapter) -> Candidate | None:
        """Return what leads to the work of an id: as it was said, as a callback named it, or as the adapter makes it of the id."""
        if said.operation is not None:
            return Candidate(operation=said.operation, key=said.key)
        for heard in (*watch.job.attempts[-1].heard, *watch.heard):
            if heard.key == said.key:
                return Candidate(operation=heard.operation, key=heard.key)
        if not isinstance(adapter, CanName):
            return None
        return adapter.named(said.key, await self._preparer.submission(watch.job, account, adapter))

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
            accepted = Accepted(operation=heard.operation, key=heard.key, poll_after_seconds=0.0)
            return await self._outcomes.accept(watch, accepted)
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
            tools.checkpoint("found")
            accepted = Accepted(operation=chosen[0].operation, key=chosen[0].key, poll_after_seconds=0.0)
            return await self._outcomes.accept(watch, accepted)
        if free:
            alike = f"{len(free)} operations at {account.name} look like it"
            return await self._wait_for_call(watch, account, adapter, alike=alike)
        return await self._count_empty(watch, account)

    async def _count_empty(self, watch: Watch, account: Account) -> float | None:
        """Nothing was found: that counts once the request cannot arrive any more, and proves absence when it is seen again."""
        tools, job = self._tools, watch.job
        if tools.on_its_way(watch):
            return tools.limits.lookup_pause_seconds
        lookups = job.attempts[-1].lookups + 1
        if lookups < tools.limits.lookups_to_be_sure:
            attempts = (*job.attempts[:-1], job.attempts[-1].evolve(outcome="unknown", lookups=lookups))
            await tools.write(watch, None, name="submit_not_found", detail={"lookups": lookups}, attempts=attempts)
            tools.checkpoint("not_found_recorded")
            return tools.limits.lookup_pause_seconds
        failure = Failure(kind=FailureKind.VENDOR_UNAVAILABLE, message=f"{account.name} never received the request")
        return await self._outcomes.again(watch, "absent", failure, rest=0.0)

    async def _wait_for_call(
        self, watch: Watch, account: Account, adapter: Adapter, *, alike: str = ""
    ) -> float | None:
        """Give a vendor that shows no list, or several operations that are `alike`, the time to call back; then give up."""
        attempt = watch.job.attempts[-1]
        if self._tools.public_url is None or not isinstance(adapter, CanReadCallback):
            return await self._cannot_look_up(watch, account, alike)
        if attempt.ended_at is None:
            return await self._outcomes.unknown(watch, "the server ended before the answer was written down")
        left = attempt.ended_at + self._tools.limits.callback_wait_seconds - self._tools.clock()
        return min(left, _LISTEN_SECONDS) if left > 0 else await self._cannot_look_up(watch, account, alike)

    async def _cannot_look_up(self, watch: Watch, account: Account, alike: str) -> float | None:
        """Do what the operator chose. Where one of several is surely ours, or nobody wants it any more, nothing is sent again."""
        if account.submit_policy == "resubmit" and not alike and watch.job.cancel_requested_at is None:
            failure = Failure(
                kind=FailureKind.SUBMISSION_UNKNOWN,
                message=f"the answer of {account.name} was lost; submitted again, as configured for this vendor",
            )
            return await self._outcomes.again(watch, "abandoned", failure, rest=0.0)
        await self._outcomes.end_unknown(watch, alike or f"{account.name} has no way to look it up")
        return None
