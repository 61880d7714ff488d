"""What a prompt to Kling calls by name, and what goes into it because there is no field for it.

The current API calls pictures, videos and elements `@image_1`, `@video_1`, `@element_1`, or by the id they were given; the older
one counts them: `<<<image_1>>>`. Shots are a list there, and a phrase of the prompt here. Either way of writing is taken.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from reelway.core.errors import VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.core.videos import Input, MediaKind, ResolvedRequest

__all__ = [
    "Element",
    "Named",
    "Shot",
    "Storyboard",
    "by_id",
    "by_number",
    "elements_of",
    "named_inputs",
    "refuse",
    "shots_as_text",
    "storyboard_of",
    "with_negative",
]

_SHOT_CHARACTERS = 512
_MOST_SHOTS = 6
_BY_NUMBER = re.compile(r"<<<\s*((?:image|video|element)_\d{1,3})\s*>>>")


class Named(Record):
    """An input, what the prompt calls it, and its place among those of its kind, from 1."""

    given: Input
    name: str
    place: int


class Element(Record):
    """A character or thing that the account has in Kling's library."""

    element_id: str
    name: str
    place: int


class Shot(Record):
    prompt: str
    seconds: int


class Storyboard(Record):
    """How the video is cut. `multi_shot` is None where nothing is asked, and `shots` is empty where the model plans them."""

    multi_shot: bool | None = None
    shots: tuple[Shot, ...] = ()


def refuse(why: str) -> NoReturn:
    """Refuse what this API has no way to say, before anything is sent."""
    raise VendorRefused(Failure(kind=FailureKind.INVALID_REQUEST, message=f"`kling` cannot make this: {why}."))


def named_inputs(inputs: Iterable[Input], kind: MediaKind) -> tuple[Named, ...]:
    """Return the inputs of a kind in order, each under its own name, or under its number where that is free."""
    items = [given for given in inputs if given.kind is kind]
    names = _names([given.name for given in items], str(kind))
    return tuple(
        Named(given=given, name=name, place=place)
        for place, (given, name) in enumerate(zip(items, names, strict=True), start=1)
    )


def elements_of(options: Mapping[str, Any]) -> tuple[Element, ...]:
    """Return the elements of the option `element_list`: `{element_id}`, and `id` where the prompt calls it by another name."""
    items = options.get("element_list") or []
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("element_id"), str | int) or not item["element_id"]:
            refuse("each entry of element_list must be an object with an element_id")
        if not item.keys() <= {"element_id", "id"} or not isinstance(item.get("id", ""), str):
            refuse("an entry of element_list has an element_id and perhaps an id, which is text, and nothing else")
    names = _names([item.get("id") for item in items], "element")
    return tuple(
        Element(element_id=str(item["element_id"]), name=name, place=place)
        for place, (item, name) in enumerate(zip(items, names, strict=True), start=1)
    )


def storyboard_of(request: ResolvedRequest) -> Storyboard:
    """Return how the video is to be cut. Refuse options that contradict each other, as the vendor does."""
    options = request.options
    shots = tuple(_shot(item, number) for number, item in enumerate(options.get("multi_prompt") or (), start=1))
    shot_type, multi_shot = options.get("shot_type"), options.get("multi_shot")
    if multi_shot is False and (shots or shot_type):
        refuse("multi_prompt and shot_type need multi_shot")
    if shot_type == "customize" and not shots:
        refuse("shot_type customize needs multi_prompt")
    if shot_type == "intelligence" and shots:
        refuse("multi_prompt is for shot_type customize; with intelligence the model plans the shots")
    total = sum(shot.seconds for shot in shots)
    if shots and request.seconds is not None and total != request.seconds:
        refuse(f"the shots of multi_prompt must last {request.seconds} seconds together (got {total})")
    return Storyboard(multi_shot=True if shots or shot_type else multi_shot, shots=shots)


def shots_as_text(shots: tuple[Shot, ...]) -> str:
    """Return the shots as the current API reads them in a prompt."""
    for shot in shots:
        if ";" in shot.prompt:
            refuse("a shot of multi_prompt may not contain a semicolon, which ends a shot in Kling's current API")
    return " ".join(f"shot {number}, {shot.seconds}, {shot.prompt};" for number, shot in enumerate(shots, start=1))


def with_negative(prompt: str, negative: str | None) -> str:
    """Return the prompt with what should not appear said in it."""
    if not negative:
        return prompt
    said = f"Negative prompt: {negative}"
    return f"{prompt}\n{said}" if prompt else said


def by_id(prompt: str) -> str:
    """Return the prompt with everything called as the current API does."""
    return _BY_NUMBER.sub(lambda match: f"@{match[1]}", prompt)


def by_number(prompt: str, named: Iterable[Named], elements: Iterable[Element]) -> str:
    """Return the prompt with everything called as the older API does. An `@` before anything else stays as it is."""
    numbers = {one.name: f"{one.given.kind}_{one.place}" for one in named}
    numbers |= {element.name: f"element_{element.place}" for element in elements}
    if not numbers:
        return prompt
    # The longest name first: one may begin with another. A name in Latin letters ends where they end.
    names = sorted(numbers, key=lambda name: (-len(name), name))
    ends = [re.escape(name) + ("(?![A-Za-z0-9_])" if name[-1].isascii() else "") for name in names]
    pattern = re.compile(f"@({'|'.join(ends)})")
    return pattern.sub(lambda match: f"<<<{numbers[match[1]]}>>>", prompt)


def _names(given: list[str | None], kind: str) -> list[str]:
    taken = {name for name in given if name}
    if len(taken) < sum(1 for name in given if name):
        refuse(f"two {kind}s have the same name; the prompt could not tell them apart")
    names = []
    for place, name in enumerate(given, start=1):
        number = place
        while not name:
            free = f"{kind}_{number}"
            name = free if free not in taken else None
            number += 1
        taken.add(name)
        names.append(name)
    return names


def _shot(item: Any, number: int) -> Shot:
    if not isinstance(item, dict) or not item.keys() <= {"index", "prompt", "duration"}:
        refuse("each entry of multi_prompt must be an object with index, prompt and duration")
    prompt, duration, index = item.get("prompt"), item.get("duration"), item.get("index", number)
    if not isinstance(prompt, str) or not 0 < len(prompt.strip()) <= len(prompt) <= _SHOT_CHARACTERS:
        refuse(f"the prompt of each shot must have 1 to {_SHOT_CHARACTERS} characters")
    seconds = str(duration)
    if isinstance(duration, bool) or not (seconds.isascii() and seconds.isdigit()) or int(seconds) < 1:
        refuse("the duration of each shot must be a whole number of seconds from 1")
    if str(index) != str(number) or number > _MOST_SHOTS:
        refuse(f"the shots of multi_prompt must be numbered from 1 to {_MOST_SHOTS}, in order")
    return Shot(prompt=prompt, seconds=int(seconds))
