"""Every order of steps of the lease and submit protocol; and each thing it does against double submits, missed when it is gone."""

import os

import pytest
from tests.model.protocol import Rules, explore

_DEPTH = int(os.environ.get("REELWAY_MODEL_DEPTH", "0"))
"""So many more crashes and ended leases than in a quick run."""


def test_no_order_of_steps_makes_two() -> None:
    """One crash, two leases that run out, any freeze, any loss: one piece of work at the vendor, and no job is stuck."""
    found = explore(Rules(), crashes=1 + _DEPTH, expiries=2 + _DEPTH)
    assert found.doubled is None
    assert found.stuck is None
    assert found.worlds > 100_000


@pytest.mark.parametrize(
    ("off", "mark"),
    [
        ("fence", "sees its lease end"),
        ("fence_at_the_socket", "is permitted to send"),
        ("waits_for_arrival", "finds nothing again"),
        ("own_epoch", "sees its lease end"),
        ("looks_before_it_sends", "is killed, its lease runs out"),
    ],
)
def test_what_is_missing_is_missed(off: str, mark: str) -> None:
    """Without it there is an order that pays twice, and the story says which."""
    found = explore(Rules()._replace(**{off: False}))
    assert found.doubled is not None
    assert any(mark in step for step in found.doubled)
    assert [step for step in found.doubled if step.startswith("request")] == ["request 1 arrives", "request 2 arrives"]


def test_a_store_whose_clock_jumps_is_no_danger_by_itself() -> None:
    """A lease that the store ends early is covered by the wait; without that wait too, somebody pays twice."""
    jumping = Rules(local_lease_ends_first=False)
    assert explore(jumping, expiries=1).doubled is None
    assert explore(jumping._replace(waits_a_lease=False), expiries=1).doubled is not None
