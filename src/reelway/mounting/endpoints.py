"""Endpoints that belong to no dialect: how they are mounted, and what a path that leads nowhere answers.

The rule: errors have the envelope of the OpenAI dialect, whoever asks and whatever for.
"""

from collections.abc import Awaitable, Callable

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reelway.core.errors import NotFound
from reelway.dialects.openai_videos import render_error
from reelway.mounting.exchange import Exchange, Guarded, MethodNotAllowed

__all__ = ["get_route", "nowhere"]

_SHOWN = 80


def get_route(path: str, answer: Callable[[Exchange], Awaitable[None]], *, head: bool = True) -> Route:
    """Return a route that can be read, and nothing else."""
    methods = ("GET", "HEAD") if head else ("GET",)

    async def perform(exchange: Exchange) -> None:
        if exchange.method not in methods:
            raise MethodNotAllowed(exchange.method, exchange.path, methods)
        await answer(exchange)

    return Route(path, Guarded(perform, render_error), name=path)


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for every path nobody else answers for; there are no web sockets at all."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    await _NOWHERE(scope, receive, send)


async def _refuse(exchange: Exchange) -> None:
    raise NotFound(f"there is nothing at {exchange.path[:_SHOWN]!r}; /docs lists what there is", code="path_not_found")


_NOWHERE = Guarded(_refuse, render_error)
