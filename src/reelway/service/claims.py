"""How a create is recognised when it comes again: by the key its caller chose, or by what its official client says of itself.

Pure. The rule: one request becomes one video, and the same wish expressed twice becomes two.
"""

from reelway.core.keys import Caller
from reelway.store.spec import IdempotencyClaim

__all__ = ["SENT_AGAIN_SECONDS", "claim_for"]

_CHOSEN_SECONDS = 86_400.0
SENT_AGAIN_SECONDS = 1_500.0
"""An official client sends three times, gives up on each after 600 seconds, and rests for up to 120 in between."""


def claim_for(
    caller: Caller, now: float, *, idempotency_key: str | None, body_hash: str, sending: int | None
) -> IdempotencyClaim | None:
    """Return what this create is remembered by, None when it carries nothing to recognise it by.

    `sending` is the count of a client that sends again by itself and has no keys: 0 for the first time.
    """
    if idempotency_key is not None:
        return IdempotencyClaim(
            key_id=caller.key_id, key=idempotency_key, body_hash=body_hash, expires_at=now + _CHOSEN_SECONDS
        )
    if sending is None:
        return None
    return IdempotencyClaim(
        key_id=caller.key_id,
        key=f"body:{body_hash}",
        body_hash=body_hash,
        expires_at=now + SENT_AGAIN_SECONDS,
        sending=sending,
    )
