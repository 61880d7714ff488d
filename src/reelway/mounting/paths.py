"""Finds the route of a path at once instead of trying one after another, which at twenty routes costs more than answering.

The rule: a fixed path wins over one with parameters; of several with parameters, the one that comes first.
"""

import re
from collections.abc import Iterable, Sequence

from starlette.convertors import PathConvertor, StringConvertor
from starlette.routing import PARAM_FORMAT_REGEX, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["PathTable"]


class PathTable:
    """An ASGI app over a router: knows the router's plain paths by heart and leaves it everything else, also the lifespan."""

    def __init__(self, router: Router) -> None:
        self._router = router
        plain = [route for route in router.routes if isinstance(route, Route) and _is_plain(route)]
        self._fixed: dict[str, ASGIApp] = {route.path: route.app for route in reversed(plain) if not _names(route)}
        self._others = [route for route in plain if _names(route)]
        self._pattern = _join(self._others)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._find(scope) if scope["type"] == "http" else None
        await (self._router if app is None else app)(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp | None:
        if scope.get("root_path"):
            return None
        app = self._fixed.get(scope["path"])
        if app is not None:
            return app
        match = self._pattern.fullmatch(scope["path"])
        if match is None or match.lastgroup is None:
            return None
        number = int(match.lastgroup[1:])
        route = self._others[number]
        scope["path_params"] = {name: match[f"{name}_{number}"] for name in _names(route)}
        return route.app


def _is_plain(route: Route) -> bool:
    """Tell whether the route takes every method, and its parameters as they stand."""
    kinds = {type(kind) for kind in route.param_convertors.values()}
    return route.methods is None and kinds <= {StringConvertor, PathConvertor}


def _names(route: Route) -> Iterable[str]:
    return route.param_convertors


def _join(routes: Sequence[Route]) -> re.Pattern[str]:
    """Return one pattern for all of them; which alternative matched is the name of its group."""
    if not routes:
        return re.compile(r"(?!)")
    alternatives = []
    for number, route in enumerate(routes):
        parts = PARAM_FORMAT_REGEX.split(route.path_format)
        for place in range(0, len(parts), 2):
            parts[place] = re.escape(parts[place])
        for place in range(1, len(parts), 2):
            name = parts[place]
            parts[place] = f"(?P<{name}_{number}>{route.param_convertors[name].regex})"
        alternatives.append(f"(?P<r{number}>{''.join(parts)})")
    return re.compile("|".join(alternatives))
