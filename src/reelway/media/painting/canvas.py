"""A picture as three planes of floats, in the encoder's own colours (BT.709), so that no frame is ever converted.

Luma lies between 16 and 235; both chroma planes are half as wide and high and centred on 0. Rows given to `blend` begin at an
even number, so that a chroma row always covers two luma rows.
"""

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reelway.media.painting.scene import Rgb

__all__ = ["Canvas", "Colour", "Plane", "fractal_noise", "lines_of", "mix", "smoothstep", "to_colour", "to_planes"]

Plane: TypeAlias = NDArray[np.floating[Any]]
"""Of 32 bits everywhere, which numpy's types cannot follow through a sum."""

_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722


class Colour(NamedTuple):
    """One colour on the three planes."""

    y: float
    u: float
    v: float


def to_colour(rgb: Rgb, turn_degrees: float = 0.0) -> Colour:
    """Return the colour, turned round the colour wheel."""
    red, green, blue = (part / 255 for part in rgb)
    luma = _RED * red + _GREEN * green + _BLUE * blue
    u, v = 224 * (blue - luma) / (2 * (1 - _BLUE)), 224 * (red - luma) / (2 * (1 - _RED))
    angle = math.radians(turn_degrees)
    return Colour(16 + 219 * luma, u * math.cos(angle) - v * math.sin(angle), u * math.sin(angle) + v * math.cos(angle))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour `share` of the way from the first to the second."""
    return Colour(*(a + (b - a) * share for a, b in zip(first, second, strict=True)))


def to_planes(rgb: NDArray[np.uint8]) -> tuple[Plane, Plane, Plane]:
    """Return the planes of an image of even width and height (rows, columns, red-green-blue)."""
    values = rgb.astype(np.float32) / 255
    luma = _RED * values[..., 0] + _GREEN * values[..., 1] + _BLUE * values[..., 2]
    u = _halve(224 * (values[..., 2] - luma) / (2 * (1 - _BLUE)))
    v = _halve(224 * (values[..., 0] - luma) / (2 * (1 - _RED)))
    return (16 + 219 * luma).astype(np.float32), u, v


def _halve(plane: Plane) -> Plane:
    height, width = plane.shape
    halved: Plane = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    return halved


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """Return 0 below `low`, 1 above `high`, and a soft curve between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def fractal_noise(
    random: np.random.Generator, height: int, width: int, *, steepness: float = 1.7, stretch: float = 1.0
) -> Plane:
    """Return cloudy noise in 0..1 that repeats seamlessly to the side; `stretch` draws it out that way."""
    asked, height = height, -(-height // 32) * 32  # a height with small factors is several times faster
    rows = np.fft.fftfreq(height)[:, None] * height
    columns = np.fft.rfftfreq(width)[None, :] * width * stretch * height / width
    distance = np.sqrt(rows**2 + columns**2)
    distance[0, 0] = 1
    parts = random.standard_normal((2, *distance.shape), np.float32) * (distance**-steepness).astype(np.float32)
    spectrum = parts[0] + 1j * parts[1]
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(height, width))[:asked]
    noise = (noise - noise.mean()) / (noise.std() * 5) + 0.5
    return np.asarray(np.clip(noise, 0, 1), np.float32)


def lines_of(plane: Any) -> NDArray[np.uint8]:
    """Return the memory of one plane of a video frame, line by line, without the padding at their ends."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


class Canvas:
    """One frame in the making."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.y: Plane = np.zeros((height, width), np.float32)
        self.u: Plane = np.zeros((height // 2, width // 2), np.float32)
        self.v: Plane = np.zeros((height // 2, width // 2), np.float32)
        self.rows: Plane = np.arange(height, dtype=np.float32)[:, None]
        self.columns: Plane = np.arange(width, dtype=np.float32)[None, :]

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        return self.y, self.u, self.v

    def copy_from(self, other: "Canvas") -> None:
        """Take over another picture of the same size."""
        for mine, theirs in zip(self.planes, other.planes, strict=True):
            np.copyto(mine, theirs)

    def blend(self, colour: Colour, alpha: Plane, top: int = 0) -> None:
        """Lay a colour over the rows from `top` on, as densely as `alpha` says."""
        bottom = top + alpha.shape[0]
        small = alpha[::2, ::2]
        _towards(self.y[top:bottom], colour.y, alpha)
        _towards(self.u[top // 2 : (bottom + 1) // 2], colour.u, small)
        _towards(self.v[top // 2 : (bottom + 1) // 2], colour.v, small)

    def blend_between(self, first: Colour, second: Colour, share: Plane, alpha: Plane, top: int = 0) -> None:
        """Like `blend`, with a colour that goes from the first to the second as `share` goes from 0 to 1."""
        bottom = top + alpha.shape[0]
        small_share, small_alpha = share[::2, ::2], alpha[::2, ::2]
        rows = slice(top // 2, (bottom + 1) // 2)
        _towards(self.y[top:bottom], first.y + (second.y - first.y) * share, alpha)
        _towards(self.u[rows], first.u + (second.u - first.u) * small_share, small_alpha)
        _towards(self.v[rows], first.v + (second.v - first.v) * small_share, small_alpha)


def _towards(plane: Plane, target: float | Plane, alpha: Plane) -> None:
    step = np.subtract(target, plane)
    step *= alpha
    plane += step
