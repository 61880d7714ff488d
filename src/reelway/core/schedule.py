"""When to look at a vendor again: first late, then with growing pauses and jitter, never sooner than the vendor asked."""

from reelway.core.record import Record

__all__ = ["PollPlan", "backoff_seconds", "estimate_progress", "next_look_seconds"]

_FIRST_LOOK_SHARE = 0.35
_GROWTH = 1.25
_GROWING_LOOKS = 100
"""Far beyond any longest pause; without an end, a job watched for a day would overflow a float."""
_JITTER = 0.2
_ESTIMATE_CEILING = 95


class PollPlan(Record):
    """How one model is watched. Seconds throughout."""

    typical_seconds: float = 90.0
    """How long a render usually takes; from the card, then from measured durations."""
    shortest_seconds: float = 2.0
    longest_seconds: float = 20.0


def next_look_seconds(plan: PollPlan, looks: int, jitter: float, retry_after_seconds: float | None = None) -> float:
    """Return the pause before look number `looks` (0 is the first); `jitter` is a random number in 0..1."""
    if looks == 0:
        pause = min(plan.typical_seconds * _FIRST_LOOK_SHARE, plan.longest_seconds)
    else:
        pause = min(plan.shortest_seconds * _GROWTH ** min(looks, _GROWING_LOOKS), plan.longest_seconds)
    pause = max(pause, min(plan.shortest_seconds, plan.typical_seconds))
    pause *= 1 + _JITTER * (2 * jitter - 1)
    return max(pause, retry_after_seconds or 0.0)


def backoff_seconds(tries: int, jitter: float, *, first: float = 0.5, longest: float = 30.0) -> float:
    """Return the pause before retry number `tries` (1 is the first retry): doubling, capped, half of it random."""
    pause = min(first * 2.0 ** min(tries - 1, 30), longest)
    return pause * (0.5 + 0.5 * jitter)


def estimate_progress(elapsed_seconds: float, typical_seconds: float) -> int:
    """Return 0..95 from time alone: near linear until the typical time, then slower and slower."""
    if elapsed_seconds <= 0:
        return 0
    share = elapsed_seconds / max(typical_seconds, 0.001)
    if share <= 1:
        return int(share * 80)
    return min(int(80 + 15 * (1 - 1 / share)), _ESTIMATE_CEILING)
