"""The use cases, one method each. Whoever asks is checked first; what is refused is refused before anything is charged."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from reelway.accounts.keys import KeyRing
from reelway.assets.spec import AssetStore
from reelway.catalog.catalog import Catalog
from reelway.catalog.pricing import Quote
from reelway.catalog.routes import describe_deprecation
from reelway.catalog.spec import ModelCard
from reelway.core.errors import CallerError, Conflict, Gone, StorageFailed, Unavailable
from reelway.core.ids import is_id
from reelway.core.jobs import Entry, JobEvent
from reelway.core.keys import Caller
from reelway.core.lifecycle import State, public_status
from reelway.core.record import Record
from reelway.core.videos import Blob, ResolvedRequest, Variant, Video, VideoRequest
from reelway.dialects.spec import Deleted
from reelway.engine.router import Router
from reelway.engine.runtime import Engine
from reelway.service.characters import CharacterKeeper
from reelway.service.claims import SENT_AGAIN_SECONDS, claim_for, limits_for
from reelway.service.contents import Content, ContentKeeper
from reelway.service.files import FileKeeper
from reelway.service.inputs import InputKeeper
from reelway.service.jobs import make_jobs
from reelway.service.judging import judge
from reelway.service.reading import Reader, not_found, require
from reelway.service.refusals import no_route
from reelway.service.submits import Submits
from reelway.service.unheard import Unheard
from reelway.service.views import quote_view
from reelway.store.spec import Creation, IdempotencyClaim, JobStore
from reelway.telemetry import logger
from reelway.vendors.spec import Callback

__all__ = ["Service", "ServiceLimits"]

_log = logger("service")
_CANCEL_WAIT_SECONDS = 5.0
_WORDS = frozenset({"draining", "stopping"})
"""Problems that are meant, and so are a status of their own."""


class ServiceLimits(Record):
    """Bytes, seconds, and counts of which 0 means without limit."""

    b64_json_bytes: int = 25 * 1024 * 1024
    longest_wait_seconds: float = 60.0
    look_seconds: float = 2.0
    """Between two looks of whoever waits for a video, in case no signal tells of its change."""
    unfinished_per_key: int = 0
    unfinished_per_user: int = 0


class Service:
    """The use cases. Every method raises `CallerError` when it is the caller's turn to act."""

    def __init__(
        self,
        *,
        store: JobStore,
        assets: AssetStore,
        inputs: InputKeeper,
        contents: ContentKeeper,
        files: FileKeeper,
        characters: CharacterKeeper,
        engine: Engine,
        router: Router,
        catalog: Catalog,
        keys: KeyRing,
        rates: Mapping[str, Decimal],
        limits: ServiceLimits,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._assets = assets
        self._inputs = inputs
        self._contents = contents
        self._files = files
        self.characters = characters
        self._engine = engine
        self._router = router
        self._catalog = catalog
        self._keys = keys
        self._rates = rates
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._unheard = Unheard(SENT_AGAIN_SECONDS)
        self._reader = Reader(
            store=store,
            contents=contents,
            engine=engine,
            unheard=self._unheard,
            clock=clock,
            b64_json_bytes=limits.b64_json_bytes,
            longest_wait_seconds=limits.longest_wait_seconds,
            look_seconds=limits.look_seconds,
        )
        self.read = self._reader.read
        self.list = self._reader.list
        self.events = self._reader.events
        self.submits = Submits(store, clock)

    # --- who

    async def authenticate(self, key: str | None) -> Caller:
        """Return who holds this API key. Raises `AuthenticationRequired`."""
        return await self._keys.authenticate(key, self._clock())

    # --- create

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        """Stream an uploaded file into the asset store. Raises `TooLarge`."""
        return await self._inputs.stage(pieces, media_type)

    async def unstage(self, blob: Blob) -> None:
        """Remove a staged file whose request came to nothing."""
        await self._inputs.unstage(blob)

    async def create(
        self,
        request: VideoRequest,
        caller: Caller,
        *,
        idempotency_key: str | None = None,
        body_hash: str = "",
        sending: int | None = None,
        unsaid_at: float | None = None,
        strict: bool = False,
        urgency: int = 0,
        wait_seconds: float = 0.0,
    ) -> Video:
        """Accept a video: it is on disk, with its money set aside, when this returns. With `wait_seconds`, also finished.

        Of the videos of a tenant that wait, those of a lower `urgency` go first.
        Of a request that comes again (`claim_for` says how it is known), the video it made the first time. `unsaid_at` is
        when it arrived from a client that repeats and does not say so.
        """
        require(caller, "create")
        now = self._clock()
        if unsaid_at is not None:
            sending = await self._guess_sending(caller, body_hash, now, unsaid_at)
        claim = claim_for(caller, now, idempotency_key=idempotency_key, body_hash=body_hash, sending=sending)
        video = await self._accept(request, caller, now, claim, strict=strict, urgency=urgency)
        if unsaid_at is not None and not video.replayed:
            self._unheard.answered(video.id, self._clock())
        if wait_seconds <= 0:
            return video
        finished = await self._reader.watch(video.id, caller, wait_seconds, named=False)
        return finished.evolve(replayed=video.replayed)

    async def _guess_sending(self, caller: Caller, body_hash: str, now: float, arrived_at: float) -> int:
        """Return which sending this seems to be: a later one, where an earlier one made a video that nobody has named."""
        claim = claim_for(caller, now, idempotency_key=None, body_hash=body_hash, sending=1)
        earlier = None if claim is None else await self._store.answered(claim, now)
        return 1 if earlier is not None and self._unheard.is_repetition(earlier.job, arrived_at) else 0

    async def _accept(
        self,
        request: VideoRequest,
        caller: Caller,
        now: float,
        claim: IdempotencyClaim | None,
        *,
        strict: bool,
        urgency: int,
    ) -> Video:
        earlier = None if claim is None else await self._store.answered(claim, now)
        if earlier is not None:
            return self._reader.view(earlier.job, caller).evolve(replayed=True)
        if self._engine.is_draining:
            raise Unavailable("this server hands its work over and takes no new videos", retry_after_seconds=1)
        limits = limits_for(caller, request.user, self._limits.unfinished_per_key, self._limits.unfinished_per_user)
        exceeded = await self._store.exceeded(limits) if limits else None
        if exceeded is not None:
            raise exceeded.refusal()
        card, settled, resolved, price = await self._resolve(request, caller, strict=strict)
        if not self._router.candidates(resolved, now):
            await self._inputs.discard(settled.inputs)
            raise no_route(resolved, self._router.obstacles(resolved, now))
        source_account = await self._source_account(resolved)
        owner, epoch = self._engine.ownership
        job, takes = make_jobs(
            resolved,
            caller,
            now,
            reserved=price.amount,
            deadline_seconds=card.deadline_seconds,
            takes_at_once=card.n_max,
            owner=owner,
            epoch=epoch,
            new_id=self._new_id,
            urgency=urgency,
            source_account=source_account,
        )
        message = self._engine.first_message(job)
        creation = Creation(
            job=job,
            event=JobEvent(seq=1, at=now, state=State.QUEUED, name="created"),
            takes=takes,
            entry=Entry(kind="reserve", amount=job.reserved, at=now),
            idempotency=claim,
            message=message,
            limits=limits,
        )
        try:
            created = await self._store.create(creation)
        except CallerError:
            await self._inputs.discard(settled.inputs)
            raise
        except BaseException:
            # The database may have written it and its answer was lost: then it is ours to make, though nobody was told of it.
            self._engine.look_for((*(take.id for take in takes), job.id))
            raise
        self._engine.checkpoint("created")
        if created.replayed:
            await self._inputs.discard(settled.inputs)
        else:
            self._engine.adopt((*takes, job), told=message is not None)
        return self._reader.view(created.job, caller).evolve(replayed=created.replayed)

    async def _source_account(self, resolved: ResolvedRequest) -> str | None:
        """Return the account that made the source video, which may go on from its own work."""
        if resolved.source_video_id is None:
            return None
        source = await self._store.get(resolved.source_video_id)
        return source.route.account if source is not None and source.route is not None else None

    async def quote(self, request: VideoRequest, caller: Caller, *, strict: bool = False) -> dict[str, Any]:
        """Return what a create would do and cost; nothing is charged or sent."""
        require(caller, "create")
        _, settled, resolved, price = await self._resolve(request, caller, strict=strict)
        await self._inputs.discard(settled.inputs)
        now = self._clock()
        routes = self._router.candidates(resolved, now)
        answer = quote_view(resolved, price, routes, caller)
        if not routes:
            answer["reason"] = no_route(resolved, self._router.obstacles(resolved, now)).message
        return answer

    async def _resolve(
        self, request: VideoRequest, caller: Caller, *, strict: bool
    ) -> tuple[ModelCard, VideoRequest, ResolvedRequest, Quote]:
        """Return the card, the request with its files kept, what it means, and its price. A refused request leaves no file."""
        if request.source_video_id is not None and not request.model:
            source = await self._reader.own(request.source_video_id, caller)
            request = request.evolve(model=source.request.model)
        card = self._catalog.card(request.model)
        if request.callback_url is not None:
            self._inputs.check_address(request.spelled.get("callback_url", "callback_url"), request.callback_url)
        if request.inputs or request.source_video_id is not None:
            request = await self._inputs.settle(request, caller)
        if request.source_video_id is not None:
            self._unheard.named(request.source_video_id)
        try:
            if request.characters:
                request = await self.characters.put_in(request, card, caller)
            today = datetime.fromtimestamp(self._clock(), tz=UTC).date()
            resolved, price = judge(
                request, card, today, self._rates, strict=strict, b64_limit_bytes=self._limits.b64_json_bytes
            )
        except CallerError:
            await self._inputs.discard(request.inputs)
            raise
        used = {given.blob.key for given in resolved.inputs if given.blob is not None}
        await self._inputs.discard(given for given in request.inputs if given.blob and given.blob.key not in used)
        return card, request, resolved, price

    # --- end

    async def cancel(self, video_id: str, caller: Caller, *, only_queued: bool = False) -> Video:
        """Cancel a video, truthfully: see the answer's `status`, `error` and `cost` (contract 7). See `CancelVideo` too."""
        require(caller, "create")
        job = await self._reader.own(video_id, caller)
        if only_queued and not job.is_final and job.state is not State.QUEUED:
            raise Conflict(f"{video_id} is being made and cannot be stopped", code="video_running")
        if job.is_final and job.state is not State.CANCELLED:
            raise Conflict(
                f"{video_id} is {public_status(job.state)} already and cannot be cancelled", code="video_finished"
            )
        if not job.is_final:
            await self._engine.cancel(job)
        return await self.read(video_id, caller, wait_seconds=_CANCEL_WAIT_SECONDS)

    async def delete(self, video_id: str, caller: Caller, *, cancels_queued: bool = False) -> Deleted:
        """Delete record and bytes; an unfinished video is cancelled first. See `DeleteVideo` for `cancels_queued`."""
        require(caller, "create")
        job = await self._reader.own(video_id, caller)
        if cancels_queued and not job.is_final:
            if job.state is not State.QUEUED:
                message = f"{video_id} is being made and cannot be stopped; delete it when it has ended"
                raise Conflict(message, code="video_running")
            await self.cancel(video_id, caller)
            return Deleted(id=video_id, cancelled=True)
        if not job.is_final:
            await self.cancel(video_id, caller)
            job = await self._reader.own(video_id, caller)
            if not job.is_final:
                raise Conflict(
                    f"{video_id} is being cancelled; delete it when its status is failed",
                    code="video_not_ready",
                    retry_after_seconds=2,
                )
        await self._engine.part_with(job)
        return Deleted(id=video_id)

    # --- vendors

    async def hear(
        self, video_id: str, attempt: str, secret: str, read: Callable[[], Awaitable[Callback]]
    ) -> dict[str, Any] | None:
        """Take a vendor's callback; return what it wants to hear back. Raises `NotFound` for an address we did not give out."""
        return await self._engine.hear(video_id, attempt, secret, read)

    # --- content

    async def content(self, video_id: str, caller: Caller | None, *, variant: Variant, index: int) -> Content:
        """Find one file. `caller` is None for a signed link, whose signature was checked with `check_link`."""
        job = await self._store.get(video_id) if is_id("video", video_id) else None
        if job is None or job.parent is not None:
            tenant = await self._store.tombstone_tenant(video_id)
            if tenant is not None and (caller is None or tenant == caller.tenant):
                raise Gone(f"{video_id} was deleted", code="video_deleted")
        if job is None or job.parent is not None or (caller is not None and job.tenant != caller.tenant):
            raise not_found(video_id)
        self._unheard.named(video_id)
        return self._contents.find(job, variant, index)

    def check_link(self, video_id: str, variant: Variant, index: int, expires: str, signature: str) -> None:
        """Raise `PermissionDenied` unless this is a link we signed and its time has not passed."""
        self._contents.check(video_id, variant, index, expires, signature, self._clock())

    async def open_file(self, key: str, expires: str, signature: str) -> Content:
        """Find the file behind an address that a vendor was given. Raises `PermissionDenied` or `NotFound`."""
        return await self._files.open(key, expires, signature)

    def read_asset(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes of a file."""
        return self._assets.read(key, start, stop)

    # --- models, health

    def model_names(self) -> tuple[str, ...]:
        """Return every public name that can be asked for, aliases included, sorted."""
        return self._catalog.names

    def model(self, name: str) -> tuple[ModelCard, dict[str, Any]]:
        """Return a card and what is true of it here and now."""
        card = self._catalog.card(name)
        today = datetime.fromtimestamp(self._clock(), tz=UTC).date()
        facts: dict[str, Any] = {"deprecation": describe_deprecation(card, today)}
        if name != card.name:
            facts["alias_of"] = card.name
        return card, facts

    async def ready(self) -> dict[str, Any]:
        """Return what `/readyz` says; `{"status": "ready"}` when requests can be taken, else what is wrong."""
        problems = list(self._engine.problems())
        unfinished: int | None = None
        try:
            unfinished = sum((await self._store.count_unfinished()).values())
        except StorageFailed as error:
            _log.error("records_not_read", reason=str(error))
            problems.append("the database cannot be read; the reason is in the log")
        return {
            "status": problems[0] if problems and problems[0] in _WORDS else "not_ready" if problems else "ready",
            "node": self._engine.node,
            "role": self._engine.role,
            "unfinished": unfinished,
            "problems": problems,
        }
