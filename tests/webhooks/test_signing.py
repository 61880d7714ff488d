"""Signatures, against vectors computed elsewhere and against the libraries that receivers use."""

import base64
import json
import time
from typing import Any

import openai
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from reelway.webhooks.signing import SECRET_BYTES, make_secret, signed_headers
from reelway.webhooks.tenants import TenantSecrets

SECRET = "whsec_Z2F0ZXdheS10ZXN0LXNlY3JldC0wMDAx"
VECTORS = [
    (
        "wh_gw_0001",
        1_790_000_000,
        '{"id":"evt_gw_0001","object":"event","created_at":1790000000,"type":"video.completed","data":{"id":"video_gw_0001"}}',
        "v1,Y/9bvfJA/TRhYcj5rjK6PSZ+8MrX8sMDaPSEe0nokdA=",
    ),
    (
        "wh_gw_0002",
        1_790_000_060,
        '{"id":"evt_gw_0002","object":"event","created_at":1790000060,"type":"video.failed","data":{"id":"video_gw_0002"}}',
        "v1,P+CGKO6bo4GjPTiagEn8iHp7w70Fpk+czqChNYH5a7A=",
    ),
]
FOREVER = 10**10


@pytest.fixture(scope="module")
def client() -> openai.OpenAI:
    """The official SDK; verifying sends nothing."""
    return openai.OpenAI(api_key="unused", webhook_secret=SECRET)


@pytest.mark.parametrize(("message_id", "at", "body", "signature"), VECTORS)
def test_the_known_signatures_come_out(message_id: str, at: int, body: str, signature: str) -> None:
    """The two pairs of the wire sheet; parts of a second do not count."""
    expected = {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature}
    assert signed_headers(message_id, body, SECRET, at) == expected
    assert signed_headers(message_id, body, SECRET, at + 0.9) == expected


@pytest.mark.parametrize(("message_id", "at", "body", "signature"), VECTORS)
def test_the_official_sdk_accepts_the_known_signatures(
    client: openai.OpenAI, message_id: str, at: int, body: str, signature: str
) -> None:
    """And refuses them when a single letter of the body, the id or the time is another one."""
    headers = signed_headers(message_id, body, SECRET, at)
    client.webhooks.verify_signature(body, headers, tolerance=FOREVER)
    for changed in (
        (body.replace("video_gw", "video_gv"), headers),
        (body, {**headers, "webhook-id": "wh_gw_0009"}),
        (body, {**headers, "webhook-timestamp": str(at + 1)}),
    ):
        with pytest.raises(openai.InvalidWebhookSignatureError):
            client.webhooks.verify_signature(*changed, tolerance=FOREVER)


def test_the_official_sdk_unwraps_a_fresh_message(client: openai.OpenAI) -> None:
    """`client.webhooks.unwrap` returns the event, though the SDK has no class of its own for it."""
    body = VECTORS[0][2]
    event: Any = client.webhooks.unwrap(body, signed_headers("msg_1", body, SECRET, time.time()))
    assert event.type == "video.completed"
    assert event.data.id == "video_gw_0001"


def test_standardwebhooks_verifies_a_fresh_message_and_refuses_an_old_one() -> None:
    """The library's five minutes are counted from the time of the try."""
    body = VECTORS[0][2]
    assert Webhook(SECRET).verify(body, signed_headers("msg_1", body, SECRET, time.time())) == json.loads(body)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(body, signed_headers("msg_1", body, SECRET, time.time() - 301))


def test_a_secret_is_whsec_and_base64() -> None:
    """Without padding, on which receivers' libraries differ."""
    entropy = bytes(range(SECRET_BYTES))
    secret = make_secret(entropy)
    assert secret.startswith("whsec_")
    assert "=" not in secret
    assert base64.b64decode(secret.removeprefix("whsec_"), validate=True) == entropy


def test_too_little_randomness_makes_no_secret() -> None:
    """Fewer bytes than Standard Webhooks asks for are refused."""
    with pytest.raises(ValueError, match="24 random bytes"):
        make_secret(b"short")


class Facts:
    """Keeps facts in a dictionary."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def fact(self, name: str) -> str | None:
        return self.values.get(name)

    async def set_fact(self, name: str, value: str) -> str:
        return self.values.setdefault(name, value)


async def test_each_tenant_has_one_secret_of_its_own() -> None:
    """Made once, the same ever after, also for another process; whoever can verify a message could forge it."""
    facts = Facts()
    first = await TenantSecrets(facts).secret("acme")
    assert await TenantSecrets(facts).secret("acme") == first
    assert await TenantSecrets(facts).secret("globex") != first
