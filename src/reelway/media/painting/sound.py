"""Sound from a seed: slow chords, a few bells, and the noise of the weather. The same scene always sounds the same."""

import math

import numpy as np
from numpy.typing import NDArray

from reelway.media.painting.scene import Ground, Scene, Sky, Weather

__all__ = ["RATE", "compose"]

RATE = 48_000
"""Samples per second."""

_Wave = NDArray[np.float32]
_CHORD_SECONDS = 4.0
_BRIGHT = ((0, 4, 7, 11), (9, 12, 16, 19), (5, 9, 12, 16), (7, 11, 14, 17))
_DARK = ((0, 3, 7, 10), (8, 12, 15, 19), (3, 7, 10, 14), (10, 14, 17, 20))
_DARK_SKIES = frozenset({Sky.STORM, Sky.NIGHT, Sky.AURORA, Sky.NEON, Sky.FIRE})


def compose(scene: Scene, samples: int) -> _Wave:
    """Return two channels of this many samples, between -1 and 1."""
    random = np.random.default_rng([scene.seed, 7])
    chords = _DARK if scene.sky in _DARK_SKIES else _BRIGHT
    root = 110.0 * 2 ** (int(random.integers(-4, 4)) / 12)
    sound = _pad(random, samples, chords, root)
    sound += _bells(random, samples, chords, root)
    sound += _weather(random, samples, scene)
    edge = min(samples // 4, RATE // 2)
    fade = np.ones(samples, np.float32)
    fade[:edge] = np.linspace(0, 1, edge, dtype=np.float32) ** 2
    fade[samples - edge :] = np.linspace(1, 0, edge, dtype=np.float32) ** 2
    sound *= fade * np.float32(0.42 / max(float(np.abs(sound).max()), 1e-6))
    return sound


def _pad(random: np.random.Generator, samples: int, chords: tuple[tuple[int, ...], ...], root: float) -> _Wave:
    """Return chords that flow into each other."""
    sound = np.zeros((2, samples), np.float32)
    length = int(_CHORD_SECONDS * RATE)
    lap = int(1.2 * RATE)
    for number in range(-(-samples // length)):
        start = number * length
        stop = min(samples, start + length + lap)
        time = np.arange(stop - start, dtype=np.float32) / RATE
        swell = np.clip(time / 1.2, 0, 1) * np.clip((length + lap - time * RATE) / lap, 0, 1)
        for note in chords[number % len(chords)]:
            pitch = root * 2 ** (note / 12)
            for channel, detune in enumerate((0.9985, 1.0015)):
                angle = np.float32(2 * math.pi * pitch * detune) * time + np.float32(random.uniform(0, 6))
                tone = np.sin(angle) + 0.28 * np.sin(2 * angle) + 0.1 * np.sin(3 * angle)
                sound[channel, start:stop] += 0.16 * swell * tone
    return sound


def _bells(random: np.random.Generator, samples: int, chords: tuple[tuple[int, ...], ...], root: float) -> _Wave:
    """Return single high notes of the chord that rings at the time."""
    sound = np.zeros((2, samples), np.float32)
    ring = np.arange(int(1.8 * RATE), dtype=np.float32) / RATE
    for beat in range(int(samples / RATE * 2)):
        if random.random() < 0.45:
            continue
        chord = chords[int(beat / 2 / _CHORD_SECONDS) % len(chords)]
        pitch = root * 4 * 2 ** (int(random.choice(chord)) / 12)
        angle = np.float32(2 * math.pi * pitch) * ring
        tone = (np.sin(angle) + 0.4 * np.sin(2.01 * angle)) * np.exp(-3.2 * ring) * np.minimum(ring / 0.008, 1)
        start = beat * RATE // 2
        stop = min(samples, start + tone.size)
        side = random.uniform(0.25, 0.75)
        sound[0, start:stop] += 0.2 * np.float32(1 - side) * tone[: stop - start]
        sound[1, start:stop] += 0.2 * np.float32(side) * tone[: stop - start]
    return sound


def _weather(random: np.random.Generator, samples: int, scene: Scene) -> _Wave:
    """Return wind, rain, fire or waves as shaped noise."""
    low, high, strength, pulse = 90.0, 420.0, 0.05, 0.13
    if scene.weather is Weather.RAIN:
        low, high, strength, pulse = 900.0, 7000.0, 0.13, 0.05
    elif scene.weather is Weather.EMBERS:
        low, high, strength, pulse = 140.0, 1400.0, 0.1, 2.1
    elif scene.ground is Ground.SEA:
        low, high, strength, pulse = 160.0, 1800.0, 0.14, 0.16
    elif scene.weather is Weather.SNOW:
        low, high, strength, pulse = 200.0, 900.0, 0.08, 0.1
    length = min(2 ** math.ceil(math.log2(samples)), 2**17)  # repeats without a seam
    pitch = np.fft.rfftfreq(length, 1 / RATE)
    shape = (1 / (1 + (low / np.maximum(pitch, 1)) ** 4) / (1 + (pitch / high) ** 2)).astype(np.float32)
    time = np.arange(samples, dtype=np.float32) / RATE
    swell = 0.6 + 0.4 * np.sin(2 * math.pi * pulse * time + random.uniform(0, 6))
    sound = np.empty((2, samples), np.float32)
    for channel in range(2):
        spectrum = np.fft.rfft(random.standard_normal(length, np.float32)) * shape
        noise = np.resize(np.fft.irfft(spectrum, length), samples)
        sound[channel] = strength * swell * noise / max(noise.std(), 1e-6)
    return sound
