"""What a prompt looks like: words become a place, a sky, weather and colours. Pure; the same words always see the same place."""

import hashlib
import random
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from reelway.core.record import Record

__all__ = ["Ground", "Palette", "Rgb", "Scene", "Sky", "Weather", "imagine"]

Rgb = tuple[int, int, int]


class Ground(StrEnum):
    """What lies below the horizon."""

    HILLS = "hills"
    MOUNTAINS = "mountains"
    FOREST = "forest"
    DUNES = "dunes"
    SEA = "sea"
    CITY = "city"
    SPACE = "space"


class Sky(StrEnum):
    """The light."""

    DAY = "day"
    DAWN = "dawn"
    SUNSET = "sunset"
    MIST = "mist"
    STORM = "storm"
    NIGHT = "night"
    AURORA = "aurora"
    NEON = "neon"
    FIRE = "fire"


class Weather(StrEnum):
    """What moves through the air."""

    DUST = "dust"
    SNOW = "snow"
    RAIN = "rain"
    EMBERS = "embers"
    FIREFLIES = "fireflies"
    PETALS = "petals"


class Palette(Record):
    """Red, green and blue from 0 to 255."""

    sky: tuple[Rgb, Rgb, Rgb, Rgb]
    """From the zenith down to the horizon."""
    sun: Rgb
    cloud: Rgb
    far: Rgb
    """The land next to the horizon."""
    near: Rgb
    """The land next to the viewer."""
    accent: Rgb
    """Lines and lights."""


class Scene(Record):
    """Everything a painter needs to know. Shares are of the picture's width or height."""

    ground: Ground
    sky: Sky
    weather: Weather
    palette: Palette
    turn_degrees: float
    """How far the colours are turned round the colour wheel."""
    sun_x: float
    sun_y: float
    drift: float
    """Camera travel: shares of the width per second, negative to the left."""
    snowy: bool
    birds: bool
    seed: int


PALETTES: Mapping[Sky, Palette] = MappingProxyType(
    {
        Sky.DAY: Palette(
            sky=((34, 98, 178), (84, 154, 216), (168, 210, 234), (232, 240, 232)),
            sun=(255, 250, 226),
            cloud=(255, 255, 255),
            far=(138, 176, 196),
            near=(20, 54, 48),
            accent=(255, 214, 120),
        ),
        Sky.DAWN: Palette(
            sky=((58, 66, 134), (138, 112, 172), (238, 158, 162), (255, 220, 178)),
            sun=(255, 240, 206),
            cloud=(255, 204, 190),
            far=(214, 150, 164),
            near=(36, 32, 66),
            accent=(255, 188, 148),
        ),
        Sky.SUNSET: Palette(
            sky=((36, 28, 82), (132, 48, 106), (238, 104, 82), (255, 204, 122)),
            sun=(255, 232, 168),
            cloud=(255, 132, 100),
            far=(196, 92, 98),
            near=(26, 14, 38),
            accent=(255, 178, 92),
        ),
        Sky.MIST: Palette(
            sky=((96, 134, 146), (142, 174, 178), (192, 210, 204), (228, 232, 220)),
            sun=(255, 250, 232),
            cloud=(238, 242, 238),
            far=(172, 194, 192),
            near=(22, 48, 50),
            accent=(186, 232, 214),
        ),
        Sky.STORM: Palette(
            sky=((26, 34, 46), (54, 68, 84), (92, 108, 122), (158, 168, 168)),
            sun=(206, 214, 212),
            cloud=(48, 58, 72),
            far=(98, 114, 124),
            near=(12, 20, 26),
            accent=(150, 200, 226),
        ),
        Sky.NIGHT: Palette(
            sky=((4, 8, 28), (12, 24, 62), (30, 54, 108), (82, 112, 160)),
            sun=(242, 244, 255),
            cloud=(46, 66, 112),
            far=(44, 70, 118),
            near=(4, 8, 20),
            accent=(168, 204, 255),
        ),
        Sky.AURORA: Palette(
            sky=((4, 8, 30), (8, 28, 56), (16, 62, 80), (48, 112, 112)),
            sun=(228, 246, 255),
            cloud=(24, 54, 78),
            far=(28, 70, 86),
            near=(4, 10, 22),
            accent=(112, 255, 186),
        ),
        Sky.NEON: Palette(
            sky=((10, 6, 38), (48, 12, 92), (140, 26, 132), (250, 84, 150)),
            sun=(255, 196, 140),
            cloud=(96, 28, 124),
            far=(108, 32, 124),
            near=(8, 6, 26),
            accent=(86, 236, 255),
        ),
        Sky.FIRE: Palette(
            sky=((18, 8, 14), (66, 16, 16), (168, 48, 18), (255, 152, 52)),
            sun=(255, 228, 150),
            cloud=(72, 22, 20),
            far=(142, 48, 24),
            near=(14, 6, 8),
            accent=(255, 168, 60),
        ),
    }
)

_GROUND_WORDS: Mapping[Ground, str] = {
    Ground.SPACE: "space galaxy nebula planet cosmos astronaut orbit spaceship asteroid moonscape universe 宇宙 太空 星球",
    Ground.CITY: "city street skyline skyscraper building downtown tokyo york london paris urban neon rooftop bridge car taxi "
    "cyberpunk 城 街",
    Ground.SEA: "sea ocean beach wave water lake river boat ship sail coast island harbour harbor lighthouse fish whale "
    "dolphin shore lagoon bay surf surfer waterfall pier rowing kayak 海 湖 河 船 水",
    Ground.FOREST: "forest tree wood jungle pine fox deer bear wolf owl cabin camp moss squirrel 林 森 树 狐",
    Ground.DUNES: "desert dune sand camel sahara pyramid mars canyon oasis 沙",
    Ground.MOUNTAINS: "mountain peak alps summit cliff glacier volcano valley climber ski eagle dragon castle 山",
    Ground.HILLS: "hill meadow field grass farm garden horse sheep cow flower village vineyard road dog cat 田 花",
}
_SKY_WORDS: Mapping[Sky, str] = {
    Sky.AURORA: "aurora borealis northern arctic 极光",
    Sky.NEON: "neon cyberpunk synthwave retrowave futuristic hologram disco 霓",
    Sky.FIRE: "fire flame campfire bonfire lava volcano burning inferno ember explosion dragon apocalypse 火",
    Sky.STORM: "storm rain thunder lightning hurricane gloomy rainy tempest 雨 暴",
    Sky.NIGHT: "night moon midnight star starry moonlit dark lantern evening firefly galaxy space 夜 月 星",
    Sky.SUNSET: "sunset dusk golden twilight romantic 夕 黄昏",
    Sky.DAWN: "dawn sunrise morning pastel blossom spring dream 晨 早",
    Sky.MIST: "mist fog foggy misty haze smoke quiet calm autumn 雾",
    Sky.DAY: "day sunny noon summer blue bright clear happy holiday 晴 天",
}
_WEATHER_WORDS: Mapping[Weather, str] = {
    Weather.SNOW: "snow winter snowy blizzard ice frozen christmas frost arctic ski glacier 雪 冬 冰",
    Weather.RAIN: "rain rainy storm drizzle monsoon umbrella wet hurricane 雨",
    Weather.EMBERS: "fire flame lava volcano ember inferno campfire bonfire burning dragon forge 火",
    Weather.FIREFLIES: "firefly fireflies magic fairy lantern enchanted glowing dream 萤",
    Weather.PETALS: "petal blossom flower cherry sakura spring wedding confetti leaf leaves autumn butterfly 花 樱",
}
_Cue = TypeVar("_Cue", bound=StrEnum)
_DARK = frozenset({Sky.NIGHT, Sky.AURORA, Sky.NEON, Sky.FIRE, Sky.STORM})
_LIGHTS = (Sky.DAY, Sky.DAWN, Sky.SUNSET, Sky.MIST, Sky.SUNSET, Sky.DAWN, Sky.NIGHT)
_PLACES = (Ground.HILLS, Ground.MOUNTAINS, Ground.FOREST, Ground.SEA, Ground.DUNES, Ground.MOUNTAINS)


def imagine(prompt: str, seed: int) -> Scene:
    """Return the scene for these words; the seed moves the sun, the hills and the wind, not the place."""
    words = _words(prompt)
    chance = random.Random(hashlib.sha256(" ".join(words).encode()).digest())  # noqa: S311 - paints, does not protect
    ground = _match(prompt, words, _GROUND_WORDS) or chance.choice(_PLACES)
    sky = _match(prompt, words, _SKY_WORDS) or _usual_sky(ground, chance)
    weather = _match(prompt, words, _WEATHER_WORDS)
    turn = chance.uniform(-16, 16)
    luck = random.Random(seed)  # noqa: S311
    return Scene(
        ground=ground,
        sky=sky,
        weather=weather or _usual_weather(ground, sky),
        palette=PALETTES[sky],
        turn_degrees=turn,
        sun_x=luck.uniform(0.56, 0.8) if luck.random() < 0.5 else luck.uniform(0.2, 0.44),
        sun_y=luck.uniform(0.16, 0.28) if sky in _DARK or sky is Sky.DAY else luck.uniform(0.3, 0.4),
        drift=luck.choice((-1, 1)) * luck.uniform(0.03, 0.05),
        snowy=weather is Weather.SNOW,
        birds=sky not in _DARK and ground is not Ground.SPACE and weather is not Weather.RAIN,
        seed=seed,
    )


def _words(prompt: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", prompt.lower())


def _match(prompt: str, words: list[str], table: Mapping[_Cue, str]) -> _Cue | None:
    """Return the first cue of the table that has a word in the prompt; plurals count, and so do signs within a line."""
    known = {form for word in words for form in (word, word.removesuffix("s"), word.removesuffix("es"))}
    for cue, listed in table.items():
        if any(word in known or (not word.isascii() and word in prompt) for word in listed.split()):
            return cue
    return None


def _usual_sky(ground: Ground, chance: random.Random) -> Sky:
    if ground is Ground.SPACE:
        return Sky.NIGHT
    if ground is Ground.CITY:
        return chance.choice((Sky.SUNSET, Sky.NIGHT, Sky.NEON))
    return chance.choice(_LIGHTS)


def _usual_weather(ground: Ground, sky: Sky) -> Weather:
    if sky is Sky.FIRE:
        return Weather.EMBERS
    if sky is Sky.STORM and ground is not Ground.SPACE:
        return Weather.RAIN
    if sky is Sky.NIGHT and ground in (Ground.FOREST, Ground.HILLS):
        return Weather.FIREFLIES
    return Weather.DUST
