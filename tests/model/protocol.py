"""The lease and submit protocol in small: two nodes, one job, one vendor, and every order in which things can happen.

Whoever is frozen simply takes no step for a while, so every freeze is among the orders; crashes, lost answers, leases that run
out and a node that joins again over its own old step are steps of their own. `Rules` can switch off what the real code does
against double submits, one thing at a time: then `explore` must find the order in which that costs money.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Found", "Rules", "explore"]

_LOOKUPS_TO_BE_SURE = 2
_MOST_ATTEMPTS = 2
_MOST_EPOCHS = 4


class Rules(NamedTuple):
    """What the real code does. Each one that is off is a bug."""

    fence: bool = True
    """A request leaves only while the sender holds its lease by its own clock."""
    fence_at_the_socket: bool = True
    """Asked at the write itself, not some lines before it."""
    waits_for_arrival: bool = True
    """Nothing found counts only when nothing can be on its way any more."""
    own_epoch: bool = True
    """A step writes and sends under the epoch its job was taken under, not under the node's newest."""
    local_lease_ends_first: bool = True
    """A lease is counted from before it was asked for, so that its holder knows first that it is over."""
    waits_a_lease: bool = True
    """That wait is not shorter than a lease, so that it holds even where the store's clock jumps."""
    looks_before_it_sends: bool = True
    """An attempt without outcome is looked up, not sent again."""


class Task(NamedTuple):
    """One node's step of the job, as far as it has come."""

    node: int
    epoch: int
    at: str
    seen: int
    """The version of the job it last saw."""
    attempt: int = 0
    quiet: bool = False
    """Whether it knows that nothing sent before it took the job can arrive any more."""


class World(NamedTuple):
    """Everything there is."""

    state: str = "queued"
    owner: int = 0
    version: int = 1
    attempts: int = 0
    lookups: int = 0
    epochs: tuple[int, ...] = (0, 0)
    """Of each node as it sees itself; 0: down."""
    believes: tuple[bool, ...] = (False, False)
    """Whether it holds its lease by its own clock."""
    leases: frozenset[int] = frozenset()
    """Epochs whose lease holds in the store."""
    newest_epoch: int = 0
    tasks: tuple[Task, ...] = ()
    requests: tuple[str, ...] = ()
    """What was sent, attempt by attempt: `way`, `made` at the vendor, or `lost`."""
    crashes: int = 0
    expiries: int = 0


class Found(NamedTuple):
    """What exploring came to."""

    worlds: int
    doubled: tuple[str, ...] | None
    """The shortest story that ends with two pieces of work at the vendor."""
    stuck: tuple[str, ...] | None
    """The shortest story that ends with an unfinished job and nothing that could happen."""


Step = tuple[str, World]


def explore(rules: Rules, *, crashes: int = 1, expiries: int = 2) -> Found:
    """Go through every order of steps, with at most so many crashes and leases that run out."""
    start = World(crashes=crashes, expiries=expiries)
    came_from: dict[World, tuple[World, str] | None] = {start: None}
    left = deque([start])
    stuck = None
    while left:
        world = left.popleft()
        if world.requests.count("made") > 1:
            return Found(len(came_from), _story(world, came_from), stuck)
        steps = list(_steps(world, rules))
        if not steps and world.state != "running" and stuck is None and world.attempts < _MOST_ATTEMPTS:
            stuck = _story(world, came_from)
        for name, after in steps:
            if after not in came_from:
                came_from[after] = (world, name)
                left.append(after)
    return Found(len(came_from), None, stuck)


def _story(world: World, came_from: dict[World, tuple[World, str] | None]) -> tuple[str, ...]:
    names = []
    while (before := came_from[world]) is not None:
        world, name = before
        names.append(name)
    return tuple(reversed(names))


def _steps(world: World, rules: Rules) -> Iterator[Step]:
    for node in range(len(world.epochs)):
        yield from _node_steps(world, node, rules)
    for task in world.tasks:
        yield from _task_steps(world, task, rules)
    for number, where in enumerate(world.requests):
        if where == "way":
            yield f"request {number + 1} arrives", _with_request(world, number, "made")
            yield f"request {number + 1} is lost on its way", _with_request(world, number, "lost")


def _node_steps(world: World, node: int, rules: Rules) -> Iterator[Step]:
    epoch, name = world.epochs[node], "AB"[node]
    if epoch not in world.leases:
        if world.newest_epoch < _MOST_EPOCHS and (node == 0 or world.newest_epoch):
            yield f"{name} joins", _joined(world, node)
    else:
        if world.owner not in world.leases and world.state in {"queued", "submitting"}:
            at = "queued" if world.state == "queued" or not rules.looks_before_it_sends else "lookup"
            task = Task(node, epoch, at, world.version, world.attempts)
            yield f"{name} adopts", world._replace(owner=epoch, tasks=_ordered((*world.tasks, task)))
        if world.expiries and (not world.believes[node] or not rules.local_lease_ends_first):
            after = world._replace(leases=world.leases - {epoch}, expiries=world.expiries - 1)
            yield f"{name}'s lease ends in the store", after
    if world.believes[node] and (world.expiries or epoch not in world.leases):
        yield f"{name} sees its lease end", world._replace(believes=_put(world.believes, node, value=False))
    if epoch and world.crashes:
        after = world._replace(
            crashes=world.crashes - 1,
            epochs=_put(world.epochs, node, value=0),
            believes=_put(world.believes, node, value=False),
            leases=world.leases - {epoch},
            tasks=tuple(task for task in world.tasks if task.node != node),
        )
        yield f"{name} is killed, its lease runs out", after


def _joined(world: World, node: int) -> World:
    """A new epoch; whatever this process had begun under the old one goes on."""
    epoch = world.newest_epoch + 1
    return world._replace(
        newest_epoch=epoch,
        epochs=_put(world.epochs, node, value=epoch),
        leases=(world.leases - {world.epochs[node]}) | {epoch},
        believes=_put(world.believes, node, value=True),
    )


def _task_steps(world: World, task: Task, rules: Rules) -> Iterator[Step]:
    name = f"{'AB'[task.node]}{task.epoch}"
    match task.at:
        case "queued" if world.attempts < _MOST_ATTEMPTS:
            yield f"{name} records an attempt", _write(world, task, rules, "recorded", "submitting", attempts=1)
        case "recorded" if not rules.fence_at_the_socket:
            at = "permitted" if _holds(world, task, rules) else "refused"
            yield f"{name} is {at} to send", _moved(world, task, at)
        case "recorded" if _holds(world, task, rules):
            yield f"{name} sends", _sent(world, task)
        case "recorded":
            yield f"{name} does not send", _moved(world, task, "refused")
        case "permitted":
            yield f"{name} sends", _sent(world, task)
        case "refused":
            yield f"{name} writes that nothing was sent", _write(world, task, rules, "queued", "queued")
        case "sent":
            if world.requests[task.attempt - 1] == "made":
                yield f"{name} gets an answer", _moved(world, task, "answered")
            yield f"{name} gets no answer", _moved(world, task, "lookup")
        case "answered":
            yield f"{name} writes the operation down", _write(world, task, rules, "done", "running")
        case "lookup":
            yield from _look(world, task, rules, name)


def _look(world: World, task: Task, rules: Rules, name: str) -> Iterator[Step]:
    if "made" in world.requests:
        yield f"{name} finds it", _write(world, task, rules, "done", "running")
    elif task.quiet or not rules.waits_for_arrival:
        if world.lookups + 1 < _LOOKUPS_TO_BE_SURE:
            yield f"{name} finds nothing", _write(world, task, rules, "lookup", "submitting", lookups=1)
        else:
            yield f"{name} finds nothing again", _write(world, task, rules, "queued", "queued")
    elif "way" not in world.requests and not (rules.waits_a_lease and _someone_is_mistaken(world)):
        quiet = task._replace(quiet=True)
        yield f"{name} has waited long enough", world._replace(tasks=_swapped(world.tasks, task, quiet))


def _someone_is_mistaken(world: World) -> bool:
    """Whether a node still thinks that it holds a lease which the store has ended."""
    known = zip(world.epochs, world.believes, strict=True)
    return any(believes and epoch not in world.leases for epoch, believes in known)


def _holds(world: World, task: Task, rules: Rules) -> bool:
    """Whether the fence lets this task's request pass."""
    is_current = task.epoch == world.epochs[task.node] or not rules.own_epoch
    return not rules.fence or (world.believes[task.node] and is_current)


def _sent(world: World, task: Task) -> World:
    requests = (*world.requests, *["lost"] * (task.attempt - 1 - len(world.requests)))
    requests = (*requests[: task.attempt - 1], "way", *requests[task.attempt :])
    return _moved(world, task, "sent")._replace(requests=requests)


def _write(
    world: World, task: Task, rules: Rules, at: str, state: str, *, attempts: int = 0, lookups: int = 0
) -> World:
    """Change the job if it is still this task's to change; else the task is over."""
    epoch = task.epoch if rules.own_epoch else world.epochs[task.node]
    if world.owner != epoch or epoch not in world.leases or world.version != task.seen:
        return world._replace(tasks=_swapped(world.tasks, task, None))
    version = world.version + 1
    moved = task._replace(at=at, seen=version, epoch=epoch, attempt=world.attempts + attempts)
    return world._replace(
        state=state,
        version=version,
        attempts=world.attempts + attempts,
        lookups=world.lookups + lookups if lookups else 0,
        owner=0 if at == "done" else world.owner,
        tasks=_swapped(world.tasks, task, None if at == "done" else moved),
    )


def _moved(world: World, task: Task, at: str) -> World:
    return world._replace(tasks=_swapped(world.tasks, task, task._replace(at=at, quiet=False)))


def _with_request(world: World, number: int, where: str) -> World:
    return world._replace(requests=(*world.requests[:number], where, *world.requests[number + 1 :]))


def _swapped(tasks: tuple[Task, ...], old: Task, new: Task | None) -> tuple[Task, ...]:
    rest = list(tasks)
    rest.remove(old)
    return _ordered((*rest, new) if new is not None else tuple(rest))


def _ordered(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    return tuple(sorted(tasks))


def _put(values: tuple[int, ...], place: int, *, value: int) -> tuple[int, ...]:
    return (*values[:place], value, *values[place + 1 :])
