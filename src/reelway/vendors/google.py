"""Google with an API key: Gemini Omni on the Interactions API, and Veo in the shape it had there until 2026-10-22.

Google itself makes no Veo with a key any more, but resellers and another Reelway speak that shape. There is no idempotency key
and no list: a create whose answer was lost is heard of by its webhook, or never.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.core.errors import UnexpectedResponse
from reelway.core.record import Record
from reelway.core.videos import MediaKind
from reelway.vendors.google_errors import failure_of, gone, has_gone, look_refusal, without_video
from reelway.vendors.google_interactions import (
    MARK,
    Place,
    cancelled,
    check_deleted,
    create_body,
    mark_of,
    outcome,
)
from reelway.vendors.google_media import linked, segment
from reelway.vendors.google_submitting import accepted, is_veo
from reelway.vendors.google_veo import Operation, instances, kept_back, parameters
from reelway.vendors.spec import (
    Accepted,
    Callback,
    CancelAnswer,
    Candidate,
    Credential,
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
from reelway.vendors.wire import delete, expect, get, post

__all__ = ["ADAPTER", "Google"]

_VENDOR = "google"
_INTERACTIONS = "/v1/interactions"
_FILE = re.compile(r"https?://[^/?#]+(/v1(?:beta)?/files/[^/:?#]+):download\b.*", re.DOTALL)
_OPERATION = re.compile(r"models/[^/]+/operations/[^/]+")
_OFFICIAL = frozenset({"", "gemini-api"})


class FileAnswer(Record):
    """A file of the Files API."""

    state: str


class Event(Record):
    """What a webhook tells. Where the metadata stands in it is not documented: beside the data, or in it."""

    type: str
    data: dict[str, Any]
    user_metadata: dict[str, Any] | None = None


class Google:
    """The adapter. An operation is `{"interaction", "service"}` of Omni, or `{"operation"}` of Veo."""

    vendor = _VENDOR
    url_kinds: frozenset[MediaKind] = frozenset()
    """None: the documented inputs are bytes, and files uploaded to Google."""
    link_kinds: frozenset[MediaKind] = frozenset()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Create in the background; otherwise the answer would come with the finished video."""
        response = yield _veo_create(submission) if is_veo(submission) else _omni_create(submission)
        kept = {} if is_veo(submission) else {"service": submission.service}
        return accepted(response, submission, _VENDOR, kept)

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. A state outside the table raises: nobody can know whether it is an end."""
        request = _look(operation)
        response = yield request
        if has_gone(response):
            return VendorFailed(failure=gone(_VENDOR))
        if response.status in (401, 403, 429):
            raise look_refusal(response, _VENDOR)
        if "operation" in operation:
            return _veo_status(expect(Operation, response))
        status = outcome(response, Place(vendor=_VENDOR, again=request, fetch=linked))
        if isinstance(status, Succeeded) and operation.get("service", "") in _OFFICIAL:
            return (yield from _ready(status))
        return status

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Ask Omni to stop. Its state may lag behind, and Veo cannot be stopped."""
        if "interaction" not in operation:
            return "refused"
        return cancelled((yield post(f"{_path(operation)}/cancel")))

    def delete(self, operation: Mapping[str, Any]) -> Flow[None]:
        """Have Google forget an interaction; the files of Veo expire by themselves."""
        if "interaction" in operation:
            check_deleted((yield delete(_path(operation))))

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        """Read an event. It names the work; what became of it, only a look tells."""
        event = expect(Event, HttpResponse(status=200, body=callback.body))
        marks = event.user_metadata or event.data.get("user_metadata")
        mark = marks.get(MARK) if isinstance(marks, dict) else None
        if mark not in (None, mark_of(submission)):
            raise UnexpectedResponse("the event belongs to another attempt")
        name = event.data.get("id")
        if not isinstance(name, str) or not name or is_veo(submission) != bool(_OPERATION.fullmatch(name)):
            return Heard()
        if is_veo(submission):
            found = Candidate(operation={"operation": name}, key=name.rpartition("/")[2], certain=True)
        else:
            found = Candidate(operation=_interaction(name, submission), key=name, certain=True)
        return Heard(operation=found)

    def named(self, key: str, submission: Submission) -> Candidate:
        """Return the work behind the name of an operation of Veo, or the id of an interaction of Omni."""
        if is_veo(submission):
            return Candidate(operation={"operation": key}, key=key.rpartition("/")[2])
        return Candidate(operation=_interaction(key, submission), key=key)

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with the account's API key, which is never put into an address."""
        key = credential.values.get("api_key", "")
        return request.evolve(headers=(*request.headers, ("x-goog-api-key", key))) if key else request


ADAPTER = Google()


# --- submitting


def _omni_create(submission: Submission) -> HttpRequest:
    return post(_INTERACTIONS, json=create_body(submission, _VENDOR, {"delivery": "uri"}), billable=True)


def _veo_create(submission: Submission) -> HttpRequest:
    settings = parameters(submission)
    if settings.get("generateAudio"):
        del settings["generateAudio"]  # always on, and the field is unknown on this surface
    [instance] = instances(submission, _VENDOR)
    source = instance.get("video")
    if source is not None and "gcsUri" in source:
        instance["video"] = {"uri": source["gcsUri"]}
    elif source is not None:
        instance["video"] = {"encodedVideo": source["bytesBase64Encoded"], "encoding": source["mimeType"]}
    body: dict[str, Any] = {"instances": [instance], "parameters": settings}
    if submission.callback_url is not None:
        metadata = {MARK: mark_of(submission)}
        body["webhookConfig"] = {"uris": [submission.callback_url], "userMetadata": metadata}
    path = f"/v1beta/models/{quote(submission.model, safe='')}:predictLongRunning"
    return post(path, json=body, billable=True)


def _interaction(name: str, submission: Submission) -> dict[str, Any]:
    return {"interaction": name, "service": submission.service}


# --- looking


def _path(operation: Mapping[str, Any]) -> str:
    return f"{_INTERACTIONS}/{segment(str(operation['interaction']))}"


def _look(operation: Mapping[str, Any]) -> HttpRequest:
    if "operation" in operation:
        name = "/".join(segment(part) for part in str(operation["operation"]).split("/"))
        return get(f"/v1beta/{name}")
    # The inputs may come back with the answer, 20 MB of base64 were seen.
    return get(_path(operation), query=(("stream", "false"),)).evolve(drop_long_texts=True)


def _veo_status(operation: Operation) -> Status:
    if not operation.done:
        return Running()
    if operation.error is not None:
        return VendorFailed(failure=failure_of(operation.error, _VENDOR, operation.name))
    result = (operation.response or {}).get("generateVideoResponse")
    if not isinstance(result, dict):
        raise UnexpectedResponse("the operation is done, with neither a result nor an error")
    samples = result.get("generatedSamples") or []
    addresses = [_address(sample) for sample in samples] if isinstance(samples, list) else []
    if not addresses:
        return VendorFailed(failure=kept_back(result, _VENDOR))
    return Succeeded(outputs=tuple(VendorOutput(video=linked(address)) for address in addresses))


def _address(sample: Any) -> str:
    video = sample.get("video") if isinstance(sample, dict) else None
    address = video.get("uri") if isinstance(video, dict) else None
    if not isinstance(address, str):
        raise UnexpectedResponse("the operation shows a video without an address")
    return address


def _ready(status: Succeeded) -> Flow[Status]:
    """Wait until Google says of its files that they can be fetched."""
    for output in status.outputs:
        match = _FILE.fullmatch(output.video.request.path)
        if match is None:
            continue
        response = yield get(match[1])
        if response.status in (401, 403, 429):
            raise look_refusal(response, _VENDOR)
        match expect(FileAnswer, response).state:
            case "ACTIVE":
                continue
            case "PROCESSING":
                return Running()
            case "FAILED":
                return VendorFailed(failure=without_video(_VENDOR, charged=True))
            case unknown:
                raise UnexpectedResponse(f"unknown file state {unknown!r}")
    return status
