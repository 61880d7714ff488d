"""How much an account takes: what the operator or the vendor's card allows, and less where the vendor itself refused more.

The one rule: a limit is learned downward, creeps up again, and never rises above what was configured. Time comes in as an
argument.
"""

import sys
from collections import deque

__all__ = ["UNLIMITED", "Ceiling", "Limits"]

UNLIMITED = sys.maxsize
_CREEP = 0.05
"""By how much a success raises what a refusal halved, where that is more than one for a whole round of successes."""
_MINUTE = 60.0
_LEAST_RATE = 6
"""Requests a minute that refusals leave; beyond that the account rests after each, as the vendor asks."""


class Ceiling:
    """A number of things at a time: configured (0: no limit of ours), shared among nodes, halved by refusals to `least` at most."""

    def __init__(self, configured: int, *, least: int = 1) -> None:
        self._least = least
        self._configured = configured
        self._share = configured or UNLIMITED
        self._learned: float | None = None
        self._cut_at = float("-inf")

    @property
    def allowed(self) -> int:
        """How many may be, at least one."""
        return self._share if self._learned is None else max(1, min(self._share, int(self._learned)))

    def share(self, rank: int, count: int) -> None:
        """Take the part of this node, number `rank` of `count`; the remainder goes to the first of them."""
        if self._configured:
            whole, rest = divmod(self._configured, max(count, 1))
            self._share = max(1, whole + (rank < rest))

    def refused(self, current: int, sent_at: float, now: float) -> None:
        """Halve it: so many were too many. Requests sent before the last cut tell nothing new."""
        if sent_at <= self._cut_at:
            return
        self._cut_at = now
        self._learned = max(float(self._least), min(current, self.allowed) / 2)

    def accepted(self) -> None:
        """Creep up, until the configured number holds again."""
        if self._learned is None:
            return
        self._learned += max(_CREEP, 1 / self._learned)
        if self._learned >= self._share:
            self._learned = None


class Limits:
    """What one account has under way on this node, and whether it takes more."""

    def __init__(self, max_in_flight: int, requests_per_minute: int) -> None:
        self.in_flight = 0
        self.places = Ceiling(max_in_flight)
        self._rate = Ceiling(requests_per_minute, least=_LEAST_RATE)
        self._sent: deque[float] = deque()
        """When the submits of the last minute went out."""
        self._rests_until = float("-inf")

    def share(self, rank: int, count: int) -> None:
        """Take this node's part of both limits."""
        self.places.share(rank, count)
        self._rate.share(rank, count)

    @property
    def is_full(self) -> bool:
        """Whether it has to end something before it takes more."""
        return self.in_flight >= self.places.allowed

    def opens_at(self, now: float) -> float:
        """Return when its rate lets the next request out, and any rest is over; `now` or earlier when that is so."""
        self._forget(now)
        excess = len(self._sent) - self._rate.allowed
        return max(self._rests_until, now if excess < 0 else self._sent[excess] + _MINUTE)

    def sending(self, now: float) -> None:
        """Count a request that goes out."""
        self._forget(now)
        self._sent.append(now)

    def rest(self, now: float, seconds: float) -> None:
        """Leave it alone for a while, as it asked (429) or deserves."""
        self._rests_until = max(self._rests_until, now + seconds)

    def was_full(self, sent_at: float, now: float) -> None:
        """The vendor refused a request because too many are under way there."""
        self.places.refused(self.in_flight, sent_at, now)

    def was_too_fast(self, sent_at: float, now: float) -> None:
        """The vendor refused a request because too many came."""
        self._forget(now)
        self._rate.refused(len(self._sent), sent_at, now)

    def accepted(self) -> None:
        """The vendor took a request."""
        self.places.accepted()
        self._rate.accepted()

    def per_second(self, seconds_each: float) -> float:
        """Return how many videos of this length it takes in a second at most; infinite without limits."""
        by_places = self.places.allowed / max(seconds_each, 0.001)
        rates = [by_places if self.places.allowed < UNLIMITED else float("inf")]
        rates += [self._rate.allowed / _MINUTE] if self._rate.allowed < UNLIMITED else []
        return min(rates)

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0] <= now - _MINUTE:
            self._sent.popleft()
