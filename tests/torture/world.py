"""Everything that runs: a vendor, the nodes, what they keep their things in, and a wire wherever one talks to another."""

import asyncio
from collections import defaultdict
from pathlib import Path

from tests.ports import quiet_port
from tests.torture.backends import (
    Database,
    FolderObjects,
    Objects,
    PostgresDatabase,
    S3Objects,
    SmallDisk,
    SqliteDatabase,
)
from tests.torture.node import CLOCK_VARIABLE, SABOTAGE_VARIABLE, set_clock
from tests.torture.plan import ACCOUNTS, LATEST_SECONDS, Topology
from tests.torture.programs import Program
from tests.torture.wires import Wire

__all__ = ["KEY", "LEASE_SECONDS", "World", "open_world"]

KEY = "sk-torture"
LEASE_SECONDS = 3.0
_DISK_MEGABYTES = 400
_SETTINGS = {
    "REELWAY_API_KEY": KEY,
    "REELWAY_LEASE_SECONDS": str(LEASE_SECONDS),
    "REELWAY_POLL_SHORTEST_SECONDS": "0.3",
    "REELWAY_POLL_LONGEST_SECONDS": "1.5",
    "REELWAY_LOOKUP_SECONDS": "0.5",
    "REELWAY_CALLBACK_WAIT_SECONDS": "15",
    "REELWAY_ARRIVAL_SECONDS": str(LATEST_SECONDS + 1),
    "REELWAY_CONNECT_SECONDS": "2",
    "REELWAY_READ_SECONDS": "4",
    "REELWAY_REQUEST_SECONDS": "5",
    "REELWAY_DOWNLOAD_SECONDS": "15",
    "REELWAY_MEDIA_PROCESSES": "1",
    "REELWAY_PRIVATE_HOSTS": "127.0.0.1",
}
"""Short, so that much happens in little time; otherwise as users have it."""


class World:
    """What a run breaks and repairs."""

    def __init__(self, folder: Path, topology: Topology) -> None:
        self.folder = folder
        self.topology = topology
        self.vendor_log = folder / "vendor.jsonl"
        self.vendor_url = ""
        self.nodes: dict[str, Program] = {}
        self.wires: dict[str, Wire] = {}
        self.clocks: dict[str, Path] = {}
        self.disks: dict[str, SmallDisk] = {}
        self.database: Database
        self.objects: Objects
        self._vendor: Program | None = None
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def callers_urls(self) -> list[str]:
        """Where callers reach each node."""
        return [self.wires[f"client-{node}"].url for node in self.nodes]

    def turn_of(self, target: str) -> asyncio.Lock:
        """Return what is held while something is hurt: a node may still be starting when it is to be hurt again."""
        return self._turns[target]

    async def close(self) -> None:
        """End every process. What they left in the folder stays."""
        for node in self.nodes.values():
            await node.kill()
        if self._vendor is not None:
            await self._vendor.kill()
        for wire in self.wires.values():
            await wire.close()
        for disk in self.disks.values():
            disk.close()
        if hasattr(self, "database"):
            await self.database.close()
        if hasattr(self, "objects"):
            await self.objects.close()

    async def build(self, sabotage: str) -> None:
        """Start everything."""
        first = self.folder / self.topology.node_names[0]
        if self.topology.small_disks:
            for node in self.topology.node_names:
                self.disks[node] = SmallDisk(self.folder / node, _DISK_MEGABYTES)
        self.database = (
            SqliteDatabase(first / "reelway.db")
            if self.topology.database == "sqlite"
            else await PostgresDatabase.start()
        )
        if self.topology.objects == "s3":
            self.objects = await S3Objects.start()
        else:
            self.objects = FolderObjects(first / "assets" if self.topology.nodes == 1 else self.folder / "assets")
        await self._start_vendor()
        ports = {node: quiet_port() for node in self.topology.node_names}
        await self._wire("vendor-callbacks", *ports.values())
        for node, port in ports.items():
            self.nodes[node] = await self._node(node, port, sabotage)
        await asyncio.gather(*(node.start() for node in self.nodes.values()))

    async def _start_vendor(self) -> None:
        port = quiet_port()
        self.vendor_url = f"http://127.0.0.1:{port}"
        arguments = ["-m", "reelway.cli.main", "sandbox", "--port", str(port), "--key", KEY, "--stock"]
        arguments += ["--data-dir", str(self.folder / "vendor"), "--log", str(self.vendor_log)]
        environment = {"REELWAY_PRIVATE_HOSTS": "127.0.0.1", "REELWAY_LOG_LEVEL": "warning"}
        self._vendor = Program("vendor", arguments, environment, self.folder / "vendor.log")
        await self._vendor.start()
        self._vendor_port = port

    async def _node(self, name: str, port: int, sabotage: str) -> Program:
        folder, settings = self.folder / name, self.folder / f"{name}.toml"
        folder.mkdir(exist_ok=True)
        await self._wire(f"client-{name}", port)
        to_vendor = await self._wire(f"{name}-vendor", self._vendor_port)
        settings.write_text("".join(_account(account, to_vendor.url) for account in ACCOUNTS))
        self.clocks[name] = self.folder / f"{name}.clock"
        set_clock(self.clocks[name], 0.0)
        environment = {
            **_SETTINGS,
            "REELWAY_CONFIG": str(settings),
            "REELWAY_PUBLIC_URL": self.wires["vendor-callbacks"].url,
            CLOCK_VARIABLE: str(self.clocks[name]),
            SABOTAGE_VARIABLE: sabotage,
        }
        for backend, wire in ((self.database, f"{name}-database"), (self.objects, f"{name}-objects")):
            reached = (await self._wire(wire, backend.port)).port if backend.port else 0
            environment |= backend.environment(reached)
        arguments = ["-m", "tests.torture.node", "serve", "--port", str(port), "--data-dir", str(folder)]
        return Program(name, arguments, environment, self.folder / f"{name}.log")

    async def _wire(self, name: str, *ports: int) -> Wire:
        self.wires[name] = wire = Wire(name, *ports)
        await wire.open()
        return wire


async def open_world(folder: Path, topology: Topology, sabotage: str = "") -> World:
    """Build a world in an empty folder; close it in the end."""
    world = World(folder, topology)
    try:
        await world.build(sabotage)
    except BaseException:
        await world.close()
        raise
    return world


def _account(account: tuple[object, ...], vendor_url: str) -> str:
    name, vendor, service, base, model, *_ = account
    return (
        f'[[account]]\nname = "{name}"\nvendor = "{vendor}"\nservice = "{service}"\n'
        f'base_url = "{vendor_url}{base}"\nprivate_network = true\nmodels = ["{model}"]\nkey = "{KEY}"\n'
    )
