"""The durable record behind a video, with its journal of attempts.

A job is one row. Its owner and epoch fence every write; its version orders them. Times are Unix seconds.
"""

from typing import Any, Literal

from reelway.core.failures import Failure
from reelway.core.lifecycle import FINAL, State
from reelway.core.money import Micros
from reelway.core.record import Record
from reelway.core.submits import Settlement
from reelway.core.videos import Output, ResolvedRequest

__all__ = [
    "Attempt",
    "AttemptOutcome",
    "Entry",
    "EntryKind",
    "HeardOperation",
    "Job",
    "JobEvent",
    "JobRoute",
    "VendorCopy",
]

AttemptOutcome = Literal["open", "accepted", "refused", "not_sent", "unknown", "absent", "abandoned", "failed"]
"""`open`: on disk, perhaps sent. `unknown`: sent, no answer. `absent`: looked up, surely never arrived. `failed`: accepted, and
its render failed; another attempt followed."""

VendorCopy = Literal["kept", "deleting", "deleted", "stuck"]
"""`deleting`: an errand is on record; `stuck`: the vendor did not delete it, and was asked for the last time."""

EntryKind = Literal["reserve", "settle", "release", "doubt", "loss"]
"""The first three are the tenant's. `doubt`: what a submit may have cost the operator whose outcome nobody knows; `loss`: what it
did, once somebody has looked."""


class JobRoute(Record):
    """Which account of which vendor does the work, and under which name the vendor knows the model."""

    account: str
    vendor: str
    model: str
    sandbox: bool = False


class HeardOperation(Record):
    """The vendor's work as a callback named it; not believed before the vendor shows it to us."""

    operation: dict[str, Any]
    key: str
    """The vendor's id in it."""


class Attempt(Record):
    """One try at the billable request, written down before the request goes out."""

    number: int
    account: str
    reference: str
    """Our mark at the vendor, new for each attempt, so that a lost one can be found again."""
    callback_secret: str
    started_at: float
    ended_at: float | None = None
    outcome: AttemptOutcome = "open"
    lookups: int = 0
    """How often a lost submit was looked up."""
    heard: tuple[HeardOperation, ...] = ()
    """What callbacks named while the answer was lost; only one of them can be it."""
    failure: Failure | None = None
    key: str = ""
    """Which of the account's keys it was sent with (`Account.key_mark`); the work may be shown to that key alone."""
    usage: dict[str, Any] | None = None
    """The vendor's figures of a render that failed, where it gave any."""
    settlement: Settlement | None = None
    """What an operator, or a node that had lost its lease, said became of it."""


class Entry(Record):
    """One line of the ledger: exactly one `settle` or `release` follows each `reserve`, and at most one `loss` a `doubt`."""

    kind: EntryKind
    amount: Micros
    at: float


class JobEvent(Record):
    """One line of a video's story. `seq` counts from 1 within the video."""

    seq: int
    at: float
    state: State
    name: str
    detail: dict[str, Any] = {}


class Job(Record):
    """Our durable record of one video, or of one take of a video asked for with `n` greater than 1."""

    id: str
    tenant: str
    key_id: str
    request: ResolvedRequest
    created_at: float
    updated_at: float
    deadline_at: float
    """After this the job ends as `timed_out`."""
    due_at: float
    """When a node should next look at it, as far as the disk knows; a running job's looks are planned in memory."""
    state: State = State.QUEUED
    version: int = 1
    """Counts the writes; every write names the version it saw."""
    owner: str | None = None
    epoch: int = 0
    route: JobRoute | None = None
    operation: dict[str, Any] | None = None
    """The vendor's work, opaque to us; what `Accepted` carried."""
    operation_key: str | None = None
    """The vendor's id in it, unique per account: a lost submit is never adopted twice."""
    submitted_at: float | None = None
    rendered_at: float | None = None
    result: dict[str, Any] | None = None
    """What `Succeeded` carried, kept while collecting."""
    attempts: tuple[Attempt, ...] = ()
    kept: tuple[Output, ...] = ()
    """Outputs that are stored already, while others are still to be fetched."""
    outputs: tuple[Output, ...] = ()
    progress: int = 0
    """As of the last write; memory knows better while a node watches."""
    failure: Failure | None = None
    completed_at: float | None = None
    expires_at: float | None = None
    cancel_requested_at: float | None = None
    reserved: Micros = 0
    settled: Micros | None = None
    usage: dict[str, Any] | None = None
    """The vendor's own figures, where it reports any."""
    parent: str | None = None
    """The video this take belongs to."""
    take: int = 0
    takes: tuple[str, ...] = ()
    """The jobs of a video asked for with `n` greater than 1."""
    expired: bool = False
    """The bytes are gone, by retention."""
    collect_failures: int = 0
    vendor_copy: VendorCopy = "kept"
    """What has become of the vendor's own copy; only one that is `kept` may be named to the vendor again."""
    tried_accounts: tuple[str, ...] = ()
    """Accounts that surely refused, or whose render failed; not asked again for this job."""
    urgency: int = 0
    """Among the jobs of its tenant that wait: the lower the earlier."""
    source_account: str | None = None
    """The account that made the video this one goes on from; preferred, since it can go on from its own work."""

    @property
    def is_final(self) -> bool:
        """Whether nothing will happen to it any more, except that its bytes expire."""
        return self.state in FINAL

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None
