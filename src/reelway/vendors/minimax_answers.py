"""What MiniMax's answers mean: tasks of both APIs, failures, refusals.

The older API says with HTTP 200 that something went wrong, and how in `base_resp`; the newer one has error statuses, with the same
number in brackets at the end of its message. The number decides; a status counts where there is none.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from reelway.core.errors import ReelwayError, UnexpectedResponse, VendorRefused
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.spec import HttpResponse
from reelway.vendors.wire import (
    excerpt,
    expect,
    is_success,
    kind_of_status,
    plain,
    read_error,
    retry_after_seconds,
)

__all__ = [
    "FINISHED",
    "CreatedAnswer",
    "FileAnswer",
    "Pushed",
    "QueryAnswer",
    "Task",
    "TaskAnswer",
    "TaskList",
    "code_of",
    "failure_of",
    "is_fine",
    "is_gone",
    "is_refused_content",
    "look_refusal",
    "read_look",
    "submit_refusal",
    "usage_of",
]

FINISHED = frozenset({"succeeded", "failed", "cancelled", "expired"})
"""States of the newer API in which nothing happens to a task any more."""

_FINE = 0
_BAD_VALUE = 2013
_CONTENT = (1026, 1027)
_GONE = (404, 410)
_NOT_FOUND = "record not found"
_UNCLEAR = frozenset({1000, 1001, 1013, 1024, 1033})
"""Faults on the vendor's side: after them nobody knows whether there is a task."""

_CODES: Mapping[int, FailureKind] = MappingProxyType(
    {
        1002: FailureKind.RATE_LIMITED,
        1004: FailureKind.AUTHENTICATION,
        1008: FailureKind.INSUFFICIENT_QUOTA,
        1026: FailureKind.CONTENT_POLICY,
        1027: FailureKind.CONTENT_POLICY,
        1028: FailureKind.INSUFFICIENT_QUOTA,
        1030: FailureKind.INSUFFICIENT_QUOTA,
        1039: FailureKind.RATE_LIMITED,
        1041: FailureKind.RATE_LIMITED,
        1042: FailureKind.INVALID_REQUEST,
        2013: FailureKind.INVALID_REQUEST,
        2045: FailureKind.RATE_LIMITED,
        2049: FailureKind.AUTHENTICATION,
        2056: FailureKind.INSUFFICIENT_QUOTA,
        2061: FailureKind.PERMISSION,
    }
)
"""Codes of requests that made nothing. The vendor's own program takes 1002 and 1039 for content; its list says rates."""

_ADVICE: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.INVALID_REQUEST: "change the request and create it again",
        FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
        FailureKind.AUTHENTICATION: "the operator has to check the key, which belongs to one region",
        FailureKind.PERMISSION: "the operator has to check what the plan of this account covers",
        FailureKind.INSUFFICIENT_QUOTA: "the operator has to top this account up",
        FailureKind.RATE_LIMITED: "it is asked again after a pause",
        FailureKind.MODEL_NOT_FOUND: "choose another model",
        FailureKind.VENDOR_ERROR: "create it again",
    }
)
_AFTERWARDS: Mapping[FailureKind, str] = MappingProxyType({**_ADVICE, FailureKind.RATE_LIMITED: "create it again"})
"""The same for a task that had been accepted: nobody asks again by himself."""

_CODE_AT_END = re.compile(r"\s*\((\d{4})\)\s*$", re.ASCII)
_MOST_SECONDS = 10_000
"""What no video has; a larger figure is a slip."""

_FIGURES = (
    "input_audio_seconds",
    "input_image_count",
    "input_seconds",
    "output_seconds",
    "total_seconds",
)


class BaseResponse(Record):
    """Whether the older API did what it was asked."""

    status_code: int = _FINE
    status_msg: str | None = None


class CreatedAnswer(Record):
    """The answer to a create, of both APIs."""

    task_id: str = ""


class QueryAnswer(Record):
    """A task of the older API. Why one failed stands in the answer to the very look that shows it."""

    status: str = ""
    file_id: str | int | None = None
    base_resp: BaseResponse = BaseResponse()


class StoredFile(Record):
    """A file the vendor keeps."""

    download_url: str | None = None


class FileAnswer(Record):
    """Where a finished file of the older API lies."""

    file: StoredFile


class TaskError(Record):
    """Why a task of the newer API failed."""

    code: Any = None
    message: Any = None


class TaskContent(Record):
    """The result, for a time nobody states."""

    url: str | None = None


class Task(Record):
    """A task of the newer API, the fields that are used."""

    id: str = ""
    status: str = ""
    error: TaskError | None = None
    content: TaskContent | None = None
    created_at: float | None = None
    resolution: str | None = None
    duration: float | None = None
    ratio: str | None = None
    usage: Any = None


class TaskAnswer(Record):
    """The envelope around one task."""

    task: Task


class TaskList(Record):
    """One page of the list."""

    items: list[Task]
    total: int | None = None


class Pushed(Record):
    """What is sent to a callback address: first a challenge, then tasks as a look would show them."""

    challenge: str | int | None = None
    task_id: str = ""
    task: Task | None = None

    @property
    def key(self) -> str:
        return self.task.id if self.task is not None else self.task_id


class _Envelope(Record):
    base_resp: Any = None
    error: Any = None


def is_fine(response: HttpResponse) -> bool:
    """Tell whether the vendor did what it was asked."""
    return is_success(response) and code_of(response) in (None, _FINE)


def is_gone(response: HttpResponse) -> bool:
    """Tell whether a look at one task says that there is none: its id is all that can be wrong with the question.

    LiteLLM has met such a look answered with HTTP 500 (1.108, November 2026).
    """
    not_found = response.status >= 500 and _NOT_FOUND in read_error(response).message.lower()
    return not_found or response.status in _GONE or code_of(response) == _BAD_VALUE


def is_refused_content(code: int) -> bool:
    """Tell whether a code means that words or pictures were refused, whatever state is shown beside it."""
    return code in _CONTENT


def read_look(response: HttpResponse) -> TaskAnswer:
    """Return a task of the newer API. Raise where it is not shown."""
    if not is_fine(response):
        raise look_refusal(response)
    return expect(TaskAnswer, response)


def submit_refusal(response: HttpResponse) -> ReelwayError:
    """Return `VendorRefused` where nothing was made for sure, else `UnexpectedResponse`: an unknown outcome."""
    kind = _kind_of(response)
    if kind is None:
        return UnexpectedResponse(f"the outcome of the request is not known: {excerpt(response)}")
    return _refused(response, kind)


def look_refusal(response: HttpResponse) -> ReelwayError:
    """Return what the refusal of a mere look means; the task itself may be well."""
    kind = _kind_of(response)
    if kind in (None, FailureKind.INVALID_REQUEST, FailureKind.MODEL_NOT_FOUND, FailureKind.CONTENT_POLICY):
        return UnexpectedResponse(f"the task was not shown: {excerpt(response)}")
    return _refused(response, kind)


def failure_of(code: Any, reason: str, task_id: str) -> Failure:
    """Return why a task failed. A code nobody has met, or none, is the vendor's failure, never a guess at ours."""
    number = _integer(code) or _FINE
    kind = _CODES.get(number, FailureKind.VENDOR_ERROR)
    words = plain(reason, task_id) if number != _FINE else ""
    message = _sentence("did not make the video", words or "it gave no reason", _AFTERWARDS.get(kind))
    return Failure(kind=kind, message=message, vendor_code=str(number) if number != _FINE else None)


def usage_of(task: Task) -> dict[str, Any]:
    """Return what was counted, in the vendor's own words; `seconds` beside them, the whole ones made, which are charged."""
    counted = task.usage if isinstance(task.usage, dict) else {}
    given = {name: counted.get(name) for name in _FIGURES}
    figures = {name: value for name, value in given.items() if _is_count(value)}
    return {**figures, "seconds": figures["output_seconds"]} if figures.get("output_seconds") else figures


def code_of(response: HttpResponse) -> int | None:
    """Return the vendor's own number; None where the body has none."""
    try:
        body = msgspec.json.decode(response.body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(body.base_resp, dict):
        return _integer(body.base_resp.get("status_code"))
    message = body.error.get("message") if isinstance(body.error, dict) else None
    match = _CODE_AT_END.search(message) if isinstance(message, str) else None
    return int(match[1]) if match else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST_SECONDS


def _integer(code: Any) -> int | None:
    if isinstance(code, str) and code.isascii() and code.strip().isdigit():
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _kind_of(response: HttpResponse) -> FailureKind | None:
    """Return why a request made nothing; None where it may have made something all the same."""
    code = code_of(response)
    if response.status >= 500 or code in _UNCLEAR:
        return None
    by_status = None if is_success(response) else kind_of_status(response.status)
    if code == _BAD_VALUE and by_status is not None:
        return by_status  # the number covers whatever is wrong with a request, an unknown model too
    return _CODES.get(code or _FINE, by_status)


def _refused(response: HttpResponse, kind: FailureKind) -> VendorRefused:
    code = code_of(response)
    message = _sentence("refused the request", _reason(response) or f"HTTP {response.status}", _ADVICE.get(kind))
    failure = Failure(kind=kind, message=message, vendor_code=None if code is None else str(code))
    return VendorRefused(failure, retry_after_seconds=retry_after_seconds(response))


def _reason(response: HttpResponse) -> str:
    try:
        told = msgspec.json.decode(response.body, type=_Envelope).base_resp
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    if isinstance(told, dict):
        return plain(str(told.get("status_msg") or ""))
    return _CODE_AT_END.sub("", read_error(response).message)


def _sentence(event: str, reason: str, advice: str | None) -> str:
    text = f"`minimax` {event}: {reason.rstrip('. ')}"
    return f"{text}; {advice}." if advice else f"{text}."
