"""Where a request is judged: one mode of one card, under the name the caller asked for. Messages speak from here."""

from typing import Any, Literal

from reelway.catalog.messages import refusal
from reelway.catalog.spec import ModeCard, ModelCard
from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import Mode, RequestWarning

__all__ = ["Dimension", "Place"]

Dimension = Literal["seconds", "tiers", "ratios"]


class Place(Record):
    """One mode of one card."""

    model: str
    """The public name that was asked for; an operator's alias, perhaps."""
    card: ModelCard
    mode: Mode
    spelled: dict[str, str] = {}
    """The caller's own names of fields."""

    @property
    def rules(self) -> ModeCard:
        return self.card.modes[self.mode]

    @property
    def text(self) -> str:
        """Return `veo3.1 in mode i2v`."""
        return f"{self.model} in mode {self.mode}"

    def field(self, name: str, usual: str | None = None) -> str:
        """Return the caller's own name of a field, else the usual one."""
        return self.spelled.get(name, usual or name)

    def where(self, dimension: Dimension) -> str:
        """Return ` in mode extend` where this mode allows something else than the card's first one, else nothing."""
        first = next(iter(self.card.modes.values()))
        return "" if getattr(first, dimension) == getattr(self.rules, dimension) else f" in mode {self.mode}"

    def refuse(
        self, field: str, allowed: str, got: Any, dimension: Dimension | None = None, because: str = ""
    ) -> InvalidRequest:
        """Return the error for a value that this mode does not allow."""
        where = self.where(dimension) if dimension else ""
        return refusal(field, allowed, self.model, got, where=where, because=because)

    def not_chosen(self, field: str, dimension: Dimension) -> RequestWarning:
        """Return the warning for something this mode leaves to the input or the model."""
        message = (
            f"{field} cannot be chosen for {self.model}{self.where(dimension)}; what is given or the model decides it"
        )
        return RequestWarning(field=field, message=message)
