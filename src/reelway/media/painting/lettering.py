"""Words and frames laid over the finished picture at full size: prompt, model, mark, references. Painted once per video."""

import bisect
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from reelway.media.painting.canvas import to_planes
from reelway.media.painting.scene import Rgb

__all__ = ["Overlay", "framed_pictures", "lower_third", "mark"]

_Bytes = NDArray[np.uint8]
_Font = ImageFont.FreeTypeFont
_SYSTEM_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/Library/Fonts/Arial Unicode.ttf",
    "C:/Windows/Fonts/msyh.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
)
_LINES = 3
_LETTERS = 400
"""More than three lines can hold."""

_STAND_INS = str.maketrans({"—": "-", "–": "-", "×": "x", "•": "·"})


class Overlay:
    """A translucent picture with a place on the frame, ready to be laid over the encoder's planes."""

    def __init__(self, image: Image.Image, left: int, top: int) -> None:
        self._left, self._top = left // 2 * 2, top // 2 * 2
        width, height = image.width // 2 * 2, image.height // 2 * 2
        pixels = np.asarray(image.convert("RGBA").crop((0, 0, width, height)))
        alpha = pixels[..., 3].astype(np.uint16) * 256 // 255
        half = alpha.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)).astype(np.uint16)
        luma, u, v = to_planes(np.ascontiguousarray(pixels[..., :3]))
        values = (luma, u + 128, v + 128)
        self._keep = tuple(256 - share for share in (alpha, half, half))
        self._add = tuple(
            (value * share).astype(np.uint16) for value, share in zip(values, (alpha, half, half), strict=True)
        )

    def lay(self, planes: Sequence[_Bytes]) -> None:
        """Lay it over the three planes of a frame."""
        for plane, keep, add, step in zip(planes, self._keep, self._add, (1, 2, 2), strict=True):
            top, left = self._top // step, self._left // step
            below = plane[top : top + keep.shape[0], left : left + keep.shape[1]]
            below[:] = (below * keep + add) >> 8


def lower_third(
    width: int, height: int, prompt: str, model: str, facts: str, accent: Rgb, *, covers: bool = False
) -> Overlay:
    """Return the prompt, the model and the facts of the video over a soft shadow along the lower edge.

    `covers` makes the shadow dense, for a video below it that may carry words of its own.
    """
    unit = min(width, height * 1.1) / 720
    prompt, model = prompt[:_LETTERS], model[:_LETTERS]
    small, large = _font(model + facts, max(9, 19 * unit)), _font(prompt, max(10, 30 * unit))
    margin = int(52 * unit)
    words = _readable(prompt, large) or (
        "" if not prompt.strip() else "(words in letters this machine has no font for)"
    )
    lines = _wrap(words, large, width - int(2.6 * margin))
    line_height = int(40 * unit)
    text_height = int(40 * unit) + line_height * len(lines)
    shade_height = min(height, int((text_height + 2.2 * margin) * 1.35)) // 2 * 2
    ramp = np.linspace(0, 1, shade_height) ** 1.4 * 178
    if covers:
        ramp = np.minimum(np.linspace(0, 1, shade_height) * 4, 1) * 250
    shade = np.zeros((shade_height, width, 4), np.uint8)
    shade[..., 3] = ramp.astype(np.uint8)[:, None]
    image = Image.fromarray(shade)
    draw = ImageDraw.Draw(image)
    top = shade_height - margin - text_height
    bar = max(2, int(4 * unit))
    draw.rounded_rectangle((margin, top, margin + bar, top + text_height - int(8 * unit)), bar / 2, fill=(*accent, 255))
    left = margin + bar + int(16 * unit)
    name = _readable(model, small)
    if small.getlength(name) > width * 0.4:
        name = _shorten(name, small, width * 0.4)
    draw.text((left, top - int(2 * unit)), name, font=small, fill=(*accent, 255))
    draw.text(
        (left + small.getlength(name) + int(12 * unit), top - int(2 * unit)),
        facts,
        font=small,
        fill=(255, 255, 255, 170),
    )
    for number, line in enumerate(lines):
        place = (left, top + int(34 * unit) + number * line_height)
        draw.text(place, line, font=large, fill=(255, 255, 255, 245))
    return Overlay(image, 0, height - shade_height)


def mark(width: int, height: int, text: str, accent: Rgb) -> Overlay:
    """Return the mark in the upper right corner."""
    unit = min(width, height * 1.1) / 720
    font = _font(text, max(8, 16 * unit))
    spaced = " ".join(_readable(text, font))
    pad, tall = int(12 * unit), int(30 * unit)
    wide = int(font.getlength(spaced)) + 2 * pad + int(14 * unit)
    image = Image.new("RGBA", (wide + wide % 2 + 2, tall + tall % 2 + 2))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, wide, tall), tall / 2, fill=(0, 0, 0, 110), outline=(255, 255, 255, 120))
    dot = int(4 * unit) + 1
    draw.ellipse((pad - dot / 2, tall / 2 - dot, pad + 1.5 * dot, tall / 2 + dot), fill=(*accent, 255))
    draw.text((pad + int(14 * unit), tall / 2), spaced, font=font, fill=(255, 255, 255, 235), anchor="lm")
    edge = int(28 * unit)
    return Overlay(image, max(0, width - image.width - edge), min(edge, max(0, height - image.height)))


def framed_pictures(width: int, height: int, pictures: Sequence[Image.Image]) -> tuple[Overlay, ...]:
    """Return the reference pictures as prints with a white border, each at its own angle, along the upper edge."""
    unit = min(width, height)
    side = min(unit * 0.3, width * 0.8 / max(2, len(pictures)))
    overlays = []
    for number, picture in enumerate(pictures):
        print_ = _print(picture, int(side), angle=(-5.0, 3.5, -2.0, 5.5)[number % 4])
        middle = width * (number + 1) / (len(pictures) + 1)
        left = int(min(max(0, middle - print_.width / 2), width - print_.width))
        top = int(height * (0.1 if number % 2 == 0 else 0.14))
        overlays.append(Overlay(print_, left, top))
    return tuple(overlays)


def _print(picture: Image.Image, side: int, angle: float) -> Image.Image:
    scaled = picture.convert("RGB")
    scaled.thumbnail((side, side), Image.Resampling.LANCZOS)
    border = max(3, side // 22)
    card = Image.new("RGBA", (scaled.width + 2 * border, scaled.height + 4 * border), (250, 248, 243, 255))
    card.paste(scaled, (border, border))
    turned = card.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    blur = max(2, side // 24)
    whole = Image.new("RGBA", (turned.width + 4 * blur, turned.height + 4 * blur))
    shadow = Image.new("RGBA", turned.size, (0, 0, 0, 150))
    whole.paste(shadow, (2 * blur, 3 * blur), turned.getchannel("A"))
    whole = whole.filter(ImageFilter.GaussianBlur(blur))
    whole.alpha_composite(turned, (2 * blur, 2 * blur))
    return whole


@lru_cache(maxsize=16)
def _built_in(size: float) -> _Font:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType; install the wheel from the package index")
    return font


def _font(text: str, size: float) -> _Font:
    """Return Pillow's own font; a font of this machine only for words that one cannot write."""
    built_in = _built_in(round(size, 1))
    if _can_write(built_in, unicodedata.normalize("NFKD", text)):
        return built_in
    for path in _SYSTEM_FONTS:
        if Path(path).exists():
            font = ImageFont.truetype(path, size)
            if _can_write(font, text):
                return font
    return built_in


def _can_write(font: _Font, text: str) -> bool:
    unknown = bytes(font.getmask("\uffff"))
    return all(_knows(font, letter, unknown) for letter in set(text) if letter.isalpha())


def _knows(font: _Font, letter: str, unknown: bytes) -> bool:
    return unicodedata.combining(letter) != 0 or bytes(font.getmask(letter)) != unknown


def _readable(text: str, font: _Font) -> str:
    """Return the text without what the font cannot write; accents go before letters do."""
    unknown = bytes(font.getmask("\uffff"))
    kept = []
    for letter in " ".join(text.split()).translate(_STAND_INS):
        if letter == " " or _knows(font, letter, unknown):
            kept.append(letter)
            continue
        plain = (part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
        kept.extend(part for part in plain if _knows(font, part, unknown))
    return " ".join("".join(kept).split())


def _wrap(text: str, font: _Font, width: float) -> list[str]:
    """Break the text into at most three lines; what is left over becomes an ellipsis."""
    pieces = text.split(" ") if " " in text or text.isascii() else list(text)
    joint = " " if " " in text or text.isascii() else ""
    lines = [""]
    for piece in pieces:
        longer = f"{lines[-1]}{joint}{piece}" if lines[-1] else piece
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        if len(lines) == _LINES:
            lines[-1] = _shorten(longer, font, width)
            break
        if lines[-1]:
            lines.append(piece)
        else:
            lines[-1] = piece
    return [_shorten(line, font, width) if font.getlength(line) > width else line for line in lines if line]


def _shorten(line: str, font: _Font, width: float) -> str:
    fitting = bisect.bisect_right(range(len(line)), width, key=lambda end: font.getlength(line[:end] + "…"))
    return line[: max(0, fitting - 1)].rstrip() + "…"
