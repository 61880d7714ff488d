"""Space: two colours of nebula, stars at two distances, a planet that turns."""

import math

import numpy as np

from reelway.media.painting.canvas import Canvas, Plane, fractal_noise, mix, smoothstep, to_colour
from reelway.media.painting.scene import Scene

__all__ = ["Planet", "paint_nebula"]


def paint_nebula(canvas: Canvas, scene: Scene, random: np.random.Generator) -> None:
    """Paint the still background."""
    deep = to_colour((5, 6, 18))
    for plane, part in zip(canvas.planes, deep, strict=True):
        plane[:] = part
    hues = ((70, 60, 190), (210, 60, 140), (40, 150, 190))
    first = int(random.integers(0, 3))
    for number, strength in ((0, 0.85), (1, 0.7), (2, 0.4)):
        noise = fractal_noise(random, canvas.height, canvas.width, steepness=1.8, stretch=1.3)
        veil = smoothstep(0.42, 0.86, noise)
        canvas.blend(to_colour(hues[(first + number) % 3], scene.turn_degrees * 2), veil * np.float32(strength))
        canvas.blend(to_colour((255, 226, 240)), smoothstep(0.66, 1.0, noise) * np.float32(0.5 * strength))
    dust = fractal_noise(random, canvas.height, canvas.width, steepness=1.6)
    canvas.blend(deep, smoothstep(0.5, 0.8, dust) * np.float32(0.75))


class Planet:
    """A banded world, lit from one side, with a thin bright air."""

    def __init__(self, canvas: Canvas, scene: Scene, random: np.random.Generator) -> None:
        unit = min(canvas.width, canvas.height)
        radius = unit * random.uniform(0.3, 0.38)
        side = 1 if scene.sun_x < 0.5 else -1
        x0, y0 = canvas.width * (0.5 + 0.22 * side), canvas.height * 0.42
        self._top = max(0, int(y0 - radius * 1.3) // 2 * 2)
        bottom = min(canvas.height, int(y0 + radius * 1.3) // 2 * 2)
        across = (canvas.columns - x0) / radius
        down = (canvas.rows[self._top : bottom] - y0) / radius
        distance = np.hypot(across, down).astype(np.float32)
        self._alpha = smoothstep(1 + 1.5 / radius, 1 - 1.5 / radius, distance)
        depth = np.sqrt(np.maximum(0, 1 - distance**2))
        light = across * (-0.72 * side) + down * -0.42 + depth * 0.5
        self._lit = smoothstep(-0.06, 0.8, light.astype(np.float32))
        rim = np.exp(-((distance - 1) ** 2) * 340) * smoothstep(-0.2, 0.7, light.astype(np.float32))
        halo = (
            np.exp(-np.maximum(distance - 1, 0) * 16) * (distance > 1) * smoothstep(-0.3, 0.8, light.astype(np.float32))
        )
        self._air: Plane = (0.75 * rim + 0.35 * halo).astype(np.float32)
        noise = fractal_noise(random, 256, 1024, steepness=1.35, stretch=2.8)
        bands = 0.5 + 0.5 * np.sin(np.linspace(0, 15, 256) + random.uniform(0, 6))[:, None]
        self._surface = (0.55 * noise + 0.45 * bands).astype(np.float32)
        self._latitude = ((np.arcsin(np.clip(down + 0.15 * across, -1, 1)) / math.pi + 0.5) * 255).astype(np.intp)
        self._longitude = (np.arctan2(across + np.zeros_like(down), depth + 0.05) / (2 * math.pi) * 1024 + 512).astype(
            np.float32
        )
        colour = to_colour(scene.palette.accent, scene.turn_degrees * 4)
        self._bright, self._dim = (
            mix(colour, to_colour((255, 250, 240)), 0.25),
            mix(colour, to_colour((30, 20, 70)), 0.55),
        )
        self._night, self._glow = to_colour((3, 4, 12)), to_colour((150, 200, 255))
        self._speed = 14.0 * side

    def paint(self, canvas: Canvas, seconds: float) -> None:
        place = self._longitude + self._speed * seconds + 2048
        whole = place.astype(np.intp)
        share = place - whole
        row = self._latitude * 1024
        surface = self._surface.reshape(-1)
        value = surface[row + (whole & 1023)] * (1 - share) + surface[row + ((whole + 1) & 1023)] * share
        canvas.blend_between(self._dim, self._bright, value, self._alpha, self._top)
        canvas.blend(self._night, self._alpha * (1 - self._lit) * np.float32(0.96), self._top)
        canvas.blend(self._glow, self._air, self._top)
