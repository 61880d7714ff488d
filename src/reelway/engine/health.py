"""How one account did with one model lately: a circuit breaker for what fails altogether, a score for what fails now and then.

The one rule: only outcomes the account answers for count; a request the vendor rightly refused says nothing about it. Time
comes in as an argument.
"""

import math
from typing import Literal

__all__ = ["Health", "Stage"]

Stage = Literal["submit", "look", "render"]

_PROVES: dict[Stage, tuple[Stage, ...]] = {
    "submit": ("submit", "look"),
    "look": ("look",),
    "render": ("submit", "look", "render"),
}
"""What else works where a stage went well: a finished render proves everything, a look only that the vendor answers looks."""

_FAILURES_TO_OPEN = 5
_FIRST_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 900.0
_MEMORY = 0.1
"""What one outcome weighs in the score."""
_FORGOTTEN_SECONDS = 3600.0
"""In this time without outcomes half of what was bad is forgotten."""
_GOOD = 0.85
_BAD = 0.6
_TRICKLE_SECONDS = 30.0
"""Between two videos for an account in bad health, however fast it fails."""
_PLACES_WITHOUT_LIMIT = 10
"""What an account without a limit is measured by while it is not quite well."""


class Health:
    """Breaker and score of an account with a model."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.probe: str | None = None
        """The job that tries whether it works again."""
        self._failures: dict[Stage, int] = {"submit": 0, "look": 0, "render": 0}
        self._blamed: Stage | None = None
        """What the breaker is open for; None while it is closed."""
        self._open_until = float("-inf")
        self._pauses = 0
        self._deficit = 0.0
        """How far the score is below 1, as of `_scored_at`."""
        self._scored_at = 0.0
        self._began_at = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open: nothing goes there but one probe after each pause."""
        return self._blamed is not None

    @property
    def only_renders_fail(self) -> bool:
        """Whether the breaker is open although the account answers: what it makes fails."""
        return self._blamed == "render"

    def opens_at(self) -> float | None:
        """Return from when on it takes a job, as far as the breaker goes; None while another job probes."""
        return None if self.is_open and self.probe is not None else self._open_until

    def score(self, now: float) -> float:
        """Return the share of jobs that went well lately, from 0 to 1."""
        return 1.0 - self._deficit * math.exp2(-max(now - self._scored_at, 0.0) / _FORGOTTEN_SECONDS)

    def vigour(self, now: float) -> float:
        """Return the part of its usual work it is given while others do better: 1 in good health, 0 for a mere trickle."""
        return min(max((self.score(now) - _BAD) / (_GOOD - _BAD), 0.0), 1.0)

    def trickles_at(self, now: float, places: int) -> float | None:
        """Return from when on an account that others outdo takes one more job; None when one of its own must end first."""
        vigour = self.vigour(now)
        if self.in_flight >= max(1, int(min(places, _PLACES_WITHOUT_LIMIT) * vigour)):
            return None
        return self._began_at + _TRICKLE_SECONDS * (1.0 - vigour)

    def begin(self, job_id: str, now: float) -> None:
        """A job goes there; through an open breaker as its probe."""
        self._began_at = now
        if self.is_open:
            self.probe = job_id

    def let_go(self, job_id: str) -> None:
        """A job is there no longer. A probe that told nothing (cancelled, refused for its contents) leaves room for another."""
        if self.probe == job_id:
            self.probe = None

    def succeeded(self, stage: Stage, now: float) -> None:
        """A stage went well."""
        for proved in _PROVES[stage]:
            self._failures[proved] = 0
        if self._blamed in _PROVES[stage]:
            self._blamed, self._open_until, self._pauses, self.probe = None, float("-inf"), 0, None
        if stage == "render":
            self._count(0.0, now)

    def failed(self, stage: Stage, job_id: str, now: float) -> None:
        """A stage failed, and it is the account's fault. What was under way when the breaker opened is not news."""
        if stage != "look":
            self._count(1.0, now)
        self._failures[stage] += 1
        if self.is_open:
            if job_id == self.probe and (stage != "look" or self._blamed == "look"):
                self._open(stage, now)
        elif self._failures[stage] >= _FAILURES_TO_OPEN:
            self._open(stage, now)

    def _open(self, stage: Stage, now: float) -> None:
        pause = min(_FIRST_PAUSE_SECONDS * math.exp2(self._pauses), _LONGEST_PAUSE_SECONDS)
        self._blamed, self._open_until, self.probe = stage, now + pause, None
        self._pauses = min(self._pauses + 1, 10)

    def _count(self, badness: float, now: float) -> None:
        deficit = 1.0 - self.score(now)
        self._deficit, self._scored_at = deficit + _MEMORY * (badness - deficit), now
