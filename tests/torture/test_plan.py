"""A seed stands for one plan, and a plan is what it should be."""

from collections import Counter

from tests.torture.plan import Topology, make_plan

from reelway.sandbox.faults import read_faults

FLEET = Topology(nodes=2, database="postgres", objects="s3", small_disks=True)


def test_a_seed_replays() -> None:
    """The same seed gives the same plan, another one another."""
    plans = [make_plan(seed, FLEET, jobs=200, faults=50, seconds=100, lease_seconds=3) for seed in (7, 7, 8)]
    assert plans[0] == plans[1]
    assert plans[0].orders != plans[2].orders
    assert plans[0].faults != plans[2].faults


def test_every_kind_of_fault_comes() -> None:
    """Fifty faults on a whole fleet leave no kind out, and come in order within the time."""
    plan = make_plan(1, FLEET, jobs=1, faults=60, seconds=150, lease_seconds=3)
    assert len(plan.faults) == 60
    assert set(Counter(fault.kind for fault in plan.faults)) == {
        "kill", "freeze", "stop", "clock", "disk", "wire", "storm", "database", "objects",
    }  # fmt: skip
    assert [fault.at for fault in plan.faults] == sorted(fault.at for fault in plan.faults)
    assert plan.faults[-1].at <= 150


def test_nothing_breaks_that_is_broken() -> None:
    """The faults of one target follow one another."""
    plan = make_plan(3, FLEET, jobs=1, faults=80, seconds=160, lease_seconds=3)
    ends: dict[str, float] = {}
    for fault in plan.faults:
        assert fault.at >= ends.get(fault.target, 0.0)
        ends[fault.target] = fault.at + fault.seconds


def test_nothing_is_asked_of_what_is_not_there() -> None:
    """One node with a file for a database has no database to restart."""
    plan = make_plan(3, Topology(), jobs=10, faults=40, seconds=100, lease_seconds=3)
    assert {fault.kind for fault in plan.faults} <= {"kill", "freeze", "stop", "clock", "wire", "storm"}
    assert not any("database" in fault.target or "objects" in fault.target for fault in plan.faults)


def test_the_vendor_understands_all_it_is_told() -> None:
    """A directive that it refused would break nothing, in silence."""
    plan = make_plan(1, FLEET, jobs=500, faults=80, seconds=200, lease_seconds=3)
    for order in plan.orders:
        read_faults(order.prompt)
    storms = [fault.detail for fault in plan.faults if fault.kind == "storm"]
    assert storms
    for storm in storms:
        read_faults(storm)
