"""Models: every name, with its card as it is today."""

from datetime import UTC, datetime
from typing import Any

from tests.api.conftest import Ask
from tests.api.standin import StandIn
from tests.mounting.asgi import call

from reelway.api.app import make_app


async def test_every_name_is_listed_with_its_card(ask: Ask, service: StandIn) -> None:
    """OpenAI's list shape, and the card under `video`."""
    listed = (await ask("GET", "/v1/models")).json
    assert [model["id"] for model in listed["data"]] == list(service.model_names())
    one = (await ask("GET", "/v1/models/veo3.1")).json
    assert one == next(model for model in listed["data"] if model["id"] == "veo3.1")
    assert {"modes", "audio", "options", "price", "routes", "deprecation"} <= set(one["video"])


async def test_an_unknown_name_gets_the_nearest(ask: Ask) -> None:
    """404 that helps."""
    answer = await ask("GET", "/v1/models/sora2")
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
    assert "sora-2" in answer.error["message"]


async def test_what_retires_is_shown_by_the_day(service: StandIn) -> None:
    """A server that runs for months does not go on showing the state of its first day."""
    now = [datetime(2026, 1, 1, tzinfo=UTC).timestamp()]
    app = make_app(service, clock=lambda: now[0])  # type: ignore[arg-type]

    async def retired() -> list[Any]:
        answer = await call(app, "GET", "/v1/models")
        assert answer is not None
        return [route["retired"] for model in answer.json["data"] for route in model["video"]["routes"]]

    before = await retired()
    now[0] = datetime(2036, 1, 1, tzinfo=UTC).timestamp()
    after = await retired()
    assert sum(after) > sum(before)
