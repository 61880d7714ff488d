"""What an idempotency key was used for, whatever the request made with it."""

from reelway.core.errors import Conflict, Gone
from reelway.store.queries import Work
from reelway.store.reads import idempotent_answer
from reelway.store.spec import IdempotencyClaim

__all__ = ["earlier_answer", "gone"]


def earlier_answer(claim: IdempotencyClaim, now: float, made: str) -> Work[str | None]:
    """Return the id an earlier request with this key was answered with, None when the key is free.

    Raise `Conflict` when that request had another body. `made` says what the caller wants to make, a video say.
    """
    answer = yield from idempotent_answer(claim.key_id, claim.key)
    if answer is None or answer.expires_at <= now:
        return None
    if answer.body_hash != claim.body_hash:
        raise Conflict(
            f"the Idempotency-Key {claim.key!r} was used for {answer.job_id} with another body: "
            f"send the same body again, or a new key for a new {made}",
            code="idempotency_mismatch",
        )
    return answer.job_id


def gone(claim: IdempotencyClaim, earlier_id: str, made: str) -> Gone:
    """Return what to raise when that was deleted since."""
    return Gone(
        f"the Idempotency-Key {claim.key!r} was used for {earlier_id}, which was deleted since: "
        f"send a new key for a new {made}"
    )
