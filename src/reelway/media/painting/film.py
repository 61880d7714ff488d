"""The film: paints every frame, lays the lettering over it, encodes picture and sound into an MP4. No clock, no chance."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from reelway.media.painting.canvas import Canvas, lines_of
from reelway.media.painting.lettering import Overlay, framed_pictures, lower_third, mark
from reelway.media.painting.scene import Scene, imagine
from reelway.media.painting.shots import shot_for
from reelway.media.painting.sound import RATE, compose
from reelway.media.painting.stills import load_picture
from reelway.media.render import RenderSpec

__all__ = ["make_film"]

_AUDIO_FRAME = 1024
_BT709 = 1
_LIMITED = 1


def make_film(spec: RenderSpec, target: Path) -> None:
    """Write the video to `target`; what is half done has another name until it is whole."""
    scene = imagine(spec.prompt, spec.seed)
    half_done = target.with_name(target.name + ".part")
    try:
        with av.open(
            str(half_done), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
        ) as out:
            _write(out, spec, scene)
        half_done.replace(target)
    finally:
        half_done.unlink(missing_ok=True)


def _write(out: Any, spec: RenderSpec, scene: Scene) -> None:
    out.metadata["comment"] = "Made by the Reelway sandbox, not by a video model"
    picture = _add_picture_stream(out, spec)
    sound = _add_sound_stream(out) if spec.audio else None
    pieces = _sound_pieces(scene, spec) if sound else iter(())
    heard = 0
    for number, frame in enumerate(_frames(spec, scene)):
        out.mux(picture.encode(frame))
        while sound is not None and heard * spec.fps <= (number + 1) * RATE:
            piece = next(pieces, None)
            if piece is None:
                break
            heard += piece.samples
            out.mux(sound.encode(piece))
    out.mux(picture.encode())
    if sound is not None:
        for piece in pieces:
            out.mux(sound.encode(piece))
        out.mux(sound.encode())


def _add_picture_stream(out: Any, spec: RenderSpec) -> Any:
    # A fixed quantiser spares the encoder a look ahead: a draft of 4K takes a quarter less time.
    quality = {"qp": "36"} if spec.draft else {"crf": "24"}
    options = {"preset": "ultrafast", "bf": "0", "threads": "1", "g": str(spec.fps), "flags": "+bitexact", **quality}
    stream = out.add_stream("libx264", rate=spec.fps, options=options)
    stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.time_base = Fraction(1, spec.fps)
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED
    return stream


def _add_sound_stream(out: Any) -> Any:
    stream = out.add_stream("aac", rate=RATE, options={"flags": "+bitexact", "threads": "1"})
    stream.codec_context.layout = "stereo"
    stream.codec_context.bit_rate = 128_000
    return stream


def _sound_pieces(scene: Scene, spec: RenderSpec) -> Iterator[av.AudioFrame]:
    """Yield the sound in the encoder's own portions, ending just before the picture does: the file is never longer."""
    samples = spec.frames * RATE // spec.fps
    whole = max(_AUDIO_FRAME, samples // _AUDIO_FRAME * _AUDIO_FRAME - _AUDIO_FRAME)
    wave = compose(scene, whole)
    for start in range(0, whole, _AUDIO_FRAME):
        piece = np.ascontiguousarray(wave[:, start : start + _AUDIO_FRAME])
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        yield frame


def _frames(spec: RenderSpec, scene: Scene) -> Iterator[av.VideoFrame]:
    shot, canvas = shot_for(spec, scene)
    overlays = _overlays(spec, scene)
    step = max(1, spec.fps) if spec.draft else 1
    vignette = _vignette(canvas) if shot.dims_corners else None
    try:
        for number in range(spec.frames):
            if number % step == 0 or number == spec.frames - 1:
                shot.paint(canvas, number / max(1, spec.frames - 1), number / spec.fps)
                frame = _enlarge(canvas, vignette, spec)
                planes = [lines_of(plane) for plane in frame.planes]
                for overlay in overlays:
                    overlay.lay(planes)
                _draw_progress(planes[0], (number + 1) / spec.frames)
            frame.pts, frame.time_base = number, Fraction(1, spec.fps)
            yield frame
    finally:
        shot.close()


def _overlays(spec: RenderSpec, scene: Scene) -> list[Overlay]:
    accent = scene.palette.accent
    facts = f"·  {spec.seconds:g} s  ·  {spec.width} x {spec.height}  ·  {spec.fps} fps  ·  seed {spec.seed}"
    overlays = list(framed_pictures(spec.width, spec.height, [load_picture(path) for path in spec.references]))
    covers = spec.source_video is not None
    overlays.append(lower_third(spec.width, spec.height, spec.prompt, spec.model, facts, accent, covers=covers))
    if spec.watermark:
        overlays.append(mark(spec.width, spec.height, spec.watermark, accent))
    return overlays


def _vignette(canvas: Canvas) -> NDArray[np.float32]:
    across = (canvas.columns / canvas.width - 0.5) * 2
    down = (canvas.rows / canvas.height - 0.5) * 2
    return (1 - 0.2 * np.clip((across**2 + down**2) / 2, 0, 1) ** 1.6).astype(np.float32)


def _enlarge(canvas: Canvas, vignette: NDArray[np.float32] | None, spec: RenderSpec) -> av.VideoFrame:
    if vignette is not None:
        canvas.y *= vignette
    frame = av.VideoFrame(canvas.width, canvas.height, "yuv420p")
    for plane, values, centre in zip(frame.planes, canvas.planes, (0.5, 128.5, 128.5), strict=True):
        np.clip(values + np.float32(centre), 16, 240, out=lines_of(plane), casting="unsafe")
    if (canvas.width, canvas.height) == (spec.width, spec.height):
        return frame
    return frame.reformat(spec.width, spec.height, "yuv420p", interpolation="BICUBIC", threads=1)


def _draw_progress(luma: NDArray[np.uint8], share: float) -> None:
    height, width = luma.shape
    luma[height - max(2, height // 240) :, : int(width * share)] = 220
