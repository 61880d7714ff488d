"""From a resolved request to the jobs that make it. Pure: the time, the ids and who will own them come in as arguments."""

from collections.abc import Callable

from reelway.core.jobs import Job
from reelway.core.keys import Caller
from reelway.core.videos import ResolvedRequest

__all__ = ["make_jobs"]


def make_jobs(
    resolved: ResolvedRequest,
    caller: Caller,
    now: float,
    *,
    reserved: int,
    deadline_seconds: float,
    takes_at_once: int,
    owner: str | None,
    epoch: int,
    new_id: Callable[[], str],
    urgency: int = 0,
    source_account: str | None = None,
) -> tuple[Job, tuple[Job, ...]]:
    """Return the job, and the jobs of its takes where the vendor makes fewer at a time than were asked for."""
    job = Job(
        id=new_id(),
        tenant=caller.tenant,
        key_id=caller.key_id,
        request=resolved,
        created_at=now,
        updated_at=now,
        deadline_at=now + deadline_seconds,
        due_at=now,
        owner=owner,
        epoch=epoch,
        reserved=reserved,
        urgency=urgency,
        source_account=source_account,
    )
    if resolved.n <= takes_at_once:
        return job, ()
    takes = tuple(
        job.evolve(id=new_id(), parent=job.id, take=take, reserved=0, request=_take(resolved, take))
        for take in range(resolved.n)
    )
    return job.evolve(takes=tuple(take.id for take in takes)), takes


def _take(resolved: ResolvedRequest, take: int) -> ResolvedRequest:
    """Return the request of one take; a seed counts up, or all takes would be the same video."""
    seed = None if resolved.seed is None else resolved.seed + take
    return resolved.evolve(n=1, seed=seed, callback_url=None, client_reference=None)
