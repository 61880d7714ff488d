"""What a dialect is: a table of endpoints, each a pure pair of functions, one that reads a request and one that answers it.

The same dialect stands in front of the gateway (over `service`) and in front of the sandbox, which thereby plays the
vendor. Reading returns a `Call`; whoever performs it returns an `Answer`; rendering turns that into bytes on the wire.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

from reelway.core.characters import Character
from reelway.core.errors import CallerError
from reelway.core.record import Record
from reelway.core.videos import Blob, InputReference, Mode, Variant, Video, VideoRequest

__all__ = [
    "Answer",
    "Call",
    "CancelVideo",
    "CreateCharacter",
    "CreateVideo",
    "DeleteCharacter",
    "DeleteVideo",
    "Deleted",
    "Dialect",
    "Endpoint",
    "FormField",
    "Incoming",
    "KeyOf",
    "ListVideos",
    "Manners",
    "OpenContent",
    "Outgoing",
    "QuoteVideo",
    "ReadCharacter",
    "ReadVideo",
    "Upload",
    "VideoPage",
]


class Upload(Record):
    """A file part of a form, already streamed into the asset store by whoever reads the body."""

    filename: str
    media_type: str
    blob: Blob


class FormField(Record):
    """One part of a form, in order."""

    name: str
    value: str | Upload


class Incoming(Record):
    """A request as it arrived. `json` is decoded, `form` parsed; at most one of them is set."""

    method: str
    path: str
    path_parameters: dict[str, str] = {}
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    """Names in lower case."""
    arrived_at: float = 0.0
    """When its head was read, Unix seconds."""
    request_id: str = ""
    """Ours of this exchange, for vendors that repeat theirs in the body."""
    json: Any = None
    form: tuple[FormField, ...] | None = None


class Outgoing(Record):
    """An answer on the wire; `body` is encoded as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = {}


class CreateVideo(Record):
    request: VideoRequest
    wait_seconds: float = 0.0
    """How long the answer may wait for the video to be finished; it is made and paid for either way."""


class QuoteVideo(Record):
    """A dry run of a create."""

    request: VideoRequest


class ReadVideo(Record):
    id: str
    """Ours; or, where it is none of ours, the caller's own reference of the video."""
    wait_seconds: float = 0.0


class ListVideos(Record):
    """A page of the caller's own videos, newest first unless `order` says otherwise. Times are Unix seconds."""

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    status: tuple[str, ...] = ()
    cancelled: bool | None = None
    """Only videos that were cancelled, or none of them; None where the dialect has no word of its own for them."""
    model: str | None = None
    user: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    ids: tuple[str, ...] = ()
    """Only these; ids that are nobody's, or another tenant's, are passed over."""
    client_references: tuple[str, ...] = ()
    """Only videos that carry one of these references of the caller."""
    modes: tuple[Mode, ...] = ()
    skip: int = 0
    """So many come before the page, for dialects that count pages."""
    counted: bool = False
    """The page says how many there are in all."""


class DeleteVideo(Record):
    id: str
    cancels_queued: bool = False
    """Where one verb means both: a queued video is cancelled and stays to be read, one that is being made is refused
    (`Conflict`, `video_running`), and only a finished one is deleted."""


class CancelVideo(Record):
    id: str
    only_queued: bool = False
    """Where the vendor stops only what still waits: one that is being made is refused (`Conflict`, `video_running`)."""


class OpenContent(Record):
    id: str
    variant: Variant = Variant.VIDEO
    index: int = 0


class CreateCharacter(Record):
    """Keep somebody or something under a name: pictures, or a video that stills are taken from."""

    name: str
    inputs: tuple[InputReference, ...]


class ReadCharacter(Record):
    id: str


class DeleteCharacter(Record):
    id: str


Call: TypeAlias = (
    CreateVideo
    | QuoteVideo
    | ReadVideo
    | ListVideos
    | DeleteVideo
    | CancelVideo
    | OpenContent
    | CreateCharacter
    | ReadCharacter
    | DeleteCharacter
)


class VideoPage(Record):
    videos: tuple[Video, ...]
    has_more: bool
    total: int | None = None
    """How many fit in all, where that was asked for."""


class Deleted(Record):
    id: str
    cancelled: bool = False
    """It was queued, is cancelled and stays to be read (`DeleteVideo.cancels_queued`)."""


Answer: TypeAlias = Video | VideoPage | Character | Deleted | dict[str, Any]
"""A quote is a plain object. Opened content is not rendered: the server streams it."""


class Endpoint(Record):
    """One path of a dialect. `path` has Starlette's `{name}` parameters."""

    method: str
    path: str
    read: Callable[[Incoming], Call]
    render: Callable[[Answer], Outgoing]
    streams: bool = False
    """The body of the answer is content, served by whoever performs the call."""
    render_asked: Callable[[Answer, Incoming], Outgoing] | None = None
    """In place of `render`, where the answer repeats something of the request that is not in the video."""
    render_absent: Callable[[Incoming], Outgoing] | None = None
    """In place of an error, where the vendor shows a video that is not there as one in a state of its own."""


class KeyOf(Protocol):
    """Finds the caller's API key in a request. Pure: `now` is for tokens that expire. May raise `AuthenticationRequired`."""

    def __call__(
        self, headers: Mapping[str, str], query: tuple[tuple[str, str], ...] = ..., now: float = ...
    ) -> str | None: ...


class Manners(Record):
    """Where the vendor does not as most do, for the sandbox that plays it. The gateway has its own ways in every dialect."""

    any_model: bool = False
    """Any name of a model will do, and nothing is held against a model card."""
    reference_once: bool = False
    """A create with a client reference that was used before is refused: a `Conflict` with the code `reference_exists`."""
    usage_of: Callable[[Video], dict[str, Any]] | None = None
    """What a finished video used, in the figures and under the names in which the vendor reports it."""
    challenges: bool = False
    """An address is called only after it has repeated, within three seconds, the `challenge` that was posted to it first."""
    sign_callback: Callable[[str, str, float, str], dict[str, str]] | None = None
    """The headers with which a call is signed: from its address, the key that ordered the video, the time and a nonce."""


class Dialect(Record):
    """One vendor's wire shape, incoming."""

    name: str
    endpoints: tuple[Endpoint, ...]
    render_error: Callable[[CallerError, str], Outgoing]
    """From the error and our request id to the vendor's error shape."""
    key_of: KeyOf
    render_callback: Callable[[Video], Any] | None = None
    """The body a caller's `callback_url` gets on every change of status, where the vendor sends such; from the video as
    it is then to what is encoded as JSON. Requests of this dialect name it in `callback_dialect`."""
    manners: Manners = Manners()
