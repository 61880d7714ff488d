"""The lease and submit protocol on the real submitter, store and fence: any order of crashes, freezes, losses and outages."""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.model.nodes import ANSWERS, Kind, World

from reelway.core.jobs import Job
from reelway.core.lifecycle import Event, State
from reelway.engine.fence import Permit
from reelway.engine.tools import Tools, Watch

KINDS = (
    Kind("lists", finds=True, calls=False),
    Kind("lists and calls", finds=True, calls=True),
    Kind("calls", finds=False, calls=True),
    Kind("shows nothing", finds=False, calls=False),
    Kind("shows nothing, resubmit", finds=False, calls=False, policy="resubmit"),
)
LISTS = KINDS[0]
NODES = st.sampled_from((0, 1))
T = TypeVar("T")


class Fleet(RuleBasedStateMachine):
    """Two nodes in a world that Hypothesis rules."""

    tools: type[Tools] = Tools

    @initialize(kind=st.sampled_from(KINDS), skew=st.sampled_from((0.0, -500.0, 40.0)))
    def begin(self, kind: Kind, skew: float) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._loop = asyncio.new_event_loop()
        self.world = World(Path(self._folder.name), kind, skew=skew, tools=self.tools)
        self._run(self.world.open())
        self._run(self.world.nodes[0].join())
        self._run(self.world.nodes[0].adopt())
        self._run(self.world.nodes[1].join())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(work, 10))

    @rule(number=NODES)
    def step(self, number: int) -> None:
        self._run(self.world.nodes[number].step())

    @rule(number=NODES, word=st.sampled_from(ANSWERS), newest=st.booleans())
    def go_on(self, number: int, word: str, newest: bool) -> None:
        """A step that stood at a gate goes on: it was frozen, or the vendor answers, or the line broke."""
        gates = self.world.nodes[number].gates
        if gates and not (self.world.store.is_away and gates[-newest][0] == "database"):
            self._run(self.world.nodes[number].open(-1 if newest else 0, word))

    @rule(seconds=st.sampled_from((1.0, 6.0, 11.0, 21.0)))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(number=NODES)
    def tend(self, number: int) -> None:
        """What the rescuer does: renew, or join again; and take what nobody holds."""
        node = self.world.nodes[number]
        self._run(node.renew())
        if not node.tools.has_lease():
            self._run(node.join())
        if node.watch is None:
            self._run(node.adopt())

    @rule(number=NODES)
    def kill(self, number: int) -> None:
        self._run(self.world.nodes[number].kill())

    @rule(arrives=st.booleans())
    def request_ends(self, arrives: bool) -> None:
        for sent in self.world.sent:
            if sent.where == "way":
                sent.where = "made" if arrives else "lost"
                return

    @rule()
    def call_back(self) -> None:
        """The vendor calls whoever holds the job, about everything it made."""
        for sent in self.world.sent:
            for node in self.world.nodes if self.world.kind.calls and sent.where == "made" else ():
                node.hear(sent.reference)

    @rule()
    def database(self) -> None:
        self.world.store.is_away = not self.world.store.is_away

    @invariant()
    def nothing_is_broken(self) -> None:
        self._run(self.world.check())

    def teardown(self) -> None:
        """Whatever happened, it ends: nothing is lost."""
        try:
            self._run(self.world.end())
        finally:
            self._run(self.world.close())
            self._loop.close()
            self._folder.cleanup()


Fleet.TestCase.settings = settings(
    max_examples=int(os.environ.get("REELWAY_MODEL_EXAMPLES", "120")),
    stateful_step_count=30,
    deadline=None,
    derandomize="REELWAY_MODEL_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
TestFleet = Fleet.TestCase


class WithoutFence(Tools):
    """Lets everything leave."""

    def permit(self, watch: Watch, started_at: float) -> Permit:
        return Permit(lambda: True)


class WithoutWait(Tools):
    """Takes what is not found for absent."""

    def on_its_way(self, watch: Watch) -> bool:
        return False


class NewestEpoch(Tools):
    """Writes and sends under the newest epoch of the node, whatever the job was taken under."""

    async def write(self, watch: Watch, event: Event | None, **more: Any) -> Job:
        watch.job = watch.job.evolve(epoch=self.epoch)
        return await super().write(watch, event, **more)

    def permit(self, watch: Watch, started_at: float) -> Permit:
        return Permit(lambda: self.may_send(self.epoch))


async def frozen_before_it_sends(world: World) -> None:
    """Node a writes its attempt and freezes; b takes over, looks, finds nothing, and submits; a wakes."""
    a, b = world.nodes
    await a.join()
    await a.adopt()
    await a.step()
    assert a.gates[0][0] == "sending"
    await b.join()
    world.pass_time(11.0)
    await b.join()
    await b.adopt()
    await _resubmit(world, b)
    await a.open(0)
    await _finish(world)


async def slow_on_its_way(world: World) -> None:
    """The answer is lost while the request is still under way; both look-ups come before it arrives."""
    a, _ = world.nodes
    await a.join()
    await a.adopt()
    await a.step()
    await a.open(0)
    await a.open(0, "lost")
    await _resubmit(world, a)
    await _finish(world)


async def taken_back_by_its_own_node(world: World) -> None:
    """Node a loses its lease while a step stands before its send, joins again and takes the job back; then the step goes on."""
    a, b = world.nodes
    await a.join()
    await a.adopt()
    await a.step()
    world.pass_time(11.0)
    await b.join()
    await b.adopt()
    await b.kill()
    world.pass_time(11.0)
    await a.renew()
    await a.join()
    await a.adopt()
    await _resubmit(world, a)
    await a.open(0)
    await _finish(world)


async def _resubmit(world: World, node: Any) -> None:
    """Let a node look until it submits anew, if it ever does, and let that arrive."""
    standing = len(node.gates)
    for seconds in (1.0, 1.0, 1.0, 6.0, 6.0, 6.0, 6.0, 1.0, 1.0):
        await node.step()
        if len(node.gates) > standing:
            await node.open(-1)
            await node.open(-1, "accepted")
            return
        world.pass_time(seconds if node.tools.on_its_way(node.watch) else 0.0)
        await node.renew()


async def _finish(world: World) -> None:
    world.pass_time(15.0)
    await world.check()


STORIES = {
    frozen_before_it_sends: WithoutFence,
    slow_on_its_way: WithoutWait,
    taken_back_by_its_own_node: NewestEpoch,
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("is_broken", [False, True], ids=["as it is", "with the bug"])
async def test_stories_that_would_pay_twice(story: Any, is_broken: bool, tmp_path: Path) -> None:
    """Each was lost once in the small model; the real pieces survive it, and with their protection taken away they do not."""
    world = World(tmp_path, LISTS, tools=STORIES[story] if is_broken else Tools)
    await world.open()
    try:
        if is_broken:
            with pytest.raises(AssertionError, match="paid 2 times"):
                await story(world)
        else:
            await story(world)
            assert (await world.end()).state is State.COMPLETED
    finally:
        await world.close()
