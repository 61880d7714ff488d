"""One seed from beginning to end: a world is built, asked for videos and broken; then it is quiet, and the books are compared."""

import asyncio
import contextlib
import resource
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.torture.callers import Callers
from tests.torture.evidence import Evidence, gather, keep
from tests.torture.havoc import Havoc
from tests.torture.invariants import contradictions
from tests.torture.plan import Plan
from tests.torture.receiver import Receiver
from tests.torture.world import KEY, World, open_world

__all__ = ["QUIET_SECONDS", "Outcome", "run_plan"]

QUIET_SECONDS = 150.0
"""In a world that is whole again, everything has ended after this time, or is stuck: look-ups of lost creates back off by then."""
_TOLD_SECONDS = 75.0
"""A node that was killed holds the messages it was sending for half a minute; the first pause after an error is five seconds."""


class Outcome(NamedTuple):
    """What a seed came to."""

    plan: Plan
    contradictions: dict[str, list[str]]
    seconds: float
    settling_seconds: float
    """From the last fault to the end of the last video."""
    faults: Counter[str]
    ended: Counter[str]
    calls: Counter[str]
    submits: Counter[str]

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.contradictions.values())


async def run_plan(plan: Plan, folder: Path, sabotage: str = "", *, quiet_seconds: float = QUIET_SECONDS) -> Outcome:
    """Carry a plan out in an empty folder; in the end everything has `quiet_seconds` to end."""
    began = time.monotonic()
    _allow_many_connections()
    receiver = Receiver()
    await receiver.open()
    world = await open_world(folder, plan.topology, sabotage)
    callers = Callers(world.callers_urls, KEY, receiver.url)
    await callers.open()
    try:
        havoc, settling = await _torture(plan, world, callers, quiet_seconds)
        await _until_told(world)
        await callers.settle()
        evidence = await gather(world, callers.tales, receiver.heard)
        await asyncio.to_thread(keep, evidence, folder / "books.jsonl")
        (folder / "faults.txt").write_text("".join(f"{at:6.1f} s  {fault}\n" for fault, at in havoc.done))
    finally:
        await callers.close()
        await world.close()
        await receiver.close()
    seconds = time.monotonic() - began
    return _outcome(plan, evidence, callers, havoc, seconds, settling)


def _allow_many_connections() -> None:
    """Both ends of every caller's connection are here, twice over the wires; and what we start inherits the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _torture(plan: Plan, world: World, callers: Callers, quiet_seconds: float) -> tuple[Havoc, float]:
    """Ask and break; return when every caller has seen the end of its video, or the time is over."""
    zero = time.monotonic()
    havoc = Havoc(world, zero)
    wreaking = asyncio.create_task(havoc.wreak(plan.faults))
    following: list[asyncio.Task[None]] = []
    try:
        for order in plan.orders:
            await asyncio.sleep(max(0.0, zero + order.at - time.monotonic()))
            if wreaking.done():
                await wreaking  # it failed, or has nothing left to do
            following.append(asyncio.create_task(callers.follow(order)))
        await asyncio.sleep(max(0.0, zero + plan.seconds - time.monotonic()))
        await wreaking
        quiet = time.monotonic()
        await asyncio.wait(following, timeout=quiet_seconds)
        settling = time.monotonic() - quiet
    finally:
        callers.give_up()
        wreaking.cancel()
        for task in following:
            task.cancel()
        ended = await asyncio.gather(wreaking, *following, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return havoc, settling


async def _until_told(world: World) -> None:
    """Wait until no message is due any more."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TOLD_SECONDS):
            while await world.database.read("SELECT id FROM messages WHERE due_at IS NOT NULL LIMIT 1"):
                await asyncio.sleep(0.5)


def _outcome(
    plan: Plan, evidence: Evidence, callers: Callers, havoc: Havoc, seconds: float, settling: float
) -> Outcome:
    ended = Counter(
        "deleted" if tale.deleted else tale.error or tale.status if tale.video_id else "not accepted"
        for tale in evidence.tales.values()
    )
    return Outcome(
        plan=plan,
        contradictions=contradictions(evidence),
        seconds=seconds,
        settling_seconds=settling,
        faults=Counter(fault.kind for fault, _ in havoc.done),
        ended=ended,
        calls=callers.calls,
        submits=Counter(submit.outcome for submit in evidence.submits),
    )
