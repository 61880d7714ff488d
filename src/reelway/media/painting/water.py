"""Water: the picture above the horizon, mirrored, bent by waves that grow towards the viewer, with glitter under the light."""

import numpy as np

from reelway.media.painting.canvas import Canvas, Plane, fractal_noise, mix, smoothstep, to_colour
from reelway.media.painting.scene import Ground, Scene, Sky

__all__ = ["Water"]

_TILE = 512


class Water:
    """Everything below the horizon. Painted after what it mirrors and before what stands in front of it."""

    def __init__(self, canvas: Canvas, scene: Scene, horizon: float, random: np.random.Generator) -> None:
        self._top = int(horizon) // 2 * 2
        self._count = canvas.height - self._top
        calm = scene.ground is Ground.CITY
        near = np.linspace(0, 1, self._count, dtype=np.float32)[:, None]
        self._tile = np.ascontiguousarray(fractal_noise(random, _TILE, _TILE, steepness=1.5, stretch=1.6)) - 0.5
        depth = 1 / (near + 0.055)
        scale = 560 / canvas.width
        self._columns = (canvas.columns - canvas.width / 2) * scale * (0.1 + 0.055 * depth) + 4000
        self._rows = 40 * depth + 300 * near
        self._mirror = self._top - 1 - near * self._top * 0.92
        self._bend_columns = (4 + 26 * near) * (0.5 if calm else 1) / scale
        self._bend_rows = (3 + 60 * near) * (0.35 if calm else 1) / scale
        self._relief = (26 + 40 * near) * (0.55 if calm else 1) * (0.6 if scene.sky in _DIM else 1)
        self._speed = 26.0
        sun = scene.sun_x * canvas.width
        width = (0.035 + 0.13 * near) * canvas.width
        path = np.exp(-(((canvas.columns - sun) / width) ** 2)) * (1.0 if scene.sky not in _DIM else 0.55)
        self._path = path.astype(np.float32) * (0 if scene.sky is Sky.STORM or calm else 1)
        self._sun = to_colour(scene.palette.sun, scene.turn_degrees / 4)
        deep = mix(
            to_colour(scene.palette.near, scene.turn_degrees), to_colour(scene.palette.sky[0], scene.turn_degrees), 0.5
        )
        self._deep = deep
        self._tint = (0.16 + 0.5 * near) * (0.8 if calm else 1) + np.zeros_like(canvas.columns)
        self._place = canvas.columns

    def paint(self, canvas: Canvas, seconds: float) -> None:
        wave = self._wave(seconds)
        rows = np.clip(self._mirror + wave * self._bend_rows, 0, self._top - 1).astype(np.intp)
        columns = np.clip(self._place + wave * self._bend_columns, 0, canvas.width - 1).astype(np.intp)
        canvas.y[self._top :] = canvas.y.reshape(-1)[rows * canvas.width + columns]
        small = (rows[::2, ::2] // 2) * (canvas.width // 2) + columns[::2, ::2] // 2
        for plane in (canvas.u, canvas.v):
            plane[self._top // 2 :] = plane.reshape(-1)[small]
        canvas.blend(self._deep, self._tint, self._top)
        canvas.y[self._top :] += wave * self._relief
        canvas.blend(self._sun, self._path * smoothstep(0.05, 0.2, wave), self._top)

    def _wave(self, seconds: float) -> Plane:
        along = self._speed * seconds
        first = self._gather(self._columns + 0.25 * along, self._rows - along)
        first += self._gather(self._columns * 1.37 - 0.4 * along, self._rows * 1.21 - 0.6 * along)
        return first

    def _gather(self, columns: Plane, rows: Plane) -> Plane:
        column = columns.astype(np.intp) & (_TILE - 1)
        row = rows.astype(np.intp) & (_TILE - 1)
        return self._tile.reshape(-1)[row * _TILE + column]


_DIM = frozenset({Sky.NIGHT, Sky.AURORA, Sky.NEON, Sky.STORM, Sky.FIRE})
