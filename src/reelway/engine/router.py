"""Which account makes a video. The card names the routes in order, the operator's accounts make them real, and what
happened lately keeps hands off accounts that are full, resting or broken.

Within a tier (accounts of one priority) the work goes round by weight, and the same history always gives the same choice.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from math import inf
from typing import Protocol

from reelway.catalog.conditions import facts_of, holds
from reelway.catalog.routes import living_routes, serves
from reelway.catalog.spec import ModelCard, RouteCard, When
from reelway.core.jobs import JobRoute
from reelway.core.record import Record
from reelway.core.videos import Input, ResolvedRequest, Role
from reelway.engine.account import Account
from reelway.engine.health import Health
from reelway.engine.limits import Limits
from reelway.vendors.spec import Adapter, CanContinue

__all__ = ["Group", "Obstacle", "Pick", "Router"]

_LEAST_VIGOUR = 0.05
"""So much of its weight counts for an account that fails often."""


class Group:
    """Jobs that may go to the same accounts: one model, and its routes in tiers, of which the first has precedence.

    Made once and compared by identity: 100,000 jobs that wait share a handful.
    """

    __slots__ = ("accounts", "card", "tiers")

    def __init__(self, card: str, tiers: tuple[tuple[JobRoute, ...], ...]) -> None:
        self.card = card
        self.tiers = tiers
        self.accounts = tuple(route.account for tier in tiers for route in tier)

    @property
    def routes(self) -> tuple[JobRoute, ...]:
        return tuple(route for tier in self.tiers for route in tier)


class Pick(Record):
    """The route that is next, and those of its tier that were free beside it."""

    route: JobRoute
    free: tuple[JobRoute, ...]


class Obstacle(Record):
    """What keeps an account that makes the model from making this very video."""

    account: str
    reason: str


class _Offer(Record):
    """One account on one route of a card, and the requests it is for."""

    when: When
    route: JobRoute
    rank: tuple[int, int]
    """Its tier: accounts of one rank share the work by weight."""


class _Cards(Protocol):
    def resolved_card(self, name: str) -> ModelCard: ...


class Router:
    """Chooses among the operator's accounts. `can_link` says whether vendors can fetch files from this server."""

    def __init__(
        self,
        catalog: _Cards,
        accounts: Sequence[Account],
        adapters: Mapping[str, Adapter],
        *,
        can_link: bool = True,
    ) -> None:
        self._catalog = catalog
        self._can_link = can_link
        self.accounts: Mapping[str, Account] = {account.name: account for account in accounts}
        self._adapters = adapters
        self.limits: dict[str, Limits] = {
            account.name: Limits(account.max_in_flight, account.requests_per_minute) for account in accounts
        }
        self._health: dict[tuple[str, str], Health] = {}
        self._turns: dict[tuple[str, str], float] = {}
        """Where smooth weighted round robin stands, by model and account."""
        self._today = date.min
        self._offered: dict[str, tuple[_Offer, ...]] = {}
        self._groups: dict[tuple[str, tuple[tuple[JobRoute, ...], ...]], Group] = {}

    def share(self, rank: int, count: int) -> None:
        """Take this node's part of every account's limits: it is number `rank` of `count` nodes that live."""
        for limits in self.limits.values():
            limits.share(rank, count)

    def health(self, account: str, card: str) -> Health:
        """Return how an account does with a model."""
        return self._health.setdefault((account, card), Health())

    def candidates(self, request: ResolvedRequest, now: float) -> tuple[JobRoute, ...]:
        """Return every route that could make this video today, best first, whatever its health."""
        return tuple(offer.route for offer in self._possible(request, now))

    def obstacles(self, request: ResolvedRequest, now: float) -> tuple[Obstacle, ...]:
        """Return why accounts that make the model cannot make this video."""
        found = (self._obstacle(offer.route, request) for offer in self._fitting(request, now))
        return tuple(obstacle for obstacle in found if obstacle is not None)

    def group(
        self, request: ResolvedRequest, now: float, *, tried: tuple[str, ...] = (), prefers: str | None = None
    ) -> Group:
        """Return where a job may go; to `prefers` alone as long as that account is among those left."""
        offers = [offer for offer in self._possible(request, now) if offer.route.account not in tried]
        preferred = [offer for offer in offers if offer.route.account == prefers and self._continues(offer, request)]
        ranks = itertools.groupby(preferred or offers, key=lambda offer: offer.rank)
        tiers = tuple(tuple(offer.route for offer in tier) for _, tier in ranks)
        return self._groups.setdefault((request.card, tiers), Group(request.card, tiers))

    def pick(self, group: Group, now: float) -> Pick | None:
        """Return the route that is next by weight among those of the first tier that has a free one; None: all are taken."""
        vigour = self._best_vigour(group, now)
        for tier in group.tiers:
            free = tuple(route for route in tier if self._opens_at(route, group.card, now, vigour) <= now)
            if free:
                route = max(free, key=lambda route: (self._turn(group.card, route, now), -free.index(route)))
                return Pick(route=route, free=free)
        return None

    def opens_at(self, group: Group, now: float) -> float:
        """Return when the first of the group's routes opens as time goes by; infinite while all wait for something to end."""
        vigour = self._best_vigour(group, now)
        return min((self._opens_at(route, group.card, now, vigour) for route in group.routes), default=inf)

    def begin(self, pick: Pick, card: str, job_id: str, now: float) -> None:
        """A job goes this way: count it against the account's rate, and the account's turn as taken."""
        gains = [(route, self._gain(card, route, now)) for route in pick.free]
        for route, gain in gains:
            turn = self._turns.get((card, route.account), 0.0) + gain
            if route is pick.route:
                turn -= sum(gain for _, gain in gains)
            self._turns[card, route.account] = turn
        self.limits[pick.route.account].sending(now)
        self.health(pick.route.account, card).begin(job_id, now)

    def per_second(self, group: Group, seconds_each: float) -> float:
        """Return how many such videos the group's accounts take in a second; infinite without limits."""
        return sum(self.limits[account].per_second(seconds_each) for account in group.accounts)

    def _best_vigour(self, group: Group, now: float) -> float:
        """Return how well the best of these accounts does; what does worse is spared."""
        known = (self.health(account, group.card) for account in group.accounts)
        return max((health.vigour(now) for health in known if not health.is_open), default=0.0)

    def _opens_at(self, route: JobRoute, card: str, now: float, best_vigour: float) -> float:
        """Return from when on a route takes a job; infinite when something has to end there first."""
        limits, health = self.limits[route.account], self.health(route.account, card)
        opens_at = health.opens_at()
        if health.only_renders_fail and not best_vigour:
            opens_at = -inf  # no other account does better, and one caller's prompts must not keep all others waiting
        if limits.is_full or opens_at is None:
            return inf
        if health.vigour(now) < best_vigour and not health.is_open:
            trickles_at = health.trickles_at(now, limits.places.allowed)
            opens_at = inf if trickles_at is None else max(opens_at, trickles_at)
        return max(opens_at, limits.opens_at(now))

    def _gain(self, card: str, route: JobRoute, now: float) -> float:
        return self.accounts[route.account].weight * max(self.health(route.account, card).vigour(now), _LEAST_VIGOUR)

    def _turn(self, card: str, route: JobRoute, now: float) -> float:
        return self._turns.get((card, route.account), 0.0) + self._gain(card, route, now)

    def _possible(self, request: ResolvedRequest, now: float) -> list[_Offer]:
        """Return every offer that could make this video, best first."""
        offers = self._fitting(request, now)
        if self._can_link or not request.inputs:
            return offers
        return [offer for offer in offers if self._obstacle(offer.route, request) is None]

    def _fitting(self, request: ResolvedRequest, now: float) -> list[_Offer]:
        """Return every offer that the card has for such a request, one for each account, best first."""
        facts = facts_of(request)
        found: dict[str, _Offer] = {}
        for offer in self._offers(request.card, datetime.fromtimestamp(now, tz=UTC).date()):
            if offer.route.account not in found and holds(offer.when, facts):
                found[offer.route.account] = offer
        return list(found.values())

    def _continues(self, offer: _Offer, request: ResolvedRequest) -> bool:
        adapter = self._adapters[offer.route.vendor]
        return isinstance(adapter, CanContinue) and request.mode in adapter.continued_modes

    def _obstacle(self, route: JobRoute, request: ResolvedRequest) -> Obstacle | None:
        adapter = self._adapters[route.vendor]
        kinds = sorted({given.kind for given in request.inputs if _needs_link(given, request, adapter)})
        if self._can_link or not kinds:
            return None
        reason = f"{route.vendor} fetches {kinds[0]} inputs itself and needs an address for this one"
        return Obstacle(account=route.account, reason=reason)

    def _offers(self, name: str, today: date) -> tuple[_Offer, ...]:
        """Return every way to make a model today, best first, whatever is asked of it; worked out once a day."""
        if today != self._today:
            self._today, self._offered = today, {}
        if name not in self._offered:
            card = self._catalog.resolved_card(name)
            offers = [
                _Offer(when=route.when, route=_at(account, model), rank=_rank(account, number))
                for number, route in enumerate(living_routes(card, today))
                for account in self.accounts.values()
                if not account.draining and (model := self._model_at(account, route, card)) is not None
            ]
            self._offered[name] = tuple(sorted(offers, key=lambda offer: offer.rank))
        return self._offered[name]

    def _model_at(self, account: Account, route: RouteCard, card: ModelCard) -> str | None:
        """Return the name this account uses for the model on this route, None when it does not serve it."""
        if account.vendor != route.vendor or account.vendor not in self._adapters:
            return None
        if not serves(route, account.service):
            return None
        name = route.model
        if account.models:
            mapped = account.models.get(card.name) or account.models.get("*")
            if mapped is None:
                return None
            name = route.model if mapped == "*" else mapped
        return name.replace("{model}", card.name)


def _needs_link(given: Input, request: ResolvedRequest, adapter: Adapter) -> bool:
    """Tell whether the vendor will have to fetch this input from us."""
    if given.kind not in adapter.link_kinds or given.file_id is not None:
        return False
    if given.role is Role.SOURCE and isinstance(adapter, CanContinue) and request.mode in adapter.continued_modes:
        return False
    return given.url is None or given.kind not in adapter.url_kinds


def _at(account: Account, model: str) -> JobRoute:
    return JobRoute(account=account.name, vendor=account.vendor, model=model, sandbox=account.sandbox)


def _rank(account: Account, number: int) -> tuple[int, int]:
    """Return an account's tier on the card's route of this number; whoever was given a priority shares it over all routes."""
    return (0, number) if account.priority is None else (account.priority, 0)
