"""Errors and failures in Google's words: the canonical codes of gRPC, with the HTTP status each of them comes with.

What kind of error it is decides. Only where an error is merely "invalid" does its own HTTP status say more.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.errors import CallerError
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.record import Record
from reelway.core.videos import Video
from reelway.dialects.spec import Outgoing

__all__ = [
    "NO_BILLING",
    "OUT_OF_MONEY",
    "Canonical",
    "canonical",
    "failure_of",
    "message_of",
    "operation_error",
    "render_error",
    "retry_headers",
]


class Canonical(Record):
    """One code: its number, its word, and the HTTP status it is sent with."""

    number: int
    word: str
    status: int


_CANCELLED = Canonical(number=1, word="CANCELLED", status=499)
_UNKNOWN = Canonical(number=2, word="UNKNOWN", status=500)
_INVALID = Canonical(number=3, word="INVALID_ARGUMENT", status=400)
_TIMED_OUT = Canonical(number=4, word="DEADLINE_EXCEEDED", status=504)
_NOT_FOUND = Canonical(number=5, word="NOT_FOUND", status=404)
_DENIED = Canonical(number=7, word="PERMISSION_DENIED", status=403)
_EXHAUSTED = Canonical(number=8, word="RESOURCE_EXHAUSTED", status=429)
_WRONG_STATE = Canonical(number=9, word="FAILED_PRECONDITION", status=400)
_OUT_OF_RANGE = Canonical(number=11, word="OUT_OF_RANGE", status=416)
_UNIMPLEMENTED = Canonical(number=12, word="UNIMPLEMENTED", status=405)
_INTERNAL = Canonical(number=13, word="INTERNAL", status=500)
_UNAVAILABLE = Canonical(number=14, word="UNAVAILABLE", status=503)
_DATA_LOSS = Canonical(number=15, word="DATA_LOSS", status=500)
_UNAUTHENTICATED = Canonical(number=16, word="UNAUTHENTICATED", status=401)

_BY_KIND: Mapping[FailureKind, Canonical] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: _INVALID,
        FailureKind.CONTENT_POLICY: _INVALID,
        FailureKind.AUTHENTICATION: _UNAUTHENTICATED,
        FailureKind.PERMISSION: _DENIED,
        FailureKind.INSUFFICIENT_QUOTA: _EXHAUSTED,
        FailureKind.RATE_LIMITED: _EXHAUSTED,
        FailureKind.MODEL_NOT_FOUND: _NOT_FOUND,
        FailureKind.VENDOR_UNAVAILABLE: _UNAVAILABLE,
        FailureKind.VENDOR_ERROR: _INTERNAL,
        FailureKind.TIMED_OUT: _TIMED_OUT,
        FailureKind.UNEXPECTED_RESPONSE: _INTERNAL,
        FailureKind.SUBMISSION_UNKNOWN: _UNKNOWN,
        FailureKind.MEDIA_INVALID: _DATA_LOSS,
        FailureKind.BUDGET_EXCEEDED: _EXHAUSTED,
        FailureKind.CANCELLED: _CANCELLED,
    }
)
_BY_STATUS: Mapping[int, Canonical] = MappingProxyType(
    {
        401: _UNAUTHENTICATED,
        402: _DENIED,
        403: _DENIED,
        404: _NOT_FOUND,
        405: _UNIMPLEMENTED,
        408: _TIMED_OUT.evolve(status=408),
        # Google has no 409 for a video in the wrong state, and its client repeats every 409 of the Interactions API.
        409: _WRONG_STATE,
        410: _NOT_FOUND,
        416: _OUT_OF_RANGE,
        429: _EXHAUSTED,
        499: _CANCELLED,
        500: _INTERNAL,
        503: _UNAVAILABLE,
        504: _TIMED_OUT,
    }
)
OUT_OF_MONEY = frozenset({FailureKind.INSUFFICIENT_QUOTA, FailureKind.BUDGET_EXCEEDED})
NO_BILLING = "BILLING_DISABLED"
_VIOLATION = "type.googleapis.com/google.rpc.BadRequest"
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_DOMAIN = "reelway"


def canonical(error: CallerError) -> Canonical:
    """Return the code of an error. Without money coming back later is no use, so that is not a quota but a denial."""
    if error.kind in OUT_OF_MONEY:
        return _DENIED
    if error.kind is not FailureKind.INVALID_REQUEST:
        return _BY_KIND[error.kind]
    if error.status >= 500:
        return _BY_STATUS.get(error.status, _INTERNAL.evolve(status=error.status))
    return _BY_STATUS.get(error.status, _INVALID)


def failure_of(video: Video) -> Failure | None:
    """Return why the video failed, None when it did not."""
    if video.status is not Status.FAILED:
        return None
    return video.failure or Failure(kind=FailureKind.VENDOR_ERROR, message="The video was not made. Create it again.")


def operation_error(failure: Failure) -> dict[str, Any]:
    """Return a failure as the status of gRPC that operations and steps hold; several kinds share a code, so one detail tells."""
    return {
        "code": _BY_KIND[failure.kind].number,
        "message": failure.message,
        "details": [_info(failure.kind.value.upper())],
    }


def message_of(kind: FailureKind, message: str) -> str:
    """Return the message; that content was refused is not in any code, so Google's words for it are."""
    return f"Blocked by usage guidelines: {message}" if kind is FailureKind.CONTENT_POLICY else message


def retry_headers(error: CallerError, request_id: str) -> dict[str, str]:
    """Return the headers of a refusal."""
    headers = {"x-request-id": request_id}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_seconds)))
    return headers


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the envelope of Google's front end and of Vertex AI."""
    code = canonical(error)
    message = message_of(error.kind, error.message)
    body: dict[str, Any] = {"code": code.status, "message": message, "status": code.word}
    if error.kind in OUT_OF_MONEY:
        body["details"] = [_info(NO_BILLING)]
    elif error.param is not None and code.number == _INVALID.number:
        violation = {"field": error.param, "description": error.message}
        body["details"] = [{"@type": _VIOLATION, "fieldViolations": [violation]}]
    return Outgoing(status=code.status, body={"error": body}, headers=retry_headers(error, request_id))


def _info(reason: str) -> dict[str, str]:
    return {"@type": _INFO, "reason": reason, "domain": _DOMAIN}
