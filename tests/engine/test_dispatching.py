"""Waiting jobs and free accounts, brought together, minute by minute of an invented time."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable

import pytest
from tests.engine.scripted import Acme, Script

from reelway.catalog.load import load_catalog
from reelway.core.jobs import Job
from reelway.core.videos import Mode, ResolvedRequest
from reelway.engine.account import Account
from reelway.engine.dispatching import Dispatcher
from reelway.engine.router import Router

NOW = 1_790_000_000.0
_MODEL = "sora-2"


def account(name: str, **values: object) -> Account:
    return Account(name=name, vendor="openai_videos", service="compatible", base_url="https://a.example/v1", **values)


class Scene:
    """Accounts whose renders take 60 seconds, and whatever waits for them."""

    def __init__(self, *accounts: Account, weights: dict[str, float] | None = None) -> None:
        self.now = NOW
        self.router = Router(load_catalog(), accounts, {"openai_videos": Acme(Script())})
        self.dispatcher = Dispatcher(self.router, lambda card: 60.0, weights or {})
        self.jobs: dict[str, Job] = {}
        self.begun: list[tuple[float, str, str]] = []
        self.fails: Callable[[str, int], bool] = lambda account, number: False
        self.render_seconds: Callable[[str], float] = lambda account: 60.0
        self._ends: list[tuple[float, str, str, bool]] = []
        self._numbers = itertools.count()

    def wants(self, tenant: str, count: int = 1, **values: object) -> None:
        for _ in range(count):
            job = _job(f"{tenant}-{next(self._numbers)}", tenant, self.now).evolve(**values)
            self.jobs[job.id] = job
            assert self.dispatcher.enter(job, self.now)

    def run(self, seconds: float) -> Counter[str]:
        """Let time pass; return how many each account began."""
        until, before = self.now + seconds, len(self.begun)
        while True:
            self._begin()
            opens = self.dispatcher.opens_in(self.now)
            times = [self.now + max(opens, 0.001)] if opens is not None else []
            times += [self._ends[0][0]] if self._ends else []
            if not times or min(times) > until:
                break
            self.now = min(times)
            self._end()
        self.now = until
        return Counter(name for _, name, _ in self.begun[before:])

    def _begin(self) -> None:
        while (served := self.dispatcher.next(self.now)) is not None:
            job_id, route = served
            health = self.router.health(route.account, _MODEL)
            self.router.limits[route.account].in_flight += 1
            health.in_flight += 1
            number = sum(name == route.account for _, name, _ in self.begun)
            self.begun.append((self.now, route.account, self.jobs[job_id].tenant))
            fails = self.fails(route.account, number)
            took = 0.1 if fails and route.account == "quick" else self.render_seconds(route.account)
            heapq.heappush(self._ends, (self.now + took, job_id, route.account, fails))

    def _end(self) -> None:
        while self._ends and self._ends[0][0] <= self.now:
            _, job_id, name, fails = heapq.heappop(self._ends)
            health = self.router.health(name, _MODEL)
            health.failed("render", job_id, self.now) if fails else health.succeeded("render", self.now)
            self.router.limits[name].in_flight -= 1
            health.in_flight -= 1
            health.let_go(job_id)


def _job(job_id: str, tenant: str, now: float) -> Job:
    request = ResolvedRequest(
        operation="create", model=_MODEL, card=_MODEL, mode=Mode.T2V, prompt="a fox", seconds=4, width=1280, height=720
    )
    return Job(
        id=job_id,
        tenant=tenant,
        key_id="key",
        request=request,
        created_at=now,
        updated_at=now,
        deadline_at=now + 1e6,
        due_at=now,
    )


def test_accounts_of_one_priority_share_by_weight_evenly_mixed() -> None:
    """Not the heaviest everything; and in every stretch of the whole, not in lumps."""
    scene = Scene(account("a", weight=5), account("b", weight=2), account("c"))
    scene.wants("t", 80)
    scene.run(1)
    names = [name for _, name, _ in scene.begun]
    for start in range(0, 80, 8):
        assert Counter(names[start : start + 8]) == {"a": 5, "b": 2, "c": 1}
    assert names[:8] == ["a", "b", "a", "a", "c", "a", "b", "a"]


def test_a_lower_priority_takes_what_the_higher_has_no_room_for() -> None:
    """And nothing else."""
    scene = Scene(account("last", priority=1), account("first", priority=0, max_in_flight=3))
    scene.wants("t", 2)
    assert scene.run(1) == {"first": 2}
    scene.wants("t", 3)
    assert scene.run(1) == {"first": 1, "last": 2}


def test_a_draining_account_gets_nothing_new() -> None:
    """Also not when it is the only one: then there is no way at all."""
    scene = Scene(account("a", draining=True), account("b"))
    scene.wants("t", 4)
    assert scene.run(1) == {"b": 4}
    lonely = Scene(account("a", draining=True))
    assert not lonely.dispatcher.enter(_job("x", "t", NOW), NOW)


def test_the_rate_of_an_account_is_kept() -> None:
    """Twelve a minute, whatever waits; and the next minute goes on at once."""
    scene = Scene(account("a", requests_per_minute=12))
    scene.wants("t", 60)
    assert [scene.run(seconds)["a"] for seconds in (59, 60, 60, 60)] == [12, 12, 12, 12]


def test_a_node_keeps_to_its_part_of_a_limit() -> None:
    """The second of two has the smaller half of five."""
    scene = Scene(account("a", max_in_flight=5))
    scene.router.share(1, 2)
    scene.wants("t", 10)
    assert scene.run(1) == {"a": 2}


def test_a_half_failing_account_gets_little_and_comes_back() -> None:
    """While others do better it gets a trickle; healed, its part again."""
    scene = Scene(*(account(name, max_in_flight=4) for name in "abcde"))
    scene.fails = lambda name, number: name == "e" and number % 2 == 1
    scene.wants("t", 3000)
    scene.run(900)
    while_failing = scene.run(1800)
    assert 0 < while_failing["e"] <= 0.15 * while_failing.total()
    assert min(while_failing[name] for name in "abcd") >= 1800 / 60 * 4 * 0.95
    scene.fails = lambda name, number: False
    scene.run(1200)
    healed = scene.run(900)
    assert healed["e"] >= 0.95 * healed["a"]


def test_an_account_that_fails_at_once_does_not_swallow_the_work() -> None:
    """It is free most of the time, since it fails in a tenth of a second, and still gets little."""
    scene = Scene(*(account(name, max_in_flight=4) for name in ("a", "b", "c", "d", "quick")))
    scene.fails = lambda name, number: name == "quick" and number % 2 == 1
    scene.wants("t", 3000)
    scene.run(900)
    begun = scene.run(1800)
    assert begun["quick"] <= 0.15 * begun.total()


def test_an_account_without_alternative_is_not_spared() -> None:
    """Half of the videos are better than a few."""
    scene = Scene(account("only", max_in_flight=4))
    scene.fails = lambda name, number: number % 2 == 1
    scene.wants("t", 1000)
    scene.run(900)
    assert scene.run(600)["only"] >= 600 / 60 * 4 * 0.9


def test_the_only_account_is_not_closed_for_what_it_makes() -> None:
    """It answers, and there is none that does better: what one caller's prompts make fail keeps nobody else waiting."""
    scene = Scene(account("only", max_in_flight=2))
    scene.fails = lambda name, number: True
    scene.render_seconds = lambda name: 1.0
    scene.wants("t", 100)
    scene.run(60)
    assert len(scene.begun) == 100


def test_a_dead_account_is_probed_by_single_jobs() -> None:
    """At growing distances, and taken back at the first success."""
    scene = Scene(account("a", max_in_flight=2), account("dead", max_in_flight=2))
    scene.fails = lambda name, number: name == "dead"
    scene.render_seconds = lambda name: 60.0 if name == "a" else 1.0
    scene.wants("t", 1000)
    scene.run(600)
    times = [time for time, name, _ in scene.begun if name == "dead"]
    probes = [later - sooner for sooner, later in itertools.pairwise(times[5:])]
    assert len(times) <= 12
    assert probes == sorted(probes)
    scene.fails = lambda name, number: False
    scene.run(600)
    assert scene.run(300)["dead"] > 60


def test_the_account_of_the_source_is_waited_for() -> None:
    """A remix goes to the account that has the original, also when it is full and another one is free; not after a refusal."""

    class Continuing(Acme):
        continued_modes = frozenset({Mode.REMIX})

    accounts = (account("a"), account("b", max_in_flight=1))
    router = Router(load_catalog(), accounts, {"openai_videos": Continuing(Script())})
    job = _job("x", "t", NOW)
    remix = job.request.evolve(operation="remix", mode=Mode.REMIX, source_video_id="video_1")
    assert router.group(remix, NOW, prefers="b").accounts == ("b",)
    assert router.group(remix, NOW, prefers="b", tried=("b",)).accounts == ("a",)
    assert router.group(remix, NOW, prefers="gone").accounts == ("a", "b")
    assert router.group(job.request, NOW, prefers="b").accounts == ("a", "b")


@pytest.mark.parametrize("weights", [{}, {"paying": 3.0}])
def test_tenants_share_what_there_is(weights: dict[str, float]) -> None:
    """By their weights, on every account at once, whoever asked for how much and when."""
    scene = Scene(*(account(name, max_in_flight=3) for name in "abcde"), weights=weights)
    scene.wants("greedy", 5000)
    scene.run(120)
    scene.wants("paying", 800)
    scene.wants("modest", 800)
    before = len(scene.begun)
    scene.run(1200)
    turns = Counter(tenant for _, _, tenant in scene.begun[before:])
    total = sum(weights.get(tenant, 1.0) for tenant in turns)
    for tenant, count in turns.items():
        fair = turns.total() * weights.get(tenant, 1.0) / total
        assert abs(count - fair) <= 0.1 * fair
    assert turns.total() >= 1200 / 60 * 15 * 0.95


def test_a_place_in_the_queue_is_told_with_the_time_it_takes() -> None:
    """Four go in a minute here, so whoever has eight before him waits some two minutes."""
    scene = Scene(account("a", max_in_flight=4))
    scene.wants("t", 12)
    scene.run(0.5)
    waiting = [job_id for job_id in scene.jobs if scene.dispatcher.place(job_id, scene.now) is not None]
    assert len(waiting) == 8
    places = [scene.dispatcher.place(job_id, scene.now) for job_id in waiting]
    assert [place.position for place in places if place] == list(range(8))
    assert places[-1] is not None
    assert 60 <= places[-1].wait_seconds <= 150
