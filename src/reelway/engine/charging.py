"""What a finished job is charged: the vendor's own figures by the card's prices, else the quote. No figure that cannot be.

The job keeps how it came about, in `usage["charge"]`, so that a charge that differs from its quote explains itself.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reelway.catalog.catalog import CatalogInvalid
from reelway.catalog.pricing import Settlement, settle
from reelway.catalog.spec import ModelCard
from reelway.core.errors import CallerError
from reelway.core.jobs import Entry, Job
from reelway.core.lifecycle import State
from reelway.core.money import Micros, to_text
from reelway.telemetry import logger

__all__ = ["Charging"]

_log = logger("engine.charge")
_MOST_TIMES_THE_QUOTE = 20
"""A vendor's figure beyond this is taken for a slip, and the quote stands."""


class Charging:
    """Turns the usage of jobs into money. `rates` are dollars for one unit of a currency."""

    def __init__(self, cards: Callable[[str], ModelCard], rates: Mapping[str, Decimal]) -> None:
        self._cards = cards
        self._rates = rates

    def close(self, job: Job, now: float) -> tuple[Job, Entry | None]:
        """Return the final job with its money settled or released, and the ledger line that says so.

        Success settles; a cancel that came too late has `settled` set already and keeps it; all else releases. Takes carry no
        money of their own: their video does.
        """
        if job.parent is not None:
            return job, None
        if job.state is State.COMPLETED and job.settled is None:
            job = self._charged(job)
        if job.settled is not None:
            return job, Entry(kind="settle", amount=job.settled, at=now)
        return job, Entry(kind="release", amount=job.reserved, at=now)

    def takes(self, job: Job, takes: tuple[Job, ...]) -> tuple[Micros, dict[str, Any] | None]:
        """Return what a video of several takes costs, and how: each that was made or is charged, by itself or as a share."""
        share = job.reserved // len(takes)
        amount, texts = 0, []
        for take in takes:
            if take.state is not State.COMPLETED:
                amount += 0 if take.settled is None else share
                continue
            settlement = self._settlement(take, share)
            amount += share if settlement is None else settlement.amount
            texts += [] if settlement is None else [settlement.text]
        if not texts:
            made = sum(take.state is State.COMPLETED or take.settled is not None for take in takes)
            return job.reserved * made // len(takes), None
        return amount, _explained({}, amount, job.reserved, "; ".join(texts))

    def was_charged(self, job: Job, usage: Mapping[str, Any]) -> bool:
        """Tell whether the vendor's figures for a failed render say that it cost something; what cannot be read may have."""
        if not usage:
            return False
        settlement = self._settlement(job.evolve(usage=dict(usage)), job.reserved)
        return settlement is None or settlement.amount > 0

    def _charged(self, job: Job) -> Job:
        settlement = self._settlement(job, job.reserved)
        if settlement is None:
            return job.evolve(settled=job.reserved)
        usage = _explained(job.usage or {}, settlement.amount, job.reserved, settlement.text)
        return job.evolve(settled=settlement.amount, usage=usage)

    def _settlement(self, job: Job, quoted: Micros) -> Settlement | None:
        """Return what the vendor's figures come to, None where the quote has to stand."""
        if not job.usage:
            return None
        try:
            settlement = settle(self._cards(job.request.card), job.request, job.usage, self._rates)
        except (CallerError, CatalogInvalid, ValueError) as error:
            _log.warning("charge_unreadable", video_id=job.id, usage=job.usage, reason=str(error))
            return None
        if settlement is not None and quoted and settlement.amount > quoted * _MOST_TIMES_THE_QUOTE:
            _log.warning("charge_unbelievable", video_id=job.id, usage=job.usage, amount=to_text(settlement.amount))
            return None
        return settlement


def _explained(usage: Mapping[str, Any], amount: Micros, quoted: Micros, text: str) -> dict[str, Any]:
    charge = {"currency": "USD", "amount": to_text(amount), "quoted": to_text(quoted), "because": text}
    return {**usage, "charge": charge}
