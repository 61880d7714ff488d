"""Facts about an image, from its header, and whether its end is there.

No PNG is unpacked, and a JPEG only at an eighth of a size that was found harmless, so a bomb cannot go off.
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from reelway.media.sniff import HEAD_BYTES, sniff
from reelway.media.spec import ImageFacts, MediaUnreadableError

__all__ = ["MOST_PIXELS", "MOST_SIDE", "check_pixels", "open_image", "read_image_facts", "read_media_type"]

MOST_PIXELS = 50_000_000
MOST_SIDE = 16_384
_LIMIT = f"at most {MOST_PIXELS // 1_000_000} megapixels and {MOST_SIDE} pixels a side are taken"

_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
}
_HEIC_META_BYTES = 65_536
_SCALE = 8
"""The smallest part of its size in which a JPEG can be decoded: some 20 ms for 12 megapixels."""


def read_image_facts(path: Path) -> ImageFacts:
    """Return type and size. Raise `MediaUnreadableError` when it is no image, or one that would fill the memory."""
    media_type = read_media_type(path)
    if media_type == "image/heic":
        width, height = _read_heic_size(path)
        check_pixels(width, height)
    else:
        with open_image(path) as image:
            width, height = image.size
            check_pixels(width, height)
            _refuse_half(image, media_type)
    return ImageFacts(media_type=media_type, width=width, height=height)


def read_media_type(path: Path) -> str:
    """Return the type the first bytes show. Raise `MediaUnreadableError` for an empty or unknown file."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise MediaUnreadableError("the file is empty")
    media_type = sniff(head)
    if media_type is None:
        raise MediaUnreadableError("the bytes are no image, video or sound that we know, whatever the name says")
    return media_type


def check_pixels(width: int, height: int) -> None:
    """Raise `MediaUnreadableError` for more pixels than a picture has any use for."""
    if width < 1 or height < 1:
        raise MediaUnreadableError(f"the picture has no area ({width} x {height} pixels)")
    if width > MOST_SIDE or height > MOST_SIDE or width * height > MOST_PIXELS:
        raise MediaUnreadableError(f"{width} x {height} pixels look like a decompression bomb; {_LIMIT}")


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image by what its bytes are, without decoding it."""
    media_type = read_media_type(path)
    if media_type not in _FORMATS:
        raise MediaUnreadableError(f"the bytes are {media_type}, not an image that we can read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)
            image = Image.open(path, formats=[_FORMATS[media_type]])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise MediaUnreadableError(f"the image looks like a decompression bomb; {_LIMIT}") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error) as error:
        raise MediaUnreadableError(f"the bytes begin like {media_type}, but the header is broken") from error
    with image:
        yield image


def _refuse_half(image: Image.Image, media_type: str) -> None:
    """Raise `MediaUnreadableError` for an upload that broke off: a vendor would charge for what it makes of it."""
    try:
        if media_type == "image/png":
            image.verify()
        elif media_type == "image/jpeg":
            image.draft("L", (max(1, image.width // _SCALE), max(1, image.height // _SCALE)))
            image.load()
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise MediaUnreadableError("the image is damaged or its end is missing; send the whole file") from error


def _read_heic_size(path: Path) -> tuple[int, int]:
    """Return the largest size an HEIC file declares: a grid of tiles states the whole and the tile."""
    with path.open("rb") as file:
        head = file.read(_HEIC_META_BYTES)
    sizes: list[tuple[int, int]] = []
    place = head.find(b"ispe")
    while place >= 0 and place + 16 <= len(head):
        width, height = struct.unpack(">II", head[place + 8 : place + 16])
        sizes.append((width, height))
        place = head.find(b"ispe", place + 4)
    if not sizes:
        raise MediaUnreadableError("the bytes begin like image/heic, but no size is declared")
    return max(sizes, key=lambda size: size[0] * size[1])
