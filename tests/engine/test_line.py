"""Who is next when accounts are full."""

import time
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from reelway.engine.line import Line, Ticket


class Way:
    """Jobs that wait for the same accounts."""

    def __init__(self, *accounts: str) -> None:
        self.accounts = accounts


ONE = Way("a")


def ticket(number: int, tenant: str, way: Way = ONE, *, urgency: int = 0) -> Ticket[Way]:
    return Ticket(job_id=f"{tenant}{number}", tenant=tenant, group=way, created_at=float(number), urgency=urgency)


def served(line: Line[Way], account: str, *ways: Way) -> str:
    """Return who was served, and take nothing for granted."""
    found = line.serve(account, set(ways or (ONE,)))
    assert found is not None
    return found.job_id


def test_a_tenants_own_jobs_go_by_urgency_then_age() -> None:
    """And a job that asks again keeps its place."""
    line: Line[Way] = Line({})
    for number, urgency in ((1, 0), (2, 1), (3, -1), (4, 0)):
        line.add(ticket(number, "t", urgency=urgency))
    line.add(ticket(1, "t"))
    assert [served(line, "a") for _ in range(4)] == ["t3", "t1", "t4", "t2"]
    assert line.serve("a", {ONE}) is None


def test_urgency_gets_nobody_ahead_of_another_tenant() -> None:
    """Or everybody would call everything urgent."""
    line: Line[Way] = Line({})
    for number in range(4):
        line.add(ticket(number, "pushy", urgency=-1))
        line.add(ticket(number, "quiet"))
    assert sorted(served(line, "a")[:-1] for _ in range(4)) == ["pushy", "pushy", "quiet", "quiet"]


def test_who_comes_late_is_not_paid_for_the_time_before() -> None:
    """Nothing is saved up while there is nothing to do, also not by one who was here before."""
    line: Line[Way] = Line({})
    line.add(ticket(0, "late"))
    for number in range(100):
        line.add(ticket(number, "early"))
    first = [served(line, "a") for _ in range(50)]
    assert "late0" in first[:2]
    for number in range(1, 50):
        line.add(ticket(number, "late"))
    turns = Counter(served(line, "a").rstrip("0123456789") for _ in range(20))
    assert turns == {"late": 10, "early": 10}


def test_one_whose_accounts_are_closed_does_not_hold_up_others_nor_is_owed_for_it() -> None:
    """A tenant that waits for a model no account makes just now is passed over, and gets half of what comes then."""
    closed, line = Way("a"), Line[Way]({})
    for number in range(100):
        line.add(ticket(number, "blocked", closed))
        line.add(ticket(number, "busy"))
    assert {served(line, "a")[:4] for _ in range(40)} == {"busy"}
    turns = Counter(served(line, "a", ONE, closed)[:4] for _ in range(20))
    assert abs(turns["busy"] - turns["bloc"]) <= 2


def test_what_costs_more_counts_for_more() -> None:
    """A tenant with videos that take three times as long gets a third as many; by what is known now, not when they came."""
    long, costs = Way("a"), {"long": 30.0}
    line: Line[Way] = Line({}, lambda way: costs["long"] if way is long else 1.0)
    for number in range(100):
        line.add(ticket(number, "long", long))
        line.add(ticket(number, "short"))
    costs["long"] = 3.0
    turns = Counter(served(line, "a", ONE, long).rstrip("0123456789") for _ in range(80))
    assert turns == {"short": 60, "long": 20}


def test_a_place_is_told_as_it_will_be() -> None:
    """Estimated from the shares, and right when nothing changes until then."""
    line: Line[Way] = Line({"heavy": 2.0})
    for number in range(12):
        for tenant in ("heavy", "light", "slight"):
            line.add(ticket(number, tenant))
    places = {
        f"{tenant}{number}": line.position(f"{tenant}{number}")
        for tenant in ("heavy", "light", "slight")
        for number in range(12)
    }
    order = [served(line, "a") for _ in range(36)]
    for place, job_id in enumerate(order):
        told = places[job_id]
        assert told is not None
        assert abs(told - place) <= 2, job_id
    assert line.position("heavy0") is None


def test_a_hundred_thousand_jobs_of_one_tenant_slow_nobody() -> None:
    """A choice costs what it costs with few: it is not searched for, and nothing is moved behind it."""

    def seconds(queued: int) -> float:
        line: Line[Way] = Line({})
        for number in range(queued):
            line.add(ticket(number, "greedy"))
        for number in range(200):
            line.add(ticket(number, "modest"))
        began = time.process_time()
        turns = Counter(served(line, "a").rstrip("0123456789") for _ in range(400))
        spent = time.process_time() - began
        assert turns == {"greedy": 200, "modest": 200}
        return spent

    few, many = min(seconds(300) for _ in range(3)), min(seconds(100_000) for _ in range(2))
    assert many < few * 10 + 0.01


@given(
    weights=st.lists(st.sampled_from([1.0, 2.0, 3.0, 5.0]), min_size=2, max_size=5),
    rounds=st.integers(min_value=5, max_value=20),
)
@settings(max_examples=60, deadline=None)
def test_shares_are_as_the_weights(weights: list[float], rounds: int) -> None:
    """Of tenants that always have something waiting each is given its part, to within one job at any time."""
    names = [f"t{number}_" for number in range(len(weights))]
    line: Line[Way] = Line(dict(zip(names, weights, strict=True)))
    total = int(sum(weights)) * rounds
    for name in names:
        for number in range(total):
            line.add(ticket(number, name))
    turns: Counter[str] = Counter()
    for count in range(1, total + 1):
        turns[served(line, "a").rpartition("_")[0] + "_"] += 1
        for name, weight in zip(names, weights, strict=True):
            assert abs(turns[name] - count * weight / sum(weights)) <= len(weights)
    assert all(turns[name] == weight * rounds for name, weight in zip(names, weights, strict=True))


_ACTION = st.tuples(
    st.sampled_from(["add", "remove", "serve"]), st.integers(0, 3), st.integers(0, 2), st.integers(-1, 1)
)


@given(actions=st.lists(_ACTION, max_size=200))
@settings(max_examples=200, deadline=None)
def test_nobody_is_lost_or_starved_and_no_account_idles(actions: list[tuple[str, int, int, int]]) -> None:
    """Whatever comes and goes: an account is given a job whenever one waits for it, each job once, and no tenant waits for
    longer than it takes every other one to have had a turn."""
    ways = (Way("a"), Way("b"), Way("a", "b"))
    line: Line[Way] = Line({"t0": 1.0})
    waiting: dict[str, Ticket[Way]] = {}
    passed: dict[str, dict[str, int]] = {}
    for number, (action, tenant, place, urgency) in enumerate(actions):
        if action == "add":
            new = ticket(number, f"t{tenant}", ways[place], urgency=urgency)
            line.add(new)
            waiting[new.job_id] = new
        elif action == "remove" and waiting:
            job_id = sorted(waiting)[tenant % len(waiting)]
            line.remove(job_id)
            del waiting[job_id]
        elif action == "serve":
            account = "ab"[place % 2]
            able = {way for way in ways if account in way.accounts}
            fitting = {each.tenant for each in waiting.values() if each.group in able}
            found = line.serve(account, able) if account in {a for way in line.groups for a in way.accounts} else None
            assert (found is not None) == bool(fitting)
            if found is None:
                continue
            del waiting[found.job_id]
            others = fitting - {found.tenant}
            passed[account] = {tenant: passed.get(account, {}).get(tenant, 0) + 1 for tenant in others}
            assert max(passed[account].values(), default=0) <= 2 * 3
        assert len(line) == len(waiting)
        assert all(line.position(job_id) is not None for job_id in waiting)
