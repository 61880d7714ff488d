"""The torture in short, as a part of every test run; and that it would notice."""

import os
from pathlib import Path

import pytest
from tests.objects import missing_s3
from tests.postgres import missing_postgres
from tests.torture.plan import Topology, make_plan
from tests.torture.run import Outcome, run_plan
from tests.torture.world import LEASE_SECONDS

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

AS_ROOT = os.geteuid() == 0
"""A small disk can be mounted then."""


def told(outcome: Outcome) -> str:
    return "\n".join(f"{promise}: {line}" for promise, lines in outcome.contradictions.items() for line in lines)


async def test_a_fleet_keeps_every_promise(tmp_path: Path) -> None:
    """Two nodes on PostgreSQL and S3, killed, frozen and cut off: everybody's books agree in the end."""
    for reason in (missing_postgres(), missing_s3()):
        if reason is not None:
            pytest.skip(reason)
    fleet = Topology(nodes=2, database="postgres", objects="s3", small_disks=AS_ROOT)
    plan = make_plan(5, fleet, jobs=160, faults=14, seconds=30, lease_seconds=LEASE_SECONDS)
    outcome = await run_plan(plan, tmp_path)
    assert outcome.holds, told(outcome)
    assert outcome.faults.total() == 14


@pytest.mark.parametrize(
    ("sabotage", "promise"),
    [("journal", "nothing_is_submitted_twice"), ("bytes", "bytes_are_the_vendors")],
)
async def test_a_gateway_that_breaks_a_promise_is_caught(tmp_path: Path, sabotage: str, promise: str) -> None:
    """A node that sends again what it may have sent, or keeps other bytes than it got, does not come through."""
    plan = make_plan(2, Topology(), jobs=60, faults=4, seconds=10, lease_seconds=LEASE_SECONDS)
    outcome = await run_plan(plan, tmp_path, sabotage, quiet_seconds=10.0)
    assert outcome.contradictions[promise]
