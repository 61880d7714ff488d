"""Shots: what is seen when. Each paints the moment it is asked for onto a canvas of its own size."""

from pathlib import Path
from typing import Protocol

import numpy as np

from reelway.media.painting.canvas import Canvas, mix, to_colour
from reelway.media.painting.landscape import Landscape, Layer
from reelway.media.painting.scene import Scene
from reelway.media.painting.stills import SourceFrames, Still, load_picture
from reelway.media.painting.weather import particles_for
from reelway.media.render import RenderSpec

__all__ = ["Shot", "shot_for"]

_DISSOLVE_SECONDS = 1.2
_WIPE_SECONDS = 1.0
_ZOOM = 0.14
_SCENE_SIDE = 640
_PICTURE_SIDE = 1280
_SOURCE_SIDE = 960


class Shot(Protocol):
    """Something to see."""

    dims_corners: bool
    """Whether the corners are darkened; never those of a picture that was given."""

    def paint(self, canvas: Canvas, share: float, seconds: float) -> None:
        """Paint the moment; `share` is 0 at the first frame and 1 at the last."""
        ...

    def close(self) -> None: ...


def shot_for(spec: RenderSpec, scene: Scene) -> tuple[Shot, Canvas]:
    """Return the shot for what was given, and a canvas fit for it."""
    if spec.source_video is not None:
        canvas = _canvas(spec, _SOURCE_SIDE)
        frames = SourceFrames(spec.source_video, canvas.width, canvas.height)
        if spec.operation == "extend":
            return _Continued(frames, scene, canvas, spec.seconds), canvas
        return _Edited(frames, scene, canvas), canvas
    if spec.first_frame is not None or spec.last_frame is not None:
        canvas = _canvas(spec, _PICTURE_SIDE)
        return _Pictured(spec.first_frame, spec.last_frame, scene, canvas), canvas
    canvas = _canvas(spec, _SCENE_SIDE)
    return _Painted(Landscape(scene, canvas.width, canvas.height)), canvas


def _canvas(spec: RenderSpec, longest: int) -> Canvas:
    """Return a canvas of the video's shape; it is enlarged while encoding."""
    if max(spec.width, spec.height) > 1920:
        longest = longest * 3 // 2
    scale = min(1.0, longest / max(spec.width, spec.height))
    return Canvas(max(16, round(spec.width * scale / 2) * 2), max(16, round(spec.height * scale / 2) * 2))


class _Painted:
    """A landscape."""

    dims_corners = True

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape

    def paint(self, canvas: Canvas, share: float, seconds: float) -> None:
        self._landscape.paint(canvas, seconds)

    def close(self) -> None:
        """Nothing is held open."""


class _Pictured:
    """One picture with a slow zoom, or the first dissolving into the last; weather passes in front."""

    dims_corners = False

    def __init__(self, first: Path | None, last: Path | None, scene: Scene, canvas: Canvas) -> None:
        width, height = canvas.width, canvas.height
        self._first = Still(load_picture(first), width, height) if first else None
        self._last = Still(load_picture(last), width, height) if last else None
        self._weather = particles_for(scene, canvas, np.random.default_rng(scene.seed))
        self._x, self._y = scene.sun_x, 0.45
        self._other = Canvas(width, height)

    def paint(self, canvas: Canvas, share: float, seconds: float) -> None:
        """The first frame is the first picture as it is, the last frame the last picture as it is."""
        blend = _ease((share - 0.25) / 0.5) if self._first and self._last else float(self._first is None)
        if self._first and blend < 1:
            self._first.paint(canvas, 1 + _ZOOM * share, self._x, self._y)
        if self._last and blend > 0:
            shown = self._other if self._first else canvas
            self._last.paint(shown, 1 + _ZOOM * (1 - share), 1 - self._x, self._y)
            if self._first:
                _dissolve(canvas, self._other, blend)
        for layer in self._weather:
            layer.paint(canvas, seconds)

    def close(self) -> None:
        """Nothing is held open."""


class _Edited:
    """A video in the colours of the prompt; an edge that passes in the first second shows what was there before."""

    dims_corners = False

    def __init__(self, frames: SourceFrames, scene: Scene, canvas: Canvas) -> None:
        self._frames = frames
        self._dark = to_colour(scene.palette.sky[0], scene.turn_degrees)
        self._bright = to_colour(scene.palette.sun, scene.turn_degrees)
        self._accent = to_colour(scene.palette.accent, scene.turn_degrees)
        self._weather: tuple[Layer, ...] = particles_for(scene, canvas, np.random.default_rng(scene.seed))
        self._before = Canvas(canvas.width, canvas.height)

    def paint(self, canvas: Canvas, share: float, seconds: float) -> None:
        self._frames.paint(canvas, seconds)
        self._before.copy_from(canvas)
        light = np.clip((canvas.y - 16) / 219, 0, 1)
        canvas.y += 26 * np.sin((light - 0.5) * np.float32(np.pi))
        canvas.blend(self._dark, (1 - light) ** 2 * np.float32(0.55))
        canvas.blend(mix(self._bright, self._accent, 0.5), light * np.float32(0.38))
        for layer in self._weather:
            layer.paint(canvas, seconds)
        edge = int(canvas.width * _ease(seconds / _WIPE_SECONDS)) // 2 * 2
        if edge < canvas.width:
            for plane, before in zip(canvas.planes, self._before.planes, strict=True):
                start = edge * plane.shape[1] // canvas.width
                plane[:, start:] = before[:, start:]
            line = np.exp(-(((canvas.columns - edge) / 2.5) ** 2)) + np.zeros_like(canvas.rows)
            canvas.blend(self._accent, line.astype(np.float32))

    def close(self) -> None:
        self._frames.close()


class _Continued:
    """A video that goes on: it plays, and its end dissolves into the scene of the prompt."""

    dims_corners = False

    def __init__(self, frames: SourceFrames, scene: Scene, canvas: Canvas, seconds: float) -> None:
        self._frames = frames
        self._landscape = Landscape(scene, canvas.width, canvas.height)
        self._other = Canvas(canvas.width, canvas.height)
        whole_source_fits = 0 < frames.seconds < seconds - 0.1
        self._turn = frames.seconds if whole_source_fits else 0.0
        self._offset = 0.0 if whole_source_fits else frames.seconds

    def paint(self, canvas: Canvas, share: float, seconds: float) -> None:
        blend = _ease((seconds - self._turn) / _DISSOLVE_SECONDS)
        if blend < 1:
            self._frames.paint(canvas, seconds + self._offset)
            if blend > 0:
                self._landscape.paint(self._other, seconds)
                _dissolve(canvas, self._other, blend)
        else:
            self._landscape.paint(canvas, seconds)

    def close(self) -> None:
        self._frames.close()


def _ease(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _dissolve(canvas: Canvas, other: Canvas, share: float) -> None:
    for plane, theirs in zip(canvas.planes, other.planes, strict=True):
        plane += (theirs - plane) * np.float32(share)
