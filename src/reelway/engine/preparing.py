"""What has to be there before anything is sent: bytes where the vendor takes no address, and the source video's own work.

All of it happens before the attempt is written down, so that dying over it leaves no attempt whose outcome nobody knows.
"""

from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.jobs import Job
from reelway.core.lifecycle import State
from reelway.core.videos import Input, ResolvedRequest
from reelway.engine.account import Account
from reelway.engine.parting import fetched_prefix
from reelway.engine.submissions import submission_of
from reelway.engine.tools import Tools
from reelway.vendors.spec import Adapter, Submission

__all__ = ["Preparer"]


class Preparer:
    """Gathers what a submission is made of."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def gather(self, job: Job, adapter: Adapter) -> ResolvedRequest:
        """Return the job's request with inputs as bytes where the adapter cannot hand their addresses on. Raises `CallerError`."""
        inputs: list[Input] = []
        under = fetched_prefix(job.id)
        for number, given in enumerate(job.request.inputs):
            if given.blob is not None and await self._tools.assets.size(given.blob.key) is None:
                raise InvalidRequest(
                    f"{given.role} {number + 1} is not kept any more: it was deleted, or its time was over",
                    code="input_gone",
                )
            if given.url is not None and given.kind not in adapter.url_kinds:
                blob = await self._tools.fetcher.fetch(given.url, field=f"{given.role} {number + 1}", under=under)
                inputs.append(given.evolve(blob=blob, url=None))
            else:
                inputs.append(given)
        return job.request.evolve(inputs=tuple(inputs))

    async def submission(
        self, job: Job, account: Account, adapter: Adapter, request: ResolvedRequest | None = None
    ) -> Submission:
        """Return what the adapter may use; `request` is what was gathered, where something is to be sent."""
        source, source_model = await self._source(job, account)
        submission = submission_of(job, job.attempts[-1], account, adapter, self._tools.public_url)
        return submission.evolve(source=source, source_model=source_model, request=request or job.request)

    async def _source(self, job: Job, account: Account) -> tuple[dict[str, Any] | None, str | None]:
        """Return the vendor's operation behind the source video and its model there, when this very account made it."""
        if job.request.source_video_id is None:
            return None, None
        source = await self._tools.store.get(job.request.source_video_id)
        if (
            source is None
            or source.route is None
            or source.route.account != account.name
            or source.tenant != job.tenant
            or source.vendor_copy != "kept"
        ):
            return None, None
        return (source.operation, source.route.model) if source.state is State.COMPLETED else (None, None)
