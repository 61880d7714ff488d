"""Pictures to send and videos to look at: what tests give to servers, and what they find in the files that come back."""

import io
from itertools import pairwise
from typing import NamedTuple

import av
from PIL import Image, ImageDraw

__all__ = ["Film", "picture", "probe", "still_frames"]


class Film(NamedTuple):
    """What is really in a file, by PyAV: counted packets, and a first frame that decodes."""

    seconds: float
    width: int
    height: int
    fps: float
    frames: int
    has_audio: bool
    audio_seconds: float
    codec: str


def probe(data: bytes) -> Film:
    """Look into a video."""
    with av.open(io.BytesIO(data), "r") as container:
        video = container.streams.video[0]
        sound = container.streams.audio[0] if container.streams.audio else None
        length = {stream.index: 0 for stream in container.streams}
        frames = 0
        for packet in container.demux():
            if packet.pts is not None:
                length[packet.stream_index] += packet.duration or 0
                frames += packet.stream_index == video.index
        container.seek(0)
        first = next(container.decode(video))
        assert video.time_base is not None
        assert video.average_rate is not None
        return Film(
            seconds=float(length[video.index] * video.time_base),
            width=first.width,
            height=first.height,
            fps=float(video.average_rate),
            frames=frames,
            has_audio=sound is not None and length[sound.index] > 0,
            audio_seconds=float(length[sound.index] * sound.time_base) if sound and sound.time_base else 0.0,
            codec=video.codec_context.name,
        )


def still_frames(data: bytes) -> int:
    """Return how many frames look exactly like the one before."""
    with av.open(io.BytesIO(data), "r") as container:
        shown = [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
    return sum(1 for before, after in pairwise(shown) if before == after)


def picture(width: int, height: int, *, shade: int = 90) -> bytes:
    """Return a PNG with something to see in it."""
    image = Image.new("RGB", (width, height), (shade, 60, 120))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 4, height // 4, width // 2, height // 2), fill=(240, 200, shade))
    draw.line((0, height, width, 0), fill=(20, 20, 40), width=max(2, width // 100))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
