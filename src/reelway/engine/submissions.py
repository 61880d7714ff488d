"""What an adapter is told of an attempt, while it is submitted, looked up or called back about.

The one rule: pure, and the same every time, so that whoever looks for an attempt sees what whoever sent it saw.
"""

from reelway.core.jobs import Attempt, Job
from reelway.engine.account import Account
from reelway.vendors.spec import Adapter, CanReadCallback, Submission

__all__ = ["CALLBACK_PATH", "submission_of"]

CALLBACK_PATH = "/callbacks"


def submission_of(job: Job, attempt: Attempt, account: Account, adapter: Adapter, public_url: str | None) -> Submission:
    """Return the submission of an attempt, without its source and with inputs as they were given."""
    return Submission(
        request=job.request,
        model=job.request.card if job.route is None else job.route.model,
        reference=attempt.reference,
        started_at=attempt.started_at,
        service=account.service,
        settings=account.settings,
        callback_url=_callback_url(job, attempt, public_url) if isinstance(adapter, CanReadCallback) else None,
    )


def _callback_url(job: Job, attempt: Attempt, public_url: str | None) -> str | None:
    """Return where the vendor may call back about this attempt alone: whoever knows the address may wake its next look."""
    if public_url is None:
        return None
    return f"{public_url}{CALLBACK_PATH}/{job.id}/{attempt.number}/{attempt.callback_secret}"
