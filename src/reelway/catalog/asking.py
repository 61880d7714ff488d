"""What a caller asked for, value by value, held against what the mode has; limits between values come later.

A number the mode cannot make is refused; a wish the model has no field for is a warning.
"""

from collections.abc import Mapping
from typing import Any

from reelway.catalog.combinations import Choice, audio_values
from reelway.catalog.messages import listing
from reelway.catalog.modes import Given
from reelway.catalog.options import Said, read_audio
from reelway.catalog.place import Place
from reelway.catalog.sizing import SizeRequest, read_size, sizes_of
from reelway.core.errors import InvalidRequest
from reelway.core.videos import RequestWarning, VideoRequest

__all__ = ["read_choice", "read_fps", "read_seed"]

_RANDOM_SEED = -1
"""Several vendors' word for "choose one"."""

Warnings = tuple[RequestWarning, ...]


def read_choice(
    request: VideoRequest,
    place: Place,
    meaning: Mapping[str, Any],
    given: tuple[Given, ...],
    beyond: tuple[Said, ...],
) -> tuple[Choice, Warnings]:
    """Return what was asked for of the values that limits narrow; None where the default is meant."""
    request = _with_meaning(request, meaning)
    seconds, seconds_warnings = _read_seconds(request, place)
    size = read_size(request, place, meaning.get("tier"))
    size = _follow_picture(size, place, given)
    audio, audio_warnings = _read_audio(request, place, beyond)
    asked = Choice(tier=size.tier, ratio=size.ratio, seconds=seconds, audio=audio)
    return asked, (*_mode_warnings(request, place, meaning), *seconds_warnings, *size.warnings, *audio_warnings)


def read_fps(request: VideoRequest, place: Place) -> tuple[int | None, Warnings]:
    """Return the frame rate that is sent; None where the model has no field for it."""
    card, asked = place.card, request.fps
    if not card.fps:
        if asked in (None, card.fps_made):
            return None, ()
        message = f"fps cannot be chosen for {place.model}; it makes {card.fps_made} frames per second"
        return None, (RequestWarning(field="fps", message=message),)
    if asked is None:
        return card.fps_made, ()
    if asked not in card.fps:
        raise place.refuse("fps", listing(card.fps), asked)
    return asked, ()


def read_seed(request: VideoRequest, place: Place) -> tuple[int | None, Warnings]:
    """Return the seed that is sent; None for a random one, which -1 asks for too."""
    asked, most = request.seed, place.card.seed_max
    if asked is None or asked == _RANDOM_SEED:
        return None, ()
    if most is None:
        return None, (RequestWarning(field="seed", message=f"{place.model} takes no seed; every video is another one"),)
    if not 0 <= asked <= most:
        raise place.refuse("seed", f"a whole number from 0 to {most}, or -1 for a random one", asked)
    return asked, ()


def _mode_warnings(request: VideoRequest, place: Place, meaning: Mapping[str, Any]) -> Warnings:
    """Warn about a word of `mode` that the card knows, but for which the vendor has no field (`spicy`)."""
    if meaning or not (request.mode or "").strip():
        return ()
    field = place.field("mode")
    message = f"{field} {request.mode} changes nothing for {place.model}: its vendor has no field for it"
    return (RequestWarning(field=field, message=message),)


def _with_meaning(request: VideoRequest, meaning: Mapping[str, Any]) -> VideoRequest:
    """Let the `mode` field speak for other fields, on models where it does; the tier is read with the sizes."""
    for name in ("ratio", "seconds", "audio"):
        value = meaning.get(name)
        if value is None:
            continue
        asked = getattr(request, name)
        if asked not in (None, value):
            raise InvalidRequest(
                f"mode {request.mode} means {name} {value} for {request.model}, but {name} is {asked}; give one of them",
                code="conflicting_parameters",
                param=request.spelled.get(name, name),
            )
        request = request.evolve(**{name: value})
    return request


def _read_seconds(request: VideoRequest, place: Place) -> tuple[int | None, Warnings]:
    asked, rule = request.seconds, place.rules.seconds
    if asked is None:
        return None, ()
    if rule is None:
        return None, (place.not_chosen(place.field("seconds"), "seconds"),)
    if not rule.allows(asked):
        raise place.refuse(place.field("seconds"), rule.describe(), asked, "seconds")
    return asked, ()


def _read_audio(request: VideoRequest, place: Place, beyond: tuple[Said, ...]) -> tuple[bool | None, Warnings]:
    asked, warnings = read_audio(request, beyond, place.card)
    possible = audio_values(place.card, place.mode)
    if asked is None or asked in possible:
        return asked, warnings
    makes = "always makes sound" if possible[0] else "makes no sound"
    return None, (*warnings, RequestWarning(field=place.field("audio"), message=f"{place.text} {makes}"))


def _follow_picture(size: SizeRequest, place: Place, given: tuple[Given, ...]) -> SizeRequest:
    """Where an input must have the pixels of the video, let it choose among the sizes the caller left open."""
    if not given:
        return size
    exact = {(rule.role, rule.kind) for rule in place.rules.inputs if rule.match_size}
    for item in given:
        blob = item.reference.blob
        if (item.role, item.kind) not in exact or blob is None or blob.width is None:
            continue
        open_sizes = {
            choice: sides
            for choice, sides in sizes_of(place.card, place.mode).items()
            if size.tier in (None, choice[0]) and size.ratio in (None, choice[1])
        }
        fitting = [choice for choice, sides in open_sizes.items() if sides == (blob.width, blob.height)]
        if not fitting:
            allowed = listing(dict.fromkeys(f"{width}x{height}" for width, height in open_sizes.values()))
            got = f"{blob.width}x{blob.height}"
            raise place.refuse(item.reference.field, f"{allowed} pixels, like the video,", got, "tiers")
        return size.evolve(tier=fitting[0][0], ratio=fitting[0][1])
    return size
