"""xAI's Grok Imagine, over REST: three doors to make a video, and one to look at it.

xAI has no idempotency key, keeps no mark of ours and shows no list: a create whose answer was lost is lost, and is never sent
again. There is no cancel, and what moderation blocks after it was made is charged.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.core.errors import UnexpectedResponse
from reelway.core.videos import MediaKind
from reelway.vendors.spec import (
    Accepted,
    Candidate,
    Credential,
    Flow,
    HttpRequest,
    HttpResponse,
    Running,
    Status,
    Submission,
    VendorFailed,
)
from reelway.vendors.wire import excerpt, expect, get, is_success, word
from reelway.vendors.xai_answers import (
    CreatedAnswer,
    VideoAnswer,
    expired,
    failure_of,
    finished,
    look_refusal,
    never_runs,
    progress_of,
    submit_refusal,
)
from reelway.vendors.xai_bodies import VIDEOS, create_request

__all__ = ["ADAPTER", "XAI"]

_ACCEPTED = 202


class XAI:
    """The adapter. An operation is `{"id"}`."""

    vendor = "xai"
    url_kinds = frozenset(MediaKind)
    link_kinds: frozenset[MediaKind] = frozenset()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create; the answer is an id and nothing else, and nothing else leads to the video."""
        response = yield create_request(submission)
        if not is_success(response):
            raise submit_refusal(response)
        created = expect(CreatedAnswer, response)
        if not created.request_id:
            raise UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")
        return Accepted(operation={"id": created.request_id}, key=created.request_id)

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once, and a second time where a 400 says that the video cannot be made: only what is said twice ends it."""
        look = get(f"{VIDEOS}/{quote(str(operation['id']), safe='')}")
        response = yield look
        if never_runs(response):
            again = yield look
            if (again.status, again.body) == (response.status, response.body):
                return VendorFailed(failure=look_refusal(response).failure)
            response = again
        return _status_of(response)

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind a request id."""
        return Candidate(operation={"id": key}, key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's API key."""
        key = credential.values.get("api_key", "")
        return request.evolve(headers=(*request.headers, ("Authorization", f"Bearer {key}"))) if key else request


ADAPTER = XAI()


def _status_of(response: HttpResponse) -> Status:
    """Return what a look says. A word outside the table raises: nobody can know whether it is an end."""
    if response.status in (400, 401, 403, 429):
        raise look_refusal(response)
    if response.status == _ACCEPTED and not response.body.strip():
        return Running()  # seen in place of the usual body while a video waits
    video = expect(VideoAnswer, response)

    match word(video.status):
        case "pending":
            return Running(progress=progress_of(video))
        case "done":
            return finished(video)
        case "failed":
            return VendorFailed(failure=failure_of(video))
        case "expired":
            return VendorFailed(failure=expired())
        case unknown:
            raise UnexpectedResponse(f"unknown status {unknown!r}")
