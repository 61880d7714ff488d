"""The shapes of request bodies, for the OpenAPI document. Tests hold them against the dialect that really reads the bodies.

Bodies are open: aliases and vendor options may stand beside the fields named here (contract 2).
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from reelway.core.record import Record

__all__ = [
    "BODIES",
    "CharacterBody",
    "CreateBody",
    "EditBody",
    "ExtendBody",
    "MediaReference",
    "RemixBody",
]


class MediaReference(Record):
    """An input by reference: exactly one of these, and what it is for."""

    url: str | None = None
    image_url: str | None = None
    video_url: str | None = None
    audio_url: str | None = None
    file_id: Annotated[str | None, Meta(description="A file the vendor already has.")] = None
    id: Annotated[str | None, Meta(description="One of your own finished videos.")] = None
    role: Annotated[
        str | None, Meta(description="What it is for.", examples=["first_frame", "last_frame", "reference"])
    ] = None
    name: str | None = None


Model = Annotated[str, Meta(description="A name from `GET /v1/models`.", examples=["sora-2", "veo3.1"])]
Prompt = Annotated[
    str | None,
    Meta(
        description="What is to be seen and heard. Required except in modes whose card says otherwise.",
        examples=["A copper fox crosses a tin roof in the rain"],
    ),
]
Seconds = Annotated[
    int | str | None,
    Meta(description='The length: `8`, `"8"` or `"8s"`; -1 where the model may choose.', examples=["8"]),
]
Source = Annotated[
    str | MediaReference,
    Meta(
        description="The video: a file, `{id}` of one of yours, or an address.",
        examples=[{"id": "video_01kb3r0f6w8s3n1m5q7t9v2x4y"}],
    ),
]
One = str | MediaReference | None


class CreateBody(Record):
    """A new video. Beside these fields, their aliases, `characters` (`[{"id": "char_…"}]`) and the options of the model's card are
    understood."""

    model: Model
    prompt: Prompt = None
    image: Annotated[One, Meta(description="One picture: a file, an address, a data URI, or base64.")] = None
    images: Annotated[
        list[str | MediaReference] | str | None,
        Meta(description="Several pictures. One is a first frame, two are first and last, more are references."),
    ] = None
    input_reference: Annotated[One, Meta(description="A first frame or an input video, told apart by its bytes.")] = (
        None
    )
    duration: Annotated[int | str | None, Meta(description="The same as `seconds`.")] = None
    seconds: Seconds = None
    size: Annotated[
        str | None,
        Meta(description="Pixels, a ratio, or a resolution.", examples=["1280x720", "16:9", "720p"]),
    ] = None
    width: Annotated[int | str | None, Meta(description="Together with `height`: the same as `size`.")] = None
    height: int | str | None = None
    fps: Annotated[int | str | None, Meta(description="Used if the card has it; otherwise a warning.")] = None
    seed: Annotated[int | str | None, Meta(description="Used if the card has it; otherwise a warning.")] = None
    n: Annotated[int | str | None, Meta(description="How many takes, 1 to 4.", examples=[1])] = None
    response_format: Annotated[
        Literal["url", "b64_json"] | None,
        Meta(description="`b64_json` puts the finished bytes into the object when they are small enough."),
    ] = None
    user: Annotated[
        Annotated[str, Meta(max_length=512)] | None, Meta(description="Your end user: for filters and audit.")
    ] = None
    metadata: Annotated[
        dict[str, Any] | str | None,
        Meta(description="Your own tags, up to 16 are echoed, and vendor options. Fills gaps, overrides nothing."),
    ] = None
    mode: Annotated[
        str | None,
        Meta(description="Decided by what is given unless you say so.", examples=["t2v", "i2v", "r2v"]),
    ] = None
    content: Annotated[
        list[dict[str, Any]] | dict[str, Any] | str | None,
        Meta(description="Seedance style: `text`, `image_url`, `video_url`, `audio_url`, with `role`."),
    ] = None
    parameters: Annotated[
        dict[str, Any] | str | None,
        Meta(description="DashScope or Google style (`resolution`, `aspectRatio`, …). Fills gaps, overrides nothing."),
    ] = None


class RemixBody(Record):
    """A new video from a finished one."""

    prompt: Annotated[str, Meta(description="What should be different.", examples=["The same, at night"])]
    model: Annotated[str | None, Meta(description="Another model than the one that made the source.")] = None


class EditBody(Record):
    """A change to a video of yours or to one that is sent."""

    video: Source
    prompt: Prompt = None
    model: Annotated[str | None, Meta(description="Needed when the video is not one of yours.")] = None


class ExtendBody(Record):
    """More of a video of yours or of one that is sent."""

    video: Source
    prompt: Prompt = None
    seconds: Seconds = None
    model: Annotated[str | None, Meta(description="Needed when the video is not one of yours.")] = None


class CharacterBody(Record):
    """Somebody or something to be kept, shown by a few pictures or by a video."""

    name: Annotated[str, Meta(min_length=1, max_length=80, description="A prompt calls it `@name`.", examples=["Mira"])]
    video: Annotated[
        One, Meta(description="A short video of it, as OpenAI's own clients send; two stills are kept.")
    ] = None
    image: Annotated[One, Meta(description="One picture: a file, an address, a data URI, or base64.")] = None
    images: Annotated[list[str | MediaReference] | str | None, Meta(description="Several pictures.")] = None


BODIES = (CreateBody, RemixBody, EditBody, ExtendBody, CharacterBody)
"""The roots; what they refer to comes along."""
