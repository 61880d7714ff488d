"""The sky: light, clouds, stars, northern lights, birds. What stands still is painted once; only what moves is painted again."""

import math

import numpy as np

from reelway.media.painting.canvas import Canvas, Plane, fractal_noise, mix, smoothstep, to_colour
from reelway.media.painting.scene import Ground, Scene, Sky, Weather

__all__ = ["Aurora", "Birds", "Clouds", "Stars", "paint_still_sky"]


def paint_still_sky(canvas: Canvas, scene: Scene, horizon: float) -> None:
    """Paint the gradient, the glow and the disc of the sun or moon."""
    stops = [to_colour(rgb, scene.turn_degrees) for rgb in scene.palette.sky]
    places = np.array([0.0, 0.42, 0.78, 1.0]) * horizon
    down = np.arange(canvas.height, dtype=np.float32)
    for plane, part in zip(canvas.planes, zip(*stops, strict=True), strict=True):
        step = canvas.height // plane.shape[0]
        plane[:] = np.interp(down[::step], places, part).astype(np.float32)[:, None]
    sun = to_colour(scene.palette.sun, scene.turn_degrees / 4)
    unit = min(canvas.width, canvas.height)
    x, y = scene.sun_x * canvas.width, scene.sun_y * canvas.height
    distance = np.hypot(canvas.columns - x, canvas.rows - y) / unit
    moon = scene.sky in (Sky.NIGHT, Sky.AURORA)
    if scene.sky is not Sky.STORM:
        reach, strength = (0.16, 0.35) if moon else (0.36, 0.72)
        canvas.blend(mix(sun, stops[2], 0.35), strength * np.exp(-distance / reach).astype(np.float32))
        canvas.blend(sun, 0.6 * np.exp(-((distance / 0.09) ** 2)).astype(np.float32) * (0.4 if moon else 1.0))
        radius = 0.034 if moon else 0.052
        canvas.blend(sun, smoothstep(radius + 0.004, radius - 0.004, distance.astype(np.float32)))
    canvas.y += np.random.default_rng(scene.seed).normal(0, 0.6, canvas.y.shape).astype(np.float32)


class Clouds:
    """Two sheets of noise that pass each other, so that the clouds change while they drift."""

    def __init__(self, canvas: Canvas, scene: Scene, horizon: float, random: np.random.Generator) -> None:
        self._height = min(canvas.height, int(horizon * (0.95 if scene.ground is not Ground.SPACE else 2)) // 2 * 2)
        self._width = canvas.width
        heavy = scene.sky in (Sky.STORM, Sky.FIRE) or scene.weather in (Weather.RAIN, Weather.SNOW)
        self._threshold = random.uniform(0.4, 0.46) if heavy else random.uniform(0.52, 0.57)
        self._sheets = []
        for stretch in (2.6, 1.7):
            sheet = fractal_noise(random, self._height, 2 * canvas.width, steepness=1.75, stretch=stretch)
            self._sheets.append(np.concatenate([sheet, sheet[:, : canvas.width + 1]], axis=1))
        share = np.linspace(0, 1, self._height, dtype=np.float32)[:, None]
        self._fade = smoothstep(0, 0.18, share) * smoothstep(1.0, 0.55, share) * (0.85 if heavy else 0.6)
        self._dark = to_colour(scene.palette.cloud, scene.turn_degrees)
        self._light = mix(self._dark, to_colour(scene.palette.sun, scene.turn_degrees / 4), 0.45)
        self._speed = scene.drift * canvas.width * 0.35

    def paint(self, canvas: Canvas, seconds: float) -> None:
        first = self._shifted(0, seconds * self._speed)
        second = self._shifted(1, 400 - seconds * self._speed * 0.4)
        first += second
        first *= 0.5
        alpha = smoothstep(self._threshold, self._threshold + 0.16, first)
        canvas.blend_between(self._light, self._dark, alpha, alpha * self._fade)

    def _shifted(self, sheet: int, offset: float) -> Plane:
        whole = math.floor(offset)
        share = np.float32(offset - whole)
        start = whole % (2 * self._width)
        both = self._sheets[sheet]
        return both[:, start : start + self._width] * (1 - share) + both[:, start + 1 : start + self._width + 1] * share


class Stars:
    """Points that twinkle, each with its own rhythm."""

    def __init__(self, canvas: Canvas, count: int, lowest: float, random: np.random.Generator) -> None:
        rows = (random.random(count) ** 1.3 * (lowest - 4)).astype(np.intp) + 1
        columns = random.integers(1, canvas.width - 1, count)
        self._places = rows * canvas.width + columns
        self._sizes = (random.pareto(2.2, count) * 34 + 14).clip(0, 150).astype(np.float32)
        self._phases = random.uniform(0, 2 * math.pi, count)
        self._rates = random.uniform(0.6, 2.6, count)
        self._bright = np.flatnonzero(self._sizes > 60)

    def paint(self, canvas: Canvas, seconds: float) -> None:
        light = self._sizes * (0.7 + 0.3 * np.sin(self._phases + self._rates * seconds)).astype(np.float32)
        flat = canvas.y.reshape(-1)
        flat[self._places] += light
        for step in (-1, 1, -canvas.width, canvas.width):
            flat[self._places[self._bright] + step] += 0.35 * light[self._bright]


class Aurora:
    """Curtains of light: a wandering edge, rays above it, colours fading upward."""

    def __init__(self, canvas: Canvas, scene: Scene, horizon: float, random: np.random.Generator) -> None:
        self._height = int(horizon) // 2 * 2
        self._low = to_colour(scene.palette.accent, scene.turn_degrees)
        self._high = to_colour((150, 90, 255), scene.turn_degrees)
        self._random = random.uniform(0, 2 * math.pi, (3, 4))
        self._rays = fractal_noise(random, 8, 4096, steepness=0.9)[0]

    def paint(self, canvas: Canvas, seconds: float) -> None:
        x = canvas.columns[0] / canvas.width
        rows = canvas.rows[: self._height] / self._height
        for number, phase in enumerate(self._random):
            edge = 0.62 - 0.13 * number + 0.09 * np.sin(4.2 * x + phase[0] + 0.35 * seconds)
            edge += 0.045 * np.sin(9.7 * x + phase[1] - 0.5 * seconds)
            place = x * 900 + 140 * np.sin(2.3 * x + phase[2] + 0.2 * seconds) + 1300 * number + 14 * seconds
            rays = np.interp(place, np.arange(4096), self._rays, period=4096)
            strength = (0.25 + 1.3 * np.clip(rays - 0.25, 0, 1)) * (
                0.55 + 0.45 * np.sin(3.1 * x + phase[3] + 0.4 * seconds)
            )
            above = (edge - rows).astype(np.float32)
            shape = np.exp(-np.maximum(above, 0) / 0.24) * smoothstep(-0.05, 0.02, above)
            canvas.blend_between(
                self._low, self._high, np.clip(above * 2.2, 0, 1), shape * strength.astype(np.float32) * 0.8
            )


class Birds:
    """A flock far away that crosses the picture, each wing beating for itself."""

    def __init__(self, canvas: Canvas, scene: Scene, random: np.random.Generator) -> None:
        count = int(random.integers(5, 9))
        self._start = random.uniform(0.25, 0.6) if scene.drift > 0 else random.uniform(0.35, 0.7)
        self._speed = -math.copysign(0.035, scene.drift) * canvas.width
        spread = canvas.width * 0.022
        self._x = (np.abs(np.arange(count) - count // 2) * -math.copysign(spread, self._speed)) + random.normal(
            0, spread / 4, count
        )
        self._y = (np.arange(count) - count // 2) * spread * 0.55 + random.normal(0, spread / 6, count)
        self._y += canvas.height * random.uniform(0.2, 0.34)
        self._phase = random.uniform(0, 2 * math.pi, count)
        self._span = canvas.width * random.uniform(0.006, 0.008)
        self._colour = to_colour(scene.palette.near, scene.turn_degrees)

    def paint(self, canvas: Canvas, seconds: float) -> None:
        steps = np.linspace(-1, 1, 4 * int(self._span) + 3, dtype=np.float32)
        for x, y, phase in zip(self._x, self._y, self._phase, strict=True):
            beat = math.sin(phase + 9 * seconds) * 0.55
            wing = np.abs(steps)
            columns = canvas.width * self._start + self._speed * seconds + x + steps * self._span
            rows = y + 2 * math.sin(0.8 * seconds + phase) + self._span * (beat * wing - 0.5 * wing * (1 - wing))
            self._draw(canvas, columns, rows, (1.15 - 0.5 * wing).astype(np.float32))

    def _draw(self, canvas: Canvas, columns: Plane, rows: Plane, weight: Plane) -> None:
        inside = (columns > 1) & (columns < canvas.width - 2) & (rows > 1) & (rows < canvas.height - 2)
        column, row, weight = columns[inside].astype(np.intp), rows[inside], weight[inside]
        top = np.floor(row).astype(np.intp)
        share = (row - top).astype(np.float32)
        for line, alpha in ((top, 1 - share), (top + 1, share)):
            alpha = np.minimum(alpha * weight, 1)
            canvas.y[line, column] += alpha * (self._colour.y - canvas.y[line, column])
