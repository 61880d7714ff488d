"""The shapes of answers: what the OpenAPI document says about them is generated from these records, and tests hold answers to them.

Answers are closed here, so that a field nobody documented fails a test; the document itself leaves them open, so that clients
generated from it survive a new field.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.core.record import Record

__all__ = [
    "ANSWERS",
    "Character",
    "Deleted",
    "DeletedCharacter",
    "ErrorEnvelope",
    "Health",
    "Model",
    "ModelList",
    "Quote",
    "Readiness",
    "ServerSentEvent",
    "Video",
    "VideoList",
]


class _Answer(Record, forbid_unknown_fields=True, omit_defaults=False):
    """A closed shape."""


Money = Annotated[str, Meta(pattern=r"^\d+\.\d{2,6}$", description="US dollars as decimal text.", examples=["0.40"])]
Time = Annotated[int, Meta(ge=0, description="Unix time, in seconds unless the server is set to milliseconds.")]


class ErrorDetail(_Answer):
    message: Annotated[str, Meta(description="What happened, to what, and what to do next.")]
    type: Annotated[str, Meta(examples=["invalid_request_error"])]
    param: Annotated[str | None, Meta(description="The field it is about, where there is one.")]
    code: Annotated[str | None, Meta(description="A word that programs can rely on.", examples=["model_not_found"])]


class ErrorEnvelope(_Answer):
    """Every error has this shape."""

    error: ErrorDetail


class VideoError(_Answer):
    """Why a video was not made."""

    code: FailureKind
    message: str


class VideoWarning(_Answer):
    """Something that was asked for and will not be honoured as asked."""

    field: str
    message: str


class VideoCost(_Answer):
    """What was set aside, and what it came to."""

    currency: str
    reserved: Money
    settled: Annotated[Money | None, Meta(description="Null until the video is final.")]


class VideoOutput(_Answer):
    """One finished file, measured from its bytes."""

    index: Annotated[int, Meta(ge=0)]
    url: Annotated[str | None, Meta(description="Opens without a key until the video expires.")]
    seconds: Annotated[float, Meta(ge=0)]
    width: Annotated[int, Meta(ge=1)]
    height: Annotated[int, Meta(ge=1)]
    fps: Annotated[float, Meta(ge=0)]
    bytes: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    has_audio: bool
    media_type: Annotated[str, Meta(examples=["video/mp4"])]
    b64_json: Annotated[str | UnsetType, Meta(description="With `response_format=b64_json` and several outputs.")] = (
        UNSET
    )


class VideoRoute(_Answer):
    """Who makes it; for admin keys only."""

    vendor: str
    account: str


class Video(_Answer):
    """A video, from the moment it is asked for until it is deleted."""

    id: Annotated[str, Meta(pattern="^video_", examples=["video_01kb3r0f6w8s3n1m5q7t9v2x4y"])]
    object: Literal["video"]
    model: str
    status: Annotated[Status, Meta(description="There is no fifth word, ever.")]
    progress: Annotated[int, Meta(ge=0, le=100, description="Never goes back; 100 only when completed.")]
    created_at: Time
    completed_at: Time | None
    expires_at: Annotated[Time | None, Meta(description="When the files go.")]
    prompt: str | None
    seconds: Annotated[str, Meta(description="What is really made; `auto` while the model decides.", examples=["8"])]
    size: Annotated[
        str, Meta(description="What is really made; `auto` while the model decides.", examples=["1280x720"])
    ]
    remixed_from_video_id: str | None
    error: Annotated[VideoError | None, Meta(description="Set whenever `status` is `failed`.")]
    task_id: Annotated[str, Meta(description="The same as `id`, for older clients.")]
    metadata: Annotated[
        dict[str, Any],
        Meta(description="Your own tags; `url` when finished; `sandbox: true` when no vendor made it."),
    ]
    warnings: list[VideoWarning]
    cost: VideoCost
    url: Annotated[str | UnsetType | None, Meta(description="Finished only: opens without a key until it expires.")] = (
        UNSET
    )
    video_url: Annotated[str | UnsetType | None, Meta(description="The same as `url`.")] = UNSET
    outputs: Annotated[list[VideoOutput] | UnsetType, Meta(description="Finished only: one for each of `n`.")] = UNSET
    b64_json: Annotated[
        str | UnsetType, Meta(description="With `response_format=b64_json`: the whole file in base64.")
    ] = UNSET
    eta_seconds: Annotated[int, Meta(ge=0, description="Unfinished only, where known.")] | UnsetType = UNSET
    queue_position: Annotated[int, Meta(ge=0, description="Queued only: how many are before it.")] | UnsetType = UNSET
    route: VideoRoute | UnsetType = UNSET


class VideoList(_Answer):
    """A page of your own videos."""

    object: Literal["list"]
    data: list[Video]
    first_id: str | None
    last_id: Annotated[str | None, Meta(description="Send it as `after` to get the next page.")]
    has_more: bool


class Deleted(_Answer):
    """A video that is gone."""

    id: str
    object: Literal["video.deleted"]
    deleted: Annotated[bool, Meta(description="Always true.")]


class Character(_Answer):
    """Who or what a prompt calls by name."""

    id: Annotated[str, Meta(pattern="^char_", examples=["char_01kb3r0f6w8s3n1m5q7t9v2x4y"])]
    object: Literal["character"]
    name: Annotated[str, Meta(description="A prompt calls it `@name`.", examples=["Mira"])]
    created_at: Time


class DeletedCharacter(_Answer):
    """A character that is gone."""

    id: str
    object: Literal["character.deleted"]
    deleted: Annotated[bool, Meta(description="Always true.")]


class QuotePrice(_Answer):
    """What would be set aside."""

    currency: str
    amount: Money
    lines: list[dict[str, Any]]


class Quote(_Answer):
    """What a create would do and cost. Nothing was charged or sent."""

    object: Literal["video.quote"]
    model: str
    request: Annotated[dict[str, Any], Meta(description="The request after its model card: every default filled in.")]
    available: Annotated[bool, Meta(description="Whether an account can take it now.")]
    warnings: list[VideoWarning]
    price: QuotePrice
    reason: Annotated[str | UnsetType, Meta(description="Why no account can take it.")] = UNSET
    route: Annotated[VideoRoute | UnsetType | None, Meta(description="For admin keys only.")] = UNSET


class Model(_Answer):
    """A model, in OpenAI's list shape, with its whole card under `video`."""

    id: str
    object: Literal["model"]
    created: Annotated[int, Meta(ge=0, description="Always 0: here because clients expect it.")]
    owned_by: Annotated[str, Meta(description="The vendor.")]
    video: Annotated[
        dict[str, Any],
        Meta(description="Modes, inputs, seconds, sizes, audio, options, prices, routes and retirement dates."),
    ]


class ModelList(_Answer):
    """Every model that can be asked for."""

    object: Literal["list"]
    data: list[Model]


class Health(_Answer):
    """The process answers."""

    status: Literal["ok"]
    version: str


class Readiness(_Answer):
    """Whether requests can be taken, and how many videos are unfinished."""

    status: Annotated[str, Meta(examples=["ready"])]
    unfinished: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class ServerSentEvent(_Answer):
    """One event of the stream."""

    id: Annotated[str, Meta(description="Send the last one you saw as `Last-Event-ID` to go on from there.")]
    event: Literal["video.queued", "video.in_progress", "video.progress", "video.completed", "video.failed"]
    data: Annotated[
        str,
        Meta(
            description="The video as it is now, as JSON text.",
            extra_json_schema={
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": "#/components/schemas/Video"},
            },
        ),
    ]


class SubmitAttempt(_Answer):
    """One try at a create at a vendor."""

    number: int
    account: str
    reference: Annotated[str, Meta(description="Our mark, to be searched for at the vendor where it keeps one.")]
    outcome: str
    started_at: float
    ended_at: float | None
    lookups: Annotated[int, Meta(ge=0, description="How often the vendor was asked and showed nothing.")]
    heard: Annotated[list[str], Meta(description="Ids that callbacks to this attempt's address named.")]
    settled: dict[str, Any] | None


class LostSubmit(_Answer):
    """A create whose answer was lost."""

    object: Literal["submit"]
    video: str
    tenant: str
    state: Annotated[str, Meta(examples=["looked_up"], description="`looked_up`, `ended` or `deleted`.")]
    model: str
    account: str
    quoted: Annotated[str, Meta(description="What it may have cost, in dollars.")]
    attempts: list[SubmitAttempt]
    said: Annotated[
        dict[str, Any] | None, Meta(description="What an operator said, as long as nobody has acted upon it.")
    ]


class SubmitList(_Answer):
    """Submits whose outcome nobody knows."""

    object: Literal["list"]
    data: list[LostSubmit]


ANSWERS: tuple[type[msgspec.Struct], ...] = (
    Character,
    Deleted,
    DeletedCharacter,
    ErrorEnvelope,
    Health,
    ModelList,
    Quote,
    Readiness,
    ServerSentEvent,
    SubmitList,
    Video,
    VideoList,
)
"""The roots; what they refer to comes along."""
