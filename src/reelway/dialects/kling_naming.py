"""What a prompt calls pictures, videos and elements: by number in Kling's older API, by a name of the caller's in the current one.

Inside, everything has a name: its own, or its kind and its place among its kind, frames before other pictures. A name that
only says this place is left out, so that the same thing asked for in either way comes out equal.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from reelway.core.videos import InputReference, MediaKind, Role

__all__ = ["named_inputs", "prompt_by_name", "shots_in_words", "without_plain_ids"]

_ROLES = (Role.FIRST_FRAME, Role.LAST_FRAME, Role.SOURCE, Role.REFERENCE)
_BY_NUMBER = re.compile(r"<<<\s*((?:image|video|element)_\d{1,3})\s*>>>")


def prompt_by_name(text: str) -> str:
    """Return the text with `<<<image_1>>>` written as `@image_1`."""
    return _BY_NUMBER.sub(lambda match: f"@{match[1]}", text)


def shots_in_words(shots: Iterable[Any]) -> str:
    """Return a storyboard as Kling's current API writes it into a prompt."""
    return " ".join(
        f"shot {number}, {shot.get('duration')}, {shot.get('prompt')};"
        for number, shot in enumerate(shots, start=1)
        if isinstance(shot, dict)
    )


def named_inputs(given: Sequence[tuple[InputReference, str | None]]) -> tuple[InputReference, ...]:
    """Return inputs that came with what the prompt calls them."""
    named: list[InputReference] = []
    for kind in MediaKind:
        items = [pair for pair in given if pair[0].kind is kind]
        items.sort(key=lambda pair: _ROLES.index(pair[0].role or Role.REFERENCE))
        for place, (reference, name) in enumerate(items, start=1):
            named.append(reference.evolve(name=None if name == f"{kind}_{place}" else name))
    return tuple(named)


def without_plain_ids(elements: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return elements with an id only where the prompt calls them by another name than their place."""
    return [
        {name: value for name, value in element.items() if name != "id" or value != f"element_{place}"}
        for place, element in enumerate(elements, start=1)
    ]
