"""What a create claims: the key by which it is recognised when it comes again (chosen by its caller, or made of what its official
client says of itself), and places under the limits of its API key and its end user.

Pure. The rule: one request becomes one video, and the same wish expressed twice becomes two.
"""

from reelway.core.keys import Caller, UnfinishedLimit
from reelway.store.spec import IdempotencyClaim

__all__ = ["SENT_AGAIN_SECONDS", "claim_for", "limits_for"]

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


def limits_for(caller: Caller, user: str | None, per_key: int, per_user: int) -> tuple[UnfinishedLimit, ...]:
    """Return how many videos of this key, and of this end user, may be under way; 0 sets no limit."""
    limits = []
    if per_key:
        limits.append(UnfinishedLimit(scope="key", tenant=caller.tenant, name=caller.key_id, most=per_key))
    if per_user and user is not None:
        limits.append(UnfinishedLimit(scope="user", tenant=caller.tenant, name=user, most=per_user))
    return tuple(limits)
