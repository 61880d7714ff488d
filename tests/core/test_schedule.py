"""Pauses stay within their bounds, however long a job is watched."""

from hypothesis import given
from hypothesis import strategies as st

from reelway.core.schedule import PollPlan, backoff_seconds, estimate_progress, next_look_seconds

_JITTER = st.floats(0, 1)
_PLANS = st.builds(
    PollPlan,
    typical_seconds=st.floats(0.1, 3600),
    shortest_seconds=st.floats(0.1, 10),
    longest_seconds=st.floats(10, 300),
)


@given(_PLANS, st.integers(0, 100_000), _JITTER)
def test_a_pause_is_never_much_shorter_or_longer_than_planned(plan: PollPlan, looks: int, jitter: float) -> None:
    """A fifth of jitter around the bounds, also after a day of looking."""
    pause = next_look_seconds(plan, looks, jitter)
    assert 0.79 * min(plan.shortest_seconds, plan.typical_seconds) <= pause <= 1.21 * plan.longest_seconds


@given(_PLANS, st.integers(0, 100), _JITTER, st.floats(0, 10_000))
def test_no_look_is_sooner_than_the_vendor_asked(plan: PollPlan, looks: int, jitter: float, retry_after: float) -> None:
    """Retry-After outranks the plan when it is longer."""
    pause = next_look_seconds(plan, looks, jitter, retry_after)
    assert pause == max(next_look_seconds(plan, looks, jitter), retry_after)


@given(_PLANS, st.integers(1, 200))
def test_pauses_grow(plan: PollPlan, looks: int) -> None:
    """After the first look, which is late, each pause is at least as long as the one before."""
    assert next_look_seconds(plan, looks, 0.5) <= next_look_seconds(plan, looks + 1, 0.5)


def test_the_first_look_is_late() -> None:
    """A model that takes 50 seconds is not asked after two."""
    plan = PollPlan(typical_seconds=50)
    assert next_look_seconds(plan, 0, 0.5) == 17.5
    assert next_look_seconds(plan, 1, 0.5) == 2.5


def test_jitter_spreads_looks_that_began_together() -> None:
    """A fifth up and down."""
    plan = PollPlan(typical_seconds=40)
    assert [round(next_look_seconds(plan, 0, jitter), 1) for jitter in (0.0, 0.5, 1.0)] == [11.2, 14.0, 16.8]


@given(st.integers(1, 100_000), _JITTER)
def test_a_retry_waits_between_half_and_all_of_a_doubling_pause(tries: int, jitter: float) -> None:
    """Capped at the longest, however often it was tried."""
    full = min(0.5 * 2.0 ** min(tries - 1, 20), 30.0)
    assert full / 2 <= backoff_seconds(tries, jitter) <= full


@given(st.floats(-10, 1e6), st.floats(-10, 1e6), st.floats(0, 1e4))
def test_estimated_progress_never_goes_back_and_never_says_done(one: float, other: float, typical: float) -> None:
    """0 to 95 from time alone; 100 is for finished bytes."""
    earlier, later = sorted((one, other))
    assert 0 <= estimate_progress(earlier, typical) <= estimate_progress(later, typical) <= 95


def test_estimated_progress_is_near_linear_first() -> None:
    """Four fifths at the typical time, then slower and slower."""
    assert [estimate_progress(seconds, 100) for seconds in (0, 25, 50, 100, 200, 1000)] == [0, 20, 40, 80, 87, 93]
