"""Five accounts at three vendors, three tenants, one of them greedy: the whole engine, in a time that goes faster than ours."""

import asyncio
import selectors
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.engine.scripted import Acme, Script, Stage, done

from reelway.catalog.load import load_catalog
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import State
from reelway.core.nodes import NodeFacts
from reelway.core.videos import ResolvedRequest
from reelway.engine.account import Account
from reelway.engine.router import Router
from reelway.engine.runtime import Engine
from reelway.engine.tools import EngineLimits, Tools
from reelway.vendors.spec import Accepted, Flow, HttpRequest, Running, Status, Submission, VendorFailed

SPEED = 60
RENDER_SECONDS = 30.0
PLACES = 3
VENDORS = {"one": "openai_videos", "two": "openai_videos", "three": "kling", "four": "kling", "weak": "bytedance"}
CARD = {
    "name": "fox",
    "extends": "sora-2",
    "routes": [{"vendor": vendor, "model": "fox"} for vendor in ("openai_videos", "kling", "bytedance")],
}


class FastLoop(asyncio.SelectorEventLoop):
    """A loop whose seconds are shorter than ours; what really takes time, takes more of them."""

    def __init__(self) -> None:
        super().__init__(_FastSelector())

    def time(self) -> float:
        return super().time() * SPEED


class _FastSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / SPEED)


class Vendor(Acme):
    """Takes half a minute for a video, and keeps a book of its accounts. Every other video of a sick one fails."""

    def __init__(self, vendor: str) -> None:
        super().__init__(Script())
        self.vendor = vendor
        self.begun: list[tuple[str, str]] = []
        """Account and video, in order."""
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.sick: set[str] = set()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        account, now = submission.settings["name"], asyncio.get_running_loop().time()
        self.begun.append((account, submission.reference.rpartition("-")[0]))
        self.running[account] += 1
        self.most[account] = max(self.most[account], self.running[account])
        number = sum(name == account for name, _ in self.begun)
        operation = {"id": submission.reference, "account": account, "due": now + RENDER_SECONDS}
        operation["fails"] = account in self.sick and number % 2 == 0
        return Accepted(operation=operation, key=submission.reference, poll_after_seconds=RENDER_SECONDS)
        yield HttpRequest(method="POST", path="/")

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        left = operation["due"] - asyncio.get_running_loop().time()
        if left > 0:
            return Running(poll_after_seconds=left)
        self.running[operation["account"]] -= 1
        if operation["fails"]:
            return VendorFailed(failure=Failure(kind=FailureKind.VENDOR_ERROR, message="the renderer broke"))
        return done()
        yield HttpRequest(method="GET", path="/")


class Market(Stage):
    """A stage with three vendors."""

    def __init__(self, folder: Path) -> None:
        accounts = tuple(
            Account(
                name=name,
                vendor=vendor,
                base_url="https://vendor.example/v1",
                settings={"name": name},
                priority=0,
                max_in_flight=PLACES,
                retry_failed_renders="always",
            )
            for name, vendor in VENDORS.items()
        )
        super().__init__(folder, Script(), Acme(Script()), ())
        self.wanted: dict[str, str] = {}
        self.vendors = {vendor: Vendor(vendor) for vendor in VENDORS.values()}
        catalog = load_catalog(extra_cards=[CARD])
        loop = asyncio.get_running_loop()
        self.tools = Tools(
            store=self.store,
            assets=self.assets,
            media=self.tools.media,
            driver=self.tools.driver,
            router=Router(catalog, accounts, self.vendors),
            fetcher=self.tools.fetcher,
            adapters=self.vendors,
            cards=catalog.card,
            limits=EngineLimits(lease_seconds=3600.0, retry_seconds=0.1, collects_at_once=64),
            clock=self.clock,
            monotonic=loop.time,
            random=lambda: 0.0,
            token=lambda: f"token{next(self.ticks)}",
            checkpoint=lambda point: None,
        )
        self.engine = Engine(self.tools, "local", NodeFacts())

    def clock(self) -> float:
        return 1_790_000_000.0 + asyncio.get_running_loop().time()

    async def wants(self, tenant: str, count: int) -> None:
        jobs = [self.job(tenant=tenant, deadline_at=self.clock() + 1e6) for _ in range(count)]
        await asyncio.gather(*(self.create(job.evolve(request=_of(job.request))) for job in jobs))

    async def begun_in(self, seconds: float) -> tuple[Counter[str], Counter[str]]:
        """Let time pass; return how many videos each account and each tenant had begun in it."""
        before = {vendor: len(vendor.begun) for vendor in self.vendors.values()}
        await asyncio.sleep(seconds)
        begun = [entry for vendor, seen in before.items() for entry in vendor.begun[seen:]]
        return Counter(account for account, _ in begun), Counter(self.wanted[video_id] for _, video_id in begun)

    async def create(self, job: Any, takes: Any = ()) -> None:
        self.wanted[job.id] = job.tenant
        await super().create(job, takes)


def _of(request: ResolvedRequest) -> ResolvedRequest:
    return request.evolve(model="fox", card="fox")


def test_a_market_is_fair_and_whole_and_forgives(tmp_path: Path) -> None:
    """Proof 6 of the routing: each tenant gets its share within a tenth, five accounts give their sum, one that fails half of its
    videos gets little, and when it is healed it gets its part again; and in the end every video is made."""
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(_market(tmp_path))


async def _market(folder: Path) -> None:
    market = Market(folder)
    await market.open()
    try:
        await market.wants("greedy", 800)
        await asyncio.sleep(60)
        for tenant in ("modest", "shy"):
            await market.wants(tenant, 300)

        accounts, tenants = await market.begun_in(450)
        assert max(tenants.values()) <= 1.1 * tenants.total() / 3
        assert min(tenants.values()) >= 0.9 * tenants.total() / 3
        assert min(accounts.values()) >= 0.8 * 450 / RENDER_SECONDS * PLACES
        assert all(vendor.most[name] <= PLACES for vendor in market.vendors.values() for name in VENDORS)

        weak = market.vendors[VENDORS["weak"]]
        weak.sick.add("weak")
        await asyncio.sleep(300)
        accounts, _ = await market.begun_in(240)
        assert 0 < accounts["weak"] <= 0.15 * accounts.total()

        weak.sick.clear()
        await asyncio.sleep(420)
        accounts, _ = await market.begun_in(180)
        assert accounts["weak"] >= 0.8 * accounts["one"]

        for job in await market.store.get_many(tuple(market.wanted)):
            if job.is_final:
                assert job.state is State.COMPLETED
    finally:
        await market.close()
