"""`/v1/models`: every name that can be asked for, in OpenAI's list shape, with the whole model card under `video`."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from starlette.routing import Route

from reelway.catalog.describe import describe_card
from reelway.dialects.openai_videos import key_of
from reelway.dialects.spec import Outgoing
from reelway.mounting.endpoints import get_route
from reelway.mounting.exchange import Exchange, check_names
from reelway.service import Service

__all__ = ["model_routes"]


def model_routes(service: Service, *, clock: Callable[[], float]) -> list[Route]:
    """Return the routes of the list and of one model."""

    models = _Models(service, clock)

    async def answer_all(exchange: Exchange) -> None:
        await service.authenticate(key_of(exchange.headers))
        data = [models.show(name) for name in service.model_names()]
        await exchange.answer(Outgoing(body={"object": "list", "data": data}))

    async def answer_one(exchange: Exchange) -> None:
        await service.authenticate(key_of(exchange.headers))
        check_names(exchange.path_parameters.values())
        await exchange.answer(Outgoing(body=models.show(exchange.path_parameters["id"])))

    return [get_route("/v1/models", answer_all), get_route("/v1/models/{id}", answer_one)]


class _Models:
    """Models as they are shown. A card is described once a day: it never changes, but its routes retire by date."""

    def __init__(self, service: Service, clock: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock
        self._day = date.min
        self._described: dict[str, dict[str, Any]] = {}

    def show(self, name: str) -> dict[str, Any]:
        """Return one model. Raises `NotFound` with the nearest names."""
        card, facts = self._service.model(name)
        day = datetime.fromtimestamp(self._clock(), tz=UTC).date()
        if day != self._day:
            self._day, self._described = day, {}
        if card.name not in self._described:
            self._described[card.name] = describe_card(card, day)
        video = {**self._described[card.name], **facts}
        return {"id": name, "object": "model", "created": 0, "owned_by": card.vendor, "video": video}
