"""Characters: what is written and read about them.

The one rule: a file has an owner at any time. While a character is being made, an errand to remove its files is on record; writing
the row ends the errand, and deleting the row plans it anew.
"""

from collections.abc import Sequence

from reelway.core.characters import Character
from reelway.core.errands import Errand
from reelway.core.errors import Contradiction, Unavailable
from reelway.core.record import Record
from reelway.store.claims import earlier_answer, gone
from reelway.store.errands import add_errands
from reelway.store.queries import Work, execute, fetch, load, write_rows
from reelway.store.rows import character_from_row, character_row, claim_row
from reelway.store.spec import IdempotencyClaim

__all__ = ["Addition", "Removal", "add_characters", "find_character", "remove_characters", "replay_character"]

_SQL = load("characters")
_CLAIM = load("writing")["claim_idempotency_keys"]


class Addition(Record):
    character: Character
    ends: Errand
    """The errand that would remove its files, as it was planned."""
    idempotency: IdempotencyClaim | None = None


class Removal(Record):
    character_id: str
    errand: Errand


def add_characters(additions: Sequence[Addition]) -> Work[Sequence[Character]]:
    """Write characters; one whose idempotency key is held gets the earlier one, and its own files keep their errand."""
    kept = []
    for addition in additions:
        character = yield from _add(addition)
        kept.append(character)
    return kept


def remove_characters(removals: Sequence[Removal]) -> Work[Sequence[bool]]:
    """Remove characters and plan what is to become of their files; tell for each whether it was there."""
    found = []
    for removal in removals:
        touched = yield from execute(_SQL["delete_character"], id=removal.character_id)
        if touched:
            yield from add_errands([removal.errand])
        found.append(touched == 1)
    return found


def find_character(character_id: str) -> Work[Character | None]:
    rows = yield from fetch(_SQL["character"], id=character_id)
    return character_from_row(rows[0]) if rows else None


def replay_character(claim: IdempotencyClaim, now: float) -> Work[Character | None]:
    """Return the character an earlier request with this key made, None when the key is free.

    Raise `Conflict` when that request was another one, and `Gone` when its character was deleted since.
    """
    earlier_id = yield from earlier_answer(claim, now, "character")
    if earlier_id is None:
        return None
    character = yield from find_character(earlier_id)
    if character is None:
        raise gone(claim, earlier_id, "character")
    return character.evolve(replayed=True)


def _add(addition: Addition) -> Work[Character]:
    character, claim = addition.character, addition.idempotency
    if claim is not None:
        earlier = yield from replay_character(claim, character.created_at)
        if earlier is not None:
            return earlier
        claimed = yield from write_rows(_CLAIM, [claim_row(claim, character)])
        if not claimed:  # another node took it between our two looks
            earlier = yield from replay_character(claim, character.created_at)
            if earlier is None:
                raise Contradiction(
                    f"{character.id}: its idempotency key was neither free nor held; run `reelway db check`"
                )
            return earlier
    if not (yield from execute(_SQL["end_removal"], id=addition.ends.id, due_at=addition.ends.due_at)):
        raise Unavailable("it took so long to keep this character that its files were removed again: send it once more")
    yield from execute(_SQL["add_character"], **character_row(character))
    return character
