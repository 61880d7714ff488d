"""A client that sends again by itself says so; the service hears which sending it is, and of what."""

import json

import pytest
from tests.api.conftest import Ask
from tests.api.standin import StandIn
from tests.mounting.asgi import multipart

BODY = {"model": "sora-2", "prompt": "A fox"}


async def _send(ask: Ask, headers: dict[str, str], **fields: str) -> None:
    body = json.dumps({**BODY, **fields}).encode()
    answer = await ask("POST", "/v1/videos", body=body, content_type="application/json", headers=headers)
    assert answer.status == 200


@pytest.mark.parametrize(("count", "sending"), [("0", 0), ("1", 1), ("2", 2), ("002", 2)])
async def test_the_count_of_an_official_client_is_passed_on(
    ask: Ask, service: StandIn, count: str, sending: int
) -> None:
    """Together with what was asked for, so that a repetition can be told from another wish."""
    await _send(ask, {"x-stainless-retry-count": count})
    await _send(ask, {"x-stainless-retry-count": count}, prompt="A hare")
    (first, fox), (second, hare) = service.sendings
    assert (first, second) == (sending, sending)
    assert len(fox) == len(hare) == 64
    assert fox != hare


@pytest.mark.parametrize(
    "headers", [{}, *({"x-stainless-retry-count": count} for count in ("", "x", "-1", "1.0", "9999999"))]
)
async def test_who_does_not_count_is_not_known_again(ask: Ask, service: StandIn, headers: dict[str, str]) -> None:
    """What is no count is nobody's business: the create goes on as if it were not there."""
    await _send(ask, headers)
    assert service.sendings == [(None, "")]


async def test_a_file_sent_again_is_the_same_body(ask: Ask, service: StandIn) -> None:
    """Although its boundary and its place in our store are new."""
    for count in ("0", "1"):
        form, content_type = multipart(
            *BODY.items(), ("image", ("a.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"x" * 50))
        )
        headers = {"x-stainless-retry-count": count}
        assert (await ask("POST", "/v1/videos", body=form, content_type=content_type, headers=headers)).status == 200
    assert [sending for sending, _ in service.sendings] == [0, 1]
    assert len({body_hash for _, body_hash in service.sendings}) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "google-genai-sdk/3.6.1 gl-python/3.11.7"},
        {"user-agent": "Mozilla/5.0", "x-goog-api-client": "google-genai-sdk/3.1.0 gl-node/web"},
        {"user-agent": "volc-sdk-python/5.0.54"},
        {"user-agent": "ai/6.0.326 ai-sdk/provider-utils/4.0.56 runtime/node.js/v20.20.2"},
    ],
)
async def test_clients_that_repeat_and_do_not_say_so_are_known(
    ask: Ask, service: StandIn, headers: dict[str, str]
) -> None:
    """By what they call themselves. When the request arrived is told with what it asks for."""
    await _send(ask, headers)
    await _send(ask, {**headers, "idempotency-key": "order-1"})
    await _send(ask, {**headers, "x-stainless-retry-count": "1"})
    assert [unsaid is not None for unsaid in service.unsaid] == [True, False, False]
    assert [len(body_hash) for _, body_hash in service.sendings] == [64, 64, 64]


async def test_others_are_not(ask: Ask, service: StandIn) -> None:
    """Who sends the same twice with a client that never repeats gets two."""
    await _send(ask, {"user-agent": "curl/8.11"})
    assert (service.unsaid, service.sendings) == ([None], [(None, "")])
