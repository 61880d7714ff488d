"""Which of a card's routes can take a request today. A route retires, a public name does not.

The date comes in as an argument; a route is skipped from the day it retires, before a request is spent on it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from reelway.catalog.conditions import facts_of, holds
from reelway.catalog.spec import ModelCard, RouteCard
from reelway.catalog.wording import route_name
from reelway.core.videos import RequestWarning, ResolvedRequest

__all__ = [
    "describe_deprecation",
    "is_retired",
    "living_routes",
    "retirement_warnings",
    "routes_for",
    "serves",
    "services_of",
]

_COMPATIBLE = frozenset({"compatible", "google", "litellm", "newapi", "reelway", "sandbox", "sglang", "vllm"})
"""Services of `openai_videos` that the cards call by one name."""


def serves(route: RouteCard, service: str) -> bool:
    """Tell whether an account with this service works on a route; where either names none, any will do."""
    return not route.service or not service or route.service == ("compatible" if service in _COMPATIBLE else service)


def services_of(cards: Iterable[ModelCard], vendor: str) -> tuple[str, ...]:
    """Return the services an account of a vendor may name, sorted; none where the vendor has but one."""
    named = {route.service for card in cards for route in card.routes if route.vendor == vendor and route.service}
    return tuple(sorted(named | _COMPATIBLE if "compatible" in named else named))


def is_retired(route: RouteCard, today: date) -> bool:
    """Tell whether the vendor no longer takes requests on this route."""
    return route.retires is not None and today >= route.retires


def routes_for(card: ModelCard, resolved: ResolvedRequest, today: date) -> tuple[RouteCard, ...]:
    """Return the routes that live and fit, the preferred first, each with the vendor's id filled in."""
    facts = facts_of(resolved)
    return tuple(route for route in living_routes(card, today) if holds(route.when, facts))


def living_routes(card: ModelCard, today: date) -> tuple[RouteCard, ...]:
    """Return the routes that live, for whatever request, the preferred first, each with the vendor's id filled in."""
    return tuple(
        route.evolve(model=route.model.replace("{model}", card.name))
        for route in card.routes
        if not is_retired(route, today)
    )


def retirement_warnings(
    card: ModelCard,
    resolved: ResolvedRequest,
    today: date,
    horizon_days: int = 120,
    *,
    routes: Iterable[RouteCard] | None = None,
) -> tuple[RequestWarning, ...]:
    """Return one warning for each route that retires within the horizon, with its date and successor.

    `routes` narrows this to the ones that can really be used here; without it every living route that fits counts.
    """
    warnings: dict[str, RequestWarning] = {}
    if routes is None:
        dated = any(route.retires is not None and not is_retired(route, today) for route in card.routes)
        routes = routes_for(card, resolved, today) if dated else ()
    for route in routes:
        if route.retires is None or is_retired(route, today) or (route.retires - today).days > horizon_days:
            continue
        move = f"; move to {route.successor}" if route.successor else ""
        message = f"{route_name(route)} stops making {resolved.model} on {route.retires.isoformat()}{move}"
        warnings.setdefault(message, RequestWarning(field="model", message=message))
    return tuple(warnings.values())


def describe_deprecation(card: ModelCard, today: date) -> dict[str, Any] | None:
    """Return what callers should know about routes that retire or have retired; None when none does."""
    dated = [route for route in card.routes if route.retires is not None]
    if not dated:
        return None
    living = [route for route in card.routes if not is_retired(route, today)]
    return {
        "status": "retired" if not living else "retiring" if any(route.retires for route in living) else "moved",
        "successor": next((route.successor for route in dated if route.successor), None),
        "routes": [
            {
                "vendor": route.vendor,
                "service": route.service or None,
                "retires": route.retires.isoformat() if route.retires else None,
                "retired": is_retired(route, today),
                "successor": route.successor,
                "unconfirmed": route.unconfirmed,
            }
            for route in dated
        ],
    }
