"""Errors of vendors that name a cause by a code, in the answer to a request and inside of a task that failed alike.

Codes are matched by whoever knows the vendor; what follows from the kind is the same for all of them.
"""

from collections.abc import Callable, Mapping

from reelway.core.errors import ReelwayError, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import HttpResponse
from reelway.vendors.wire import excerpt, kind_of_status, plain, read_error, retry_after_seconds, word

__all__ = ["CodedErrors"]


class CodedErrors(Record):
    """What one vendor's errors mean."""

    vendor: str
    kind_of: Callable[[str, str], FailureKind | None]
    """From code and message to what they mean; None for what nobody has met."""
    advice: Mapping[FailureKind, str]
    """What to do next."""

    def submit_refusal(self, response: HttpResponse) -> ReelwayError:
        """Return `VendorRefused` where nothing was made for sure, else `UnexpectedResponse`: an unknown outcome."""
        if response.status >= 500 or kind_of_status(response.status) is None:
            return UnexpectedResponse(f"the outcome of the request is not known: {excerpt(response)}")
        return self.look_refusal(response)

    def look_refusal(self, response: HttpResponse) -> VendorRefused:
        """Return what an error answer refuses, and why."""
        error = read_error(response)
        kind = self.kind_of(error.code, error.message) or kind_of_status(response.status) or FailureKind.VENDOR_ERROR
        reason = error.message or f"HTTP {response.status}"
        failure = self._failure(kind, "refused the request", reason, error.code, self.advice.get(kind))
        return VendorRefused(failure, retry_after_seconds=retry_after_seconds(response))

    def task_failure(self, code: object, message: object, task_id: str) -> Failure:
        """Return why a task failed. A code nobody has met is the vendor's failure, never a guess at ours."""
        said, reason = "" if code is None else word(str(code)), plain(str(message or ""), task_id)
        kind = self.kind_of(said, reason) or FailureKind.VENDOR_ERROR
        # Nobody asks again by himself for a task that had been accepted.
        advice = "create it again" if kind is FailureKind.RATE_LIMITED else self.advice.get(kind)
        return self._failure(kind, "did not make the video", reason or said or "it gave no reason", said, advice)

    def _failure(self, kind: FailureKind, event: str, reason: str, code: str, advice: str | None) -> Failure:
        text = f"`{self.vendor}` {event}: {reason.rstrip('. ')}"
        return Failure(kind=kind, message=f"{text}; {advice}." if advice else f"{text}.", vendor_code=code or None)
