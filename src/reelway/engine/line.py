"""Who is next: jobs that wait for an account, in weighted fair order over tenants.

Each account keeps a virtual time for every tenant that waits for it: what the tenant was given there, divided by its weight.
Whoever was given least is next, so a tenant with 100,000 jobs waits behind its own. The one rule: a tenant that had nothing to do
saves nothing up. Within a tenant the more urgent job goes first, then the older one. Pure, and nothing here knows the time.
"""

import heapq
import math
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Generic, Protocol, TypeVar

from reelway.core.record import Record

__all__ = ["Group", "Line", "Ticket"]

_Key = tuple[int, float, str]
_SLACK = 64


class Group(Protocol):
    """Jobs that wait for the same accounts; compared by identity."""

    @property
    def accounts(self) -> tuple[str, ...]: ...


_G = TypeVar("_G", bound=Group)


class Ticket(Record, Generic[_G]):
    """One job in the line."""

    job_id: str
    tenant: str
    group: _G
    created_at: float
    urgency: int = 0
    """Less is more urgent, among the jobs of one tenant."""

    @property
    def key(self) -> _Key:
        return (self.urgency, self.created_at, self.job_id)


class _Queue:
    """One tenant's jobs of one group, in order. Taking the first moves a mark instead of everything behind it."""

    def __init__(self) -> None:
        self._keys: list[_Key] = []
        self._head = 0

    def __len__(self) -> int:
        return len(self._keys) - self._head

    @property
    def first(self) -> _Key:
        return self._keys[self._head]

    def add(self, key: _Key) -> None:
        insort(self._keys, key, lo=self._head)

    def remove(self, key: _Key) -> None:
        place = bisect_left(self._keys, key, lo=self._head)
        if place > self._head:
            del self._keys[place]
            return
        self._head += 1
        if self._head > _SLACK and self._head * 2 > len(self._keys):
            del self._keys[: self._head]
            self._head = 0

    def before(self, key: _Key) -> int:
        return bisect_left(self._keys, key, lo=self._head) - self._head


class _Share:
    """One account's virtual times. The heap may hold times that have moved on; they are put right when they come up."""

    def __init__(self) -> None:
        self.clock = 0.0
        self.times: dict[str, float] = {}
        self.heap: list[tuple[float, str]] = []
        self.present: set[str] = set()

    def enter(self, tenant: str) -> None:
        if tenant not in self.present:
            self.times[tenant] = max(self.times.get(tenant, 0.0), self.clock)
            self.present.add(tenant)
            heapq.heappush(self.heap, (self.times[tenant], tenant))

    def leave(self, tenant: str) -> None:
        self.present.discard(tenant)
        if len(self.times) > 2 * len(self.present) + _SLACK:
            self.times = {name: time for name, time in self.times.items() if time > self.clock or name in self.present}

    def serve(self, tenant: str, cost: float) -> None:
        self.clock = max(self.clock, self.times[tenant])
        self.times[tenant] += cost


class Line(Generic[_G]):
    """Jobs that wait. `weights` are those of tenants; all others weigh 1.

    `cost` is what a job of a group takes of an account, seconds of a place say: as known when it is served, lest whoever came
    before it was known pays another price.
    """

    def __init__(self, weights: Mapping[str, float], cost: Callable[[_G], float] = lambda group: 1.0) -> None:
        self._weights = weights
        self._cost = cost
        self._tickets: dict[str, Ticket[_G]] = {}
        self._queues: dict[str, dict[_G, _Queue]] = {}
        self._waiting: dict[_G, int] = {}
        self._shares: dict[str, _Share] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    @property
    def groups(self) -> Iterable[_G]:
        """Every group that somebody waits in."""
        return self._waiting.keys()

    def ticket(self, job_id: str) -> Ticket[_G] | None:
        """Return the ticket of a job that waits."""
        return self._tickets.get(job_id)

    def add(self, ticket: Ticket[_G]) -> None:
        """Let a job wait; one that waits already keeps its place unless it waits for something else now."""
        old = self._tickets.get(ticket.job_id)
        if old is not None:
            if old.group is ticket.group and old.key == ticket.key:
                return
            self.remove(ticket.job_id)
        self._tickets[ticket.job_id] = ticket
        queues = self._queues.setdefault(ticket.tenant, {})
        queues.setdefault(ticket.group, _Queue()).add(ticket.key)
        self._waiting[ticket.group] = self._waiting.get(ticket.group, 0) + 1
        for account in ticket.group.accounts:
            self._shares.setdefault(account, _Share()).enter(ticket.tenant)

    def remove(self, job_id: str) -> None:
        """Let a job wait no longer; one that does not is left alone."""
        ticket = self._tickets.pop(job_id, None)
        if ticket is None:
            return
        queues = self._queues[ticket.tenant]
        queues[ticket.group].remove(ticket.key)
        if not queues[ticket.group]:
            del queues[ticket.group]
        if not queues:
            del self._queues[ticket.tenant]
        self._waiting[ticket.group] -= 1
        if not self._waiting[ticket.group]:
            del self._waiting[ticket.group]

    def serve(self, account: str, groups: Collection[_G]) -> Ticket[_G] | None:
        """Take the job that is next at this account, of those whose group is among `groups`."""
        share, passed_over = self._shares[account], []
        found: Ticket[_G] | None = None
        while share.heap and found is None:
            time, tenant = share.heap[0]
            if time < share.times[tenant]:
                heapq.heapreplace(share.heap, (share.times[tenant], tenant))
                continue
            waiting = [group for group in self._queues.get(tenant, ()) if account in group.accounts]
            if not waiting:
                heapq.heappop(share.heap)
                share.leave(tenant)
                continue
            found = self._first(tenant, [group for group in waiting if group in groups])
            if found is None:
                passed_over.append(heapq.heappop(share.heap)[1])
        if found is not None:
            self.remove(found.job_id)
            share.serve(found.tenant, self._cost(found.group) / self._weight(found.tenant))
        for tenant in passed_over:  # what could not be had by anyone is not owed to them later
            share.times[tenant] = max(share.times[tenant], share.clock)
            heapq.heappush(share.heap, (share.times[tenant], tenant))
        return found

    def position(self, job_id: str) -> int | None:
        """Return how many will probably be served before a job that waits: its tenant's own, and the others' fair part."""
        ticket = self._tickets.get(job_id)
        if ticket is None:
            return None
        accounts, cost = set(ticket.group.accounts), self._cost(ticket.group)
        own = self._queues[ticket.tenant]
        ahead = sum(queue.before(ticket.key) for group, queue in own.items() if accounts.intersection(group.accounts))
        account = ticket.group.accounts[0]
        times = self._shares[account].times
        start = times[ticket.tenant] + ahead * cost / self._weight(ticket.tenant)
        for tenant, queues in self._queues.items():
            if tenant == ticket.tenant or tenant not in times:
                continue
            backlog = sum(len(queue) for group, queue in queues.items() if account in group.accounts)
            turns = (start - max(times[tenant], self._shares[account].clock)) * self._weight(tenant) / cost
            is_first = times[tenant] == start and tenant < ticket.tenant
            ahead += min(backlog, max(math.ceil(turns), int(is_first)))
        return ahead

    def _first(self, tenant: str, groups: Collection[_G]) -> Ticket[_G] | None:
        firsts = [self._queues[tenant][group].first for group in groups]
        return self._tickets[min(firsts)[2]] if firsts else None

    def _weight(self, tenant: str) -> float:
        return self._weights.get(tenant, 1.0)
