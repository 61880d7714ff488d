"""Which account makes a video. The card names the routes in order, the operator's accounts make them real, and what
happened lately keeps hands off accounts that are full, resting or broken.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Protocol

from reelway.catalog.conditions import facts_of, holds
from reelway.catalog.routes import living_routes
from reelway.catalog.spec import ModelCard, RouteCard, When
from reelway.core.jobs import JobRoute
from reelway.core.record import Record
from reelway.core.videos import Input, ResolvedRequest, Role
from reelway.engine.account import Account
from reelway.vendors.spec import Adapter, CanContinue

__all__ = ["Choice", "Health", "Obstacle", "Router"]

_COMPATIBLE = frozenset({"compatible", "google", "litellm", "newapi", "reelway", "sandbox", "sglang", "vllm"})
"""Services of `openai_videos` that the cards call by one name."""
_FAILURES_TO_OPEN = 5
_OPEN_SECONDS = 30.0


class Health:
    """What one account did lately: how many videos it works on, and until when it should be left alone."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.failures = 0
        self.resting_until = 0.0

    def succeeded(self) -> None:
        """A request was answered sensibly."""
        self.failures = 0

    def failed(self, now: float) -> None:
        """A request was not answered; after several in a row the account rests, then one request tries again."""
        self.failures += 1
        if self.failures >= _FAILURES_TO_OPEN:
            self.rest(now, _OPEN_SECONDS)

    def rest(self, now: float, seconds: float) -> None:
        """Leave it alone for a while, as it asked (429) or deserves."""
        self.resting_until = max(self.resting_until, now + seconds)


class Choice(Record):
    """A route, or what to wait for: a time, a free place at an account, or neither when no account will take the request."""

    route: JobRoute | None = None
    again_at: float | None = None
    full: str | None = None
    """An account with as many unfinished videos as it may have."""

    @property
    def is_hopeless(self) -> bool:
        """Whether waiting changes nothing."""
        return self.route is None and self.again_at is None and self.full is None


class Obstacle(Record):
    """What keeps an account that makes the model from making this very video."""

    account: str
    reason: str


class _Offer(Record):
    """One account on one route of a card, and the requests it is for."""

    when: When
    route: JobRoute


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
        self.health: dict[str, Health] = {account.name: Health() for account in accounts}
        self._today = date.min
        self._offered: dict[str, tuple[_Offer, ...]] = {}

    def candidates(self, request: ResolvedRequest, now: float) -> tuple[JobRoute, ...]:
        """Return every route that could make this video today, best first, whatever its health."""
        routes = self._fitting(request, now)
        if self._can_link or not request.inputs:
            return routes
        return tuple(route for route in routes if self._obstacle(route, request) is None)

    def obstacles(self, request: ResolvedRequest, now: float) -> tuple[Obstacle, ...]:
        """Return why accounts that make the model cannot make this video."""
        found = (self._obstacle(route, request) for route in self._fitting(request, now))
        return tuple(obstacle for obstacle in found if obstacle is not None)

    def choose(self, request: ResolvedRequest, now: float, *, tried: tuple[str, ...] = ()) -> Choice:
        """Return the best route that is free now."""
        again_at: float | None = None
        full: str | None = None
        for route in self.candidates(request, now):
            if route.account in tried:
                continue
            account, health = self.accounts[route.account], self.health[route.account]
            if health.resting_until > now:
                again_at = min(again_at or health.resting_until, health.resting_until)
            elif account.max_in_flight and health.in_flight >= account.max_in_flight:
                full = full or route.account
            else:
                return Choice(route=route)
        return Choice(again_at=again_at, full=full)

    def _fitting(self, request: ResolvedRequest, now: float) -> tuple[JobRoute, ...]:
        """Return every route that the card has for such a request, one for each account, best first."""
        facts = facts_of(request)
        found: dict[str, JobRoute] = {}
        for offer in self._offers(request.card, datetime.fromtimestamp(now, tz=UTC).date()):
            if offer.route.account not in found and holds(offer.when, facts):
                found[offer.route.account] = offer.route
        return tuple(found.values())

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
            ranked = [
                (account.priority, rank, -account.weight, _Offer(when=route.when, route=_at(account, model)))
                for rank, route in enumerate(living_routes(card, today))
                for account in self.accounts.values()
                if (model := self._model_at(account, route, card)) is not None
            ]
            self._offered[name] = tuple(offer for *_, offer in sorted(ranked, key=lambda entry: entry[:3]))
        return self._offered[name]

    def _model_at(self, account: Account, route: RouteCard, card: ModelCard) -> str | None:
        """Return the name this account uses for the model on this route, None when it does not serve it."""
        if account.vendor != route.vendor or account.vendor not in self._adapters:
            return None
        if route.service and account.service:
            wanted = "compatible" if account.service in _COMPATIBLE else account.service
            if wanted != route.service:
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
