"""Carries a plan of faults out upon a world, and puts everything right again afterwards."""

import asyncio
import time

import aiohttp
from tests.torture.node import set_clock
from tests.torture.plan import Fault
from tests.torture.wires import BREAKS, Break
from tests.torture.world import KEY, World

__all__ = ["Havoc"]


class Havoc:
    """One run's faults."""

    def __init__(self, world: World, began: float) -> None:
        """`began` is the zero of the plan's times, on the monotonic clock."""
        self.done: list[tuple[Fault, float]] = []
        """What was done, and when it really began."""
        self._world = world
        self._began = began

    async def wreak(self, faults: tuple[Fault, ...]) -> None:
        """Do all of it, each at its time; return when everything is whole again."""
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._perform(fault))

    async def _perform(self, fault: Fault) -> None:
        await asyncio.sleep(max(0.0, self._began + fault.at - time.monotonic()))
        world, seconds = self._world, fault.seconds
        async with world.turn_of(fault.target):
            self.done.append((fault, time.monotonic() - self._began))
            match fault.kind:
                case "kill" | "stop" | "freeze" | "clock" | "disk":
                    await self._hurt_node(fault)
                case "wire":
                    await world.wires[fault.target].damage(_break(fault.detail))
                    await asyncio.sleep(seconds)
                    await world.wires[fault.target].heal()
                case "storm":
                    await self._let_the_vendor(fault.detail)
                    await asyncio.sleep(seconds)
                    await self._let_the_vendor("")
                case "database":
                    await world.database.hurt(fault.detail, seconds)
                case "objects":
                    await world.objects.hurt(fault.detail, seconds)

    async def _hurt_node(self, fault: Fault) -> None:
        world, node = self._world, self._world.nodes[fault.target]
        match fault.kind:
            case "kill" | "stop":
                await (node.kill() if fault.kind == "kill" else node.stop())
                await asyncio.sleep(fault.seconds)
                await node.start()
            case "freeze":
                node.freeze()
                await asyncio.sleep(fault.seconds)
                node.thaw()
            case "clock":
                set_clock(world.clocks[fault.target], float(fault.detail.split()[0]))
                await asyncio.sleep(fault.seconds)
                set_clock(world.clocks[fault.target], 0.0)
            case _:
                await asyncio.to_thread(world.disks[fault.target].fill)
                await asyncio.sleep(fault.seconds)
                world.disks[fault.target].free()

    async def _let_the_vendor(self, directives: str) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.put(f"{self._world.vendor_url}/sandbox/faults", params={"directives": directives}) as answer,
        ):
            assert answer.status == 200, await answer.text()


def _break(word: str) -> Break:
    assert word in BREAKS
    return word
