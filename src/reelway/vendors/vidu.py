"""Vidu: four paths to create by, one to look, a list, and a cancel that seldom comes in time.

`payload` is our mark: it is sent with every create and comes back with the task, in a look, in the list and in callbacks, but it
is no idempotency key. The same create sent twice is made and charged twice, so a lost one is looked up by it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import MediaKind
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
    Running,
    Status,
    Submission,
    Succeeded,
    VendorFailed,
    VendorOutput,
)
from reelway.vendors.vidu_answers import (
    Task,
    TaskList,
    failure_of,
    is_fine,
    look_refusal,
    read_answer,
    submit_refusal,
    usage_of,
)
from reelway.vendors.vidu_bodies import TASKS, create_request, wants_mark
from reelway.vendors.vidu_finding import came_too_early, first_page, may_be, next_page
from reelway.vendors.vidu_signing import check_signature
from reelway.vendors.wire import excerpt, expect, get, post, word

__all__ = ["ADAPTER", "Vidu"]

_PAGES = 40
_LOOKS = 200
"""Tasks that are looked at one by one where the list does not show their mark."""
_TOO_LATE = (400, 409)


class Vidu:
    """The adapter. An operation is `{"id"}`, and `"watermark": true` where the marked copy is the one to deliver."""

    vendor = "vidu"
    url_kinds = frozenset({MediaKind.IMAGE})
    link_kinds: frozenset[MediaKind] = frozenset()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create; one request, whatever is made. A task that failed at once is a task: the next look tells why."""
        response = yield create_request(submission)
        if not is_fine(response):
            raise submit_refusal(response)
        created = expect(Task, response)
        if not created.key:
            raise UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")
        return Accepted(operation=_operation(created.key, submission), key=created.key)

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. A word outside the table raises: nobody can know whether it is an end."""
        task = read_answer(Task, (yield get(f"{_path(operation)}/creations")))
        if task.key not in ("", str(operation["id"])):
            raise UnexpectedResponse("another task is shown than the one that was asked for")

        match word(task.state):
            case "created" | "queueing" | "scheduled" | "processing":
                return Running()
            case "success":
                return _finished(task, marked=operation.get("watermark") is True)
            case "failed":
                return VendorFailed(failure=failure_of(task))
            case unknown:
                raise UnexpectedResponse(f"unknown task state {unknown!r}")

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Ask for an end; the next look tells. Vidu refuses as soon as a task is scheduled, which most are at once."""
        response = yield post(f"{_path(operation)}/cancel", json={"id": str(operation["id"])})
        if is_fine(response):
            return "asked"
        if response.status in _TOO_LATE:
            return "refused"
        raise look_refusal(response)

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Go through the list from the time of the attempt on; where it does not show the marks, look at each task in question."""
        found: dict[str, Candidate] = {}
        query, number, looks = first_page(submission), 0, 0
        while number < _PAGES:
            response = yield get(TASKS, query=query)
            page = read_answer(TaskList, response)
            for task in page.tasks:
                if task.payload is None and task.key and may_be(task, submission):
                    looks += 1
                    if looks > _LOOKS:
                        raise UnexpectedResponse("too many tasks are shown without their marks to look at each")
                    task = yield from _shown(task.key)
                    if task.payload is None:
                        found[task.key] = _candidate(task, submission, certain=False)
                if task.key and task.payload == submission.reference:
                    found[task.key] = _candidate(task, submission, certain=True)
            following = next_page(page, query, number, submission)
            if following is None:
                if not found and came_too_early(response, submission):
                    raise UnexpectedResponse("the list may not show the newest tasks yet, so none can be called absent")
                return tuple(found.values())
            query, number = following, number + 1
        raise UnexpectedResponse("the list of tasks does not end, so a lost one cannot be called absent")

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        """The body is the task as a look would show it, and no part of what is signed."""
        try:
            task = msgspec.json.decode(callback.body, type=Task)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnexpectedResponse(f"the callback has a shape nobody has met ({error})") from None
        if not task.key:
            raise UnexpectedResponse("the callback names no task")
        if task.payload not in (None, submission.reference):
            raise UnexpectedResponse("the callback is about another task than the one whose address it came to")
        return Heard(operation=_candidate(task, submission, certain=task.payload == submission.reference))

    def verify_callback(self, callback: Callback, submission: Submission, credential: Credential, now: float) -> None:
        """Another Reelway cannot sign: it does not keep its callers' keys. Its calls are good for waking alone."""
        check_signature(callback, submission.callback_url or "", credential.values.get("api_key", ""), now)

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind a task id."""
        return Candidate(operation=_operation(key, submission), key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's API key, which Vidu calls a token."""
        key = credential.values.get("api_key", "")
        return request.evolve(headers=(*request.headers, ("Authorization", f"Token {key}"))) if key else request


ADAPTER = Vidu()


def _operation(task_id: str, submission: Submission) -> dict[str, Any]:
    return {"id": task_id, "watermark": True} if wants_mark(submission) else {"id": task_id}


def _shown(task_id: str) -> Flow[Task]:
    """Look at a task of the list. One without a state is no task."""
    task = read_answer(Task, (yield get(f"{TASKS}/{quote(task_id, safe='')}/creations")))
    if not task.state:
        raise UnexpectedResponse("a task of the list is not shown, so nobody can tell whose it is")
    return task.evolve(id=task_id, task_id="")


def _candidate(task: Task, submission: Submission, *, certain: bool) -> Candidate:
    return Candidate(operation=_operation(task.key, submission), key=task.key, certain=certain)


def _path(operation: Mapping[str, Any]) -> str:
    return f"{TASKS}/{quote(str(operation['id']), safe='')}"


def _finished(task: Task, *, marked: bool) -> Status:
    """Return what was made: with `watermark` the marked copy, which is made beside the clean one."""
    made = [creation for creation in task.creations or () if creation.url or creation.watermarked_url]
    links = [creation.watermarked_url if marked else creation.url for creation in made]
    if not all(links):
        raise UnexpectedResponse("the task succeeded, and the copy that was asked for is not shown")
    if any(link and not link.startswith(("https://", "http://")) for link in links):
        raise UnexpectedResponse("the task succeeded with something else than an address")
    outputs = tuple(VendorOutput(video=Download(request=get(link))) for link in links if link)
    if not outputs:
        message = "`vidu` says that it made the video, and shows none; create it again."
        return VendorFailed(failure=Failure(kind=FailureKind.VENDOR_ERROR, message=message, vendor_code="success"))
    return Succeeded(outputs=outputs, usage=usage_of(task))
