"""Vendors that call back: which address an attempt gives them, who may call there, and what becomes of a call.

The one rule: nothing a callback says is believed. It wakes the next look; and where the answer to a submit was lost, it names
the work to look at. Whoever does not know the secret of an attempt learns nothing, not even whether there is such a video.

Any node takes a call; the owner acts upon it. What names work that nobody else may know of is answered with 200 when the owner
has written it down, whichever node that is; else with 503, so that the vendor calls again.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from reelway.core.errors import NotFound, Unavailable, UnexpectedResponse
from reelway.core.ids import is_id
from reelway.core.jobs import Attempt, HeardOperation, Job
from reelway.core.lifecycle import State
from reelway.core.nodes import Signal
from reelway.core.record import Record
from reelway.engine.submissions import submission_of
from reelway.engine.tools import Tools
from reelway.engine.worker import Worker
from reelway.telemetry import logger
from reelway.vendors.spec import Callback, CanReadCallback, CanVerifyCallback, Heard

__all__ = ["Callbacks"]

_log = logger("engine.callbacks")
_MOST_ATTEMPTS_DIGITS = 4
_DETAIL_BYTES = 4_000
"""Of a call that is passed on; PostgreSQL carries signals of less than 8,000."""
_LOOK_SECONDS = 0.1
"""Between two looks at whether the owner has written it, where no signal tells."""


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

    def learn(self, signal: Signal) -> None:
        """Take a call that came to another node, which has checked its secret."""
        try:
            call = msgspec.json.decode(signal.detail, type=_Call)
        except msgspec.DecodeError as error:
            _log.warning("call_unreadable", video_id=signal.job_id, reason=str(error))
            return
        self._worker.called(signal.job_id, call.attempt, call.named)

    async def _pass_on(self, job: Job, attempt: Attempt, heard: Heard) -> None:
        """Wake the job; where the answer to its submit was lost, let what was named reach the disk before the vendor's 200."""
        found = heard.operation
        named = None if found is None else HeardOperation(operation=found.operation, key=found.key)
        if job.id in self._worker:
            must_be_written = self._worker.called(job.id, attempt.number, named)
        else:
            self._tell(job, attempt, named)
            # Whether the owner still waits for the answer to its submit, only the owner knows.
            must_be_written = job.state is State.SUBMITTING and attempt is job.attempt
        if named is not None and must_be_written:
            await self._until_written(job.id, attempt, named)

    def _tell(self, job: Job, attempt: Attempt, named: HeardOperation | None) -> None:
        detail = msgspec.json.encode(_Call(attempt=attempt.number, named=named))
        if len(detail) > _DETAIL_BYTES:  # the owner looks all the same, but where its answer was lost learns no name
            _log.warning("call_too_long_to_pass_on", video_id=job.id, bytes=len(detail))
            detail = msgspec.json.encode(_Call(attempt=attempt.number))
        self._tools.teller.tell(Signal(kind="called", job_id=job.id, detail=detail.decode()))

    async def _until_written(self, job_id: str, attempt: Attempt, named: HeardOperation) -> None:
        """Return when the row shows what was named, or needs it no more. Raises `Unavailable` when it does not in time."""
        tools = self._tools
        give_up_at = tools.monotonic() + tools.limits.callback_answer_seconds
        while True:
            written = tools.board.watch(job_id)
            try:
                if _shows(await tools.store.get(job_id), attempt, named):
                    return
                left = give_up_at - tools.monotonic()
                if left <= 0:
                    break
                await asyncio.wait({written}, timeout=min(left, _LOOK_SECONDS))
            finally:
                tools.board.unwatch(job_id, written)
        held = await tools.store.holder_of(attempt.account, (named.key,))
        if held.get(named.key, job_id) == job_id:
            raise Unavailable("this could not be written down in time; call again", retry_after_seconds=5)


class _Call(Record):
    """What one node tells another of a call."""

    attempt: int
    named: HeardOperation | None = None


def _shows(job: Job | None, attempt: Attempt, named: HeardOperation) -> bool:
    """Whether nothing is lost when the vendor never says it again."""
    if job is None or job.state is not State.SUBMITTING or job.attempt is None or job.attempt.number != attempt.number:
        return True
    return any(heard.key == named.key for heard in job.attempt.heard)


def _is_given_up(job: Job, attempt: Attempt) -> bool:
    return attempt.outcome not in {"open", "accepted", "unknown", "failed"} or (
        job.is_final and attempt.outcome == "unknown"
    )


def _attempt(job: Job, number: str) -> Attempt | None:
    """Return the attempt with this number, written as we write it."""
    if not (number.isascii() and number.isdigit() and len(number) <= _MOST_ATTEMPTS_DIGITS):
        return None
    return next((attempt for attempt in job.attempts if str(attempt.number) == number), None)
