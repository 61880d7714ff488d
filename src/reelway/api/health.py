"""`/healthz` and `/readyz`: whether the process answers, and whether it can take requests. Neither asks for a key."""

from starlette.routing import Route

from reelway import __version__
from reelway.dialects.spec import Outgoing
from reelway.mounting.endpoints import get_route
from reelway.mounting.exchange import Exchange
from reelway.service import Service

__all__ = ["health_routes"]

_READY = "ready"


def health_routes(service: Service) -> list[Route]:
    """Return both routes."""

    async def answer_health(exchange: Exchange) -> None:
        await exchange.answer(Outgoing(body={"status": "ok", "version": __version__}))

    async def answer_readiness(exchange: Exchange) -> None:
        found = await service.ready()
        await exchange.answer(Outgoing(status=200 if found.get("status") == _READY else 503, body=found))

    return [get_route("/healthz", answer_health), get_route("/readyz", answer_readiness)]
