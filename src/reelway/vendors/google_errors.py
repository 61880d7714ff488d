"""What goes wrong at Google, on the Gemini API and on Vertex AI: refusals, failed operations, and what safety filters say.

Google has no code for refused content, so its words decide; all else is read from the canonical codes of gRPC. An error that may
have been preceded by an acceptance is never called a refusal.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from reelway.core.errors import ReelwayError, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import HttpResponse, Submission
from reelway.vendors.wire import excerpt, kind_of_status, plain, read_error, retry_after_seconds

__all__ = [
    "OperationError",
    "blocked",
    "cannot",
    "failure_of",
    "gone",
    "has_gone",
    "look_refusal",
    "submit_refusal",
    "without_video",
]

_WORDS: Mapping[str, FailureKind] = MappingProxyType(
    {
        "failed_precondition": FailureKind.INVALID_REQUEST,
        "invalid_argument": FailureKind.INVALID_REQUEST,
        "invalid_request": FailureKind.INVALID_REQUEST,
        "not_found": FailureKind.MODEL_NOT_FOUND,
        "out_of_range": FailureKind.INVALID_REQUEST,
        "permission_denied": FailureKind.PERMISSION,
        "resource_exhausted": FailureKind.RATE_LIMITED,
        "unauthenticated": FailureKind.AUTHENTICATION,
    }
)
_NUMBERS: Mapping[int, FailureKind] = MappingProxyType(
    {
        1: FailureKind.CANCELLED,
        3: FailureKind.INVALID_REQUEST,
        4: FailureKind.TIMED_OUT,
        8: FailureKind.RATE_LIMITED,
    }
)
"""Codes of gRPC with which work that was begun has failed; every other one is the vendor's failure."""

_ADVICE: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "change the request and create it again",
        FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
        FailureKind.AUTHENTICATION: "the operator has to check the credentials of this account",
        FailureKind.PERMISSION: "the operator has to check what this account may do, and from where",
        FailureKind.INSUFFICIENT_QUOTA: "the operator has to check the billing of this account",
        FailureKind.MODEL_NOT_FOUND: "choose another model",
        FailureKind.VENDOR_ERROR: "create it again",
        FailureKind.TIMED_OUT: "create it again",
    }
)
_OWN = (
    FailureKind.INVALID_REQUEST,
    FailureKind.CONTENT_POLICY,
    FailureKind.INSUFFICIENT_QUOTA,
    FailureKind.RATE_LIMITED,
    FailureKind.VENDOR_UNAVAILABLE,
    FailureKind.TIMED_OUT,
    FailureKind.MEDIA_INVALID,
    FailureKind.CANCELLED,
)
_OF_REELWAY: Mapping[str, FailureKind] = MappingProxyType(
    {
        **{kind.value: FailureKind.VENDOR_ERROR for kind in FailureKind},
        **{kind.value: kind for kind in _OWN},
        "budget_exceeded": FailureKind.INSUFFICIENT_QUOTA,
    }
)
"""What the codes of another Reelway mean to us. Those about its own keys, routes and doubts are the vendor's failure."""

_SAFETY = re.compile(
    r"usage guidelines|support codes?\b|responsible ai|\bsafety\b|prohibited.content|content polic|\bviolat",
    re.IGNORECASE,
)
_PLACE = re.compile(r"location is not supported|not (?:available|supported) in your (?:country|region)", re.IGNORECASE)
_PROJECT = re.compile(r"(projects?[/:]|\bproject (?=\d{6}))[\w.-]+", re.IGNORECASE)
"""The operator's project, which Google names in its messages and callers need not know."""
_UNKNOWN_INTERACTION = "invalid interaction name"
_REASONS: Mapping[str, FailureKind] = MappingProxyType(
    {"API_KEY_INVALID": FailureKind.AUTHENTICATION, "BILLING_DISABLED": FailureKind.INSUFFICIENT_QUOTA}
)
"""Reasons in the details of a 400 or 403, which say more than its code."""


class ErrorDetail(Record):
    """`google.rpc.ErrorInfo`, among others that are not read."""

    reason: str = ""


class OperationError(Record):
    """Google's status: of an operation, of a step, or in an envelope. The number is that of gRPC, or of HTTP."""

    code: Any = None
    message: Any = None
    status: Any = None
    details: Any = None

    @property
    def text(self) -> str:
        """What it says."""
        return self.message if isinstance(self.message, str) else ""

    @property
    def word(self) -> str:
        """Its code in words, in lower case; empty where there is only a number."""
        found = next((value for value in (self.status, self.code) if isinstance(value, str) and value), "")
        return found.strip().lower()

    @property
    def reason(self) -> str:
        """The reason in its details."""
        try:
            details = msgspec.convert(self.details, list[ErrorDetail])
        except msgspec.ValidationError:
            return ""
        return next((detail.reason for detail in details if detail.reason), "")


def submit_refusal(response: HttpResponse, submission: Submission, vendor: str) -> ReelwayError:
    """Return `VendorRefused` where nothing was made for sure, else `UnexpectedResponse`: an unknown outcome."""
    error = _read(response)
    kind = _refusal_kind(response.status, error)
    if kind is None:
        return UnexpectedResponse(f"the outcome of the request is not known: {excerpt(response)}")
    if kind is FailureKind.MODEL_NOT_FOUND and submission.source is not None and "interaction" in error.text.lower():
        kind = FailureKind.INVALID_REQUEST  # the source is not there any more; no other route would have it
    return VendorRefused(_refused(error, kind, response, vendor), retry_after_seconds=retry_after_seconds(response))


def look_refusal(response: HttpResponse, vendor: str) -> VendorRefused:
    """Return the refusal of a mere look; the video itself may be well."""
    error = _read(response)
    kind = kind_of_status(response.status) or FailureKind.VENDOR_ERROR
    return VendorRefused(_refused(error, kind, response, vendor), retry_after_seconds=retry_after_seconds(response))


def has_gone(response: HttpResponse) -> bool:
    """Tell whether Google itself, and no proxy, says that there is no such work.

    An unknown interaction is a 400 with this very text. Other 400s were seen on running, billed ones (bike4mind): look again.
    """
    error = _read(response)
    if response.status == 400:
        return _UNKNOWN_INTERACTION in error.text.lower()
    return response.status == 404 and error.word == "not_found"


def failure_of(error: OperationError, vendor: str, *hidden: str, told: str = "") -> Failure:
    """Return why work that was begun has failed; `told` is a code another Reelway gives beside it."""
    number = error.code if isinstance(error.code, int) else 0
    code = (told or error.reason).lower()
    kind = _NUMBERS.get(number, FailureKind.VENDOR_ERROR)
    if code in _OF_REELWAY:
        kind = _OF_REELWAY[code]
    elif _SAFETY.search(error.text):
        kind = FailureKind.CONTENT_POLICY
    reason = _shown(error.text, *hidden) or "it gave no reason"
    advice = "create it again" if kind is FailureKind.RATE_LIMITED else _ADVICE.get(kind)
    message = _sentence(f"`{vendor}` did not make the video", reason, advice)
    return Failure(kind=kind, message=message, vendor_code=str(number) if number else code or None)


def blocked(reasons: tuple[str, ...], vendor: str) -> Failure:
    """Return what a safety filter that kept the video back means. It costs nothing."""
    reason = _shown("; ".join(reasons)) or "it gave no reason"
    message = _sentence(f"`{vendor}` kept the video back for safety", reason, _ADVICE[FailureKind.CONTENT_POLICY])
    return Failure(kind=FailureKind.CONTENT_POLICY, message=message)


def gone(vendor: str) -> Failure:
    """Return what it means that the vendor does not know work that it has accepted."""
    message = (
        f"`{vendor}` does not know the video any more; it may have been charged. Create it again if it is still wanted."
    )
    return Failure(kind=FailureKind.VENDOR_ERROR, message=message, vendor_code="not_found")


def without_video(vendor: str, *, charged: bool = False) -> Failure:
    """Return what a success without anything to fetch means."""
    cost = "it was charged, so the operator should claim it back" if charged else "create it again"
    message = f"`{vendor}` says that it finished, and shows no video; {cost}."
    return Failure(kind=FailureKind.VENDOR_ERROR, message=message, vendor_code="no_video")


def cannot(vendor: str, why: str, kind: FailureKind = FailureKind.INVALID_REQUEST) -> VendorRefused:
    """Return the refusal of what this surface has no way to say."""
    return VendorRefused(Failure(kind=kind, message=f"`{vendor}` cannot make this: {why}."))


def _refusal_kind(status: int, error: OperationError) -> FailureKind | None:
    """Return why a create was refused; None where it may have been accepted: conflicts, time-outs, breakdowns."""
    kind = kind_of_status(status)
    if kind is None or status in (402, 429):
        return kind
    reason = _REASONS.get(error.reason or error.word.upper())
    if reason is not None:
        return reason
    if kind is FailureKind.INVALID_REQUEST and _SAFETY.search(error.text):
        return FailureKind.CONTENT_POLICY
    if _PLACE.search(error.text):
        return FailureKind.PERMISSION
    return _WORDS.get(error.word, kind)


def _refused(error: OperationError, kind: FailureKind, response: HttpResponse, vendor: str) -> Failure:
    reason = _shown(error.text) or read_error(response).message or f"HTTP {response.status}"
    advice = "it is asked again after a pause" if kind is FailureKind.RATE_LIMITED else _ADVICE.get(kind)
    message = _sentence(f"`{vendor}` refused the request", reason, advice)
    return Failure(kind=kind, message=message, vendor_code=error.word or None)


def _read(response: HttpResponse) -> OperationError:
    """Return what the envelope holds, which Google's front end sometimes wraps in a list of one."""
    try:
        body = msgspec.json.decode(response.body)
        body = body[0] if isinstance(body, list) and body else body
        return msgspec.convert(body["error"], OperationError)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, KeyError):
        return OperationError()


def _shown(text: str, *hidden: str) -> str:
    return plain(_PROJECT.sub(r"\1…", text), *hidden)


def _sentence(event: str, reason: str, advice: str | None) -> str:
    text = f"{event}: {reason.rstrip('. ')}"
    return f"{text}; {advice}." if advice else f"{text}."
