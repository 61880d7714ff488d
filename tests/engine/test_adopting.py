"""Taking up many jobs at once."""

from pathlib import Path

from tests.engine.scripted import LIMITS, Acme, Script, Stage

from reelway.core.jobs import JobRoute
from reelway.core.lifecycle import State
from reelway.engine.account import Account
from reelway.vendors.spec import Credential

ACME = Account(
    name="acme", vendor="acme", base_url="https://acme.example", credential=Credential(values={"api_key": "k"})
)


async def test_jobs_taken_up_at_once_do_not_storm_their_vendor(tmp_path: Path) -> None:
    """First looks are spread over the pause between looks, the first of few at once; what is still to be sent waits for nothing."""
    stage = Stage(tmp_path, Script(), Acme(Script()), (ACME,))
    stage.tools.limits = LIMITS.evolve(longest_poll_seconds=20.0)
    shares = iter([0.5] * 5000)
    stage.tools.random = lambda: next(shares)
    await stage.store.open()
    route = JobRoute(account="acme", vendor="acme", model="a")
    orphans = [
        stage.job(owner=None, epoch=0, state=State.RUNNING, route=route, operation={"id": str(number)})
        for number in range(1500)
    ]
    waiting = stage.job(owner=None, epoch=0)
    for job in (*orphans, waiting):
        await stage.create(job)
    await stage.assets.open()
    stage.tools.clock = lambda: stage.now
    await stage.engine._rescuer.join()
    now, watches = stage.now, stage.engine._worker._watches

    dues = sorted(watches[job.id].due - now for job in orphans)
    assert len(dues) == 1500
    assert dues[0] < 0.1
    assert 2.5 < dues[-1] <= 20.0
    assert sum(due < 1 for due in dues) <= 501
    assert watches[waiting.id].due <= now
    await stage.close()
