"""Facts about a video, and whether it is sound: what is declared must really be there, down to the last frame."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from reelway.core.record import Record
from reelway.media.images import check_pixels, read_media_type
from reelway.media.spec import MediaUnreadableError, VideoFacts

__all__ = ["Timeline", "open_video", "read_timeline", "read_video_facts"]

_FORMATS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/mpeg": "mpeg",
    "video/mp2t": "mpegts",
    "audio/mp4": "mov",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/aac": "aac",
}
_MISSING_SECONDS = 0.5
_MISSING_SHARE = 0.02
_SAMPLES_BETWEEN = 3


class Timeline(Record):
    """What the packets of a video say. Times are in the stream's own unit."""

    packets: int
    start: int
    end: int
    keys: tuple[int, ...]
    """Where the key frames are."""
    sound_packets: int
    unit: tuple[int, int]

    @property
    def time_base(self) -> Fraction:
        return Fraction(*self.unit)

    @property
    def seconds(self) -> float:
        return float((self.end - self.start) * self.time_base)


def read_video_facts(path: Path) -> VideoFacts:
    """Look at every packet, decode the first frames, the last ones and some between. Raise `MediaUnreadableError`."""
    media_type = read_media_type(path)
    with open_video(path) as container:
        if not _picture_streams(container):
            return _sound_facts(container, media_type)
        stream = container.streams.video[0]
        timeline = read_timeline(container)
        _refuse_truncated(container, timeline)
        first = _decode_samples(container, timeline)
        rate = stream.average_rate or stream.guessed_rate
        turned = first.rotation % 180 != 0
        return VideoFacts(
            media_type=media_type,
            seconds=round(timeline.seconds, 6),
            width=first.height if turned else first.width,
            height=first.width if turned else first.height,
            fps=round(float(rate), 4) if rate else round(timeline.packets / max(timeline.seconds, 1e-6), 4),
            has_audio=timeline.sound_packets > 0,
            codec=str(stream.codec_context.name),
        )


@contextmanager
def open_video(path: Path) -> Iterator[Any]:
    """Open a video or sound file by what its bytes are; playlists and other files that point elsewhere never are."""
    media_type = read_media_type(path)
    if media_type not in _FORMATS:
        raise MediaUnreadableError(f"the bytes are {media_type}, not a video")
    try:
        with av.open(
            str(path), format=_FORMATS[media_type], options={"protocol_whitelist": "file"}, metadata_errors="ignore"
        ) as container:
            for stream in _picture_streams(container):
                check_pixels(stream.codec_context.width, stream.codec_context.height)
                stream.thread_type = "AUTO"
            yield container
    except av.FFmpegError as error:
        raise MediaUnreadableError(f"the bytes begin like {media_type}, but do not decode: {error.strerror}") from error


def read_timeline(container: Any) -> Timeline:
    """Walk over every packet of the first video stream and of the sound, without decoding."""
    stream = container.streams.video[0]
    packets = sound_packets = 0
    start = end = None
    keys = []
    for packet in container.demux([stream, *container.streams.audio[:1]]):
        if packet.dts is None and packet.pts is None:
            continue  # the empty packet that ends each stream
        if packet.stream is not stream:
            sound_packets += 1
            continue
        if packet.is_corrupt:
            raise MediaUnreadableError(f"the video is truncated or damaged at packet {packets + 1}")
        packets += 1
        time = packet.pts if packet.pts is not None else packet.dts
        start = time if start is None else min(start, time)
        end = max(end or 0, time + (packet.duration or _usual_duration(stream)))
        if packet.is_keyframe:
            keys.append(time)
    if start is None or end is None:
        raise MediaUnreadableError("the video has no frames")
    base = stream.time_base
    return Timeline(
        packets=packets,
        start=start,
        end=end,
        keys=tuple(sorted(keys)),
        sound_packets=sound_packets,
        unit=(base.numerator, base.denominator),
    )


def _usual_duration(stream: Any) -> int:
    rate = stream.average_rate or stream.guessed_rate
    return int(1 / rate / stream.time_base) if rate else 0


def _picture_streams(container: Any) -> list[Any]:
    """Return the video streams; the cover of a song is not one."""
    cover = int(av.stream.Disposition.attached_pic)
    return [stream for stream in container.streams.video if not int(stream.disposition) & cover]


def _refuse_truncated(container: Any, timeline: Timeline) -> None:
    """Compare what the file declares with what it holds."""
    declared = container.streams.video[0].frames
    if declared and timeline.packets < declared:
        raise MediaUnreadableError(f"the video is truncated: {timeline.packets} of {declared} frames are there")
    stream = container.streams.video[0]
    seconds = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1_000_000
    missing = seconds - timeline.seconds
    if missing > max(_MISSING_SECONDS, _MISSING_SHARE * seconds):
        raise MediaUnreadableError(f"the video is truncated: {timeline.seconds:.2f} of {seconds:.2f} s are there")


def _decode_samples(container: Any, timeline: Timeline) -> Any:
    """Decode the first frame, one after some key frames, and everything after the last key frame."""
    stream = container.streams.video[0]
    keys = timeline.keys or (timeline.start,)
    steps = {len(keys) * number // (_SAMPLES_BETWEEN + 1) for number in range(_SAMPLES_BETWEEN + 1)}
    first = None
    for step in sorted(steps):
        container.seek(keys[step], stream=stream)
        frame = next(container.decode(stream), None)
        if frame is None or frame.is_corrupt:
            raise MediaUnreadableError(f"the video does not decode at {float(keys[step] * timeline.time_base):.2f} s")
        first = first or frame
    container.seek(keys[-1], stream=stream)
    last = None
    for last in container.decode(stream):
        if last.is_corrupt:
            raise MediaUnreadableError("the end of the video is damaged")
    if first is None or last is None:
        raise MediaUnreadableError("the video has no frame that decodes")
    if last.pts is not None and (timeline.end - last.pts) * timeline.time_base > _MISSING_SECONDS:
        raise MediaUnreadableError("the end of the video does not decode")
    return first


def _sound_facts(container: Any, media_type: str) -> VideoFacts:
    """Return what the container says of a sound file."""
    if not container.streams.audio:
        raise MediaUnreadableError("the file holds neither picture nor sound")
    stream = container.streams.audio[0]
    seconds = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1_000_000
    if seconds <= 0:
        raise MediaUnreadableError("the sound has no length")
    return VideoFacts(
        media_type="audio/mp4" if media_type == "video/mp4" else media_type,
        seconds=round(seconds, 6),
        width=0,
        height=0,
        fps=0.0,
        has_audio=True,
        codec=str(stream.codec_context.name),
    )
