"""MiniMax: the older API for the Hailuo models (`/v1`, file ids) and the newer one for MiniMax-H3 (`/v2`), by one account.

The rule: neither has an idempotency key, so a create whose answer was lost is heard of by callback, at an address of its own, or
looked for in the list of the newer API; the older one has none. DELETE cancels a queued task and destroys a finished one.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.core.errors import NoWayToLook, UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import MediaKind
from reelway.vendors.minimax_answers import (
    FINISHED,
    CreatedAnswer,
    FileAnswer,
    Pushed,
    QueryAnswer,
    Task,
    TaskList,
    failure_of,
    is_fine,
    is_gone,
    is_refused_content,
    look_refusal,
    read_look,
    submit_refusal,
    usage_of,
)
from reelway.vendors.minimax_bodies import V2_CREATE, create_request, is_newer
from reelway.vendors.minimax_finding import came_too_early, is_last_page, may_be, page_query
from reelway.vendors.spec import (
    Accepted,
    Callback,
    CancelAnswer,
    Candidate,
    Credential,
    Download,
    Flow,
    Heard,
    HttpRequest,
    HttpResponse,
    Running,
    Status,
    Submission,
    Succeeded,
    VendorFailed,
    VendorOutput,
)
from reelway.vendors.wire import delete, excerpt, expect, get, is_success, word

__all__ = ["ADAPTER", "MiniMax"]

_V1_QUERY = "/v1/query/video_generation"
_V1_FILE = "/v1/files/retrieve"
_V2_QUERY = "/v2/query/video_generation"
_OLDER, _NEWER = "v1", "v2"
_PAGES = 40


class MiniMax:
    """The adapter. An operation is `{"id", "api"}`."""

    vendor = "minimax"
    url_kinds = frozenset(MediaKind)
    link_kinds: frozenset[MediaKind] = frozenset()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create; one request, whatever is made."""
        response = yield create_request(submission)
        if not is_fine(response):
            raise submit_refusal(response)
        created = expect(CreatedAnswer, response)
        if not created.task_id:
            raise UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")
        return Accepted(operation=_operation(created.task_id, submission), key=created.task_id)

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. A word outside the tables raises: nobody can know whether it is an end."""
        if operation["api"] == _OLDER:
            return (yield from _check_older(operation))
        task = read_look((yield get(_newer_path(_V2_QUERY, operation)))).task

        match word(task.status):
            case "queued" | "running":
                return Running()
            case "succeeded":
                return _finished(task.content.url if task.content else None, usage_of(task))
            case "failed":
                return VendorFailed(failure=_failure_of(task))
            case "cancelled":
                return _ended(FailureKind.CANCELLED, "The video was cancelled at the vendor.")
            case "expired":
                return _ended(FailureKind.TIMED_OUT, "The vendor gave the video up unfinished; create it again.")
            case unknown:
                raise UnexpectedResponse(f"unknown task status {unknown!r}")

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Stop a task that is still queued. A running one goes on, and DELETE would destroy the result of a finished one."""
        if operation["api"] == _OLDER:
            return "refused"
        state = word(read_look((yield get(_newer_path(_V2_QUERY, operation)))).task.status)
        if state in FINISHED:
            return "asked"
        if state != "queued":
            return "refused"
        return "cancelled" if is_fine((yield delete(_newer_path(V2_CREATE, operation)))) else "refused"

    def delete(self, operation: Mapping[str, Any]) -> Flow[None]:
        """Have the vendor forget a finished task. The older API cannot, and a cancelled one goes by itself."""
        if operation["api"] == _OLDER:
            return
        response = yield get(_newer_path(_V2_QUERY, operation))
        if is_gone(response):
            return
        state = word(read_look(response).task.status)
        if state == "cancelled":
            return
        if state not in FINISHED:
            raise UnexpectedResponse(f"a task that is {state} is not deleted, because that would cancel it")
        response = yield delete(_newer_path(V2_CREATE, operation))
        if not is_success(response) and not is_gone(response):
            raise UnexpectedResponse(f"the task was not deleted: {excerpt(response)}")

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Go through the list of the newer API; the older one has none."""
        if not is_newer(submission.request):
            raise NoWayToLook("`minimax` shows no list of what its Hailuo models make")
        found: dict[str, Candidate] = {}
        seen = 0
        for number in range(1, _PAGES + 1):
            response = yield get(_V2_QUERY, query=page_query(submission, number))
            if not is_fine(response):
                raise look_refusal(response)
            page = expect(TaskList, response)
            fitting = [task for task in page.items if task.id and may_be(task, submission)]
            found |= {task.id: _candidate(task.id, submission) for task in fitting}
            seen += len(page.items)
            if is_last_page(page, seen, submission):
                if not found and came_too_early(response, submission):
                    raise UnexpectedResponse("the list may not show the newest tasks yet, so none can be called absent")
                return tuple(found.values())
        raise UnexpectedResponse("the list of tasks does not end, so a lost one cannot be called absent")

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        """A challenge comes first, and is repeated within three seconds; then the task as a look would show it."""
        pushed = expect(Pushed, HttpResponse(status=200, body=callback.body))
        if pushed.challenge is not None:
            return Heard(answer={"challenge": pushed.challenge})
        if not pushed.key:
            raise UnexpectedResponse("a callback came without the id of a task")
        return Heard(operation=_candidate(pushed.key, submission, certain=True))

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind a task id."""
        return Candidate(operation=_operation(key, submission), key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's API key."""
        key = credential.values.get("api_key", "")
        return request.evolve(headers=(*request.headers, ("Authorization", f"Bearer {key}"))) if key else request


ADAPTER = MiniMax()


def _operation(task_id: str, submission: Submission) -> dict[str, Any]:
    return {"id": task_id, "api": _NEWER if is_newer(submission.request) else _OLDER}


def _candidate(task_id: str, submission: Submission, *, certain: bool = False) -> Candidate:
    return Candidate(operation=_operation(task_id, submission), key=task_id, certain=certain)


def _newer_path(path: str, operation: Mapping[str, Any]) -> str:
    return f"{path}/{quote(str(operation['id']), safe='')}"


def _check_older(operation: Mapping[str, Any]) -> Flow[Status]:
    """Look once at the older API; where the file lies is a second question, and its link is good for an hour."""
    task_id = str(operation["id"])
    response = yield get(_V1_QUERY, query=[("task_id", task_id)])
    if not is_success(response):
        raise look_refusal(response)
    answer = expect(QueryAnswer, response)
    state, told = word(answer.status), answer.base_resp
    if state in ("fail", "failed") or is_refused_content(told.status_code):
        return VendorFailed(failure=failure_of(told.status_code, told.status_msg or "", task_id))
    if not is_fine(response):
        raise look_refusal(response)

    match state:
        case "preparing" | "queueing" | "processing":
            return Running()
        case "success" if not answer.file_id:
            return _finished(None, {})
        case "success":
            return (yield from _find_file(str(answer.file_id)))
        case unknown:
            raise UnexpectedResponse(f"unknown task status {unknown!r}")


def _find_file(file_id: str) -> Flow[Status]:
    response = yield get(_V1_FILE, query=[("file_id", file_id)])
    if not is_fine(response):
        raise look_refusal(response)
    link = expect(FileAnswer, response).file.download_url
    if not link:
        raise UnexpectedResponse("the task is finished, and its file is shown without a link")
    return _finished(link, {})


def _finished(link: str | None, usage: dict[str, Any]) -> Status:
    """Return what was made. A success without a video is a failure, and the vendor's own words are all there is of it."""
    if not link:
        return _ended(
            FailureKind.VENDOR_ERROR, "`minimax` says that it made the video, and shows none; create it again."
        )
    if not link.startswith(("https://", "http://")):
        raise UnexpectedResponse("the task is finished, and what it shows as its file is no address")
    # Links are signed by themselves, and lie at another host that the key is none of the business of.
    return Succeeded(outputs=(VendorOutput(video=Download(request=get(link))),), usage=usage)


def _failure_of(task: Task) -> Failure:
    error = task.error
    return failure_of(None, "", task.id) if error is None else failure_of(error.code, str(error.message or ""), task.id)


def _ended(kind: FailureKind, message: str) -> VendorFailed:
    return VendorFailed(failure=Failure(kind=kind, message=message))
