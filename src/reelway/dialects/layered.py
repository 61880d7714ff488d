"""One request read through its layers, from the top down.

A lower layer fills what is open above it and never overrides; what it says in vain ends in `warnings`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from reelway.core.videos import InputReference, Operation, RequestWarning, Role
from reelway.dialects.aliases import ALIASES, INPUT_SLOTS
from reelway.dialects.content import Content
from reelway.dialects.layers import Layer
from reelway.dialects.references import ReadReference, source_of
from reelway.dialects.shape import SHAPE_SLOTS, Shape, fill_shape, read_shape

__all__ = ["LayeredFields"]

_SAME_THING = ("input_reference", "image", "images")
"""Slots without a role, in which old clients like to send one picture twice."""

T = TypeVar("T")


class LayeredFields:
    """Reads slots through the layers, from the top down, and collects what was said in vain."""

    def __init__(self, parameters: Layer, metadata: Layer, *, top: Layer) -> None:
        self.top = top
        self.parameters = parameters
        self.metadata = metadata
        self.spelled: dict[str, str] = {}
        self._lower = tuple(layer for layer in (metadata, parameters) if layer.slots)
        self._layers = (top, *self._lower)
        self._given = frozenset(slot for layer in self._layers for slot in layer.slots)
        self._notes: list[RequestWarning] = []

    @property
    def warnings(self) -> list[RequestWarning]:
        """Everything that was noticed so far."""
        return [*self._notes, *(warning for layer in self._layers for warning in layer.warnings)]

    def pick(self, slot: str, read: Callable[[Any, str], T]) -> T | None:
        """Return the value of the highest layer that has one."""
        if slot not in self._given:
            return None
        found = None
        for layer in self._layers:
            taken = layer.take(slot, read)
            if found is None:
                found = taken
            elif taken is not None and taken.value != found.value:
                self._in_vain(taken.field, found.field)
        if found is None:
            return None
        self._note_spelling(slot, ALIASES[slot][0], found.field)
        value: T = found.value
        return value

    def shape(self) -> Shape:
        """Return size, ratio and tier."""
        if self._given.isdisjoint(SHAPE_SLOTS):
            return Shape()
        shape = read_shape(self.top.take)
        for layer in self._lower:
            shape, unused = fill_shape(shape, read_shape(layer.take))
            for taken in unused:
                self._in_vain(taken.field, shape.parts[0].field)
        for name, usual, part in (("ratio", "aspect_ratio", shape.ratio), ("tier", "resolution", shape.tier)):
            if part is not None:
                self._note_spelling(name, usual, part.field)
        if shape.pixels is not None and not shape.pixels.field.endswith("width"):
            self._note_spelling("size", "size", shape.pixels.field)
        return shape

    def inputs(self, content: Content, operation: Operation) -> tuple[InputReference, ...]:
        """Return every input in the order of the slots, whatever the order on the wire; `content` comes last."""
        if not content.inputs and self._given.isdisjoint(INPUT_SLOTS):
            return ()
        found = {slot: list(self.top.take_inputs(slot)) for slot in INPUT_SLOTS}
        above = {source_of(read.reference) for reads in found.values() for read in reads}
        above |= {source_of(read.reference) for read in content.inputs}
        for layer in self._lower:
            below = {slot: layer.take_inputs(slot) for slot in INPUT_SLOTS}
            for slot, given in below.items():
                fresh = [read for read in given if source_of(read.reference) not in above]
                if found[slot] and fresh:
                    self._in_vain(fresh[0].reference.field, found[slot][0].reference.field)
                else:
                    found[slot] += fresh
            above |= {source_of(read.reference) for given in below.values() for read in given}
        _send_once([found[slot] for slot in _SAME_THING])
        if operation in ("edit", "extend"):
            found["video"] = [read.evolve(reference=read.reference.evolve(role=Role.SOURCE)) for read in found["video"]]
        reads = [read for reads in found.values() for read in reads] + list(content.inputs)
        self._notes += [warning for read in reads for warning in read.warnings]
        return tuple(read.reference for read in reads)

    def _note_spelling(self, name: str, usual: str, field: str) -> None:
        if field != usual:
            self.spelled[name] = field

    def _in_vain(self, field: str, winner: str) -> None:
        self._notes.append(RequestWarning(field=field, message=f"is not used because {winner} is given"))


def _send_once(slots: list[list[ReadReference]]) -> None:
    """Take a picture out of a slot when an earlier one holds it already; a picture twice in one list is meant so."""
    earlier: list[tuple[Any, ...]] = []
    for reads in slots:
        for source in earlier:
            again = next((read for read in reads if source_of(read.reference) == source), None)
            if again is not None:
                reads.remove(again)
        earlier += [source_of(read.reference) for read in reads]
