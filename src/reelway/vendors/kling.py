"""Kling: the current API, which takes API keys, and the older one ("/v1"), which also takes access keys.

`external_task_id` is our mark on both, and unique within the account: a create that is sent twice is refused, and a lost one is
looked up by it. There is no cancel, and nothing can be deleted.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import MediaKind
from reelway.vendors.kling_answers import (
    Task,
    TaskAnswer,
    TaskList,
    failure_of,
    is_absent,
    is_fine,
    read_answer,
    submit_refusal,
    usage_of,
)
from reelway.vendors.kling_bodies import LEGACY, create_request, is_legacy, product_of, wants_mark
from reelway.vendors.spec import (
    Accepted,
    Callback,
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
from reelway.vendors.wire import excerpt, expect, get

__all__ = ["ADAPTER", "Kling"]

_TOKEN_SECONDS = 1800
_TOKEN_SKEW_SECONDS = 5
"""Kling refuses a token whose time has not come by its own clock."""


class Kling:
    """The adapter. An operation is `{"id", "service"}`, with `"product"` on the older API, and `"watermark"` where it is wanted."""

    vendor = "kling"
    url_kinds: frozenset[MediaKind] = frozenset({MediaKind.IMAGE, MediaKind.VIDEO})
    link_kinds: frozenset[MediaKind] = frozenset({MediaKind.VIDEO})

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create; one request, whatever is made."""
        response = yield create_request(submission)
        if not is_fine(response):
            raise submit_refusal(response)
        task = expect(TaskAnswer, response).data
        if task is None or not task.key:
            raise UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")
        return Accepted(operation=_operation(task, submission), key=task.key)

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. A word outside the table raises: nobody can know whether it is an end."""
        task = _own((yield from _look(operation)), operation)

        match task.state:
            case "submitted" | "processing":
                return Running()
            case "succeed" | "succeeded":
                return _finished(task, marked=operation.get("watermark") is True)
            case "failed":
                return VendorFailed(failure=failure_of(task))
            case unknown:
                raise UnexpectedResponse(f"unknown task status {unknown!r}")

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Look a lost create up by our mark. What was created is shown at once (152 reads by a third party, none missed)."""
        reference = submission.reference
        if is_legacy(submission):
            response = yield get(f"/v1/videos/{product_of(submission)}/{quote(reference, safe='')}")
            if is_absent(response):
                return ()
            task = read_answer(TaskAnswer, response).data
            tasks = None if task is None else [task]
        else:
            response = yield get("/tasks", query=[("external_task_ids", reference)])
            tasks = read_answer(TaskList, response).data
        if tasks is None or not all(task.key and task.reference in (None, reference) for task in tasks):
            raise UnexpectedResponse("something else than the task with our reference was shown")
        return tuple(_candidate(task, submission) for task in tasks)

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        """Return which task calls. Both bodies are taken at any address: Kling does not say which is sent when."""
        try:
            task = msgspec.json.decode(callback.body, type=Task)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnexpectedResponse(f"the callback has a shape nobody has met ({error})") from None
        if not task.key:
            raise UnexpectedResponse("the callback names no task")
        if task.reference not in (None, submission.reference):
            raise UnexpectedResponse("the callback is about another task than the one whose address it came to")
        return Heard(operation=_candidate(task, submission))

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind a task id."""
        return Candidate(operation=_operation(Task(id=key), submission), key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the API key, else with a token made from access key and secret key."""
        token = credential.values.get("api_key") or _token(credential, now)
        if not token:
            return request
        return request.evolve(headers=(*request.headers, ("Authorization", f"Bearer {token}")))


ADAPTER = Kling()


def _operation(task: Task, submission: Submission) -> dict[str, Any]:
    operation: dict[str, Any] = {"id": task.key, "service": submission.service}
    if is_legacy(submission):
        operation["product"] = product_of(submission)
    if wants_mark(submission):
        operation["watermark"] = True
    return operation


def _candidate(task: Task, submission: Submission) -> Candidate:
    certain = task.reference == submission.reference
    return Candidate(operation=_operation(task, submission), key=task.key, certain=certain)


def _look(operation: Mapping[str, Any]) -> Flow[list[Task]]:
    task_id = str(operation["id"])
    if operation.get("service") == LEGACY:
        response = yield get(f"/v1/videos/{operation['product']}/{quote(task_id, safe='')}")
        task = read_answer(TaskAnswer, response).data
        return [] if task is None else [task]
    return read_answer(TaskList, (yield get("/tasks", query=[("task_ids", task_id)]))).data or []


def _own(tasks: list[Task], operation: Mapping[str, Any]) -> Task:
    """Return the one task that was asked for. One that is not shown may be shown at the next look."""
    task = next((task for task in tasks if task.key == str(operation["id"])), None)
    if task is None:
        raise UnexpectedResponse("the task is not shown")
    return task


def _finished(task: Task, *, marked: bool) -> Status:
    """Return what was made: with `watermark` the marked copy, which is made beside the clean one."""
    links = [video.watermark_url if marked else video.url for video in task.videos]
    if any(link and not link.startswith(("https://", "http://")) for link in links):
        raise UnexpectedResponse("the task succeeded with something else than an address")
    if any(video.url for video in task.videos) and not all(links):
        raise UnexpectedResponse("the task succeeded, and the copy that was asked for is not shown")
    outputs = tuple(VendorOutput(video=Download(request=get(link))) for link in links if link)
    if not outputs:
        message = "`kling` says that it made the video, and shows none; create it again."
        return VendorFailed(failure=Failure(kind=FailureKind.VENDOR_ERROR, message=message))
    return Succeeded(outputs=outputs, usage=usage_of(task))


def _token(credential: Credential, now: float) -> str:
    """Return a token in JWT's compact form, signed with HMAC-SHA256; nothing where there is no pair of keys."""
    access_key, secret_key = credential.values.get("access_key", ""), credential.values.get("secret_key", "")
    if not access_key or not secret_key:
        return ""
    claims = {"iss": access_key, "exp": int(now) + _TOKEN_SECONDS, "nbf": int(now) - _TOKEN_SKEW_SECONDS}
    signed = f"{_segment(msgspec.json.encode({'alg': 'HS256', 'typ': 'JWT'}))}.{_segment(msgspec.json.encode(claims))}"
    signature = hmac.new(secret_key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_segment(signature)}"


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
