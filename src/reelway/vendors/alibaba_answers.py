"""What DashScope's answers mean: tasks, failures, refusals.

Errors come in two places: as the answer to a request, and inside of a task that failed (HTTP 200, free of charge). Codes are
matched by their beginnings, because dotted parts follow them.
"""

from collections.abc import Mapping
from typing import Any

from reelway.core.errors import ReelwayError, UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.vendors.coded_errors import CodedErrors
from reelway.vendors.spec import HttpResponse
from reelway.vendors.wire import excerpt, expect, read_error, word

__all__ = [
    "Task",
    "TaskAnswer",
    "TaskPage",
    "TaskRow",
    "failure_of",
    "has_ended",
    "look_refusal",
    "read_task",
    "submit_refusal",
    "unlike_a_task",
    "usage_of",
]

_ENDED = frozenset({"succeeded", "failed", "canceled", "cancelled"})

_BEGINNINGS: tuple[tuple[str, FailureKind], ...] = (
    ("datainspectionfailed", FailureKind.CONTENT_POLICY),
    ("ipinfringementsuspect", FailureKind.CONTENT_POLICY),
    ("invalidparameter", FailureKind.INVALID_REQUEST),
    ("invalidurl", FailureKind.INVALID_REQUEST),
    ("badrequest", FailureKind.INVALID_REQUEST),
    ("invalidapikey", FailureKind.AUTHENTICATION),
    ("accessdenied", FailureKind.PERMISSION),
    ("model.accessdenied", FailureKind.PERMISSION),
    ("workspace.accessdenied", FailureKind.PERMISSION),
    ("arrearage", FailureKind.INSUFFICIENT_QUOTA),
    ("modelnotfound", FailureKind.MODEL_NOT_FOUND),
    ("model.notexist", FailureKind.MODEL_NOT_FOUND),
)
_WORDS: tuple[tuple[str, FailureKind], ...] = (
    ("green net check failed", FailureKind.CONTENT_POLICY),
    ("unable to download the media resource", FailureKind.INVALID_REQUEST),
)
"""Messages that mean the same whatever code comes with them."""

_USED_UP = ("quota", "free tier")
"""Words of a `Throttling.AllocationQuota` that no waiting mends; else it is a rate like the other codes of its kind."""

_ADVICE: Mapping[FailureKind, str] = {
    FailureKind.INVALID_REQUEST: "change the request, or give inputs that the vendor can fetch, and create it again",
    FailureKind.CONTENT_POLICY: "change the prompt or the inputs",
    FailureKind.AUTHENTICATION: "the operator has to check the key, which belongs to the region of its base URL",
    FailureKind.PERMISSION: "the operator has to activate the model for the workspace of this key",
    FailureKind.INSUFFICIENT_QUOTA: "the operator has to top this account up or raise its quota",
    FailureKind.RATE_LIMITED: "it is asked again after a pause",
    FailureKind.MODEL_NOT_FOUND: "the operator has to check that the region of the base URL has the model",
    FailureKind.VENDOR_ERROR: "create it again",
}


class Task(Record):
    """The fields of a task that are used."""

    task_id: str = ""
    task_status: str = ""
    orig_prompt: str | None = None
    """The words it was made with; shown with the result only."""
    video_url: str | None = None
    code: Any = None
    message: Any = None


class TaskUsage(Record):
    """What is charged: seconds, of the source as well as of the result."""

    duration: Any = None
    input_video_duration: Any = None
    output_video_duration: Any = None


class TaskAnswer(Record):
    """The answer to a create, a look or a cancel."""

    request_id: str | None = None
    code: Any = None
    output: Task | None = None
    usage: TaskUsage | None = None

    @property
    def is_fine(self) -> bool:
        """Whether it is an answer of DashScope's at all, and no error."""
        return bool(self.request_id) and not self.code


class TaskRow(Record):
    """A task as the list shows it: neither its words nor its result."""

    task_id: str = ""
    model_name: str | None = None
    gmt_create: Any = None
    """When it was created, Unix milliseconds."""


class TaskPage(Record):
    """One page of the list. The rows are under `data`; the vendor's newest client looks for `tasks`."""

    data: list[TaskRow] | None = None
    tasks: list[TaskRow] | None = None
    total: int | None = None

    @property
    def rows(self) -> list[TaskRow]:
        return self.data or self.tasks or []


def read_task(response: HttpResponse) -> TaskAnswer:
    """Return the answer to a look. Raise what an error says, also one that comes with HTTP 200."""
    if response.status in (401, 403, 429):
        raise look_refusal(response)
    answer = expect(TaskAnswer, response)
    if answer.code or answer.output is None:
        raise UnexpectedResponse(f"a task was expected and something else came: {excerpt(response)}")
    return answer


def has_ended(task: Task) -> bool:
    """Tell whether nothing happens to a task any more."""
    return word(task.task_status) in _ENDED


def usage_of(answer: TaskAnswer) -> dict[str, Any]:
    """Return the seconds that are charged. A sum for source and result together, without its parts, settles nothing."""
    usage = answer.usage or TaskUsage()
    made, source = usage.output_video_duration, usage.input_video_duration
    if made is None and source == 0:
        made = usage.duration
    return {} if made is None else {"seconds": made, "input_seconds": 0 if source is None else source}


def failure_of(task: Task) -> Failure:
    """Return why a task failed."""
    return _ERRORS.task_failure(task.code, task.message, task.task_id)


def unlike_a_task(response: HttpResponse) -> ReelwayError:
    """Return what a success without a task means: a refusal where it has a code that is always one, else nobody knows."""
    error = read_error(response)
    if error.code and _kind_of_code(error.code, error.message) is not None:
        return look_refusal(response)
    return UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")


def _kind_of_code(code: str, message: str) -> FailureKind | None:
    said = message.lower()
    by_words = next((kind for words, kind in _WORDS if words in said), None)
    if by_words is not None:
        return by_words
    if code.startswith("throttling"):
        used_up = code.startswith("throttling.allocationquota") and any(part in said for part in _USED_UP)
        return FailureKind.INSUFFICIENT_QUOTA if used_up else FailureKind.RATE_LIMITED
    return next((kind for beginning, kind in _BEGINNINGS if code.startswith(beginning)), None)


_ERRORS = CodedErrors(vendor="alibaba", kind_of=_kind_of_code, advice=_ADVICE)
submit_refusal, look_refusal = _ERRORS.submit_refusal, _ERRORS.look_refusal
