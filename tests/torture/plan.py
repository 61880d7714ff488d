"""What a seed stands for: which videos are asked for and when, what breaks when and for how long. Pure: same seed, same plan."""

import random
from collections import Counter
from typing import Literal, NamedTuple

from tests.torture.wires import BREAKS

__all__ = ["ACCOUNTS", "LATEST_SECONDS", "Fault", "FaultKind", "Following", "Order", "Plan", "Topology", "make_plan"]

FaultKind = Literal["kill", "freeze", "stop", "clock", "disk", "wire", "storm", "database", "objects"]
Following = Literal["wait", "poll", "events"]


class Topology(NamedTuple):
    """Which processes there are. What is not given is done without: a plan asks nothing of it."""

    nodes: int = 1
    database: Literal["sqlite", "postgres"] = "sqlite"
    objects: Literal["folder", "s3"] = "folder"
    small_disks: bool = False
    """Whether each node's data folder lies on a disk that can be filled."""

    @property
    def node_names(self) -> tuple[str, ...]:
        return tuple(f"node-{number}" for number in range(1, self.nodes + 1))


class Account(NamedTuple):
    """An account at the make-believe vendor, and the smallest video to ask it for."""

    name: str
    vendor: str
    service: str
    base: str
    """Where in the sandbox it is played."""
    model: str
    seconds: int
    size: str
    share: int
    can_look_up: bool = True
    """Whether a lost create can be found there, so that none may end as `submission_unknown`."""


ACCOUNTS = (
    Account("clone-a", "openai_videos", "compatible", "/v1", "sora-2", 4, "1280x720", 25),
    Account("clone-b", "openai_videos", "compatible", "/v1", "sora-2", 4, "1280x720", 0),
    Account("reelway", "openai_videos", "reelway", "/v1", "sora-2-pro", 4, "1280x720", 20),
    Account("kling", "kling", "current", "/kling", "kling-video", 3, "720p", 15),
    Account("ark", "bytedance", "ark", "/api/v3", "doubao-seedance-1-0-pro-fast-251015", 2, "480p", 20),
    Account("vidu", "vidu", "", "", "viduq3-turbo", 1, "720p", 15),
    Account("hailuo", "minimax", "", "/minimax", "hailuo-video", 6, "768p", 5, can_look_up=False),
)
"""Two share a model, so that one stands in for the other."""


class Order(NamedTuple):
    """One video that somebody asks for. Times are seconds: `at` from the start, others from when it was accepted."""

    tag: str
    """Stands in the prompt, so that everybody's books can be compared."""
    at: float
    account: Account
    prompt: str
    may_fail: bool
    """The vendor was told to refuse or fail it."""
    following: Following
    told: bool
    """Whether a webhook is wanted."""
    cancel_after: float | None = None
    delete_after: float | None = None
    """Whether it has ended or not."""
    deleted_in_the_end: bool = False


class Fault(NamedTuple):
    """Something that breaks. `detail` says how, where there are several ways."""

    at: float
    seconds: float
    kind: FaultKind
    target: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.kind:8} {self.target:18} {self.detail:24} for {self.seconds:.1f} s"


class Plan(NamedTuple):
    seed: int
    topology: Topology
    orders: tuple[Order, ...]
    faults: tuple[Fault, ...]
    seconds: float
    """After this nothing new is asked for and nothing breaks any more."""


_TROUBLES = (
    ("", 40),
    ("[[submit:lost_answer]]", 8),
    ("[[submit:slow:2]]", 5),
    ("[[submit:slow:8]]", 3),
    ("[[rate:429x2]]", 4),
    ("[[http:503]]", 4),
    ("[[poll:500x3]]", 4),
    ("[[poll:oddx3]]", 3),
    ("[[result:truncatedx1]]", 3),
    ("[[result:cut]]", 4),
    ("[[result:403x1]]", 3),
    ("[[result:503x2]]", 3),
    ("[[result:slow:2]]", 2),
    ("[[link:1]]", 3),
    ("[[callback:twice]]", 3),
    ("[[callback:late:2]]", 3),
    ("[[callback:forged]]", 3),
    ("[[callback:none]]", 2),
)
_ENDS = (("[[fail:content_policy]]", 3), ("[[fail:vendor_error]]", 2), ("[[moderation]]", 2))
_STORMS = ("[[rate:429x999999]]", "[[http:500x999999]]", "[[submit:lost_answerx999999]]", "[[submit:slow:3]]")
_VENDOR_BREAKS = BREAKS
_CLIENT_BREAKS = ("refuse", "reset", "hold", "deaf", "lost", "slow")
_DATABASE_BREAKS = ("refuse", "reset", "hold", "deaf", "lost", "slow")
_CALL_BREAKS = ("refuse", "deaf", "hold", "error")
LATEST_SECONDS = 8.0
"""What a node sent to a vendor arrives at most so much later, or never."""
_FIRST_FAULT_SECONDS = 2.0
_AFTERMATH_SECONDS = {"kill": 3.0, "stop": 3.0}
"""How long a target is left in peace after its fault: a node takes this long to start."""


def make_plan(seed: int, topology: Topology, *, jobs: int, faults: int, seconds: float, lease_seconds: float) -> Plan:
    """Return the plan of a seed."""
    chance = random.Random(f"{seed} {topology} {jobs} {faults} {seconds}")
    orders = sorted((_order(chance, seed, number, seconds) for number in range(jobs)), key=lambda order: order.at)
    return Plan(seed, topology, tuple(orders), _faults(chance, topology, faults, seconds, lease_seconds), seconds)


def _order(chance: random.Random, seed: int, number: int, seconds: float) -> Order:
    account = chance.choices(ACCOUNTS, [account.share for account in ACCOUNTS])[0]
    tag = f"torture-{seed}-{number:05}"
    may_fail = chance.random() < 0.05
    choices = _ENDS if may_fail else _TROUBLES
    words = chance.choices([word for word, _ in choices], [weight for _, weight in choices])[0]
    delay = round(chance.choice((0.2, 1.0, 2.0, 4.0)) * (0.5 + chance.random()), 2)
    order = Order(
        tag=tag,
        at=round(chance.uniform(0, seconds), 3),
        account=account,
        prompt=f"a fox, {tag} {words} [[delay:{delay}]]",
        may_fail=may_fail,
        following=chance.choices(("wait", "poll", "events"), (60, 30, 10))[0],
        told=chance.random() < 0.25,
    )
    match chance.choices(("nothing", "cancel", "delete", "delete in the end"), (80, 7, 5, 8))[0]:
        case "cancel":
            return order._replace(cancel_after=round(chance.uniform(0, 4), 2))
        case "delete":
            return order._replace(delete_after=round(chance.uniform(0, 6), 2))
        case "delete in the end":
            return order._replace(deleted_in_the_end=True)
    return order


def _faults(
    chance: random.Random, topology: Topology, count: int, seconds: float, lease_seconds: float
) -> tuple[Fault, ...]:
    """Spread the faults over the time, every kind at every place before any comes again, none upon what is broken already."""
    chosen: list[Fault] = []
    busy_until: dict[str, float] = {}
    waiting: list[Fault] = []
    pause = (seconds - _FIRST_FAULT_SECONDS) / max(count, 1)
    for number in range(count):
        at = _FIRST_FAULT_SECONDS + (number + chance.random()) * pause
        if not any(busy_until.get(fault.target, 0.0) <= at for fault in waiting):
            waiting += _mixed(chance, _all_faults(chance, topology, lease_seconds))
        place = next((place for place, fault in enumerate(waiting) if busy_until.get(fault.target, 0.0) <= at), None)
        if place is None:
            continue
        fault = waiting.pop(place)._replace(at=round(at, 2))
        busy_until[fault.target] = at + fault.seconds + _AFTERMATH_SECONDS.get(fault.kind, 0.5)
        chosen.append(fault)
    return tuple(chosen)


def _mixed(chance: random.Random, faults: list[Fault]) -> list[Fault]:
    """Return them in any order, but one of each kind at each place first."""
    chance.shuffle(faults)
    seen: Counter[tuple[FaultKind, str]] = Counter()
    rounds = []
    for fault in faults:
        rounds.append(seen[fault.kind, fault.target])
        seen[fault.kind, fault.target] += 1
    return [fault for _, fault in sorted(zip(rounds, faults, strict=True), key=lambda pair: pair[0])]


def _all_faults(chance: random.Random, topology: Topology, lease_seconds: float) -> list[Fault]:
    """Return one fault of each kind at each place, each for as long as chance will have it."""

    def fault(kind: FaultKind, target: str, least: float, most: float, detail: str = "") -> Fault:
        return Fault(0.0, round(chance.uniform(least, most), 2), kind, target, detail)

    found: list[Fault] = []
    for node in topology.node_names:
        found += [fault("kill", node, 0.0, 2.0) for _ in range(3)]
        found += [fault("freeze", node, lease_seconds * 1.2, lease_seconds * 2) for _ in range(2)]
        found.append(fault("stop", node, 0.0, 1.0))
        leap = chance.choice((-60, -5, 5, 60))
        found.append(fault("clock", node, 2.0, 6.0, f"{leap:+d} s"))
        if topology.small_disks:
            found.append(fault("disk", node, 1.0, 4.0))
        found += [fault("wire", f"{node}-vendor", 0.5, 5.0, how) for how in _VENDOR_BREAKS if how != "hold"]
        found.append(fault("wire", f"{node}-vendor", 2.0, LATEST_SECONDS, "hold"))
        found += [fault("wire", f"client-{node}", 0.5, 4.0, how) for how in _CLIENT_BREAKS]
        if topology.database == "postgres":
            found += [fault("wire", f"{node}-database", 0.5, lease_seconds * 1.5, how) for how in _DATABASE_BREAKS]
        if topology.objects == "s3":
            found += [fault("wire", f"{node}-objects", 0.5, 4.0, how) for how in _VENDOR_BREAKS]
    found += [fault("wire", "vendor-callbacks", 1.0, 4.0, how) for how in _CALL_BREAKS]
    found += [fault("storm", "vendor", 1.0, 4.0, words) for words in _STORMS]
    if topology.database == "postgres":
        found += [fault("database", "database", 0.0, 2.0, how) for how in ("restart", "crash", "freeze")]
    if topology.objects == "s3":
        found += [fault("objects", "objects", 0.0, 2.0, how) for how in ("crash", "freeze")]
    return found
