"""Pictures made from a video: a thumbnail, a sheet of small frames, and the really last frame. Each is whole or absent."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reelway.media.probe import Timeline, open_video, read_timeline
from reelway.media.spec import MediaUnreadableError, Pictures

__all__ = ["ITU709", "LIMITED", "make_pictures", "matrix_of", "to_image"]

ITU709 = 1
"""The colour matrix of high definition, as libav numbers it."""
LIMITED = 1
"""The range of values in which video is usually kept."""

_THUMBNAIL_WIDTH = 720
_TILES_A_SIDE = 5
_TILE_SIDE = 320
_THUMBNAIL_PLACES = (0.34, 0.45, 0.6)
_FLAT = 6.0
_HIGH_DEFINITION_LINES = 577
_ITU601, _UNSPECIFIED = 5, 2


def make_pictures(path: Path, folder: Path) -> Pictures:
    """Write the three files into the folder. Raise `MediaUnreadableError`."""
    with open_video(path) as container:
        if not container.streams.video:
            raise MediaUnreadableError("the file holds no picture")
        timeline = read_timeline(container)
        tiles, last = _collect(container, timeline)
    thumbnail = _choose_thumbnail(tiles, path, timeline)
    made = Pictures(
        thumbnail=folder / "thumbnail.webp",
        spritesheet=folder / "spritesheet.jpg",
        last_frame=folder / "last_frame.png",
    )
    _save(thumbnail, made.thumbnail, "WEBP", quality=82, method=4)
    _save(_lay_out(tiles), made.spritesheet, "JPEG", quality=82, optimize=True)
    _save(last, made.last_frame, "PNG", compress_level=3)
    return made


def to_image(frame: Any) -> Image.Image:
    """Return the frame upright, in the colours it was made in: a frame that does not say is judged by its height."""
    return _upright(Image.fromarray(_to_rgb(frame, frame.width, frame.height)), frame)


def matrix_of(frame: Any) -> int:
    """Return the frame's colour matrix; one that is not stated follows from the height."""
    if frame.colorspace != _UNSPECIFIED:
        return int(frame.colorspace)
    return ITU709 if frame.height >= _HIGH_DEFINITION_LINES else _ITU601


def _to_rgb(frame: Any, width: int, height: int) -> Any:
    return frame.reformat(width, height, "rgb24", src_colorspace=matrix_of(frame), interpolation="AREA").to_ndarray()


def _upright(image: Image.Image, frame: Any) -> Image.Image:
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _collect(container: Any, timeline: Timeline) -> tuple[list[Image.Image], Image.Image]:
    """Return the tiles in order and the last frame."""
    count = min(_TILES_A_SIDE**2, timeline.packets)
    length = timeline.end - timeline.start
    places = [timeline.start + length * (2 * number + 1) // (2 * count) for number in range(count)]
    walk = _near_key_frames if len(timeline.keys) >= count else _in_one_pass
    return walk(container, timeline, places)


def _near_key_frames(container: Any, timeline: Timeline, places: list[int]) -> tuple[list[Image.Image], Image.Image]:
    """Decode one key frame a tile, then the end: quick for long videos."""
    stream = container.streams.video[0]
    tiles = []
    for place in places:
        key = min(timeline.keys, key=lambda time: abs(time - place))
        container.seek(key, stream=stream)
        tiles.append(_tile(next(_decoded(container, stream))))
    container.seek(timeline.keys[-1], stream=stream)
    last = deque(_decoded(container, stream), maxlen=1).pop()
    return tiles, to_image(last)


def _in_one_pass(container: Any, timeline: Timeline, places: list[int]) -> tuple[list[Image.Image], Image.Image]:
    """Decode everything once: short videos have too few key frames."""
    stream = container.streams.video[0]
    container.seek(timeline.start, stream=stream)
    tiles: list[Image.Image] = []
    last = None
    for frame in _decoded(container, stream):
        shown_until = (frame.pts if frame.pts is not None else 0) + (frame.duration or 1)
        while len(tiles) < len(places) and places[len(tiles)] < shown_until:
            tiles.append(_tile(frame))
        last = frame
    while len(tiles) < len(places):
        tiles.append(_tile(last))
    return tiles, to_image(last)


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the frames from here to the end; at least one."""
    frames = container.decode(stream)
    first = next(frames, None)
    if first is None:
        raise MediaUnreadableError("the video has no frame that decodes")
    yield first
    yield from frames


def _tile(frame: Any) -> Image.Image:
    scale = min(1.0, _TILE_SIDE / max(frame.width, frame.height))
    width, height = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    return _upright(Image.fromarray(_to_rgb(frame, width, height)), frame)


def _lay_out(tiles: list[Image.Image]) -> Image.Image:
    columns = min(_TILES_A_SIDE, len(tiles))
    rows = -(-len(tiles) // columns)
    width, height = tiles[0].size
    sheet = Image.new("RGB", (columns * width, rows * height))
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % columns * width, number // columns * height))
    return sheet


def _choose_thumbnail(tiles: list[Image.Image], path: Path, timeline: Timeline) -> Image.Image:
    """Return the frame a third in, or a later one where that is a flat colour, at thumbnail size."""
    chosen = _THUMBNAIL_PLACES[0]
    for place in _THUMBNAIL_PLACES:
        tile = tiles[min(len(tiles) - 1, int(place * len(tiles)))]
        if float(np.asarray(tile.convert("L")).std()) >= _FLAT:
            chosen = place
            break
    wanted = timeline.start + int((timeline.end - timeline.start) * chosen)
    with open_video(path) as container:
        stream = container.streams.video[0]
        container.seek(wanted, stream=stream)
        found = None
        for frame in _decoded(container, stream):
            found = frame
            if frame.pts is None or frame.pts + (frame.duration or 1) > wanted:
                break
    image = to_image(found)
    if image.width > _THUMBNAIL_WIDTH:
        image = image.resize(
            (_THUMBNAIL_WIDTH, max(1, round(image.height * _THUMBNAIL_WIDTH / image.width))), Image.Resampling.LANCZOS
        )
    return image


def _save(image: Image.Image, target: Path, kind: str, **options: Any) -> None:
    half_done = target.with_name(target.name + ".part")
    try:
        image.save(half_done, kind, **options)
        half_done.replace(target)
    finally:
        half_done.unlink(missing_ok=True)
