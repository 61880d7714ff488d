"""What is left to do about a video whose time is over, as errands that are written beside its record. Pure."""

from collections.abc import Callable, Mapping

from reelway.core.errands import Errand, ForgetWork, RemoveBytes, errand_for
from reelway.core.jobs import Job
from reelway.engine.account import Account
from reelway.vendors.spec import Adapter, CanDelete

__all__ = ["INPUTS", "OUTPUTS", "expiry_errand", "fetched_prefix", "forgetting", "parting_errands"]

OUTPUTS = "videos"
"""Under this prefix lie the files of videos, each below the id of the job that stored it."""
INPUTS = "inputs"
"""Under this one lies what callers gave."""


def fetched_prefix(job_id: str) -> str:
    """Return where inputs lie that were fetched for a job."""
    return f"{INPUTS}/{job_id}"


def forgetting(job: Job, adapter: Adapter, account: Account, now: float) -> Errand | None:
    """Return the errand to have the vendor delete its copy; None where there is none, or where the vendor cannot."""
    if job.operation is None or not isinstance(adapter, CanDelete):
        return None
    key = "" if job.attempt is None else job.attempt.key
    return errand_for("forget", job.id, ForgetWork(account=account.name, operation=job.operation, key=key), now)


def expiry_errand(job: Job, now: float) -> Errand:
    """Return the errand to remove the files of a video whose retention is over."""
    return errand_for("expire", job.id, RemoveBytes(prefixes=_output_prefixes(job)), now)


def parting_errands(
    job: Job,
    takes: tuple[Job, ...],
    now: float,
    *,
    account_of: Callable[[str], Account | None],
    adapters: Mapping[str, Adapter],
) -> tuple[Errand, ...]:
    """Return everything that goes with a deleted video: first its files and what was uploaded or fetched for it, then the
    vendor's copies."""
    given = {blob.key for one in (job, *takes) for blob in (each.blob for each in one.request.inputs) if blob}
    mine = tuple(sorted(key for key in given if key.startswith(f"{INPUTS}/")))
    prefixes = _output_prefixes(job) + tuple(fetched_prefix(name) for name in (job.id, *job.takes))
    remove = errand_for("delete", job.id, RemoveBytes(prefixes=prefixes, keys=mine), now)
    errands = [remove]
    for one in (job, *takes):
        account = account_of(one.route.account) if one.route else None
        adapter = adapters.get(account.vendor) if account else None
        if account is None or adapter is None or not account.delete_after_collect or one.vendor_copy == "deleted":
            continue
        errand = forgetting(one, adapter, account, now)
        errands += [] if errand is None else [errand]
    return tuple(errands)


def _output_prefixes(job: Job) -> tuple[str, ...]:
    return tuple(f"{OUTPUTS}/{name}" for name in (job.id, *job.takes))
