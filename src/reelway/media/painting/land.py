"""Land: ridges one behind the other, each a moving outline filled with colour that fades into haze."""

import math
from collections.abc import Callable

import numpy as np

from reelway.media.painting.canvas import Canvas, Plane, mix, to_colour
from reelway.media.painting.scene import Ground, Scene, Sky

__all__ = ["Ridge", "ridges_for"]

Outline = Callable[[Plane], Plane]
"""From places along the ridge, in long sides of the picture, to heights in 0..1."""


def ridges_for(scene: Scene, canvas: Canvas, random: np.random.Generator) -> tuple["Ridge", ...]:
    """Return the ridges of a scene from the farthest to the nearest."""
    shapes: dict[Ground, tuple[int, Callable[[np.random.Generator, float], Outline]]] = {
        Ground.MOUNTAINS: (5, lambda source, share: _peaks(source, 2.2 - share)),
        Ground.FOREST: (5, lambda source, share: _trees(source, 9 + 34 * (1 - share) ** 1.3)),
        Ground.DUNES: (4, lambda source, share: _dunes(source)),
        Ground.SEA: (2, lambda source, share: _peaks(source, 3.2)),
        Ground.HILLS: (5, lambda source, share: _rolling(source, 1.4 + share)),
    }
    count, outline = shapes[scene.ground]
    tops = {Ground.SEA: (0.5, 0.53), Ground.DUNES: (0.5, 0.82), Ground.FOREST: (0.44, 0.86)}
    first, last = tops.get(scene.ground, (0.44, 0.86))
    first += 0.12 if scene.sky is Sky.AURORA else 0.0
    ridges = []
    for number in range(count):
        share = number / (count - 1)
        ridges.append(
            Ridge(
                canvas=canvas,
                scene=scene,
                share=share,
                level=first + (last - first) * share**1.15,
                relief=_relief(scene.ground, share),
                outline=outline(random, share),
                offset=random.uniform(0, 40),
                snowy=scene.snowy and scene.ground is not Ground.FOREST,
            )
        )
    if scene.snowy and scene.ground is Ground.FOREST:
        ridges.append(
            Ridge(
                canvas=canvas,
                scene=scene,
                share=1.0,
                level=0.9,
                relief=0.16,
                outline=_rolling(random, 0.8),
                offset=0.0,
                snowy=True,
            )
        )
    return tuple(ridges)


def _relief(ground: Ground, share: float) -> float:
    """How high a ridge rises above its level, as a share of the picture's height."""
    if ground is Ground.MOUNTAINS:
        return 0.28 - 0.12 * share
    if ground is Ground.SEA:
        return 0.11
    if ground is Ground.FOREST:
        return 0.1 + 0.22 * share
    return 0.13


class Ridge:
    """One ridge. Nearer ones are darker, faster and hide the farther ones."""

    def __init__(
        self,
        *,
        canvas: Canvas,
        scene: Scene,
        share: float,
        level: float,
        relief: float,
        outline: Outline,
        offset: float,
        snowy: bool,
    ) -> None:
        self._level = level * canvas.height
        self._relief = relief * canvas.height
        self._outline = outline
        self._offset = offset
        self._speed = scene.drift * (0.12 + 0.88 * share**1.4)
        turn = scene.turn_degrees
        far, near = to_colour(scene.palette.far, turn), to_colour(scene.palette.near, turn)
        haze = to_colour(scene.palette.sky[3], turn)
        self._crest = mix(far, near, share**0.8)
        self._foot = mix(self._crest, haze, 0.62 * (1 - share) + 0.06)
        self._depth = (0.16 + 0.22 * share) * canvas.height
        self._light = (26 if scene.sky in (Sky.DAY, Sky.DAWN, Sky.SUNSET, Sky.MIST) else 12) * (0.45 + 0.55 * share)
        if scene.ground is Ground.FOREST and not snowy:
            self._light = 0.0
        self._side = 1 if scene.sun_x < 0.5 else -1
        self._unit = max(canvas.width, canvas.height)
        self._smooth = max(2, self._unit // (28 if scene.ground is Ground.DUNES or snowy else 60))
        self._kernel = np.hanning(2 * self._smooth + 3)[1:-1]
        self._kernel /= self._kernel.sum()
        if snowy or (scene.ground is Ground.DUNES and scene.sky is not Sky.FIRE):
            self._cover(scene, share, snowy=snowy)

    def _cover(self, scene: Scene, share: float, *, snowy: bool) -> None:
        """Lay snow or sand over the ridge, in the colour the sky gives it."""
        night = scene.sky in (Sky.NIGHT, Sky.AURORA, Sky.NEON, Sky.STORM, Sky.FIRE)
        cover = to_colour((236, 242, 250) if snowy else (240, 182, 112), scene.turn_degrees / 3)
        sky = to_colour(scene.palette.sky[2 if snowy else 1], scene.turn_degrees)
        self._crest = mix(self._crest, mix(cover, sky, 0.5 if night else 0.25), 0.7 + 0.2 * share)
        self._foot = mix(self._crest, sky, 0.75) if snowy else mix(self._foot, self._crest, 0.5)
        self._light *= 1.5

    def paint(self, canvas: Canvas, seconds: float) -> None:
        places = (canvas.columns / self._unit + self._offset + self._speed * seconds).astype(np.float32)
        heights = self._level - self._relief * self._outline(places)
        top = max(0, int(heights.min()) - 1) // 2 * 2
        below = canvas.rows[top:] - heights
        steepness = np.maximum(1, np.abs(np.gradient(heights[0]))).astype(np.float32)
        alpha = np.clip(below / steepness + 0.5, 0, 1)  # softened along steep edges, which would be stairs otherwise
        share = np.clip(below * np.float32(1 / self._depth), 0, 1)
        canvas.blend_between(self._crest, self._foot, share, alpha, top)
        if self._light:
            slope = np.gradient(np.convolve(np.pad(heights[0], self._smooth, "edge"), self._kernel, "valid"))
            alpha *= 1 - share
            alpha *= (self._light * np.tanh(slope * self._side * 2.4)).astype(np.float32)[None, :]
            canvas.y[top:] += alpha


def _waves(random: np.random.Generator, frequencies: list[float], fall: float) -> Outline:
    phases = random.uniform(0, 2 * math.pi, len(frequencies))
    rates = np.array(frequencies) * random.uniform(0.85, 1.15, len(frequencies)) * 2 * math.pi
    sizes = np.array([fall**number for number in range(len(frequencies))])
    sizes /= sizes.sum()

    def outline(places: Plane) -> Plane:
        total = np.zeros_like(places)
        for rate, phase, size in zip(rates, phases, sizes, strict=True):
            total += (size * np.sin(rate * places + phase)).astype(np.float32)
        return 0.5 + 0.5 * total

    return outline


def _rolling(random: np.random.Generator, pace: float) -> Outline:
    base = _waves(random, [0.6 * pace, 1.3 * pace, 2.9 * pace], 0.45)
    grass = _waves(random, [31, 57, 93], 0.8)
    return lambda places: base(places) + 0.02 * grass(places)


def _peaks(random: np.random.Generator, pace: float) -> Outline:
    phases = random.uniform(0, math.pi, 6)
    rates = [pace * rate for rate in (0.9, 1.9, 4.1, 8.7, 17.9, 39.0)]

    def outline(places: Plane) -> Plane:
        total = np.zeros_like(places)
        weight, size = np.ones_like(places), 1.0
        for rate, phase in zip(rates, phases, strict=True):
            crest = 1 - np.abs(np.sin(rate * places + phase))
            total += np.float32(size) * weight * crest
            weight = 0.35 + 0.65 * crest
            size *= 0.5
        total /= np.float32(1.7)
        return total

    return outline


def _dunes(random: np.random.Generator) -> Outline:
    base = _waves(random, [0.5, 1.1], 0.5)
    phase, rate = random.uniform(0, 6), random.uniform(0.9, 1.3)

    def outline(places: Plane) -> Plane:
        along = rate * places + phase + 0.12 * np.sin(5 * places + phase)
        share = along - np.floor(along)
        crest = np.where(share < 0.66, (share / 0.66) ** 1.7, ((1 - share) / 0.34) ** 1.3)
        return np.asarray(0.6 * base(places) + 0.55 * crest, np.float32)

    return outline


def _trees(random: np.random.Generator, pace: float) -> Outline:
    ground = _waves(random, [0.8, 1.9], 0.5)
    heights = random.uniform(0.25, 1.0, (3, 512)).astype(np.float32)
    nudges = random.uniform(-0.3, 0.3, (3, 512)).astype(np.float32)

    def outline(places: Plane) -> Plane:
        tallest = np.zeros_like(places)
        for row in range(3):
            along = places * np.float32(pace) + np.float32(0.37 * row)
            number = np.floor(along)
            index = number.astype(np.intp) % 512
            aside = np.abs(along - number - 0.5 - nudges[row][index])
            height = heights[row][index]
            cone = np.maximum(1 - aside * (3.6 + 0.7 * row), 0)
            bough = (cone * 6) % 1
            np.maximum(tallest, height * (cone - 0.11 * bough), out=tallest)
        return 0.3 * ground(places) + 0.76 * tallest

    return outline
