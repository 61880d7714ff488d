"""Joins who waits (`line`) with what is free (`router`). The one way for a job to an account: nobody goes past the line."""

from collections.abc import Callable, Mapping
from math import inf

from reelway.core.jobs import Job, JobRoute
from reelway.core.record import Record
from reelway.engine.line import Line, Ticket
from reelway.engine.router import Group, Pick, Router

__all__ = ["Dispatcher", "Place"]

_LONGEST_LOOK_SECONDS = 60.0
"""However far off the next opening seems, it is looked at again by then."""


class Place(Record):
    """Where a job stands that waits; both are estimates."""

    position: int
    """How many go before it."""
    wait_seconds: float


class Dispatcher:
    """Gives waiting jobs to accounts as they have room. `seconds_each` tells how long a card's job occupies a place."""

    def __init__(self, router: Router, seconds_each: Callable[[str], float], weights: Mapping[str, float]) -> None:
        self._router = router
        self._line: Line[Group] = Line(weights, self._seconds)
        self._seconds_each = seconds_each

    def __len__(self) -> int:
        return len(self._line)

    def enter(self, job: Job, now: float) -> bool:
        """Let a queued job wait; False when no account will ever take it, and waiting changes nothing."""
        group = self._router.group(job.request, now, tried=job.tried_accounts, prefers=job.source_account)
        if not group.accounts:
            return False
        ticket = Ticket(
            job_id=job.id,
            tenant=job.tenant,
            group=group,
            created_at=job.created_at,
            urgency=job.urgency,
        )
        self._line.add(ticket)
        return True

    def leave(self, job_id: str) -> None:
        """Let a job wait no longer, if it did."""
        self._line.remove(job_id)

    def next(self, now: float) -> tuple[str, JobRoute] | None:
        """Return a job that goes now, and where; None when nobody waits for an account that has room."""
        picks: dict[Group, Pick] = {}
        for group in self._line.groups:
            pick = self._router.pick(group, now)
            if pick is not None:
                picks[group] = pick
        for account in dict.fromkeys(pick.route.account for pick in picks.values()):
            groups = {group for group, pick in picks.items() if pick.route.account == account}
            ticket = self._line.serve(account, groups)
            if ticket is not None:
                pick = picks[ticket.group]
                self._router.begin(pick, ticket.group.card, ticket.job_id, now)
                return ticket.job_id, pick.route
        return None

    def opens_in(self, now: float) -> float | None:
        """Return the seconds until an account that somebody waits for opens by itself; None when nobody waits."""
        times = [self._router.opens_at(group, now) for group in self._line.groups]
        return min(max(min(times) - now, 0.0), _LONGEST_LOOK_SECONDS) if times else None

    def place(self, job_id: str, now: float) -> Place | None:
        """Return where a job stands, None when it does not wait here."""
        position, ticket = self._line.position(job_id), self._line.ticket(job_id)
        if position is None or ticket is None:
            return None
        opens_at = self._router.opens_at(ticket.group, now)
        closed = 0.0 if opens_at == inf else max(opens_at - now, 0.0)
        speed = self._router.per_second(ticket.group, self._seconds(ticket.group))
        return Place(position=position, wait_seconds=closed + (0.0 if speed == inf else (position + 1) / speed))

    def _seconds(self, group: Group) -> float:
        return max(self._seconds_each(group.card), 1.0)
