"""A city: three rows of buildings with lit windows, sliding past each other."""

import math

import numpy as np

from reelway.media.painting.canvas import Canvas, Plane, mix, to_colour
from reelway.media.painting.scene import Rgb, Scene, Sky

__all__ = ["Skyline", "skylines_for"]

_LAMPS: tuple[Rgb, Rgb] = ((255, 214, 140), (255, 236, 196))


def skylines_for(scene: Scene, canvas: Canvas, horizon: float, random: np.random.Generator) -> tuple["Skyline", ...]:
    """Return the rows from the farthest to the nearest, all standing on the horizon."""
    return tuple(Skyline(canvas, scene, share, horizon, random) for share in (0.0, 0.5, 1.0))


class Skyline:
    """One row of buildings: a mask of walls and a mask of lit windows, painted once and moved by parts of a pixel."""

    def __init__(self, canvas: Canvas, scene: Scene, share: float, horizon: float, random: np.random.Generator) -> None:
        self._foot = int(horizon) // 2 * 2
        self._width = canvas.width
        unit = min(canvas.width, canvas.height) / 360
        tallest = (0.62 - 0.3 * share) * min(canvas.height * 0.82, canvas.width * 0.62)
        self._top = max(0, int(self._foot - tallest) // 2 * 2 - 2)
        self._length = 2 * canvas.width
        walls, lamps = self._build(random, share, unit, tallest, scene)
        self._walls = np.concatenate([walls, walls[:, : canvas.width + 1]], axis=1)
        self._lamps = np.concatenate([lamps, lamps[:, : canvas.width + 1]], axis=1)
        turn = scene.turn_degrees
        far, near = to_colour(scene.palette.far, turn), to_colour(scene.palette.near, turn)
        self._body = mix(far, near, 0.25 + 0.75 * share)
        self._base = mix(self._body, to_colour(scene.palette.sky[3], turn), 0.55 * (1 - share) + 0.1)
        lamp = _LAMPS[0] if scene.sky is not Sky.NEON else scene.palette.accent
        self._lamp = mix(to_colour(lamp, 0), self._body, 0.45 * (1 - share))
        self._share = np.linspace(0, 1, self._foot - self._top, dtype=np.float32)[:, None] ** 1.5 + np.zeros(
            (1, canvas.width), np.float32
        )
        self._speed = scene.drift * canvas.width * (0.15 + 0.7 * share)

    def paint(self, canvas: Canvas, seconds: float) -> None:
        offset = self._speed * seconds
        canvas.blend_between(self._body, self._base, self._share, self._shifted(self._walls, offset), self._top)
        canvas.blend(self._lamp, self._shifted(self._lamps, offset), self._top)

    def _shifted(self, mask: Plane, offset: float) -> Plane:
        whole = math.floor(offset)
        share = np.float32(offset - whole)
        start = whole % self._length
        return mask[:, start : start + self._width] * (1 - share) + mask[:, start + 1 : start + self._width + 1] * share

    def _build(
        self, random: np.random.Generator, share: float, unit: float, tallest: float, scene: Scene
    ) -> tuple[Plane, Plane]:
        height = self._foot - self._top
        walls = np.zeros((height, self._length), np.float32)
        lamps = np.zeros((height, self._length), np.float32)
        dark = scene.sky in (Sky.NIGHT, Sky.NEON, Sky.STORM, Sky.AURORA, Sky.FIRE)
        lit = (0.42 if dark else 0.16) + 0.05 * share
        left = 0
        while left < self._length:
            width = int(random.uniform(14, 36) * unit * (0.7 + 0.7 * share))
            right = min(left + width, self._length)
            rise = int(tallest * (0.3 + 0.7 * random.beta(1.6, 2.2)))
            top = height - rise
            walls[top:, left:right] = 1
            if random.random() < 0.35 and rise > 0.5 * tallest:
                middle, mast = (left + right) // 2, int(random.uniform(0.06, 0.14) * tallest)
                walls[max(0, top - mast) : top, middle : middle + max(1, int(unit))] = 1
                inset = max(2, width // 5)
                walls[max(0, top - inset) : top, left + inset : right - inset] = 1
            self._light(random, lamps[top:, left:right], unit * (0.8 + 0.5 * share), lit)
            left = right + (int(random.uniform(0, 5) * unit) if random.random() < 0.3 else 0)
        return walls, lamps

    def _light(self, random: np.random.Generator, face: Plane, unit: float, lit: float) -> None:
        step_x, step_y = max(3, round(3.4 * unit)), max(3, round(4.4 * unit))
        rows, columns = (face.shape[0] - step_y) // step_y, (face.shape[1] - step_x // 2) // step_x
        if rows < 1 or columns < 1:
            return
        floors = random.random((rows, 1)) * 0.6 + 0.7
        on = (random.random((rows, columns)) < lit * floors) * random.uniform(0.45, 1.0, (rows, columns))
        window = np.zeros((step_y, step_x), np.float32)
        window[step_y // 3 :, step_x // 3 :] = 1
        grid = np.kron(on.astype(np.float32), window)
        face[step_y // 2 : step_y // 2 + grid.shape[0], : grid.shape[1]] = grid
