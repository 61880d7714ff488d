"""Alibaba's HappyHorse on DashScope (Model Studio): one path for every kind of work, and a task that is looked at.

The rule: DashScope has no idempotency key, keeps no reference of ours, and charges each task it finishes, so a lost create is
looked for in the list by what is known of it. A task it does not know yet is answered with HTTP 200 and `UNKNOWN`, as one it
never had.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import MediaKind
from reelway.vendors.alibaba_answers import (
    Task,
    TaskAnswer,
    TaskRow,
    failure_of,
    has_ended,
    look_refusal,
    read_task,
    submit_refusal,
    unlike_a_task,
    usage_of,
)
from reelway.vendors.alibaba_bodies import create_request, workspace_headers
from reelway.vendors.alibaba_finding import (
    came_too_early,
    is_last_page,
    list_request,
    may_be,
    read_page,
    shows_other_words,
)
from reelway.vendors.spec import (
    Accepted,
    CancelAnswer,
    Candidate,
    Credential,
    Download,
    Flow,
    HttpRequest,
    HttpResponse,
    Running,
    Status,
    Submission,
    Succeeded,
    VendorFailed,
    VendorOutput,
)
from reelway.vendors.wire import expect, get, is_success, post, word

__all__ = ["ADAPTER", "Alibaba"]

_PAGES = 40


class Alibaba:
    """The adapter. An operation is `{"id"}`, and `"workspace"` where the account's settings name one."""

    vendor = "alibaba"
    url_kinds = frozenset({MediaKind.IMAGE, MediaKind.VIDEO})
    link_kinds = frozenset({MediaKind.VIDEO})

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create a task."""
        response = yield create_request(submission)
        if not is_success(response):
            raise submit_refusal(response)
        task = expect(TaskAnswer, response).output
        if task is None or not task.task_id:
            raise unlike_a_task(response)
        return Accepted(operation=_operation(task.task_id, submission), key=task.task_id)

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. `UNKNOWN` raises like any word outside the table: a new task may not be known everywhere yet."""
        response = yield _look(operation)
        answer = read_task(response)
        task = answer.output or Task()

        match word(task.task_status):
            case "pending" | "suspended" | "running":
                return Running()
            case "succeeded":
                return _result(answer, task)
            case "failed":
                return VendorFailed(failure=failure_of(task))
            case "canceled" | "cancelled":
                message = "The video was cancelled at the vendor."
                return VendorFailed(failure=Failure(kind=FailureKind.CANCELLED, message=message))
            case "unknown":
                raise UnexpectedResponse(_NOT_KNOWN)
            case unknown:
                raise UnexpectedResponse(f"unknown task status {unknown!r}")

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Cancel a task that still waits; one that is being made goes on and is charged, and one that has ended tells itself."""
        response = yield post(f"{_path(operation)}/cancel", headers=workspace_headers(operation))
        if is_success(response):
            return "cancelled" if expect(TaskAnswer, response).is_fine else "asked"
        if response.status in (401, 403, 429):
            raise look_refusal(response)
        task = read_task((yield _look(operation))).output
        return "asked" if task is not None and has_ended(task) else "refused"

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Go through the list and look at what may be it. The words a task was made with are shown with its result only, so
        several that may be it are looked at again until they tell themselves apart."""
        response, rows = yield from _listed(submission)
        left: list[Task] = []
        for row in rows:
            task = read_task((yield _look(_operation(row.task_id, submission)))).output
            if task is None or task.task_id != row.task_id:
                raise UnexpectedResponse("something else than the task that was listed is shown")
            if not shows_other_words(task, submission):
                left.append(task)
        if len(left) > 1 and any(task.orig_prompt is None and not has_ended(task) for task in left):
            raise UnexpectedResponse(
                f"{len(left)} tasks may be it, and not all of them show yet what they were made with"
            )
        if not left and came_too_early(response, submission):
            raise UnexpectedResponse("the list may not show the newest tasks yet, so none can be called absent")
        return tuple(Candidate(operation=_operation(task.task_id, submission), key=task.task_id) for task in left)

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind a task id."""
        return Candidate(operation=_operation(key, submission), key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's API key, which belongs to one region, like the base URL."""
        key = credential.values.get("api_key", "")
        return request.evolve(headers=(*request.headers, ("Authorization", f"Bearer {key}"))) if key else request


ADAPTER = Alibaba()

_NOT_KNOWN = (
    "DashScope does not know the task: it is too new, or more than a day old, or the account's key is of another region or "
    "of another account"
)


def _operation(task_id: str, submission: Submission) -> dict[str, Any]:
    workspace = submission.settings.get("workspace")
    return {"id": task_id, "workspace": workspace} if workspace else {"id": task_id}


def _path(operation: Mapping[str, Any]) -> str:
    return f"/tasks/{quote(str(operation['id']), safe='')}"


def _look(operation: Mapping[str, Any]) -> HttpRequest:
    return get(_path(operation), headers=workspace_headers(operation))


def _listed(submission: Submission) -> Flow[tuple[HttpResponse, tuple[TaskRow, ...]]]:
    """Return the last page as it came, and every row that may be the lost create."""
    found: dict[str, TaskRow] = {}
    seen = 0
    for number in range(1, _PAGES + 1):
        response = yield list_request(submission, number)
        page = read_page(response)
        found |= {row.task_id: row for row in page.rows if row.task_id and may_be(row, submission)}
        seen += len(page.rows)
        if is_last_page(page, seen):
            return response, tuple(found.values())
    raise UnexpectedResponse("the list of tasks does not end, so a lost one cannot be called absent")


def _result(answer: TaskAnswer, task: Task) -> Status:
    """Return what was made. The link is signed by itself, for a day, and lies at a host that the key is none of the business of."""
    url = task.video_url
    if not url:
        message = "`alibaba` says that it made the video, and shows none; create it again."
        return VendorFailed(failure=Failure(kind=FailureKind.VENDOR_ERROR, message=message, vendor_code="succeeded"))
    if not url.startswith(("https://", "http://")):
        raise UnexpectedResponse("the task is finished, and what it shows as its file is no address")
    return Succeeded(outputs=(VendorOutput(video=Download(request=get(url))),), usage=usage_of(answer))
