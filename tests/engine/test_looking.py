"""When the engine looks at a running job again."""

from collections import deque
from pathlib import Path

import pytest
from tests.engine.scripted import LIMITS, MODEL, Acme, Script, Stage

from reelway.core.jobs import JobRoute
from reelway.core.lifecycle import State
from reelway.engine.account import Account
from reelway.engine.checking import Checker
from reelway.engine.tools import Watch
from reelway.vendors.spec import Running

ACME = Account(name="acme", vendor="openai_videos", service="compatible", base_url="https://acme.example/v1")


@pytest.mark.parametrize(("sandbox", "pause"), [(False, 30.0), (True, 0.001)])
async def test_a_vendors_hint_cannot_make_a_storm_of_looks(tmp_path: Path, sandbox: bool, pause: float) -> None:
    """A hint below the shortest pause that is set counts as that; only our own sandbox may be asked more often."""
    script = Script()
    script.checks = deque([Running(poll_after_seconds=0.001)])
    stage = Stage(tmp_path, script, Acme(script), (ACME,))
    await stage.open(start=False)
    stage.tools.limits = LIMITS.evolve(shortest_poll_seconds=30.0, longest_poll_seconds=60.0)
    route = JobRoute(account="acme", vendor="openai_videos", model=MODEL, sandbox=sandbox)
    watch = Watch(stage.job(route=route, operation={"id": "op1"}, state=State.RUNNING), stage.clock())
    assert await Checker(stage.tools).check(watch) == pytest.approx(pause)
    await stage.close()
