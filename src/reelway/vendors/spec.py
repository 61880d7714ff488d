"""What an adapter is: steps as generators that yield the request they want sent and receive the response.

Adapters never do I/O, never read a clock, and never hold a credential. The billable request is the last one `submit`
yields; whatever precedes it may be repeated. Optional abilities exist by being written: the engine asks,
with `isinstance(adapter, CanCancel)`, on the small protocols below.
"""

from collections.abc import Generator, Mapping
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from reelway.core.failures import Failure
from reelway.core.record import Record
from reelway.core.videos import Blob, Input, MediaKind, Mode, ResolvedRequest

__all__ = [
    "Accepted",
    "Adapter",
    "Base64",
    "Callback",
    "CanCancel",
    "CanContinue",
    "CanDelete",
    "CanFind",
    "CanName",
    "CanReadCallback",
    "CanVerifyCallback",
    "CancelAnswer",
    "Candidate",
    "Credential",
    "DataUri",
    "Download",
    "FilePart",
    "Flow",
    "Heard",
    "HttpRequest",
    "HttpResponse",
    "PublicUrl",
    "Running",
    "Status",
    "Submission",
    "Succeeded",
    "VendorFailed",
    "VendorOutput",
    "inputs_of",
]

T = TypeVar("T")


class Base64(Record, tag=True):
    """Stands in a JSON body for the base64 text of a blob; the transport fills it in while sending."""

    blob: Blob


class DataUri(Record, tag=True):
    """Stands in a JSON body or form field for `data:TYPE;base64,…` of a blob."""

    blob: Blob
    media_type: str = ""
    """What the vendor calls the type, where that is another word than ours."""


class PublicUrl(Record, tag=True):
    """Stands for a short-lived signed URL under which the vendor can fetch a blob (needs `REELWAY_PUBLIC_URL`)."""

    blob: Blob


class FilePart(Record):
    """One file of a multipart form, streamed from the asset store."""

    blob: Blob
    filename: str


class HttpRequest(Record):
    """What an adapter wants sent. At most one of `json`, `form` and `body`; no credential ever."""

    method: str
    path: str
    """Below the account's base URL, or an absolute `https://…`."""
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    json: Any = None
    form: tuple[tuple[str, Any], ...] = ()
    """Multipart fields in order: text, `FilePart`, `DataUri` or `PublicUrl`."""
    billable: bool = False
    """Costs money when it arrives; sent once."""
    drop_long_texts: bool = False
    """The answer may carry whole files as base64: texts longer than 64 KiB are left out of it while it is read."""


class HttpResponse(Record):
    """What came back: headers in lower case, a body of bounded size."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


Flow: TypeAlias = Generator[HttpRequest, HttpResponse, T]
"""A step: yields requests, receives responses, returns its result. May raise `VendorRefused` or `UnexpectedResponse`."""


class Credential(Record):
    """The secrets of one account, by the vendor's usual names; in memory only."""

    values: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Credential({', '.join(sorted(self.values))}: redacted)"


class Submission(Record):
    """Everything a submit may use."""

    request: ResolvedRequest
    model: str
    """The vendor's id for the model."""
    reference: str
    """Our mark for this attempt, sent wherever the vendor keeps one."""
    started_at: float
    """When the attempt was written down, Unix seconds."""
    left_by: float = 0.0
    """While it is looked up: when its request had left at the latest, as far as anybody can know."""
    service: str = ""
    settings: Mapping[str, str] = {}
    """The account's own settings (region, project, …)."""
    callback_url: str | None = None
    source: dict[str, Any] | None = None
    """The operation of the video that is remixed, edited or extended, when this same account made it."""
    source_model: str | None = None
    """The vendor's id for the model that made it."""


class Accepted(Record):
    """The vendor took it. `operation` is kept as it is; `key` is the vendor's id in it, unique within the account."""

    operation: dict[str, Any]
    key: str
    poll_after_seconds: float | None = None


class Running(Record):
    """Not done yet. `progress` is the vendor's own figure, 0 to 100, where it has one."""

    progress: int | None = None
    poll_after_seconds: float | None = None


class Download(Record):
    """Where a result lies. `authorize`: send the account's credential along (never to another host than its own)."""

    request: HttpRequest
    authorize: bool = False
    own_origin: str = ""
    """Another origin of the vendor's that takes the same credential: written by the adapter, never read from an answer."""
    base64_key: str = ""
    """The answer is JSON, and the file is the base64 text under this name in it, decoded while it arrives …"""
    base64_index: int = 0
    """… the one that comes after so many others of the name."""


class VendorOutput(Record):
    """One finished video at the vendor, and its last frame where the vendor delivers one."""

    video: Download
    last_frame: Download | None = None


class Succeeded(Record):
    """Done, with something to fetch."""

    outputs: tuple[VendorOutput, ...]
    usage: dict[str, Any] = {}
    """The vendor's own figures, of which the price is settled (`catalog.pricing.settle`): `cost`, an object of `currency` and
    `settled`, where the vendor names money; else `tokens` or `credits`, a count that the card's price rules turn into money, for
    a video with or without sound as `audio` says. Further figures are kept and shown, and settle nothing."""


class VendorFailed(Record):
    """The vendor says that it failed."""

    failure: Failure
    usage: dict[str, Any] = {}
    """The vendor's own figures, where it charges all the same: kept for the operator. Nobody here pays for what was not made."""


Status: TypeAlias = Running | Succeeded | VendorFailed

CancelAnswer = Literal["cancelled", "asked", "refused"]
"""`cancelled`: it ended, at no cost; `asked`: the next look will tell; `refused`: it goes on and costs."""


class Candidate(Record):
    """One operation that may be the lost submit; `certain` when it carries our reference."""

    operation: dict[str, Any]
    key: str
    certain: bool = False


class Callback(Record):
    """What a vendor sent to the secret address of one attempt: headers in lower case, a body of bounded size."""

    headers: dict[str, str] = {}
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Heard(Record):
    """What a callback tells. It wakes the next look, and names the operation where the answer to the submit was lost."""

    operation: Candidate | None = None
    answer: dict[str, Any] | None = None
    """What the vendor wants to hear back, where it wants more than a 200."""


class Adapter(Protocol):
    """One vendor, outgoing."""

    vendor: str
    url_kinds: frozenset[MediaKind]
    """Inputs the vendor fetches by itself when given an address; the engine turns all others into bytes first."""
    link_kinds: frozenset[MediaKind]
    """Inputs the vendor takes by address alone: bytes we hold are given to it as a `PublicUrl`."""

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Start the work. Raise `VendorRefused` when it was surely not accepted; a 5xx or nonsense on the billable
        request is `UnexpectedResponse`, which the engine takes as an unknown outcome."""
        ...

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once; the engine decides when to look again."""
        ...

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Return the request with the account's credential on it."""
        ...


@runtime_checkable
class CanCancel(Protocol):
    """The vendor can stop running work."""

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]: ...


@runtime_checkable
class CanContinue(Protocol):
    """The vendor goes on from its own work, named by its id."""

    continued_modes: frozenset[Mode]
    """Modes in which the source video is named so, and its bytes are not needed."""


@runtime_checkable
class CanDelete(Protocol):
    """The vendor can forget finished work."""

    def delete(self, operation: Mapping[str, Any]) -> Flow[None]: ...


@runtime_checkable
class CanFind(Protocol):
    """A lost submit can be looked up."""

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Return every operation that may be this submission; empty only when the vendor surely would have shown it."""
        ...


@runtime_checkable
class CanName(Protocol):
    """A piece of work can be reached by the id alone that the vendor's console shows for it."""

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work of this id as this submission would have had it; nobody has looked whether it is there."""
        ...


@runtime_checkable
class CanReadCallback(Protocol):
    """The vendor calls back. Nothing it says is believed before a look confirms it."""

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        """Return what it tells about this attempt. Raise `UnexpectedResponse` for what cannot be read."""
        ...


@runtime_checkable
class CanVerifyCallback(Protocol):
    """The vendor signs its callbacks with the account's own key."""

    def verify_callback(self, callback: Callback, submission: Submission, credential: Credential, now: float) -> None:
        """Raise `UnexpectedResponse` unless it is signed by the vendor, for this attempt's address and of now. What is not
        verified still wakes the next look, but names no operation."""
        ...


def inputs_of(request: ResolvedRequest, *roles: str) -> tuple[Input, ...]:
    """Return the inputs with one of these roles, in order."""
    return tuple(given for given in request.inputs if given.role in roles)
