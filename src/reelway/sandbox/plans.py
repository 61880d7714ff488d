"""From a request to a task and on to what is rendered. Pure and tolerant: the gateway in front has checked the request already.

What is not said gets a plain default; only what cannot be rendered at all is refused.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelway.catalog.sizes import ADAPTIVE, usual_pixels
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import MediaKind, Mode, Role, VideoRequest
from reelway.media.render import RenderSpec
from reelway.sandbox.faults import strip_directives
from reelway.sandbox.tasks import Task, TaskInput

__all__ = ["Shape", "assign_roles", "choose_shape", "make_specs", "quote_of", "seed_of", "tags_of"]

_USUAL_SECONDS = 5
_LONGEST_SECONDS = 300
_SMALLEST_SIDE, _LARGEST_SIDE = 16, 8192
_USUAL_RATE, _LARGEST_RATE = 24, 120
_TIER_WORDS: Mapping[str, str] = {"std": "720p", "pro": "1080p"}
_REFERENCE_MODES = frozenset({Mode.R2V.value, "reference_material", "components"})
_TAGS = 16


class Shape(Record):
    """Length, size and rate of what will be made."""

    seconds: float
    width: int
    height: int
    fps: int


def choose_shape(
    request: VideoRequest, *, source: Shape | None = None, picture: tuple[int, int] | None = None
) -> Shape:
    """Return the shape of the video; what is not asked for follows the source video, then the picture, then habit."""
    seconds: float | None = request.seconds if request.seconds is not None and request.seconds != -1 else None
    if seconds is None:
        seconds = source.seconds if source and request.operation != "extend" else _USUAL_SECONDS
    if source is not None and request.operation == "extend":
        seconds += source.seconds  # what is seen is the whole, as in the OpenAI dialect
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise InvalidRequest(
            f"the sandbox renders videos of up to {_LONGEST_SECONDS} seconds (got {seconds:g})", param="seconds"
        )
    width, height = _choose_size(request, source, picture)
    fps = request.fps or (source.fps if source else _USUAL_RATE)
    return Shape(seconds=seconds, width=width, height=height, fps=max(1, min(fps, _LARGEST_RATE)))


def assign_roles(
    request: VideoRequest, inputs: tuple[TaskInput, ...], given: tuple[Role | None, ...]
) -> tuple[TaskInput, ...]:
    """Return the inputs with a role each: the one that was given, else by mode, kind and number."""
    unnamed = [item for item, role in zip(inputs, given, strict=True) if role is None and item.kind is MediaKind.IMAGE]
    by_reference = request.mode in _REFERENCE_MODES or len(unnamed) > 2
    by_reference = by_reference or (Role.REFERENCE in given and request.mode is None)
    sides = iter((Role.REFERENCE,) * len(unnamed) if by_reference else (Role.FIRST_FRAME, Role.LAST_FRAME))
    named = []
    for item, role in zip(inputs, given, strict=True):
        if role is None and item.kind is MediaKind.IMAGE:
            role = next(sides)
        elif role is None:
            role = Role.REFERENCE if item.kind is MediaKind.AUDIO else Role.SOURCE
        named.append(item.evolve(role=role))
    return tuple(named)


def make_specs(task: Task, folder: Path, *, draft: bool) -> tuple[RenderSpec, ...]:
    """Return one spec for each output; takes of one video differ in their seed alone."""

    def first(role: Role, kind: MediaKind) -> Path | None:
        return next((folder / given.file for given in task.inputs if given.role is role and given.kind is kind), None)

    source = first(Role.SOURCE, MediaKind.VIDEO)
    references = tuple(
        folder / given.file
        for given in task.inputs
        if given.role is Role.REFERENCE and given.kind in (MediaKind.IMAGE, MediaKind.VIDEO)
    )
    return tuple(
        RenderSpec(
            prompt=strip_directives(task.prompt),
            model=task.model,
            seconds=task.seconds,
            width=task.width,
            height=task.height,
            fps=task.fps,
            seed=task.seed + index,
            audio=task.audio is not False,
            operation=task.operation,
            first_frame=first(Role.FIRST_FRAME, MediaKind.IMAGE),
            last_frame=first(Role.LAST_FRAME, MediaKind.IMAGE),
            references=references,
            source_video=source,
            draft=draft,
        )
        for index in range(task.n)
    )


def quote_of(request: VideoRequest) -> dict[str, Any]:
    """Return what a dry run is answered with: here everything is free."""
    shape = choose_shape(request)
    return {
        "object": "video.quote",
        "model": request.model,
        "seconds": f"{shape.seconds:g}",
        "size": f"{shape.width}x{shape.height}",
        "cost": {"currency": "USD", "reserved": "0.00"},
    }


def seed_of(request: VideoRequest) -> int:
    """Return the seed that was asked for, else one that is always the same for the same model and words."""
    if request.seed is not None and request.seed >= 0:
        return request.seed
    digest = hashlib.sha256(f"{request.model}\n{request.prompt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def tags_of(request: VideoRequest) -> dict[str, str]:
    """Return the caller's own metadata, as far as it is plain."""
    plain = {name: value for name, value in request.metadata.items() if isinstance(value, str | int | float | bool)}
    return {name: str(value) for name, value in list(plain.items())[:_TAGS]}


def _choose_size(request: VideoRequest, source: Shape | None, picture: tuple[int, int] | None) -> tuple[int, int]:
    if request.width and request.height:
        return _even(request.width), _even(request.height)
    if source is not None and request.tier is None and request.ratio is None:
        return source.width, source.height
    ratio, pattern = request.ratio, picture or (None if source is None else (source.width, source.height))
    if ratio in (None, ADAPTIVE):
        ratio = "16:9" if pattern is None else f"{pattern[0]}:{pattern[1]}"
    tier = _TIER_WORDS.get(request.tier or "", request.tier or "720p")
    pixels = usual_pixels(tier, ratio) or usual_pixels("720p", ratio) or (1280, 720)
    return _even(pixels[0]), _even(pixels[1])


def _even(side: int) -> int:
    return max(_SMALLEST_SIDE, min(side // 2 * 2, _LARGEST_SIDE))
