"""ByteDance's Seedance on Volcengine Ark (mainland China) and BytePlus ModelArk (elsewhere): one API, two sets of names.

The rule: Ark has no idempotency key and charges each task it finishes, so a lost create is heard of by callback, or looked for in
the list by the mark in `bytedance_bodies`. One verb both cancels and deletes there, so a task's state is read before it is used.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import MediaKind, Mode
from reelway.vendors.bytedance_answers import (
    FINISHED,
    CreatedAnswer,
    TaskAnswer,
    TaskList,
    failure_of,
    look_refusal,
    submit_refusal,
)
from reelway.vendors.bytedance_bodies import TASKS, create_request
from reelway.vendors.bytedance_finding import PAGE, came_too_early, has_mark, is_last_page, may_be
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

__all__ = ["ADAPTER", "ByteDance"]

_PAGES = 40
_GONE = (404, 410)


class ByteDance:
    """The adapter. An operation is `{"id"}`, and `"draft": true` where a video can be made from it."""

    vendor = "bytedance"
    url_kinds = frozenset(MediaKind)
    link_kinds = frozenset({MediaKind.VIDEO})
    continued_modes = frozenset({Mode.REMIX})

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create a task; the answer is its id and nothing else."""
        response = yield create_request(submission)
        if not is_success(response):
            raise submit_refusal(response)
        created = expect(CreatedAnswer, response)
        if not created.id:
            raise UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")
        return Accepted(operation=_operation(created.id, submission), key=created.id)

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. A word outside the table raises: nobody can know whether it is an end."""
        response = yield get(_path(operation))
        if response.status in (401, 403, 429):
            raise look_refusal(response)
        task = expect(TaskAnswer, response)

        match word(task.status):
            case "queued" | "running":
                return Running()
            case "succeeded":
                return _result(task)
            case "failed":
                return VendorFailed(failure=failure_of(task))
            case "cancelled" | "canceled":
                return VendorFailed(failure=_ended(FailureKind.CANCELLED, "The video was cancelled at the vendor."))
            case "expired":
                return VendorFailed(failure=_ended(FailureKind.TIMED_OUT, _EXPIRED, "expired"))
            case unknown:
                raise UnexpectedResponse(f"unknown task status {unknown!r}")

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Stop a task that is still queued. A running one goes on, and DELETE would destroy the result of a finished one."""
        task = expect(TaskAnswer, (yield get(_path(operation))))
        state = word(task.status)
        if state in FINISHED:
            return "asked"
        if state != "queued":
            return "refused"
        return "cancelled" if is_success((yield delete(_path(operation)))) else "refused"

    def delete(self, operation: Mapping[str, Any]) -> Flow[None]:
        """Have the vendor forget a finished task; a cancelled one goes by itself, and one that is not there has gone."""
        response = yield get(_path(operation))
        if response.status in _GONE:
            return
        state = word(expect(TaskAnswer, response).status)
        if state in ("cancelled", "canceled"):
            return
        if state not in FINISHED:
            raise UnexpectedResponse(f"a task that is {state} is not deleted, because that would cancel it")
        response = yield delete(_path(operation))
        if not is_success(response) and response.status not in _GONE:
            raise UnexpectedResponse(f"the task was not deleted: {excerpt(response)}")

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Go through the list, in which tasks of another tier than the one asked for are invisible."""
        found: dict[str, Candidate] = {}
        narrowed: tuple[tuple[str, str], ...] = ()
        seen, number = 0, 1
        while number <= _PAGES:
            response = yield get(TASKS, query=(*_page_query(submission, number), *narrowed))
            if response.status in (400, 403) and not narrowed:
                # Keys with permissions of their own may list one model at a time only.
                narrowed = (("filter.model", submission.model),)
                continue
            page = _page(response)
            for task in page.items:
                if task.id and may_be(task, submission):
                    certain = has_mark(task, submission)
                    operation = _operation(task.id, submission)
                    found[task.id] = Candidate(operation=operation, key=task.id, certain=certain)
            seen, number = seen + len(page.items), number + 1
            if is_last_page(page, seen, submission):
                if not found and came_too_early(response, submission):
                    raise UnexpectedResponse("the list may not show the newest tasks yet, so none can be called absent")
                return tuple(found.values())
        raise UnexpectedResponse("the list of tasks does not end, so a lost one cannot be called absent")

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        """The body is the task as a look would show it; the secret address says whose it is."""
        task = expect(TaskAnswer, HttpResponse(status=200, body=callback.body))
        if not task.id:
            raise UnexpectedResponse("a callback came without the id of a task")
        return Heard(operation=Candidate(operation=_operation(task.id, submission), key=task.id, certain=True))

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind a task id."""
        return Candidate(operation=_operation(key, submission), key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's API key; Ark takes no access keys for videos."""
        key = credential.values.get("api_key", "")
        return request.evolve(headers=(*request.headers, ("Authorization", f"Bearer {key}"))) if key else request


ADAPTER = ByteDance()

_EXPIRED = (
    "The vendor gave the video up, because it was not finished within execution_expires_after; create it again, "
    "with more time if that was short."
)


def _operation(task_id: str, submission: Submission) -> dict[str, Any]:
    return {"id": task_id, "draft": True} if submission.request.options.get("draft") else {"id": task_id}


def _path(operation: Mapping[str, Any]) -> str:
    return f"{TASKS}/{quote(str(operation['id']), safe='')}"


def _page_query(submission: Submission, number: int) -> tuple[tuple[str, str], ...]:
    tier = str(submission.request.options.get("service_tier") or "default")
    return (("page_num", str(number)), ("page_size", str(PAGE)), ("filter.service_tier", tier))


def _page(response: HttpResponse) -> TaskList:
    if response.status in (401, 403, 429):
        raise look_refusal(response)
    return expect(TaskList, response)


def _result(task: TaskAnswer) -> Status:
    """Return what was made. A success without a video is a failure, and the vendor's own words are all there is of it."""
    content = task.content
    if content is None or not content.video_url:
        message = "`bytedance` says that it made the video, and shows none; create it again."
        return VendorFailed(failure=_ended(FailureKind.VENDOR_ERROR, message, "succeeded"))
    last_frame = _download(content.last_frame_url) if content.last_frame_url else None
    output = VendorOutput(video=_download(content.video_url), last_frame=last_frame)
    return Succeeded(outputs=(output,), usage=_usage(task))


def _usage(task: TaskAnswer) -> dict[str, Any]:
    """Return what is charged. Whether the tokens of a draft carry its discount already is not confirmed: its quote stands."""
    tokens = None if task.usage is None else task.usage.completion_tokens
    figures = {"draft_tokens" if task.draft else "tokens": tokens, "audio": task.generate_audio}
    return {name: figure for name, figure in figures.items() if figure is not None}


def _download(url: str) -> Download:
    """Links are signed by themselves, and lie at another host that the key is none of the business of."""
    if not url.startswith(("https://", "http://")):
        raise UnexpectedResponse("the task is finished, and what it shows as its file is no address")
    return Download(request=get(url))


def _ended(kind: FailureKind, message: str, code: str | None = None) -> Failure:
    return Failure(kind=kind, message=message, vendor_code=code)
