"""The time that all nodes share: this machine's clock, put right by the database's.

Deadlines, retention and due times are written by one node and read by another. A machine whose clock is an hour off would end
other nodes' videos as timed out, and remove files an hour early.
"""

from collections.abc import Callable

from reelway.telemetry import logger

__all__ = ["FleetClock"]

_log = logger("engine.clock")
_TOLERANCE_SECONDS = 0.5
"""Less is what asking takes, and is left as it is."""


class FleetClock:
    """Unix seconds. Follows what it is told, in whole steps, only when it is off by more than asking takes."""

    def __init__(self, own: Callable[[], float]) -> None:
        self._own = own
        self._offset = 0.0

    def __call__(self) -> float:
        return self._own() + self._offset

    def follow(self, shared: float) -> None:
        """Take this moment's time from the clock that all nodes share."""
        offset = shared - self._own()
        if abs(offset - self._offset) > _TOLERANCE_SECONDS:
            _log.warning("clock_put_right", off_by_seconds=round(-offset, 1))
            self._offset = offset
