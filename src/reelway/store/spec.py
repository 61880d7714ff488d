"""The contract of a job store. Every implementation runs `tests/store/conformance.py`.

Three rules hold in all of them. A call that returns has reached the disk. Every write of an unfinished job names the owner's
epoch and the version it saw, and raises `LeaseLost` without effect when either has moved on. What belongs together (job,
event, ledger line, message, idempotency key) is one transaction. Concurrent writers share transactions (group commit).

All times are Unix seconds and come in as arguments.
"""

from collections.abc import Callable
from typing import Protocol

from reelway.core.characters import Character
from reelway.core.errands import Errand
from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.keys import ApiKey, UnfinishedLimit
from reelway.core.lifecycle import State
from reelway.core.messages import Message
from reelway.core.nodes import Node, NodeFacts, Signal
from reelway.core.record import Record
from reelway.core.videos import Mode
from reelway.store.doubt_spec import DoubtStore

__all__ = [
    "Change",
    "Created",
    "Creation",
    "IdempotencyClaim",
    "JobPage",
    "JobQuery",
    "JobStore",
]


class IdempotencyClaim(Record):
    """Same key and same body: the first answer again. Same key and another body: `Conflict`, `idempotency_mismatch`.

    With `sending`, nobody chose the key: it stands for the body itself. See the field.
    """

    key_id: str
    key: str
    body_hash: str
    expires_at: float
    sending: int | None = None
    """Which sending of one request this is, as its client counts. The first (0) makes a video, whoever held the key, unless a
    later sending of the same request came after it and was quicker. A later one gets the newest video that was not deleted."""


class Creation(Record):
    """A new video: its job, the jobs of its takes if there are several, and the money set aside for it."""

    job: Job
    event: JobEvent
    takes: tuple[Job, ...] = ()
    entry: Entry | None = None
    idempotency: IdempotencyClaim | None = None
    message: Message | None = None
    """What the caller is told of it."""
    limits: tuple[UnfinishedLimit, ...] = ()
    """None of which the new video may exceed."""


class Created(Record):
    """The job that answers the request; `replayed` when an earlier request with the same key made it."""

    job: Job
    replayed: bool = False


class Change(Record):
    """One write of one job. `job.version` is the new version; the row must still hold the one before.

    `epoch` is the owner's, or None for a job that is final and owned by nobody (expiry).
    """

    job: Job
    node: str | None = None
    epoch: int | None = None
    event: JobEvent | None = None
    entry: Entry | None = None
    doubts: tuple[Entry, ...] = ()
    """Lines of the operator's own: `doubt` and `loss`."""
    message: Message | None = None
    """What the caller is told of it."""
    errands: tuple[Errand, ...] = ()
    """What is to be done once it is written."""


class JobQuery(Record):
    """A page of one tenant's videos (never takes, never deleted ones), ordered by id."""

    tenant: str | None
    """None: all tenants, for operators."""
    limit: int = 20
    descending: bool = True
    after: str | None = None
    """The id of the last video of the page before."""
    states: tuple[State, ...] = ()
    """Empty: all."""
    model: str | None = None
    user: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    ids: tuple[str, ...] = ()
    """Empty: all."""
    client_references: tuple[str, ...] = ()
    """Empty: all, also those without one."""
    modes: tuple[Mode, ...] = ()
    """Empty: all."""
    skip: int = 0
    """So many fitting videos come before the page."""
    counted: bool = False
    """Whether the page says how many fit in all: that is work in proportion to their number."""


class JobPage(Record):
    jobs: tuple[Job, ...]
    has_more: bool
    total: int | None = None
    """How many fit in all, where that was asked for."""


class JobStore(DoubtStore, Protocol):
    """Keeps jobs. See the rules above."""

    async def open(self) -> None:
        """Open, and bring the schema up to date. Raise `SchemaTooNew`, or `StorageFailed` when it cannot be opened."""
        ...

    async def close(self) -> None:
        """Finish the writes that were accepted, then close."""
        ...

    # --- nodes

    async def join(self, node: str, now: float, lease_seconds: float, facts: NodeFacts | None = None) -> int:
        """Register a node and return its epoch: greater than any epoch given out before."""
        ...

    async def renew(self, node: str, epoch: int, now: float, lease_seconds: float) -> bool:
        """Extend the lease by one row write, and return whether the node was asked to drain.

        Raise `LeaseLost` when the lease was given to a newer epoch or taken away.
        """
        ...

    async def leave(self, node: str, epoch: int) -> None:
        """Give the lease and every job owned under it back at once."""
        ...

    async def claim(self, node: str, epoch: int, now: float, limit: int) -> tuple[Job, ...]:
        """Adopt up to `limit` unfinished jobs that have no owner or whose owner's lease is over, oldest due first.

        Their owner and epoch become the caller's; their version does not change.
        """
        ...

    async def hand_back(self, node: str, epoch: int, job_ids: tuple[str, ...]) -> None:
        """Make nobody the owner of those of these unfinished jobs that are held under this lease."""
        ...

    async def cancel_wishes(self, node: str, epoch: int) -> tuple[tuple[str, float], ...]:
        """Return which of the jobs held under this lease somebody wants cancelled, and since when."""
        ...

    async def live_nodes(self, now: float) -> tuple[str, ...]:
        """Return the sorted names of the nodes among which work is shared: with a living lease, neither `api` nor draining."""
        ...

    async def nodes(self, now: float) -> tuple[Node, ...]:
        """Return every node with a lease that was not ended, by name."""
        ...

    async def ask_to_drain(self, node: str | None, now: float) -> tuple[str, ...]:
        """Ask a node, or with None every one, to hand its work over and take no more; return the names of those asked."""
        ...

    async def shared_time(self) -> float | None:
        """Return the time by the clock that all nodes share; None where there is none, as with a file on one machine."""
        ...

    # --- signals between processes

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Call `hear` on this event loop for what other processes commit and tell, from now until `close`."""
        ...

    async def tell(self, *signals: Signal) -> None:
        """Let the other processes know. Never raises: who is not told finds out by looking."""
        ...

    # --- jobs

    async def create(self, creation: Creation) -> Created:
        """Write a new video, or return the one an earlier request with the same idempotency key made.
        Raise `RateLimited` when it would exceed one of its limits, however many are created at the same moment."""
        ...

    async def answered(self, claim: IdempotencyClaim, now: float) -> Created | None:
        """Return what `create` would return to a repetition, None when the claim would make a video; writes nothing.

        Raises what `create` would raise. Of requests at the same moment, `create` alone knows which one came first.
        """
        ...

    async def exceeded(self, limits: tuple[UnfinishedLimit, ...]) -> UnfinishedLimit | None:
        """Return the first of these limits that one more video would exceed. A look before work is done; `create` decides."""
        ...

    async def apply(self, change: Change) -> None:
        """Write one change, or raise `LeaseLost` and write nothing. A final job loses its owner."""
        ...

    async def request_cancel(self, job_id: str, now: float) -> None:
        """Note that a caller wants an unfinished job cancelled, whoever owns it; does not count as a version."""
        ...

    async def get(self, job_id: str) -> Job | None:
        """Return a job that was not deleted."""
        ...

    async def get_many(self, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
        """Return those that exist, in the order of the ids."""
        ...

    async def page(self, query: JobQuery) -> JobPage: ...

    async def events(self, job_id: str, after_seq: int = 0) -> tuple[JobEvent, ...]:
        """Return a video's story in order, from the line after `after_seq`."""
        ...

    async def entries(self, job_id: str) -> tuple[Entry, ...]:
        """Return the ledger lines of a video in order."""
        ...

    async def delete(self, job_id: str, now: float, *, errands: tuple[Errand, ...] = ()) -> None:
        """Remove a final job, its takes and events, its messages that were not delivered and the bodies of those that were.

        Its id and tenant stay as a tombstone, its ledger lines stay. What is left to do is written down with it.
        """
        ...

    async def tombstone_tenant(self, job_id: str) -> str | None:
        """Return the tenant of a deleted video, None when there never was one."""
        ...

    async def holder_of(self, account: str, operation_keys: tuple[str, ...]) -> dict[str, str]:
        """Return which of these vendor ids already belong to a job of this account: key → job id."""
        ...

    async def expiring(self, now: float, limit: int) -> tuple[Job, ...]:
        """Return final jobs whose bytes should go: `expires_at` has passed and `expired` is not set."""
        ...

    async def queue_position(self, job: Job) -> int:
        """Return how many queued videos were created before this one."""
        ...

    async def count_unfinished(self) -> dict[State, int]: ...

    async def render_seconds(self, limit: int = 50) -> dict[str, tuple[float, ...]]:
        """Return how long the newest `limit` completed jobs of each model took from submit to rendered."""
        ...

    # --- messages

    async def due_messages(self, now: float, limit: int, hold_until: float) -> tuple[Message, ...]:
        """Take up to `limit` messages that are due. Nobody else gets them before `hold_until`, when they are due again.

        Of one video nobody gets a message before the earlier ones were delivered or given up.
        """
        ...

    async def message_delivered(self, message_id: str, now: float, answer: str) -> None:
        """Count a try that arrived; the message is not due any more. An unknown id (deleted since) changes nothing."""
        ...

    async def message_failed(self, message_id: str, due_at: float | None, tries: int, answer: str) -> None:
        """Note a try that failed and when the next one is due (None: never), unless it was delivered meanwhile."""
        ...

    async def messages(self, video_id: str) -> tuple[Message, ...]:
        """Return a video's messages, the oldest first, also those of a deleted one that were delivered."""
        ...

    # --- errands

    async def plan_errand(self, errand: Errand) -> None:
        """Write down an errand that follows from no change; one that is on record already stays as it is."""
        ...

    async def due_errands(self, now: float, limit: int, hold_until: float) -> tuple[Errand, ...]:
        """Take up to `limit` errands that are due. Nobody else gets them before `hold_until`, when they are due again."""
        ...

    async def errand_done(self, errand_id: str) -> None:
        """Forget an errand; an unknown id changes nothing."""
        ...

    async def errand_put_off(self, errand_id: str, due_at: float | None, tries: int, answer: str | None) -> None:
        """Note when an errand is due next (None: it is given up) and why."""
        ...

    async def errands(self, job_id: str) -> tuple[Errand, ...]:
        """Return what is left to do about a video, also about a deleted one."""
        ...

    async def given_up_errands(self, limit: int) -> tuple[Errand, ...]:
        """Return what only an operator can mend, the oldest first."""
        ...

    # --- characters

    async def add_character(
        self, character: Character, *, ends: Errand, idempotency: IdempotencyClaim | None = None
    ) -> Character:
        """Write a character whose files are in their place, and end the errand `ends`, which would remove them.

        Or return the one an earlier request with the same idempotency key made, as replayed, and end nothing. Raise `Unavailable`
        when that errand is being run, or was.
        """
        ...

    async def answered_character(self, claim: IdempotencyClaim, now: float) -> Character | None:
        """Return what `add_character` would return to a repetition, None when the key is free; writes nothing."""
        ...

    async def character(self, character_id: str) -> Character | None: ...

    async def remove_character(self, character_id: str, errand: Errand) -> bool:
        """Remove a character and plan the removal of its files, in one; False when there is none with this id."""
        ...

    # --- keys

    async def add_key(self, key: ApiKey) -> None: ...

    async def key_by_hash(self, key_hash: str) -> ApiKey | None:
        """Return the key, also a revoked or expired one."""
        ...

    async def keys(self) -> tuple[ApiKey, ...]: ...

    async def revoke_key(self, key_id: str, now: float) -> bool:
        """Revoke a key; False when there is none with this id."""
        ...

    # --- facts about this installation

    async def fact(self, name: str) -> str | None:
        """Return a small installation-wide value (the URL signing secret, say)."""
        ...

    async def set_fact(self, name: str, value: str) -> str:
        """Set it unless it is set; return the value that holds."""
        ...
