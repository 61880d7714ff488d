"""The three places in which a caller may write the same thing: the top level, `metadata`, `parameters`.

A name that is read is taken out of its layer, so that what is left over is exactly what nobody here understood.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.videos import RequestWarning
from reelway.dialects.aliases import ALIASES, INPUT_SLOTS, InputSlot
from reelway.dialects.fields import is_blank
from reelway.dialects.references import Place, ReadReference, read_reference, read_references, source_of
from reelway.dialects.shape import Taken

__all__ = ["Layer"]


_SLOT_OF_NAME: dict[str, tuple[str, int]] = {
    name: (slot, place) for slot, names in ALIASES.items() for place, name in enumerate(names)
} | {
    name: (slot, place)
    for slot, spec in INPUT_SLOTS.items()
    for place, name in enumerate((*spec.single, *spec.several))
}
"""Which slot a name belongs to, and its place among the slot's names."""


class Layer:
    """Fields of one place. A layer with `tags` keeps what cannot be read, with a warning, instead of refusing it."""

    def __init__(self, prefix: str, fields: dict[str, Any], *, tags: frozenset[str] | None = None) -> None:
        self.rest = dict(fields)
        self.warnings: list[RequestWarning] = []
        self._prefix = prefix
        self._tags = tags
        self._given: dict[str, list[str]] = {}
        for name in _SLOT_OF_NAME.keys() & fields.keys():
            if not (tags and name in tags) and not is_blank(fields[name]):
                self._given.setdefault(_SLOT_OF_NAME[name][0], []).append(name)

    @property
    def slots(self) -> Iterable[str]:
        """The slots of which there is a name here."""
        return self._given

    def take(self, slot: str, read: Callable[[Any, str], Any]) -> Taken | None:
        """Return the value of a slot under any of its names; two names must not disagree."""
        found: Taken | None = None
        for name in self._names(slot):
            taken = self._read(name, read)
            if found is None:
                found = taken
            elif taken is not None and taken.value != found.value:
                raise _conflict(found.field, taken.field)
        return found

    def take_inputs(self, slot: str) -> tuple[ReadReference, ...]:
        """Return the inputs of a slot under all of its names, each thing once."""
        spec = INPUT_SLOTS[slot]
        found: list[ReadReference] = []
        for name in self._names(slot):
            taken = self._read(name, partial(_read_several if name in spec.several else _read_one, spec))
            if taken is None:
                continue
            if name in spec.several:
                earlier = {source_of(read.reference) for read in found}
                found += [read for read in taken.value if source_of(read.reference) not in earlier]
                continue
            if found and source_of(found[0].reference) != source_of(taken.value.reference):
                raise _conflict(found[0].reference.field, taken.field)
            found = found or [taken.value]
        return tuple(found)

    def _names(self, slot: str) -> Sequence[str]:
        """Return the names of a slot that are given here, in the order of the table."""
        names = self._given.get(slot, ())
        return names if len(names) < 2 else sorted(names, key=lambda name: _SLOT_OF_NAME[name][1])

    def _read(self, name: str, read: Callable[[Any, str], Any]) -> Taken | None:
        field = self._prefix + name
        try:
            value = read(self.rest[name], field)
        except InvalidRequest as error:
            if self._tags is None:
                raise
            self.warnings.append(RequestWarning(field=field, message=f"is kept as a tag of yours: {error.message}"))
            return None
        del self.rest[name]
        return Taken(field=field, value=value)


def _read_one(slot: InputSlot, value: Any, field: str) -> ReadReference:
    return read_reference(value, Place(field=field, kind=slot.kind, role=slot.role))


def _read_several(slot: InputSlot, value: Any, field: str) -> tuple[ReadReference, ...]:
    return read_references(value, Place(field=field, kind=slot.kind, role=slot.role))


def _conflict(first: str, second: str) -> InvalidRequest:
    return InvalidRequest(
        f"{first} and {second} are two names for one thing and have different values; send one of them",
        code="conflicting_parameters",
        param=second,
    )
