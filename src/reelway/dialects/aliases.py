"""The names under which callers write the same thing, folded into one slot each (contract 2). The first name is our own.

A name means the same at top level, in `metadata` and in `parameters`; further down it only fills what is not given above.
"""

from collections.abc import Mapping
from types import MappingProxyType

from reelway.core.record import Record
from reelway.core.videos import MediaKind, Role

__all__ = ["ALIASES", "INPUT_SLOTS", "METADATA_TAGS", "InputSlot"]

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "prompt": ("prompt",),
        "mode": ("mode", "function_mode", "generation_type", "action", "video_operation", "task"),
        "seconds": ("seconds", "duration", "duration_seconds", "durationSeconds", "video_length"),
        "size": ("size",),
        "width": ("width",),
        "height": ("height",),
        "ratio": ("aspect_ratio", "ratio", "aspectRatio", "orientation"),
        "tier": ("resolution", "quality"),
        "fps": ("fps",),
        "seed": ("seed",),
        "n": ("n", "sampleCount"),
        "audio": ("audio", "sound", "generate_audio", "generateAudio"),
        "response_format": ("response_format",),
        "user": ("user",),
        "callback_url": ("callback_url", "callbackUrl", "webhook_url", "notify_url", "notifyHook"),
        "client_reference": ("client_request_id", "external_task_id"),
    }
)
"""Slots of one plain value."""


class InputSlot(Record):
    """Names under which inputs of one meaning are given."""

    single: tuple[str, ...] = ()
    """Names that take one input. Unless `several` is set, they must agree where more than one is used."""
    several: tuple[str, ...] = ()
    """Names that take a list."""
    kind: MediaKind | None = None
    role: Role | None = None


INPUT_SLOTS: Mapping[str, InputSlot] = MappingProxyType(
    {
        "input_reference": InputSlot(single=("input_reference",)),
        "image": InputSlot(single=("image",), kind=MediaKind.IMAGE),
        "images": InputSlot(several=("images",), kind=MediaKind.IMAGE),
        "first_frame": InputSlot(
            single=(
                "first_frame",
                "image_url",
                "imageUrl",
                "first_image",
                "first_frame_image",
                "first_frame_url",
                "img_url",
            ),
            kind=MediaKind.IMAGE,
            role=Role.FIRST_FRAME,
        ),
        "last_frame": InputSlot(
            single=(
                "last_frame",
                "last_image",
                "last_image_url",
                "last_frame_image",
                "last_frame_url",
                "end_image_url",
                "image_tail",
                "lastFrame",
            ),
            kind=MediaKind.IMAGE,
            role=Role.LAST_FRAME,
        ),
        "reference_images": InputSlot(
            several=(
                "reference_images",
                "image_urls",
                "imageUrls",
                "reference_image_urls",
                "referenceImages",
                "img_references",
                "image_list",
            ),
            kind=MediaKind.IMAGE,
            role=Role.REFERENCE,
        ),
        "video": InputSlot(single=("video", "video_url"), several=("videos", "video_urls"), kind=MediaKind.VIDEO),
        "reference_videos": InputSlot(several=("reference_video_urls",), kind=MediaKind.VIDEO, role=Role.REFERENCE),
        "audio_input": InputSlot(single=("audio_url",), several=("audio_urls",), kind=MediaKind.AUDIO),
        "reference_audios": InputSlot(several=("reference_audio_urls",), kind=MediaKind.AUDIO, role=Role.REFERENCE),
    }
)
"""In the order in which their inputs appear in the request, whatever the order on the wire."""

METADATA_TAGS = frozenset({"action", "model", "quality", "task", "user"})
"""Ordinary words that stay the caller's own tags in `metadata`."""
