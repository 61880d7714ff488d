"""Pictures and videos that were given: read, cut to the shape of the film, and moved by a slow camera."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from reelway.media.images import open_image
from reelway.media.painting.canvas import Canvas, Plane, lines_of, to_planes
from reelway.media.pictures import ITU709, LIMITED, matrix_of, to_image
from reelway.media.probe import open_video
from reelway.media.sniff import HEAD_BYTES, sniff
from reelway.media.spec import MediaUnreadableError

__all__ = ["SourceFrames", "Still", "load_picture"]


def load_picture(path: Path) -> Image.Image:
    """Return an image, or the first frame of a video, upright and in plain colours."""
    with path.open("rb") as file:
        media_type = sniff(file.read(HEAD_BYTES)) or ""
    if media_type.startswith("video/"):
        with open_video(path) as container:
            for frame in container.decode(video=0):
                return to_image(frame)
        raise MediaUnreadableError("the video has no frame that decodes")
    try:
        with open_image(path) as image:
            image.draft("RGB", (1920, 1920))
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise MediaUnreadableError(f"the image does not decode: {error}") from error


def cover(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return the middle of the image in exactly this size."""
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


class Still:
    """A picture under a camera that moves slowly; without zoom it is seen whole."""

    def __init__(self, image: Image.Image, width: int, height: int) -> None:
        luma, u, v = to_planes(np.asarray(cover(image, width, height)))
        self._planes = [
            Image.fromarray(np.rint(np.clip(plane, 0, 255)).astype(np.uint8)) for plane in (luma, u + 128, v + 128)
        ]

    def paint(self, canvas: Canvas, zoom: float, x: float = 0.5, y: float = 0.5) -> None:
        """Show the part of the picture around (`x`, `y`) in shares, enlarged `zoom` times."""
        for plane, picture, centre in zip(canvas.planes, self._planes, (0, 128, 128), strict=True):
            width, height = picture.size
            left, top = (width - width / zoom) * x, (height - height / zoom) * y
            box = (left, top, left + width / zoom, top + height / zoom)
            seen = picture.resize((width, height), Image.Resampling.BILINEAR, box=box)
            np.subtract(np.asarray(seen), np.float32(centre), out=plane, dtype=np.float32)


class SourceFrames:
    """The frames of a video at a film's own pace; the last one stays when the video is over."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._opened = ExitStack()
        self._container = self._opened.enter_context(open_video(path))
        self._width, self._height = width, height
        stream = self._container.streams.video[0]
        self._frames: Iterator[av.VideoFrame] = self._container.decode(stream)
        self._first_time: float | None = None
        self._held: tuple[Plane, Plane, Plane] | None = None
        self._waiting: av.VideoFrame | None = None
        self.seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        if not self.seconds and self._container.duration:
            self.seconds = self._container.duration / 1_000_000

    def paint(self, canvas: Canvas, seconds: float) -> None:
        """Show the frame of this moment; moments must not go back."""
        while self._advance(seconds):
            pass
        if self._held is None:
            raise MediaUnreadableError("the source video has no frame that decodes")
        for plane, held in zip(canvas.planes, self._held, strict=True):
            np.copyto(plane, held)

    def close(self) -> None:
        self._opened.close()

    def _advance(self, seconds: float) -> bool:
        if self._waiting is None:
            try:
                self._waiting = next(self._frames, None)
            except av.FFmpegError as error:
                raise MediaUnreadableError(f"the source video does not decode: {error}") from error
        frame = self._waiting
        if frame is None:
            return False
        time = frame.time or 0.0
        if self._first_time is None:
            self._first_time = time
        if self._held is not None and time - self._first_time > seconds + 0.001:
            return False
        self._held = self._cut(frame)
        self._waiting = None
        return True

    def _cut(self, frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
        """Return the middle of the frame in the size of the film."""
        if frame.rotation:
            return to_planes(np.asarray(cover(to_image(frame), self._width, self._height)))
        scale = max(self._width / frame.width, self._height / frame.height)
        width, height = (max(2, math.ceil(side * scale / 2) * 2) for side in (frame.width, frame.height))
        scaled = frame.reformat(
            width, height, "yuv420p", src_colorspace=matrix_of(frame), dst_colorspace=ITU709, dst_color_range=LIMITED
        )
        left, top = (width - self._width) // 4 * 2, (height - self._height) // 4 * 2
        planes = []
        for plane, step, centre in zip(scaled.planes, (1, 2, 2), (0, 128, 128), strict=True):
            lines = lines_of(plane)
            seen = lines[top // step : (top + self._height) // step, left // step : (left + self._width) // step]
            planes.append(seen.astype(np.float32) - np.float32(centre))
        return planes[0], planes[1], planes[2]
