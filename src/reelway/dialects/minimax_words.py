"""MiniMax's numbers and words, the same in both of its APIs: for refusals, and for tasks that failed."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from reelway.core.errors import CallerError
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.core.videos import Video
from reelway.dialects.spec import Answer

__all__ = ["Refusal", "failure_code", "refusal_of", "reply_headers", "video_of"]

_UNKNOWN_ERROR = 1000


class Refusal(Record):
    """How MiniMax says no: its own number, and the status and word of the newer API."""

    code: int
    status: int
    word: str


_BAD_REQUEST = Refusal(code=2013, status=400, word="bad_request_error")
_RATE_LIMITED = Refusal(code=1002, status=429, word="rate_limit_error")
_REFUSALS: Mapping[FailureKind, Refusal] = MappingProxyType(
    {
        FailureKind.AUTHENTICATION: Refusal(code=1004, status=401, word="authorized_error"),
        FailureKind.PERMISSION: Refusal(code=2061, status=403, word="authorized_error"),
        FailureKind.INSUFFICIENT_QUOTA: Refusal(code=1008, status=402, word="insufficient_balance_error"),
        FailureKind.BUDGET_EXCEEDED: Refusal(code=1008, status=402, word="insufficient_balance_error"),
        FailureKind.CONTENT_POLICY: Refusal(code=1026, status=422, word="unprocessable_entity_error"),
        FailureKind.RATE_LIMITED: _RATE_LIMITED,
        FailureKind.MODEL_NOT_FOUND: _BAD_REQUEST.evolve(status=404),
    }
)
_FAILURES: Mapping[FailureKind, int] = MappingProxyType(
    {FailureKind.CONTENT_POLICY: 1026, FailureKind.INVALID_REQUEST: 2013}
)
"""Failures of tasks that have a number. Whatever is not here is an unknown error to MiniMax."""


def refusal_of(error: CallerError) -> Refusal:
    """Return the number, status and word of an error. A model nobody has is a bad value as well, and keeps its 404."""
    if error.code == "no_route":
        return _RATE_LIMITED  # as MiniMax says that it did not take a request
    if error.status >= 500:
        return Refusal(code=_UNKNOWN_ERROR, status=error.status, word="server_error")
    if error.code in ("model_not_found", "alias_not_found"):
        return _REFUSALS[FailureKind.MODEL_NOT_FOUND]
    return _REFUSALS.get(error.kind, _BAD_REQUEST)


def failure_code(failure: Failure | None) -> int:
    """Return the number of a failure."""
    return _UNKNOWN_ERROR if failure is None else _FAILURES.get(failure.kind, _UNKNOWN_ERROR)


def reply_headers(error: CallerError, request_id: str) -> dict[str, str]:
    """Return the headers of a refusal."""
    headers = {"trace-id": request_id}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    return headers


def video_of(answer: Answer) -> Video:
    """Return the video that is to be shown."""
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    return answer
