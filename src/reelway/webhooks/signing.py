"""Signatures of messages, as Standard Webhooks 1.0 (and so the OpenAI SDKs) verify them.

The one rule: pure; time and random bytes come in as arguments, and a secret never appears in a message of an error.
"""

import base64
from datetime import UTC, datetime

from standardwebhooks import Webhook

__all__ = ["SECRET_BYTES", "make_secret", "signed_headers"]

SECRET_BYTES = 24
"""As many as Standard Webhooks asks for at least; their base64 needs no padding, on which receivers' libraries differ."""

_PREFIX = "whsec_"


def make_secret(entropy: bytes) -> str:
    """Return the text of a new secret, `whsec_` and base64, made of 24 random bytes."""
    if len(entropy) != SECRET_BYTES:
        raise ValueError(f"a webhook secret takes {SECRET_BYTES} random bytes (got {len(entropy)})")
    return _PREFIX + base64.b64encode(entropy).decode("ascii")


def signed_headers(message_id: str, body: str, secret: str, now: float) -> dict[str, str]:
    """Return the three headers of one try: the message's id, the time of this try, and the signature over both and the body."""
    moment = datetime.fromtimestamp(int(now), tz=UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body),
    }
