"""Vendors that call back: which address an attempt gives them, who may call there, and what becomes of a call.

The one rule: nothing a callback says is believed. It wakes the next look; and where the answer to a submit was lost, it names
the work to look at. Whoever does not know the secret of an attempt learns nothing, not even whether there is such a video.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from reelway.core.errors import NotFound, UnexpectedResponse
from reelway.core.ids import is_id
from reelway.core.jobs import Attempt, HeardOperation, Job
from reelway.engine.submissions import submission_of
from reelway.engine.tools import Tools
from reelway.engine.worker import Worker
from reelway.telemetry import logger
from reelway.vendors.spec import Callback, CanReadCallback, CanVerifyCallback, Heard

__all__ = ["Callbacks"]

_log = logger("engine.callbacks")
_MOST_ATTEMPTS_DIGITS = 4


class Callbacks:
    """Takes callbacks of every vendor."""

    def __init__(self, tools: Tools, worker: Worker) -> None:
        self._tools = tools
        self._worker = worker

    async def hear(
        self, video_id: str, number: str, secret: str, read: Callable[[], Awaitable[Callback]]
    ) -> dict[str, Any] | None:
        """Take a callback; return what the vendor wants to hear back, None where a bare 200 will do.

        `read` reads the request, which nobody does for a stranger. Raises `NotFound` unless the address is one we gave out.
        """
        job = await self._tools.store.get(video_id) if is_id("video", video_id) else None
        attempt = None if job is None else _attempt(job, number)
        known = attempt.callback_secret if attempt is not None else self._tools.token()
        if not hmac.compare_digest(known.encode(), secret.encode("utf-8", "replace")) or job is None or attempt is None:
            raise NotFound("there is nothing here", code="path_not_found")
        heard = self._read(job, attempt, await read())
        if heard.operation is not None and _is_given_up(job, attempt):
            # Nobody watches it, and it may have cost something: the operator finds it at the vendor.
            _log.warning("callback_of_lost_work", video_id=job.id, account=attempt.account, key=heard.operation.key)
        if not job.is_final:
            await self._pass_on(job, attempt, heard)
        return heard.answer

    def _read(self, job: Job, attempt: Attempt, callback: Callback) -> Heard:
        """Return what it tells: where it cannot be read or is not the vendor's, that something happened."""
        account = self._tools.account(attempt.account)
        adapter = self._tools.adapters.get(account.vendor) if account else None
        if account is None or adapter is None or not isinstance(adapter, CanReadCallback):
            return Heard()
        try:
            submission = submission_of(job, attempt, account, adapter, self._tools.public_url)
            if isinstance(adapter, CanVerifyCallback):
                adapter.verify_callback(callback, submission, account.credential, self._tools.clock())
            return adapter.read_callback(callback, submission)
        except UnexpectedResponse as error:
            _log.warning("callback_unreadable", video_id=job.id, account=account.name, reason=str(error))
            return Heard()

    async def _pass_on(self, job: Job, attempt: Attempt, heard: Heard) -> None:
        """Wake the job; where the answer to its submit was lost, let what was named reach the disk before the vendor's 200."""
        found = heard.operation
        named = None if found is None else HeardOperation(operation=found.operation, key=found.key)
        written = self._tools.board.watch(job.id)
        try:
            if self._worker.called(job.id, attempt.number, named):
                await asyncio.wait({written}, timeout=self._tools.limits.callback_answer_seconds)
        finally:
            self._tools.board.unwatch(job.id, written)


def _is_given_up(job: Job, attempt: Attempt) -> bool:
    return attempt.outcome not in {"open", "accepted", "unknown"} or (job.is_final and attempt.outcome == "unknown")


def _attempt(job: Job, number: str) -> Attempt | None:
    """Return the attempt with this number, written as we write it."""
    if not (number.isascii() and number.isdigit() and len(number) <= _MOST_ATTEMPTS_DIGITS):
        return None
    return next((attempt for attempt in job.attempts if str(attempt.number) == number), None)
