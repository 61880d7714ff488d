"""What the sandbox renders, and the one call that renders it. The same spec gives the same bytes; nothing else goes in.

Importing this module is cheap: numpy, Pillow and PyAV are loaded by the call.
"""

from pathlib import Path
from typing import Literal, Protocol

from reelway.core.record import Record
from reelway.media.spec import MediaWorker

__all__ = ["RenderSpec", "RenderingWorker", "render"]

_LONGEST_SIDE = 8192
_MOST_FRAMES = 60 * 600


class RenderSpec(Record):
    """One video to make. Seconds, pixels, frames per second; paths are local files."""

    prompt: str
    model: str
    seconds: float
    width: int
    height: int
    seed: int = 0
    fps: int = 24
    audio: bool = True
    operation: Literal["create", "edit", "extend", "remix"] = "create"
    """What is done with the source video: `extend` continues it, the others show it in new colours."""
    first_frame: Path | None = None
    last_frame: Path | None = None
    references: tuple[Path, ...] = ()
    """Images, or videos of which the first frame is shown."""
    source_video: Path | None = None
    watermark: str = "SANDBOX"
    draft: bool = False
    """Paint one picture a second and repeat it: as long and as large, made much faster; for tests."""

    def __post_init__(self) -> None:
        for name, value in (("width", self.width), ("height", self.height)):
            if value % 2 or not 16 <= value <= _LONGEST_SIDE:
                raise ValueError(f"{name} must be an even number from 16 to {_LONGEST_SIDE} (got {value})")
        if not 1 <= self.fps <= 120:
            raise ValueError(f"fps must be from 1 to 120 (got {self.fps})")
        if not 1 <= self.frames <= _MOST_FRAMES:
            raise ValueError(f"seconds x fps must be from 1 to {_MOST_FRAMES} frames (got {self.frames})")

    @property
    def frames(self) -> int:
        """How many frames the video has."""
        return round(self.seconds * self.fps)


class RenderingWorker(MediaWorker, Protocol):
    """A media worker that can also make videos."""

    async def render(self, spec: RenderSpec, target: Path) -> None:
        """Write the video a spec describes, whole or not at all. Raise `MediaUnreadableError` for a bad input."""
        ...


def render(spec: RenderSpec, target: Path) -> None:
    """Write the video as H.264 MP4 to `target`, whole or not at all. Raise `MediaUnreadableError` for a bad input."""
    from reelway.media.painting.film import make_film

    make_film(spec, target)
