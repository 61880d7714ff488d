"""Subjects: who or what a prompt calls by name, each shown by a few pictures. Which models have them, their cards know.

Pure. A reference with a name shows a subject; references of one name show the same one.
"""

from collections import Counter
from collections.abc import Iterable

from reelway.catalog.inputs import check_picture
from reelway.catalog.place import Place
from reelway.catalog.spec import ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Mode, RequestWarning, Role

__all__ = ["check_shown", "check_subject", "no_subjects", "uncalled"]


def no_subjects(cards: Iterable[ModelCard], model: str | None = None) -> InvalidRequest:
    """Return the refusal of characters for a model without subjects, or where no model has any."""
    able = ", ".join(card.name for card in cards if card.subjects)
    without = f"{model} has no characters" if model else "no model here has characters"
    advice = f"models that have: {able}" if able else "describe the character in the prompt, or give pictures of it"
    return InvalidRequest(
        f"{without}; {advice}", code="characters_not_supported", param="characters" if model else None
    )


def check_subject(pictures: Iterable[InputReference], cards: Iterable[ModelCard]) -> None:
    """Raise `InvalidRequest` unless some model can be shown a subject by all of these pictures, and by that many."""
    shown, able = tuple(pictures), tuple(card for card in cards if card.subjects)
    if not able:
        raise no_subjects(able)
    refusals: list[InvalidRequest] = []
    for card in able:
        try:
            _check_pictures(shown, card)
        except InvalidRequest as error:
            refusals.append(error)
    if len(refusals) == len(able):
        raise refusals[0]


def check_shown(place: Place, references: Iterable[InputReference]) -> None:
    """Raise `InvalidRequest` where one subject is shown by more pictures than the model takes."""
    if not place.card.subjects:
        return
    counts: Counter[str] = Counter()
    for given in references:
        if given.role is not Role.REFERENCE or not given.name:
            continue
        counts[given.name] += 1
        if counts[given.name] > place.card.subjects:
            raise _too_many(given.field, place.card, f"{given.name} has more")


def uncalled(prompt: str | None, name: str, field: str) -> tuple[RequestWarning, ...]:
    """Return the warning about a character that the prompt does not call; it may not be seen then."""
    if f"@{name}" in (prompt or ""):
        return ()
    return (RequestWarning(field=field, message=f"the prompt does not call it; write @{name} where it is to be seen"),)


def _check_pictures(shown: tuple[InputReference, ...], card: ModelCard) -> None:
    if len(shown) > card.subjects:
        raise _too_many(shown[card.subjects].field, card, f"got {len(shown)}")
    place = Place(model=card.name, card=card, mode=Mode.R2V)
    for given in shown:
        check_picture(place, given, role=Role.REFERENCE, kind=MediaKind.IMAGE)


def _too_many(field: str, card: ModelCard, got: str) -> InvalidRequest:
    return InvalidRequest(
        f"one subject is shown by at most {card.subjects} pictures for {card.name} ({got})",
        code="too_many_inputs",
        param=field,
    )
