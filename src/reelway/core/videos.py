"""What callers ask for and what they see: requests, inputs, and the video itself, in the words of the OpenAI Videos API."""

from enum import StrEnum
from typing import Any, Literal

from reelway.core.failures import Failure
from reelway.core.lifecycle import Status
from reelway.core.record import Record

__all__ = [
    "Blob",
    "Cost",
    "Input",
    "InputReference",
    "MediaKind",
    "Mode",
    "Operation",
    "Output",
    "RequestWarning",
    "ResolvedRequest",
    "Role",
    "RouteView",
    "Variant",
    "Video",
    "VideoRequest",
]

Operation = Literal["create", "edit", "extend", "remix"]
"""Which door the request came through."""


class Mode(StrEnum):
    """What is made from what; decided by `catalog.resolve` (contract 2, rule 1)."""

    T2V = "t2v"
    I2V = "i2v"
    FIRST_LAST = "i2v_first_last"
    R2V = "r2v"
    EDIT = "edit"
    EXTEND = "extend"
    REMIX = "remix"


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Role(StrEnum):
    """What an input is for."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    REFERENCE = "reference"
    SOURCE = "source"
    """The video that is edited, extended or remixed."""


class Variant(StrEnum):
    """The files kept for each output."""

    VIDEO = "video"
    THUMBNAIL = "thumbnail"
    SPRITESHEET = "spritesheet"
    LAST_FRAME = "last_frame"


class Blob(Record):
    """Bytes that lie in the asset store."""

    key: str
    sha256: str
    bytes: int
    media_type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


class InputReference(Record):
    """One input as the caller gave it: exactly one of url, data, blob, file_id, video_id is set."""

    field: str
    """Where the caller put it (`images[1]`), for messages."""
    kind: MediaKind | None = None
    """None while only the bytes can tell."""
    role: Role | None = None
    url: str | None = None
    data: bytes | None = None
    """Decoded bytes of a data URI or bare base64; the service stores them as a blob."""
    blob: Blob | None = None
    """An uploaded file, already streamed to the asset store."""
    file_id: str | None = None
    video_id: str | None = None
    media_type: str | None = None
    """As the caller claims; the bytes decide."""
    name: str | None = None


class RequestWarning(Record):
    """Something that was asked for and will not be honoured as asked. Nothing is dropped without one."""

    field: str
    message: str


class VideoRequest(Record):
    """A request as one dialect understood it: all spellings folded into one, nothing checked against a model yet.

    Values that a form carries as text are already numbers and booleans where this class says so. `options`, `parameters`
    and `metadata` still hold the caller's own names: only the model card knows which of them mean something.
    """

    model: str
    """Empty where it follows the source video."""
    operation: Operation = "create"
    prompt: str | None = None
    mode: str | None = None
    inputs: tuple[InputReference, ...] = ()
    characters: tuple[str, ...] = ()
    """Ids of the caller's characters; the service puts their pictures among the inputs."""
    seconds: int | None = None
    """-1 where the caller leaves the length to the model."""
    width: int | None = None
    height: int | None = None
    ratio: str | None = None
    """`16:9`, or `adaptive`."""
    tier: str | None = None
    """`480p`, `720p`, `1080p`, `2k`, `4k`, or a vendor's own word (`std`, `pro`), in lower case."""
    fps: int | None = None
    seed: int | None = None
    n: int = 1
    audio: bool | None = None
    response_format: Literal["url", "b64_json"] = "url"
    user: str | None = None
    source_video_id: str | None = None
    """Our id of the video that is remixed, edited or extended."""
    callback_url: str | None = None
    callback_dialect: str = ""
    """Whose words the message to `callback_url` is in; empty: the event of the OpenAI dialect."""
    client_reference: str | None = None
    options: dict[str, Any] = {}
    """Top-level fields beyond the declared ones."""
    parameters: dict[str, Any] = {}
    """What is left of `parameters` after its known aliases filled gaps above."""
    metadata: dict[str, Any] = {}
    """What is left of `metadata` after its known aliases filled gaps above: vendor options and the caller's tags."""
    spelled: dict[str, str] = {}
    """The caller's own name of a field above, where it is another one (`{"seconds": "duration"}`); for messages only."""
    warnings: tuple[RequestWarning, ...] = ()


class Input(Record):
    """One input, checked and with a role; either bytes we hold, a URL the vendor may fetch, or a vendor's file id."""

    kind: MediaKind
    role: Role
    blob: Blob | None = None
    url: str | None = None
    file_id: str | None = None
    name: str | None = None


class ResolvedRequest(Record):
    """A request after its model card: what will be priced, sent and shown. Two equal requests encode to equal bytes."""

    operation: Operation
    model: str
    """The public name asked for."""
    card: str
    """The card it resolved to; differs from `model` for an operator's alias."""
    mode: Mode
    prompt: str
    inputs: tuple[Input, ...] = ()
    seconds: int | None = None
    """None where the length follows the source; -1 where the model chooses."""
    width: int | None = None
    height: int | None = None
    ratio: str | None = None
    tier: str | None = None
    fps: int | None = None
    seed: int | None = None
    n: int = 1
    audio: bool | None = None
    options: dict[str, Any] = {}
    tags: dict[str, str] = {}
    """The caller's own metadata, echoed."""
    response_format: Literal["url", "b64_json"] = "url"
    user: str | None = None
    source_video_id: str | None = None
    callback_url: str | None = None
    callback_dialect: str = ""
    client_reference: str | None = None
    warnings: tuple[RequestWarning, ...] = ()

    @property
    def size(self) -> str | None:
        """`1280x720`, or None where the model decides."""
        return f"{self.width}x{self.height}" if self.width and self.height else None


class Output(Record):
    """One finished file, measured from its bytes. Seconds, pixels, frames per second, bytes."""

    index: int
    seconds: float
    width: int
    height: int
    fps: float
    bytes: int
    sha256: str
    has_audio: bool
    media_type: str = "video/mp4"
    files: dict[Variant, Blob] = {}
    """Where each variant lies; never shown to callers."""
    url: str | None = None
    """Signed link; filled in when shown."""
    last_frame_url: str | None = None
    """Signed link to the last frame; filled in when shown."""


class Cost(Record):
    """Decimal strings in the currency."""

    currency: str = "USD"
    reserved: str = "0.00"
    settled: str | None = None


class RouteView(Record):
    """Which account makes the video; for admin keys only."""

    vendor: str
    account: str


class Video(Record):
    """A video as a caller may see it; every dialect renders this in its own words. Times are Unix seconds."""

    id: str
    model: str
    status: Status
    progress: int
    created_at: float
    updated_at: float | None = None
    completed_at: float | None = None
    expires_at: float | None = None
    prompt: str | None = None
    mode: Mode = Mode.T2V
    seconds: str | None = None
    width: int | None = None
    height: int | None = None
    ratio: str | None = None
    tier: str | None = None
    seed: int | None = None
    fps: int | None = None
    audio: bool | None = None
    options: dict[str, Any] = {}
    """The vendor options that hold for it, by the names of its card."""
    usage: dict[str, Any] = {}
    """The vendor's own figures, where it reported any."""
    remixed_from_video_id: str | None = None
    failure: Failure | None = None
    tags: dict[str, str] = {}
    outputs: tuple[Output, ...] = ()
    warnings: tuple[RequestWarning, ...] = ()
    eta_seconds: float | None = None
    queue_position: int | None = None
    cost: Cost = Cost()
    route: RouteView | None = None
    sandbox: bool = False
    b64_json: tuple[str, ...] = ()
    """Base64 of each output, where the caller asked for `b64_json` and the video is finished."""
    user: str | None = None
    poll_after_seconds: float | None = None
    """When it is worth asking again."""
    client_reference: str | None = None
    replayed: bool = False
    """The answer to a repeated Idempotency-Key."""

    @property
    def size(self) -> str | None:
        return f"{self.width}x{self.height}" if self.width and self.height else None
