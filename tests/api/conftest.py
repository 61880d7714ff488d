"""The app over the stand-in, and a short way to ask it things."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.api.standin import StandIn
from tests.mounting.asgi import Got, call

from reelway.api.app import make_app
from reelway.api.document import document_of
from reelway.web.pages import page_routes

Ask = Callable[..., Awaitable[Got]]


@pytest.fixture
def service() -> StandIn:
    return StandIn()


@pytest.fixture
def app(service: StandIn) -> Any:
    document = document_of(service)  # type: ignore[arg-type] # a stand-in has the signatures, not the class
    return make_app(service, document=document, more_routes=page_routes(document))  # type: ignore[arg-type]


@pytest.fixture
def ask(app: Any) -> Ask:
    async def asking(method: str, target: str, **options: Any) -> Got:
        answer = await call(app, method, target, **options)
        assert answer is not None
        assert answer.headers["x-request-id"].startswith("req_")
        return answer

    return asking
