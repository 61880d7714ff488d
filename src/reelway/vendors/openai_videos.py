"""Any server that speaks the OpenAI Videos API: OpenAI's clones and resellers, Azure, vLLM-Omni, SGLang, LiteLLM, new-api, Google's
OpenAI layer, another Reelway. What each does otherwise is in `openai_services`.

The API knows no idempotency key and keeps no mark of ours, so a lost create is looked for in the list, by what was asked and when.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import quote

from reelway.core.errors import NoWayToLook, UnexpectedResponse
from reelway.core.videos import MediaKind
from reelway.vendors.openai_answers import (
    VideoAnswer,
    VideoList,
    ended,
    failure_of,
    look_refusal,
    pause_seconds,
    service_name,
    submit_refusal,
)
from reelway.vendors.openai_bodies import create_request
from reelway.vendors.openai_finding import PAGE, goes_on, mark_of, may_be
from reelway.vendors.openai_services import Service, service_of
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
        service = service_of(submission.service)
        mark = (("Idempotency-Key", submission.reference),) if service.is_ours else ()
        response = yield create_request(submission, (*mark, *service.create_headers, *_key_header(service)))
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
        told = _told_by_status(response, operation) if service.fails_with_status else None
        if told is not None:
            return told
        if response.status in (401, 403, 429):
            raise look_refusal(response, service.name)
        video = expect(VideoAnswer, response)

        match service.state_of(word(video.status)):
            case "queued":
                return Running(poll_after_seconds=pause_seconds(response))
            case "in_progress":
                return Running(progress=_percent(video.progress), poll_after_seconds=pause_seconds(response))
            case "completed":
                return Succeeded(outputs=_outputs(video, operation), usage=_usage(video))
            case "failed":
                return VendorFailed(failure=failure_of(video, service.name, str(operation["id"])))
            case "expired" | "cancelled" as end:
                return VendorFailed(failure=ended(end, service.name))
            case None:
                raise UnexpectedResponse(f"unknown video status {word(video.status)!r}")

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Stop it where the server can: another Reelway has an endpoint for it, vLLM-Omni aborts what is deleted."""
        service = _service(operation)
        if service.cancels_by_deleting:
            response = yield delete(_path(operation))
            if response.status == 409:
                return "asked"  # it is being aborted, or has just finished
            return "cancelled" if is_success(response) else "refused"
        if not service.is_ours:
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
        service = _service(operation)
        if not service.deletes:
            return
        response = yield delete(_path(operation), headers=_key_header(service))
        if not is_success(response) and response.status not in (404, 410):
            raise UnexpectedResponse(f"the video was not deleted: {excerpt(response)}")

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Go back through the list until before the attempt began, and return every video that may be it."""
        service = service_of(submission.service)
        if not service.lists:
            raise NoWayToLook(f"{service_name(service.name)} shows no list of videos")
        headers = _key_header(service)
        found: dict[str, Candidate] = {}
        last = ""
        for _ in range(_PAGES):
            query = (("order", "desc"), ("limit", str(PAGE)), *((("after", last),) if last else ()))
            response = yield get("/videos", query=query, headers=headers)
            if service.may_lack_lists and _has_no_such_endpoint(response):
                raise NoWayToLook(f"{service_name(service.name)} shows no list of videos: {excerpt(response)}")
            page = expect(VideoList, response)
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

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind a video's id."""
        return Candidate(operation=_operation(key, submission), key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's key: in `api-key` where the request leaves room for it, else as a bearer token; a token that
        was fetched (Entra) is one everywhere."""
        token = credential.values.get("access_token", "")
        key = token or credential.values.get("api_key", "")
        headers = tuple(header for header in request.headers if header != _ROOM_FOR_KEY)
        if not key:
            return request.evolve(headers=headers)
        in_header = _ROOM_FOR_KEY in request.headers and not token
        signature = ("api-key", key) if in_header else ("Authorization", f"Bearer {key}")
        return request.evolve(headers=(*headers, signature))


ADAPTER = OpenAIVideos()


def _service(operation: Mapping[str, Any]) -> Service:
    return service_of(str(operation.get("service", "")))


def _operation(video_id: str, submission: Submission) -> dict[str, Any]:
    operation = {"id": video_id, "service": submission.service}
    results = submission.settings.get("results")
    return {**operation, "results": results} if results else operation


def _path(operation: Mapping[str, Any]) -> str:
    return f"/videos/{quote(str(operation['id']), safe='')}"


def _key_header(service: Service) -> tuple[tuple[str, str], ...]:
    return (_ROOM_FOR_KEY,) if service.has_key_header else ()


def _has_no_such_endpoint(response: HttpResponse) -> bool:
    """Tell whether the server itself says so, in JSON; a page of a proxy in front of it says nothing about it."""
    return response.status in (404, 405, 501) and response.body.lstrip().startswith(b"{")


def _told_by_status(response: HttpResponse, operation: Mapping[str, Any]) -> VendorFailed | None:
    """Return the failure that stands in an error answer: vLLM-Omni shows a failed video with the status of its failure."""
    if is_success(response):
        return None
    try:
        video = expect(VideoAnswer, response.evolve(status=200))
    except UnexpectedResponse:
        return None
    if video.id != operation["id"] or word(video.status) != "failed":
        return None
    return VendorFailed(failure=failure_of(video, str(operation["service"]), video.id))


def _percent(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return max(0, min(100, int(value)))


def _outputs(video: VideoAnswer, operation: Mapping[str, Any]) -> tuple[VendorOutput, ...]:
    """Return where the results lie: at the content endpoint, or behind a link where the server has moved them away."""
    service = _service(operation)
    if service.name == "sglang":
        return _sglang_outputs(video, operation)
    if service.has_links or operation.get("results") == "url":
        link = video.url or video.video_url or _link_in_metadata(video)
        if not _is_link(link):
            raise UnexpectedResponse("the video is completed, and no link to it is shown")
        # The engine gives the key to the account's own host only; Google's links lie there and want it.
        return (VendorOutput(video=Download(request=get(str(link)), authorize=service.has_links)),)
    count = len(video.outputs or ()) or 1
    places: list[str | None] = [str(index) for index in range(count)] if count > 1 else [None]
    return tuple(_content(operation, () if place is None else (("index", place),)) for place in places)


def _sglang_outputs(video: VideoAnswer, operation: Mapping[str, Any]) -> tuple[VendorOutput, ...]:
    """SGLang numbers its files by `variant`, and refuses the content of one that it has put into a bucket and shows a link to."""
    links = video.urls or [video.url]
    count = video.num_outputs if isinstance(video.num_outputs, int) and video.num_outputs > 0 else len(links)
    outputs = []
    for place in range(count):
        link = links[place] if place < len(links) else None
        if _is_link(link):
            outputs.append(VendorOutput(video=Download(request=get(link))))
        else:
            outputs.append(_content(operation, (("variant", str(place)),) if count > 1 else ()))
    return tuple(outputs)


def _content(operation: Mapping[str, Any], query: tuple[tuple[str, str], ...]) -> VendorOutput:
    request = get(f"{_path(operation)}/content", query=query, headers=_key_header(_service(operation)))
    return VendorOutput(video=Download(request=request, authorize=True))


def _is_link(link: Any) -> TypeGuard[str]:
    return isinstance(link, str) and link.startswith(("https://", "http://"))


def _link_in_metadata(video: VideoAnswer) -> str | None:
    link = (video.metadata or {}).get("url")
    return link if isinstance(link, str) else None


def _usage(video: VideoAnswer) -> dict[str, Any]:
    """Return what another Reelway charged, which is the real cost to us."""
    if video.cost is None or video.cost.settled is None:
        return {}
    return {"cost": {"currency": video.cost.currency, "settled": video.cost.settled}}
