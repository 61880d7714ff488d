"""How a generation can fail: a closed list, and what follows from each kind.

A failure is an outcome and therefore data. Whether something may be tried again is read from one table here, never
decided at the place where the failure happened.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from reelway.core.record import Record

__all__ = ["Failure", "FailureKind", "Remedy", "is_accounts_fault", "may_render_elsewhere", "remedy_for"]


class FailureKind(StrEnum):
    """Why a video was not made; the value is the public `error.code` (contract 4)."""

    INVALID_REQUEST = "invalid_request"
    CONTENT_POLICY = "content_policy"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    INSUFFICIENT_QUOTA = "insufficient_quota"
    RATE_LIMITED = "rate_limited"
    MODEL_NOT_FOUND = "model_not_found"
    VENDOR_UNAVAILABLE = "vendor_unavailable"
    VENDOR_ERROR = "vendor_error"
    TIMED_OUT = "timed_out"
    UNEXPECTED_RESPONSE = "unexpected_response"
    SUBMISSION_UNKNOWN = "submission_unknown"
    MEDIA_INVALID = "media_invalid"
    BUDGET_EXCEEDED = "budget_exceeded"
    CANCELLED = "cancelled"


class Remedy(StrEnum):
    """What may be done after a submit that the vendor surely refused."""

    NONE = "none"  # the caller has to change something
    LATER = "later"  # the same route, after a pause
    ELSEWHERE = "elsewhere"  # another route, at once


class Failure(Record):
    """An outcome: the video was not made."""

    kind: FailureKind
    message: str
    """What happened, to what, and what to do next; shown to callers, so free of secrets and vendor ids."""
    vendor_code: str | None = None
    """The vendor's own code, for operators."""


_REMEDIES: Mapping[FailureKind, Remedy] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: Remedy.NONE,
        FailureKind.CONTENT_POLICY: Remedy.NONE,
        FailureKind.AUTHENTICATION: Remedy.ELSEWHERE,
        FailureKind.PERMISSION: Remedy.ELSEWHERE,
        FailureKind.INSUFFICIENT_QUOTA: Remedy.ELSEWHERE,
        FailureKind.RATE_LIMITED: Remedy.LATER,
        FailureKind.MODEL_NOT_FOUND: Remedy.ELSEWHERE,
        FailureKind.VENDOR_UNAVAILABLE: Remedy.LATER,
        FailureKind.VENDOR_ERROR: Remedy.LATER,
        FailureKind.TIMED_OUT: Remedy.NONE,
        FailureKind.UNEXPECTED_RESPONSE: Remedy.NONE,
        FailureKind.SUBMISSION_UNKNOWN: Remedy.NONE,
        FailureKind.MEDIA_INVALID: Remedy.NONE,
        FailureKind.BUDGET_EXCEEDED: Remedy.NONE,
        FailureKind.CANCELLED: Remedy.NONE,
    }
)


def remedy_for(kind: FailureKind) -> Remedy:
    """Return what may be done after a submit refused with this kind of failure."""
    return _REMEDIES[kind]


_ACCOUNTS_FAULTS = frozenset(
    {
        FailureKind.AUTHENTICATION,
        FailureKind.PERMISSION,
        FailureKind.INSUFFICIENT_QUOTA,
        FailureKind.MODEL_NOT_FOUND,
        FailureKind.VENDOR_UNAVAILABLE,
        FailureKind.VENDOR_ERROR,
        FailureKind.TIMED_OUT,
        FailureKind.UNEXPECTED_RESPONSE,
        FailureKind.SUBMISSION_UNKNOWN,
    }
)


def is_accounts_fault(kind: FailureKind) -> bool:
    """Tell whether such a failure speaks against the account: not when the request was at fault, or came too soon."""
    return kind in _ACCOUNTS_FAULTS


def may_render_elsewhere(kind: FailureKind) -> bool:
    """Tell whether another account may make what failed to render at one: the remedies of a refused submit, and its time-out."""
    return remedy_for(kind) is not Remedy.NONE or kind is FailureKind.TIMED_OUT
