"""What every step of the engine works with, and the one way it writes.

A write that the disk refuses is tried again until it succeeds or the server stops: what a vendor accepted is never forgotten
because a disk was full for a minute. A write that finds another owner stops the work (`LeaseLost`).
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from reelway.assets.spec import AssetStore
from reelway.catalog.spec import ModelCard
from reelway.core.errands import Errand
from reelway.core.errors import StorageFailed
from reelway.core.failures import Failure, FailureKind
from reelway.core.ids import ENTROPY_BYTES
from reelway.core.jobs import Entry, HeardOperation, Job, JobEvent, JobRoute
from reelway.core.lifecycle import FINAL, Event, Status, next_state, public_status
from reelway.core.messages import Message
from reelway.core.record import Record
from reelway.core.schedule import backoff_seconds
from reelway.engine.account import Account
from reelway.engine.board import Board, Durations
from reelway.engine.charging import Charging
from reelway.engine.dispatching import Dispatcher
from reelway.engine.driver import Driver
from reelway.engine.fence import Permit
from reelway.engine.fetcher import Fetcher
from reelway.engine.health import Health
from reelway.engine.router import Router
from reelway.engine.signals import Teller
from reelway.media.spec import MediaWorker
from reelway.store.spec import Change, JobStore
from reelway.telemetry import logger
from reelway.vendors.spec import Adapter
from reelway.webhooks.messages import message_for

__all__ = ["EngineLimits", "Tools", "Watch"]

_log = logger("engine")
_SPARE_SHARE = 0.2
"""Of a lease: so long before its end nothing billable leaves any more, for clocks that do not run quite alike."""


class EngineLimits(Record):
    """Seconds, bytes and counts that bound the engine's work."""

    lease_seconds: float = 10.0
    shortest_poll_seconds: float = 2.0
    longest_poll_seconds: float = 20.0
    lookup_pause_seconds: float = 5.0
    """Between two look-ups of a lost submit."""
    lookups_to_be_sure: int = 2
    """How many look-ups must find nothing before a submit counts as never arrived."""
    arrival_seconds: float = 20.0
    """How long a request may be on its way after its sender ended or lost its lease; until then, finding nothing proves nothing."""
    submit_seconds: float = 600.0
    """How long after its attempt was written down a billable request may leave; adapters look for it in a wider window."""
    callback_wait_seconds: float = 600.0
    """How long a lost submit that cannot be looked up waits for the vendor to call back."""
    callback_answer_seconds: float = 2.0
    """How long a vendor waits for its 200 at most while what it named is written down; they hang up after three or five."""
    retry_seconds: float = 0.5
    """Before the first repetition of anything; each further one waits twice as long, up to half a minute."""
    submit_tries: int = 20
    fetch_tries: int = 6
    """How often the address of an input that gives nothing is asked again."""
    collect_tries: int = 6
    """How often a result that is gone or does not decode is asked for anew."""
    collect_seconds: float = 86_400.0
    """How long a rendered result is tried to be kept."""
    download_seconds: float = 1800.0
    """How long one file may take, over all connections."""
    store_seconds: float = 600.0
    """How long the asset store may take over making one file visible."""
    output_bytes: int = 4 * 1024**3
    retention_seconds: float = 7 * 86_400.0
    input_retention_seconds: float = 2 * 86_400.0
    steps_at_once: int = 512
    collects_at_once: int = 4
    """Results of one account that are fetched at a time, so that a vendor that stalls holds up nobody else."""
    stop_seconds: float = 20.0
    """How long a graceful stop waits for submits on their way."""


class Watch:
    """One unfinished job in memory: its newest record and what the next step needs to know."""

    __slots__ = (
        "busy",
        "called_at",
        "doubted_at",
        "due",
        "heard",
        "holding",
        "job",
        "looks",
        "odd",
        "offered",
        "quiet_since",
        "sealed_at",
        "wake",
    )

    def __init__(self, job: Job, due: float) -> None:
        self.job = job
        self.due = due
        self.busy = False
        self.wake = False
        """Something happened while it was busy: look again at once."""
        self.looks = 0
        self.odd = 0
        """How many looks in a row made no sense."""
        self.offered: JobRoute | None = None
        """Where it was sent when its turn came, until the attempt is written down."""
        self.holding: str | None = None
        """The account in whose count of unfinished videos it stands."""
        self.called_at = 0.0
        """When the newest step is due that a vendor's callback asked for."""
        self.heard: tuple[HeardOperation, ...] = ()
        """What callbacks named while the answer to the newest attempt was still to come."""
        self.sealed_at = 0.0
        """Since when nothing of the newest attempt's request leaves any more, Unix seconds by this node's clock …"""
        self.quiet_since = 0.0
        """… and the same by the clock that never jumps."""
        self.doubted_at = 0.0
        """Of what was said about the newest attempt: when that was said which turned out to be wrong."""


class Tools:
    """The engine's surroundings."""

    def __init__(
        self,
        *,
        store: JobStore,
        assets: AssetStore,
        media: MediaWorker,
        driver: Driver,
        router: Router,
        fetcher: Fetcher,
        adapters: Mapping[str, Adapter],
        cards: Callable[[str], ModelCard],
        limits: EngineLimits,
        clock: Callable[[], float],
        random: Callable[[], float],
        token: Callable[[], str],
        checkpoint: Callable[[str], None],
        public_url: str | None = None,
        rates: Mapping[str, Decimal] = MappingProxyType({}),
        monotonic: Callable[[], float] = time.monotonic,
        weights: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.store = store
        self.assets = assets
        self.media = media
        self.driver = driver
        self.router = router
        self.fetcher = fetcher
        self.adapters = adapters
        self.cards = cards
        self.limits = limits
        self.clock = clock
        self.monotonic = monotonic
        """Seconds that never jump and, where the system has such a clock, go on while the machine sleeps."""
        self.random = random
        self.token = token
        self.checkpoint = checkpoint
        """Called at named points with nothing in between them and the next effect; tests kill the process there."""
        self.public_url = public_url
        """Where vendors reach this server; without it none is told where to call back."""
        self.charging = Charging(cards, rates)
        self.board = Board()
        self.durations = Durations()
        self.dispatcher = Dispatcher(router, self.typical_seconds_of, weights)
        self.stopping = asyncio.Event()
        self.draining = asyncio.Event()
        """Set when this node hands its work over: no step begins any more."""
        self.teller = Teller(store)
        self.board.shown = self.teller.show
        self.nudge: Callable[[str], bool] = lambda job_id: False
        """Takes the next step of a job now, and tells whether there was one to take; set by the worker."""
        self.room_made: Callable[[], None] = lambda: None
        """Called when an account may have room for another job; set by the worker."""
        self.message_written: Callable[[], None] = lambda: None
        """Called when there is a new message to deliver; set by whoever started a deliverer."""
        self.errand_written: Callable[[], None] = lambda: None
        """Called when there is a new errand; set by the cleaner."""
        self.words: Callable[[Job], Any] = lambda job: None
        """Says what a caller is told of a video in the words of the dialect it came through; set by whoever knows the dialects."""
        self.share: Callable[[int, int], None] = router.share
        """Takes this node's part of every account's limits: it is number `rank` of `count`."""
        self.set_clock: Callable[[float], None] = lambda shared: None
        """Takes the time that all nodes share; set by whoever made the clock."""
        self.node = ""
        self.epoch = 0
        self.lease_until = 0.0
        """When the lease is over for certain, on this process's monotonic clock: counted from before it was asked for. After that
        no step begins and nothing billable is sent, since another node may have the jobs."""

    def has_lease(self, margin_seconds: float = 0.0) -> bool:
        """Whether the jobs of this node are surely its own for so long still."""
        return self.monotonic() + margin_seconds < self.lease_until

    def account(self, name: str) -> Account | None:
        """Return an account of the present configuration."""
        return self.router.accounts.get(name)

    def typical_seconds(self, job: Job) -> float:
        """Return how long this model usually takes to render."""
        return self.typical_seconds_of(job.request.card)

    def typical_seconds_of(self, card: str) -> float:
        """Return how long the model of a card usually takes to render."""
        return self.durations.typical(card, self.cards(card).typical_seconds)

    def account_of(self, job: Job) -> Account | None:
        """Return the account that works on a job, with the key that its work was begun with."""
        account = self.account(job.route.account) if job.route else None
        if account is None or job.attempt is None or job.attempt.account != account.name:
            return account
        return account.signed_as(job.attempt.key)

    def health(self, job: Job, account: str) -> Health:
        """Return how the account does with this job's model."""
        return self.router.health(account, job.request.card)

    def may_send(self, epoch: int) -> bool:
        """Whether a billable request may leave at this moment, for a job that is held under this epoch."""
        return epoch == self.epoch and self.has_lease(self.limits.lease_seconds * _SPARE_SHARE)

    def permit(self, watch: Watch, started_at: float) -> Permit:
        """Give leave to send one request of the attempt begun at `started_at`: while the lease holds, and not too long.

        Two clocks say how long: one that goes on through the machine's sleep, and one that is set right after a stranger's.
        """
        epoch, longest = watch.job.epoch, self.limits.submit_seconds
        latest = self.monotonic() + longest

        def holds() -> bool:
            return self.may_send(epoch) and self.monotonic() < latest and self.clock() < started_at + longest

        return Permit(holds, begins=lambda: self.checkpoint("sending"))

    def seal(self, watch: Watch) -> None:
        """Note that from now on nothing leaves any more of what was sent for this job."""
        watch.sealed_at, watch.quiet_since = self.clock(), self.monotonic()

    def on_its_way(self, watch: Watch) -> bool:
        """Whether the newest request of this job, if it was sent, may still arrive at the vendor."""
        return self.monotonic() < watch.quiet_since + self.limits.arrival_seconds

    def hold(self, watch: Watch, account: str) -> None:
        """Count this job among the account's unfinished ones."""
        self.release(watch)
        if account in self.router.limits:
            self.router.limits[account].in_flight += 1
            self.health(watch.job, account).in_flight += 1
            watch.holding = account

    def release(self, watch: Watch) -> None:
        """Stop counting it, and let the next one have its place."""
        if watch.holding is None:
            return
        health = self.health(watch.job, watch.holding)
        self.router.limits[watch.holding].in_flight -= 1
        health.in_flight -= 1
        health.let_go(watch.job.id)
        watch.holding = watch.offered = None
        self.room_made()

    async def write(
        self,
        watch: Watch,
        event: Event | None,
        *,
        name: str | None = None,
        detail: dict[str, Any] | None = None,
        errands: tuple[Errand, ...] = (),
        doubts: tuple[Entry, ...] = (),
        **changes: Any,
    ) -> Job:
        """Move the job along the table and write it down, with the money and the message to its caller, in one transaction."""
        job, now = watch.job, self.clock()
        state = next_state(job.state, event) if event else job.state
        changed = job.evolve(state=state, version=job.version + 1, updated_at=now, **changes)
        entry = None
        if state in FINAL:
            changed, entry = self.charging.close(changed, now)
        message = self.message_of(changed, now, before=public_status(job.state))
        label = name or str(event)
        change = Change(
            job=changed,
            node=job.owner,  # not this node's newest epoch: the job may have been taken over and come back since
            epoch=job.epoch,
            event=JobEvent(seq=changed.version, at=now, state=state, name=label, detail=detail or {}),
            entry=entry,
            doubts=doubts,
            message=message,
            errands=errands,
        )
        await self._persist(change)
        # A cancel that was asked for while the write was on its way is on the newer record in memory only.
        watch.job = changed.evolve(cancel_requested_at=watch.job.cancel_requested_at)
        _log.debug("job_written", video_id=job.id, state=str(state), event_name=label)
        for video_id in (job.id, job.parent):
            if video_id is not None:
                self.board.changed(video_id)
        if message is not None:
            self.message_written()
        if errands:
            self.errand_written()
        return watch.job

    def message_of(self, job: Job, now: float, *, before: Status | None) -> Message | None:
        """Return what the caller is told of a change, None for nothing. Words that cannot be found keep no video from its end."""
        try:
            return message_for(job, now, os.urandom(ENTROPY_BYTES), before=before, words=self.words)
        except Exception:
            _log.exception("message_not_made", video_id=job.id, dialect=job.request.callback_dialect)
            return None

    async def fail(self, watch: Watch, failure: Failure, **changes: Any) -> Job:
        """End the job with a failure; a cancel is one of them."""
        event = Event.CANCELLED if failure.kind is FailureKind.CANCELLED else Event.FAILED
        job = watch.job
        now = self.clock()
        progress = self.board.progress(job, now, self.typical_seconds(job))
        _log.info("job_failed", video_id=job.id, error_type=str(failure.kind), vendor_code=failure.vendor_code)
        detail = {"kind": str(failure.kind), "message": failure.message}
        return await self.write(
            watch, event, detail=detail, failure=failure, completed_at=now, progress=progress, **changes
        )

    async def _persist(self, change: Change) -> None:
        tries = 0
        while True:
            try:
                await self.store.apply(change)
                return
            except StorageFailed as error:
                tries += 1
                _log.error("write_refused", video_id=change.job.id, tries=tries, reason=str(error))
                if self.stopping.is_set():
                    raise
                await self.pause(self.backoff(tries))

    def backoff(self, tries: int) -> float:
        """Return the seconds before repetition number `tries`."""
        return backoff_seconds(tries, self.random(), first=self.limits.retry_seconds)

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return
