"""Weather: many small soft shapes, moved and painted together, each placed by parts of a pixel so that slow ones glide."""

import math

import numpy as np
from numpy.typing import NDArray

from reelway.media.painting.canvas import Canvas, Colour, Plane, to_colour
from reelway.media.painting.scene import Scene, Weather

__all__ = ["Particles", "particles_for"]


def particles_for(scene: Scene, canvas: Canvas, random: np.random.Generator) -> tuple["Particles", ...]:
    """Return the particles of a scene, far ones first."""
    accent = to_colour(scene.palette.accent, scene.turn_degrees)
    white = to_colour((250, 252, 255))
    unit = min(canvas.width, canvas.height) / 360
    wind = math.copysign(1, scene.drift)
    area = canvas.width * canvas.height / (640 * 360 * unit * unit)

    def layer(count: int, **traits: float) -> Particles:
        colour = {Weather.PETALS: to_colour((255, 190, 205)), Weather.EMBERS: to_colour((255, 150, 50))}.get(
            scene.weather, white if scene.weather in (Weather.SNOW, Weather.RAIN) else accent
        )
        return Particles(canvas, colour, int(count * area), unit, random, **traits)

    if scene.weather is Weather.SNOW:
        return (
            layer(120, radius=1.1, fall=24, wind=-8 * wind, sway=5, strength=0.75),
            layer(60, radius=2.0, fall=44, wind=-16 * wind, sway=9, strength=0.8),
            layer(14, radius=4.6, fall=84, wind=-34 * wind, sway=14, strength=0.5),
        )
    if scene.weather is Weather.RAIN:
        return (
            layer(150, radius=0.5, fall=420, wind=-60 * wind, length=16, strength=0.3),
            layer(60, radius=0.7, fall=640, wind=-95 * wind, length=28, strength=0.34),
        )
    if scene.weather is Weather.EMBERS:
        return (
            layer(70, radius=1.1, fall=-38, wind=-9 * wind, sway=10, flicker=1, strength=0.95),
            layer(18, radius=2.2, fall=-70, wind=-16 * wind, sway=16, flicker=1, strength=0.85),
        )
    if scene.weather is Weather.FIREFLIES:
        return (layer(60, radius=2.6, fall=-3, wind=2, sway=22, flicker=1, strength=1.0, lowest=0.45),)
    if scene.weather is Weather.PETALS:
        return (
            layer(40, radius=1.7, fall=20, wind=-24 * wind, sway=14, strength=0.8),
            layer(10, radius=4.0, fall=34, wind=-48 * wind, sway=22, strength=0.5),
        )
    return (layer(26, radius=1.4, fall=-4, wind=-6 * wind, sway=12, flicker=1, strength=0.5),)


class Particles:
    """One kind of particle. Speeds are in pixels of a 360-line picture per second; a negative `fall` rises."""

    def __init__(
        self,
        canvas: Canvas,
        colour: Colour,
        count: int,
        unit: float,
        random: np.random.Generator,
        *,
        radius: float,
        fall: float,
        wind: float,
        sway: float = 0.0,
        length: float = 0.0,
        flicker: float = 0.0,
        strength: float = 1.0,
        lowest: float = 0.0,
    ) -> None:
        self._colour, self._strength, self._flicker = colour, strength, flicker
        self._radius = max(0.6, radius * unit)
        self._length = length * unit
        self._slope = wind / fall if length else 0.0
        self._margin = self._radius * 2 + self._length + 2
        self._span_x, self._span_y = canvas.width + 2 * self._margin, canvas.height * (1 - lowest) + 2 * self._margin
        self._first_row = canvas.height * lowest - self._margin
        pace = random.uniform(0.75, 1.3, count)
        self._x, self._y = random.uniform(0, self._span_x, count), random.uniform(0, self._span_y, count)
        self._dx, self._dy = wind * unit * pace, fall * unit * pace
        self._sway, self._phase = sway * unit, random.uniform(0, 2 * math.pi, count)
        self._rate = random.uniform(0.5, 1.3, count)

    def paint(self, canvas: Canvas, seconds: float) -> None:
        swing = self._phase + self._rate * seconds
        x = (self._x + self._dx * seconds + self._sway * np.sin(swing)) % self._span_x - self._margin
        y = (self._y + self._dy * seconds + 0.4 * self._sway * np.sin(1.7 * swing)) % self._span_y + self._first_row
        weight = np.full(x.shape, self._strength)
        if self._flicker:
            weight = weight * (0.55 + 0.45 * np.sin(3.1 * swing)) ** 1.5
        for plane, target, scale in (
            (canvas.y, self._colour.y, 1.0),
            (canvas.u, self._colour.u, 0.5),
            (canvas.v, self._colour.v, 0.5),
        ):
            self._stamp(
                plane, target, x * scale, y * scale, weight, max(0.5, self._radius * scale), self._length * scale
            )

    def _stamp(
        self,
        plane: Plane,
        target: float,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        radius: float,
        length: float,
    ) -> None:
        height, width = plane.shape
        reach = math.ceil(radius * 2)
        tall = math.ceil(length / 2) + reach
        wide = math.ceil(abs(self._slope) * length / 2) + reach
        rows, columns = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
        down = np.arange(-tall, tall + 1)[None, :, None]
        across = np.arange(-wide, wide + 1)[None, None, :]
        aside_y = down - (y - rows)[:, None, None]
        aside_x = across - (x - columns)[:, None, None] - aside_y * self._slope
        along = np.maximum(np.abs(aside_y) - length / 2, 0) if length else aside_y
        alpha = np.exp(-(aside_x * aside_x + along * along) / (radius * radius)) * weight[:, None, None]
        place_y, place_x = rows[:, None, None] + down, columns[:, None, None] + across
        inside = (place_y >= 0) & (place_y < height) & (place_x >= 0) & (place_x < width) & (alpha > 0.01)
        index = (place_y * width + place_x)[inside]
        flat = plane.reshape(-1)
        np.add.at(flat, index, (alpha[inside] * (target - flat[index])).astype(np.float32))
