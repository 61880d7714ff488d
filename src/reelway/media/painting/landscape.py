"""A landscape: the painted layers of a scene, in the order in which they hide each other."""

from typing import Protocol

import numpy as np

from reelway.media.painting.canvas import Canvas
from reelway.media.painting.city import skylines_for
from reelway.media.painting.land import ridges_for
from reelway.media.painting.scene import Ground, Scene, Sky, Weather
from reelway.media.painting.sky import Aurora, Birds, Clouds, Stars, paint_still_sky
from reelway.media.painting.space import Planet, paint_nebula
from reelway.media.painting.water import Water
from reelway.media.painting.weather import particles_for

__all__ = ["Landscape", "Layer"]

_HORIZONS = {Ground.SEA: 0.54, Ground.CITY: 0.7, Ground.DUNES: 0.56, Ground.SPACE: 1.0}
_STARRY = (Sky.NIGHT, Sky.AURORA, Sky.NEON)


class Layer(Protocol):
    """Something that moves."""

    def paint(self, canvas: Canvas, seconds: float) -> None: ...


class Landscape:
    """A scene that can be painted at any moment; the same moment is always the same picture."""

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        self._still = Canvas(width, height)
        random = np.random.default_rng(scene.seed)
        self._layers: list[Layer] = []
        if scene.ground is Ground.SPACE:
            self._build_space(scene, random)
        else:
            self._build_earth(scene, random)
        self._layers.extend(particles_for(scene, self._still, random))

    def paint(self, canvas: Canvas, seconds: float) -> None:
        """Paint the moment `seconds` after the beginning."""
        canvas.copy_from(self._still)
        for layer in self._layers:
            layer.paint(canvas, seconds)

    def _build_space(self, scene: Scene, random: np.random.Generator) -> None:
        canvas = self._still
        paint_nebula(canvas, scene, random)
        self._layers += [Stars(canvas, 700, canvas.height, random), Planet(canvas, scene, random)]

    def _build_earth(self, scene: Scene, random: np.random.Generator) -> None:
        canvas = self._still
        horizon = _HORIZONS.get(scene.ground, 0.6) * canvas.height
        paint_still_sky(canvas, scene, horizon)
        if scene.sky in _STARRY:
            self._layers.append(Stars(canvas, 260, horizon * 0.8, random))
        if scene.sky is Sky.AURORA:
            self._layers.append(Aurora(canvas, scene, horizon, random))
        self._layers.append(Clouds(canvas, scene, horizon, random))
        if scene.birds and scene.weather is not Weather.SNOW:
            self._layers.append(Birds(canvas, scene, random))
        if scene.ground is Ground.CITY:
            self._layers.extend(skylines_for(scene, canvas, horizon, random))
        else:
            self._layers.extend(ridges_for(scene, canvas, random))
        if scene.ground in (Ground.SEA, Ground.CITY):
            self._layers.append(Water(canvas, scene, horizon, random))
