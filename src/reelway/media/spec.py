"""Facts measured from media files, and the worker that measures them outside the event loop."""

from pathlib import Path
from typing import Protocol

from reelway.core.record import Record

__all__ = ["ImageFacts", "MediaUnreadableError", "MediaWorker", "Pictures", "VideoFacts"]


class MediaUnreadableError(Exception):
    """The file does not decode as what it should be; the text says what is wrong with it."""


class ImageFacts(Record):
    """Read from the header alone, never by decoding all pixels."""

    media_type: str
    width: int
    height: int


class VideoFacts(Record):
    """Read by decoding; seconds, pixels, frames per second."""

    media_type: str
    seconds: float
    width: int
    height: int
    fps: float
    has_audio: bool
    codec: str


class Pictures(Record):
    """Files made from a video, in the folder that was asked for."""

    thumbnail: Path
    """WebP."""
    spritesheet: Path
    """JPEG: up to 5 x 5 frames, evenly spaced."""
    last_frame: Path
    """PNG."""


class MediaWorker(Protocol):
    """Runs in a bounded worker process, so that a hostile file can hurt neither the event loop nor the server."""

    async def image_facts(self, path: Path) -> ImageFacts:
        """Raise `MediaUnreadableError`."""
        ...

    async def video_facts(self, path: Path) -> VideoFacts:
        """Probe and decode a video (and only look at the container of audio files). Raise `MediaUnreadableError`."""
        ...

    async def pictures(self, path: Path, folder: Path) -> Pictures: ...

    async def close(self) -> None: ...
