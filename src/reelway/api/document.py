"""`/openapi.json`: the API as a document, made when somebody first asks for it."""

from collections.abc import Callable
from functools import cache

import msgspec
from starlette.routing import Route

from reelway.api.openapi import make_document
from reelway.mounting.endpoints import get_route
from reelway.mounting.exchange import Exchange
from reelway.service import Service

__all__ = ["document_of", "document_route"]

_JSON = b"application/json"


def document_of(service: Service) -> Callable[[], bytes]:
    """Return what makes the document, once."""

    @cache
    def document() -> bytes:
        return msgspec.json.encode(make_document(service.model_names()))

    return document


def document_route(document: Callable[[], bytes]) -> Route:
    """Return the route."""

    async def answer(exchange: Exchange) -> None:
        await exchange.whole(200, _JSON, document(), ())

    return get_route("/openapi.json", answer)
