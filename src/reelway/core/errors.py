"""Surprises, sorted by whose turn it is to act: the caller's, the vendor's, or ours.

A generation that failed is not in here: that is a `Failure`, a value.
"""

from reelway.core.failures import Failure, FailureKind

__all__ = [
    "AuthenticationRequired",
    "BudgetExceeded",
    "CallerError",
    "Conflict",
    "Contradiction",
    "GatewayError",
    "Gone",
    "InputUnreachable",
    "InvalidRequest",
    "LeaseLost",
    "MediaUnreadable",
    "NoRoute",
    "NoWayToLook",
    "NotFound",
    "NotSent",
    "PermissionDenied",
    "RangeNotSatisfiable",
    "RateLimited",
    "ReelwayError",
    "SchemaTooNew",
    "StorageFailed",
    "SubmitOutcomeUnknown",
    "TooLarge",
    "Unavailable",
    "UnexpectedResponse",
    "UnsupportedType",
    "VendorError",
    "VendorRefused",
    "VendorUnreachable",
]


class ReelwayError(Exception):
    """Anything this package raises on purpose."""


class CallerError(ReelwayError):
    """The caller can mend it. `status`, `type`, `code` and `param` become the error envelope (contract 4).

    `kind` is what dialects with codes of their own choose their code by.
    """

    status = 400
    type = "invalid_request_error"
    code: str | None = None
    kind: FailureKind = FailureKind.INVALID_REQUEST

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.param = param
        self.retry_after_seconds = retry_after_seconds


class InvalidRequest(CallerError):
    """A field, or a combination of fields, that cannot be accepted."""

    code = "invalid_value"


class InputUnreachable(InvalidRequest):
    """An address of the caller's that gives nothing just now; it may in a while."""

    code = "url_unreachable"


class AuthenticationRequired(CallerError):
    """No key, or a key nobody knows."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"
    kind = FailureKind.AUTHENTICATION


class BudgetExceeded(CallerError):
    """The money set aside for this caller is used up."""

    status = 402
    type = "insufficient_quota"
    code = "budget_exceeded"
    kind = FailureKind.BUDGET_EXCEEDED


class PermissionDenied(CallerError):
    """A good key without the right to do this."""

    status = 403
    type = "permission_error"
    code = "permission_denied"
    kind = FailureKind.PERMISSION


class NotFound(CallerError):
    """No such thing, or not this caller's."""

    status = 404
    code = "not_found"


class Conflict(CallerError):
    """The thing is not in a state in which this can be done."""

    status = 409
    code = "conflict"


class Gone(CallerError):
    """It was there once: expired or deleted."""

    status = 410
    code = "gone"


class TooLarge(CallerError):
    """More bytes than the limit."""

    status = 413
    code = "too_large"


class UnsupportedType(CallerError):
    """A body type we do not read."""

    status = 415
    code = "unsupported_media_type"


class RangeNotSatisfiable(CallerError):
    """A Range beyond the end of the content."""

    status = 416
    code = "range_not_satisfiable"


class MediaUnreadable(CallerError):
    """A file that is not the media it claims to be."""

    status = 422
    code = "media_unreadable"


class RateLimited(CallerError):
    """Too many requests or unfinished videos."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    kind = FailureKind.RATE_LIMITED


class Unavailable(CallerError):
    """This server cannot do it just now: come again in a moment, here or at another node."""

    status = 503
    type = "server_error"
    code = "unavailable"
    kind = FailureKind.VENDOR_UNAVAILABLE


class VendorError(ReelwayError):
    """The vendor has to act, or we have to look again."""


class UnexpectedResponse(VendorError):
    """A state, code or shape nobody has met. The engine looks again; only the deadline ends the job."""


class VendorRefused(VendorError):
    """The vendor surely did not accept the request; `failure` says why, `retry_after_seconds` when to come back."""

    def __init__(self, failure: Failure, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.retry_after_seconds = retry_after_seconds


class NoWayToLook(VendorError):
    """The account shows no list, so a lost submit cannot be looked up there: neither found nor called absent."""


class NotSent(VendorError):
    """The request provably did not arrive: connection refused, name not found, TLS not agreed."""


class VendorUnreachable(VendorError):
    """No answer, or a broken one; whether the request arrived is not known."""


class SubmitOutcomeUnknown(VendorError):
    """A billable request was sent and its outcome is not known. Never repeated blindly (contract 8)."""


class GatewayError(ReelwayError):
    """Ours to mend."""


class NoRoute(CallerError):
    """No account can take this request now."""

    status = 503
    type = "server_error"
    code = "no_route"
    kind = FailureKind.VENDOR_UNAVAILABLE


class LeaseLost(GatewayError):
    """Another node, or a newer version of the row, owns this job; whoever sees this stops working on it."""


class SchemaTooNew(GatewayError):
    """The database was written by a newer version of Reelway."""


class Contradiction(GatewayError):
    """A write that cannot be true beside what is on record: a second settlement, or a vendor's work that another job has.

    Nothing of it was kept, and the same write will never be; unlike `StorageFailed`, trying again is no use.
    """


class StorageFailed(GatewayError):
    """Bytes could not be kept: disk full, folder not writable, object store out of reach."""
