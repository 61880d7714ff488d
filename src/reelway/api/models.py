"""`/v1/models`: every name that can be asked for, in OpenAI's list shape, with the whole model card under `video`."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from starlette.routing import Route

from reelway.api.endpoints import get_route
from reelway.catalog.describe import describe_card
from reelway.dialects.openai_videos import key_of
from reelway.dialects.spec import Outgoing
from reelway.mounting.exchange import Exchange, check_names
from reelway.service import Service

__all__ = ["model_routes"]


def model_routes(service: Service, *, clock: Callable[[], float]) -> list[Route]:
    """Return the routes of the list and of one model."""

    def today() -> date:
        return datetime.fromtimestamp(clock(), tz=UTC).date()

    async def answer_all(exchange: Exchange) -> None:
        await service.authenticate(key_of(exchange.headers))
        day = today()
        data = [_show(service, name, day) for name in service.model_names()]
        await exchange.answer(Outgoing(body={"object": "list", "data": data}))

    async def answer_one(exchange: Exchange) -> None:
        await service.authenticate(key_of(exchange.headers))
        check_names(exchange.path_parameters.values())
        await exchange.answer(Outgoing(body=_show(service, exchange.path_parameters["id"], today())))

    return [get_route("/v1/models", answer_all), get_route("/v1/models/{id}", answer_one)]


def _show(service: Service, name: str, day: date) -> dict[str, Any]:
    card, facts = service.model(name)
    video = {**describe_card(card, day), **facts}
    return {"id": name, "object": "model", "created": 0, "owned_by": card.vendor, "video": video}
