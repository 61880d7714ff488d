"""What Kling's answers mean: tasks of both designs, failures, refusals, and what a video cost.

The code in the body decides, never the status: four of the codes that come as HTTP 429 are permanent. A status counts only where
the body has no code of Kling's, because it is a proxy's.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from reelway.core.errors import ReelwayError, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import HttpResponse
from reelway.vendors.wire import excerpt, expect, is_success, kind_of_status, plain, read_error, retry_after_seconds

__all__ = [
    "Task",
    "TaskAnswer",
    "TaskList",
    "failure_of",
    "is_absent",
    "is_fine",
    "look_refusal",
    "read_answer",
    "submit_refusal",
    "usage_of",
]

Answer = TypeVar("Answer", "TaskAnswer", "TaskList")

_FINE = 0
_BAD_VALUE = 1201
_TOKEN_TOO_EARLY = 1003
_TOKEN_EXPIRED = 1004
_TOKEN_INVALID = 1002

_CODES: Mapping[int, FailureKind] = MappingProxyType(
    {
        1000: FailureKind.AUTHENTICATION,
        1001: FailureKind.AUTHENTICATION,
        1002: FailureKind.AUTHENTICATION,
        1003: FailureKind.AUTHENTICATION,
        1004: FailureKind.AUTHENTICATION,
        1100: FailureKind.PERMISSION,
        1101: FailureKind.INSUFFICIENT_QUOTA,
        1102: FailureKind.INSUFFICIENT_QUOTA,
        1103: FailureKind.PERMISSION,
        1200: FailureKind.INVALID_REQUEST,
        1201: FailureKind.INVALID_REQUEST,
        1202: FailureKind.MODEL_NOT_FOUND,
        1203: FailureKind.MODEL_NOT_FOUND,
        1300: FailureKind.CONTENT_POLICY,
        1301: FailureKind.CONTENT_POLICY,
        1302: FailureKind.RATE_LIMITED,
        1303: FailureKind.RATE_LIMITED,
        1304: FailureKind.PERMISSION,
    }
)
"""Codes of requests that made nothing. 5000 to 5002 are not among them: after those nobody knows."""

_ADVICE: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "change the request and create it again",
        FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
        FailureKind.AUTHENTICATION: "the operator has to check the key of this account",
        FailureKind.PERMISSION: "the operator has to check what this account may do, and from which addresses",
        FailureKind.INSUFFICIENT_QUOTA: "the operator has to add credit to this account",
        FailureKind.RATE_LIMITED: "it is asked again after a pause",
        FailureKind.MODEL_NOT_FOUND: "choose another model",
        FailureKind.VENDOR_ERROR: "create it again",
    }
)
_ADVICE_BY_CODE: Mapping[int, str] = MappingProxyType(
    {
        _TOKEN_INVALID: "the operator has to check the key of this account; the current API takes an API key only, and an "
        'access key with a secret key is for `service = "legacy"`',
        _TOKEN_TOO_EARLY: "the clock of this server is ahead; the operator has to set it right",
        _TOKEN_EXPIRED: "the clock of this server is behind; the operator has to set it right",
    }
)

_EXISTS = re.compile(
    r"already.{0,20}(exist|used|taken)|duplicate.{0,30}task|task.{0,30}duplicate|(任务|task).{0,30}(已存在|重复)",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(r"not.{0,12}(found|exist)|no such|(unknown|invalid).{0,30}\bid\b|不存在|找不到", re.IGNORECASE)

_POLICY = re.compile(
    r"risk.?control|sensitive|moderat|polic(y|ies)|unsafe|safety|nsfw|prohibit|风控|敏感|违规", re.IGNORECASE
)
_BAD_INPUT = re.compile(
    r"(invalid|unsupported|not supported|illegal|incorrect).*(resolution|aspect.?ratio|image|video|format)"
    r"|(resolution|aspect.?ratio|format).*(invalid|unsupported|not supported|illegal|incorrect)",
    re.IGNORECASE,
)
_SHARED = frozenset(
    {
        FailureKind.INVALID_REQUEST,
        FailureKind.CONTENT_POLICY,
        FailureKind.INSUFFICIENT_QUOTA,
        FailureKind.RATE_LIMITED,
        FailureKind.VENDOR_UNAVAILABLE,
        FailureKind.TIMED_OUT,
        FailureKind.MEDIA_INVALID,
        FailureKind.CANCELLED,
    }
)
"""Failures of another Reelway that are the same to us. Those about its own keys, routes and doubts are `vendor_error`."""

_AMOUNT = re.compile(r"(?=.*[1-9])\d{1,9}(\.\d{1,9})?", re.ASCII)
"""More than nothing, as decimal text."""


class TaskInfo(Record):
    external_task_id: str | None = None


class VideoResult(Record):
    """One file. Where no marked copy was asked for, `watermark_url` is absent, null or empty."""

    type: str = "video"
    url: str | None = None
    watermark_url: str | None = None


class TaskResult(Record):
    videos: list[VideoResult] | None = None


class Charge(Record):
    """What was taken from a package (`unit`) or from the balance (`cash`)."""

    charge_type: str = ""
    amount: Any = None
    currency: str | None = None
    package_type: str | None = None
    cash_type: str | None = None
    list_price: Any = None


class Task(Record):
    """A task in either design's words: the older ones begin with `task_`."""

    id: str | int = ""
    task_id: str | int = ""
    status: str = ""
    task_status: str = ""
    message: str | None = None
    task_status_msg: str | None = None
    external_id: str | None = None
    task_info: TaskInfo | None = None
    outputs: list[VideoResult] | None = None
    task_result: TaskResult | None = None
    billing: list[Charge] | None = None
    final_unit_deduction: Any = None
    final_balance_deduction: Any = None
    failure_code: str | None = None
    """Another Reelway says here what Kling only puts into words."""

    @property
    def key(self) -> str:
        return str(self.id or self.task_id)

    @property
    def state(self) -> str:
        return (self.status or self.task_status).strip().lower()

    @property
    def reason(self) -> str:
        return self.task_status_msg or self.message or ""

    @property
    def reference(self) -> str | None:
        """Our mark, as the vendor kept it."""
        return self.external_id or (self.task_info.external_task_id if self.task_info else None)

    @property
    def videos(self) -> tuple[VideoResult, ...]:
        """The videos among the results; one task may show pictures and sound as well."""
        results = self.outputs or (self.task_result.videos if self.task_result else None) or ()
        return tuple(result for result in results if result.type == "video")


class TaskAnswer(Record):
    """The envelope around one task."""

    data: Task | None = None


class TaskList(Record):
    """The envelope around several tasks."""

    data: list[Task] | None = None


class _Envelope(Record):
    code: Any = None
    message: Any = None


def read_answer(shape: type[Answer], response: HttpResponse) -> Answer:
    """Return what an answer to a mere look says. Raise where it says that there was an error."""
    if not is_fine(response):
        raise look_refusal(response)
    return expect(shape, response)


def is_fine(response: HttpResponse) -> bool:
    """Tell whether Kling did what it was asked; the message on success is free text."""
    return is_success(response) and _code_of(response) == _FINE


def is_absent(response: HttpResponse) -> bool:
    """Tell whether the older API says that there is no such task: not with a 404, but among the bad values."""
    return _code_of(response) == _BAD_VALUE and _NOT_THERE.search(read_error(response).message) is not None


def submit_refusal(response: HttpResponse) -> ReelwayError:
    """Return `VendorRefused` where nothing was made for sure, else `UnexpectedResponse`: an unknown outcome.

    That the reference exists already means that an earlier sending of this very request arrived: it is to be looked up.
    """
    code, kind = _code_of(response), _kind_of(response)
    exists = code == _BAD_VALUE and _EXISTS.search(read_error(response).message) is not None
    if exists or kind is None:
        return UnexpectedResponse(f"the outcome of the request is not known: {excerpt(response)}")
    return _refused(response, code, kind)


def look_refusal(response: HttpResponse) -> ReelwayError:
    """Return what the refusal of a mere look means; the task itself may be well."""
    kind = _kind_of(response)
    if kind in (None, FailureKind.INVALID_REQUEST, FailureKind.MODEL_NOT_FOUND, FailureKind.CONTENT_POLICY):
        return UnexpectedResponse(f"the task was not shown: {excerpt(response)}")
    return _refused(response, _code_of(response), kind)


def failure_of(task: Task) -> Failure:
    """Return why a task failed. Kling has no code for it, only words, so they are matched loosely."""
    kind = FailureKind.VENDOR_ERROR
    if task.failure_code:
        kind = FailureKind(task.failure_code) if task.failure_code in _SHARED else kind
    elif _POLICY.search(task.reason):
        kind = FailureKind.CONTENT_POLICY
    elif _BAD_INPUT.search(task.reason):
        kind = FailureKind.INVALID_REQUEST
    reason = plain(task.reason, task.key) or "it gave no reason"
    return Failure(kind=kind, message=_sentence("`kling` did not make the video", reason, _ADVICE.get(kind)))


def usage_of(task: Task) -> dict[str, Any]:
    """Return what was taken, in Kling's own words; `credits` or `cost` beside them where one figure says it all."""
    if task.billing:
        usage: dict[str, Any] = {"billing": msgspec.to_builtins(task.billing)}
        return usage | (_settled(task.billing[0]) if len(task.billing) == 1 else {})
    if task.final_unit_deduction is None:
        return {}
    usage = {"final_unit_deduction": str(task.final_unit_deduction)}
    if isinstance(task.final_balance_deduction, dict):
        # In which currency a balance is, the older API does not say, so what was taken from it settles nothing.
        usage["final_balance_deduction"] = task.final_balance_deduction
    return usage | _settled(Charge(charge_type="unit", amount=task.final_unit_deduction))


def _settled(charge: Charge) -> dict[str, Any]:
    """Return the figure of a charge as prices are settled by it; nothing where nothing was taken, or nobody can tell."""
    amount = str(charge.amount)
    if not _AMOUNT.fullmatch(amount):
        return {}
    if charge.charge_type == "unit":
        return {"credits": amount}
    if charge.charge_type == "cash" and charge.currency:
        return {"cost": {"currency": charge.currency, "settled": amount}}
    return {}


def _code_of(response: HttpResponse) -> int | None:
    """Return Kling's own code; None where the body is not Kling's."""
    try:
        code = msgspec.json.decode(response.body, type=_Envelope).code
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(code, str) and code.isascii() and code.isdigit():
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _kind_of(response: HttpResponse) -> FailureKind | None:
    """Return why a request made nothing; None where it may have made something all the same."""
    kind = _CODES.get(_code_of(response) or 0)
    if kind is not None:
        return kind
    return kind_of_status(response.status) if 400 <= response.status < 500 else None


def _refused(response: HttpResponse, code: int | None, kind: FailureKind) -> VendorRefused:
    advice = _ADVICE_BY_CODE.get(code or 0, _ADVICE.get(kind))
    reason = (code is not None and read_error(response).message) or f"HTTP {response.status}"  # no page of a proxy
    failure = Failure(
        kind=kind,
        message=_sentence("`kling` refused the request", reason, advice),
        vendor_code=None if code is None else str(code),
    )
    return VendorRefused(failure, retry_after_seconds=retry_after_seconds(response))


def _sentence(event: str, reason: str, advice: str | None) -> str:
    text = f"{event}: {reason.rstrip('. ')}"
    return f"{text}; {advice}." if advice else f"{text}."
