"""Any server that speaks the OpenAI Videos API: OpenAI's clones and resellers, Azure, vLLM-Omni, SGLang, another Reelway.

The API knows no idempotency key and keeps no mark of ours, so a lost create is looked for in the list, by what was asked and when.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.videos import MediaKind
from reelway.vendors.openai_answers import (
    VideoAnswer,
    VideoList,
    failure_of,
    look_refusal,
    pause_seconds,
    service_name,
    submit_refusal,
)
from reelway.vendors.openai_bodies import OURS, create_request
from reelway.vendors.openai_finding import PAGE, goes_on, mark_of, may_be
from reelway.vendors.spec import (
    Accepted,
    CancelAnswer,
    Candidate,
    Credential,
    Download,
    Flow,
    HttpRequest,
    Running,
    Status,
    Submission,
    Succeeded,
    VendorFailed,
    VendorOutput,
)
from reelway.vendors.wire import delete, excerpt, expect, get, is_success, post, word

__all__ = ["ADAPTER", "OpenAIVideos"]

_ROOM_FOR_KEY = ("api-key", "")
"""Azure wants the key in a header of its own; an empty one in the request says so to `authorize`."""

_PAGES = 20


class OpenAIVideos:
    """The adapter. An operation is `{"id", "service"}`, and `"results": "url"` where the account's settings say so."""

    vendor = "openai_videos"
    url_kinds: frozenset[MediaKind] = frozenset()
    """None: a clone that overlooks `input_reference[image_url]` makes, and charges for, a video without the picture.
    A file part is understood by all."""
    link_kinds: frozenset[MediaKind] = frozenset()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create, edit, lengthen or remix."""
        mark = (("Idempotency-Key", submission.reference),) if submission.service in OURS else ()
        response = yield create_request(submission, (*mark, *_key_header(submission.service)))
        if not is_success(response):
            raise submit_refusal(response, submission)
        video = expect(VideoAnswer, response)
        if not video.id:
            raise UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")
        return Accepted(
            operation=_operation(video.id, submission), key=video.id, poll_after_seconds=pause_seconds(response)
        )

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. A word outside the table raises: nobody can know whether it is an end."""
        service = _service(operation)
        response = yield get(_path(operation), headers=_key_header(service))
        if response.status in (401, 403, 429):
            raise look_refusal(response, service)
        video = expect(VideoAnswer, response)

        match word(video.status):
            case "queued":
                return Running(poll_after_seconds=pause_seconds(response))
            case "in_progress":
                return Running(progress=_percent(video.progress), poll_after_seconds=pause_seconds(response))
            case "completed":
                return Succeeded(outputs=_outputs(video, operation), usage=_usage(video))
            case "failed":
                return VendorFailed(failure=failure_of(video, service, str(operation["id"])))
            case "expired":
                return VendorFailed(failure=_expired(service))
            case unknown:
                raise UnexpectedResponse(f"unknown video status {unknown!r}")

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Stop it where the server can: another Reelway has an endpoint for it, vLLM-Omni aborts what is deleted."""
        service = _service(operation)
        if service == "vllm":
            return "cancelled" if is_success((yield delete(_path(operation)))) else "refused"
        if service not in OURS:
            return "refused"
        response = yield post(f"{_path(operation)}/cancel")
        if response.status in (404, 405):
            return "refused"
        if response.status == 409:
            return "asked"  # it has ended meanwhile, and the next look tells how
        video = expect(VideoAnswer, response)
        free = video.cost is None or video.cost.settled in (None, "0.00")
        return "cancelled" if word(video.status) == "failed" and free else "asked"

    def delete(self, operation: Mapping[str, Any]) -> Flow[None]:
        """Have the server forget the video; one that is not there is forgotten already."""
        response = yield delete(_path(operation), headers=_key_header(_service(operation)))
        if not is_success(response) and response.status not in (404, 410):
            raise UnexpectedResponse(f"the video was not deleted: {excerpt(response)}")

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Go back through the list until before the attempt began, and return every video that may be it."""
        headers = _key_header(submission.service)
        found: dict[str, Candidate] = {}
        last = ""
        for _ in range(_PAGES):
            query = (("order", "desc"), ("limit", str(PAGE)), *((("after", last),) if last else ()))
            page = expect(VideoList, (yield get("/videos", query=query, headers=headers)))
            for video in page.data:
                if video.id and may_be(video, submission):
                    certain = mark_of(video) == submission.reference
                    operation = _operation(video.id, submission)
                    found[video.id] = Candidate(operation=operation, key=video.id, certain=certain)
            following = page.last_id or (page.data[-1].id if page.data else "")
            if not following or not goes_on(page, submission):
                return tuple(found.values())
            if following == last:
                break
            last = following
        raise UnexpectedResponse("the list of videos does not end, so a lost one cannot be called absent")

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's key: in `api-key` where the request leaves room for it, else as a bearer token."""
        key = credential.values.get("api_key", "")
        headers = tuple(header for header in request.headers if header != _ROOM_FOR_KEY)
        if not key:
            return request.evolve(headers=headers)
        signature = ("api-key", key) if _ROOM_FOR_KEY in request.headers else ("Authorization", f"Bearer {key}")
        return request.evolve(headers=(*headers, signature))


ADAPTER = OpenAIVideos()


def _service(operation: Mapping[str, Any]) -> str:
    return str(operation.get("service", ""))


def _operation(video_id: str, submission: Submission) -> dict[str, Any]:
    operation = {"id": video_id, "service": submission.service}
    results = submission.settings.get("results")
    return {**operation, "results": results} if results else operation


def _path(operation: Mapping[str, Any]) -> str:
    return f"/videos/{quote(str(operation['id']), safe='')}"


def _key_header(service: str) -> tuple[tuple[str, str], ...]:
    return (_ROOM_FOR_KEY,) if service == "azure" else ()


def _percent(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return max(0, min(100, int(value)))


def _outputs(video: VideoAnswer, operation: Mapping[str, Any]) -> tuple[VendorOutput, ...]:
    """Return where the results lie: at the content endpoint, or behind a link where the server has moved them away."""
    service = _service(operation)
    link = video.url or video.video_url or _link_in_metadata(video)
    # SGLang answers content with 400 once it has put the file into a bucket, and shows the bucket's link instead.
    if operation.get("results") == "url" or (service == "sglang" and link):
        if not link or not link.startswith(("https://", "http://")):
            raise UnexpectedResponse("the video is completed, and no link to it is shown")
        return (VendorOutput(video=Download(request=get(link))),)
    path, headers = f"{_path(operation)}/content", _key_header(service)
    count = len(video.outputs or ()) or 1
    queries: list[tuple[tuple[str, str], ...]] = [()]
    if count > 1:
        queries = [(("index", str(index)),) for index in range(count)]
    return tuple(
        VendorOutput(video=Download(request=get(path, query=query, headers=headers), authorize=True))
        for query in queries
    )


def _link_in_metadata(video: VideoAnswer) -> str | None:
    link = (video.metadata or {}).get("url")
    return link if isinstance(link, str) else None


def _usage(video: VideoAnswer) -> dict[str, Any]:
    """Return what another Reelway charged, which is the real cost to us."""
    if video.cost is None or video.cost.settled is None:
        return {}
    return {"cost": {"currency": video.cost.currency, "settled": video.cost.settled}}


def _expired(service: str) -> Failure:
    message = f"{service_name(service)} let the video expire before it was fetched; create it again."
    return Failure(kind=FailureKind.VENDOR_ERROR, message=message, vendor_code="expired")
