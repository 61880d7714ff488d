"""Google's models on Vertex AI, which Google now calls the Gemini Enterprise Agent Platform: Veo, and Gemini Omni.

Results go to a bucket of the account (`storage_uri`), into a folder for each attempt, where a lost submit is found again; without a
bucket they come within the answer. There is no idempotency key and no list.
"""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec

from reelway.core.errors import NoWayToLook, UnexpectedResponse
from reelway.core.failures import FailureKind
from reelway.core.videos import MediaKind
from reelway.vendors.google_errors import cannot, failure_of, gone, has_gone, look_refusal
from reelway.vendors.google_interactions import (
    MARK,
    Place,
    cancelled,
    check_deleted,
    create_body,
    is_bare,
    mark_of,
    outcome,
)
from reelway.vendors.google_media import segment, within
from reelway.vendors.google_submitting import accepted, is_veo
from reelway.vendors.google_veo import Operation, instances, kept_back, parameters
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
from reelway.vendors.vertex_storage import fetch, folder_of, forget, list_folder, origin_of, videos_in
from reelway.vendors.wire import delete, expect, get, post

__all__ = ["ADAPTER", "Vertex", "host_of"]

_VENDOR = "vertex"
_LOCATION = "us-central1"
_LONGEST_RENDER_SECONDS = 1800.0
"""Google gives 6 minutes as the longest; what is not in the bucket by then will not come."""


class Vertex:
    """The adapter.

    An operation is `{"operation"}` of Veo or `{"interaction", "parent"}` of Omni; with `"folder"` where there is a bucket, and
    nothing but the folder where the answer to the submit was lost. `"storage_url"` is kept where it is not Google's.
    """

    vendor = _VENDOR
    url_kinds: frozenset[MediaKind] = frozenset()
    link_kinds: frozenset[MediaKind] = frozenset()

    def submit(self, submission: Submission) -> Flow[Accepted]:
        """Start a long-running prediction, or an interaction in the background."""
        response = yield _veo_create(submission) if is_veo(submission) else _omni_create(submission)
        parent = {} if is_veo(submission) else {"parent": _parent(submission)}
        return accepted(response, submission, _VENDOR, {**parent, **_storage(submission)})

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        """Look once. What was lost and found again is looked for in its folder: it has no other trace."""
        if "operation" not in operation and "interaction" not in operation:
            return (yield from _in_folder(operation)) or Running()
        request = _look(operation)
        response = yield request
        if has_gone(response):
            return VendorFailed(failure=gone(_VENDOR))
        if response.status in (401, 403, 429):
            raise look_refusal(response, _VENDOR)
        bring = partial(fetch, origin=origin_of(operation))
        if "operation" in operation:
            return _veo_status(response, request, bring)
        if "folder" in operation and is_bare(response):
            status = yield from _in_folder(operation)
            if status is not None:
                return status
        return outcome(response, Place(vendor=_VENDOR, again=request, fetch=bring))

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        """Ask Omni to stop. Its state may lag behind, and Veo cannot be stopped."""
        if "interaction" not in operation:
            return "refused"
        return cancelled((yield post(f"{_path(operation)}/cancel")))

    def delete(self, operation: Mapping[str, Any]) -> Flow[None]:
        """Have an interaction forgotten, and empty the folder, which is ours alone; operations of Veo go by themselves."""
        if "interaction" in operation:
            check_deleted((yield delete(_path(operation))))
        folder, origin = operation.get("folder"), origin_of(operation)
        if folder is not None:
            for uri in videos_in(folder, (yield list_folder(folder, origin))):
                check_deleted((yield forget(uri, origin)))

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        """Look into the folder of the attempt until its render would be over. That it is empty then proves nothing: the video
        may have been kept back, or never asked for."""
        folder = folder_of(submission)
        if folder is None:
            raise NoWayToLook("`vertex` shows no list of videos, and the account has no bucket (`storage_uri`)")
        response = yield list_folder(folder, origin_of(submission.settings))
        if videos_in(folder, response):
            return (Candidate(operation=_storage(submission), key=submission.reference, certain=True),)
        if _is_over(response, submission):
            raise NoWayToLook("the folder of the attempt stayed empty, which may mean a refusal as well as a loss")
        raise UnexpectedResponse("nothing is in the folder of the attempt yet, and its render may not be over")

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        """Sign with an access token; another Reelway takes its own key in the place of one."""
        token = credential.values.get("access_token") or credential.values.get("api_key", "")
        return request.evolve(headers=(*request.headers, ("Authorization", f"Bearer {token}"))) if token else request


ADAPTER = Vertex()


# --- submitting


def _veo_create(submission: Submission) -> HttpRequest:
    folder = folder_of(submission)
    storage = {} if folder is None else {"storageUri": folder}
    body = {
        "instances": instances(submission, _VENDOR),
        "parameters": {**parameters(submission), **storage},
        "labels": {MARK: mark_of(submission)},
    }
    place = _place("/v1", submission, submission.settings.get("location") or _LOCATION)
    model = quote(submission.model, safe="")
    return post(f"{place}/publishers/google/models/{model}:predictLongRunning", json=body, billable=True)


def _omni_create(submission: Submission) -> HttpRequest:
    folder = folder_of(submission)
    delivery = {"delivery": "inline"} if folder is None else {"delivery": "uri", "gcs_uri": folder}
    # Google's client passes a webhook on here, and no page says that one is called.
    body = create_body(submission.evolve(callback_url=None), _VENDOR, delivery)
    return post(f"{_parent(submission)}/interactions", json=body, billable=True)


def _parent(submission: Submission) -> str:
    """Return where interactions are. Google has Omni at `global` alone, while the account's own place is that of its Veo."""
    settings = submission.settings
    location = settings.get("location") or _LOCATION
    elsewhere = settings.get("omni_location") or location
    place = _place("/v1beta1", submission, elsewhere)
    return place if elsewhere == location else f"https://{host_of(elsewhere)}{place}"


def host_of(location: str) -> str:
    """Return Google's host for a location: `global`, a region, or a multi-region."""
    if location == "global":
        return "aiplatform.googleapis.com"
    if "-" in location:
        return f"{location}-aiplatform.googleapis.com"
    return f"aiplatform.{location}.rep.googleapis.com"


def _place(version: str, submission: Submission, location: str) -> str:
    project = submission.settings.get("project", "")
    if not project:
        why = "the operator has to set `project` for this account"
        raise cannot(_VENDOR, why, FailureKind.PERMISSION)
    return f"{version}/projects/{quote(project, safe='')}/locations/{quote(location, safe='')}"


def _storage(submission: Submission) -> dict[str, str]:
    """Return what an operation keeps of the account's bucket."""
    folder, other = folder_of(submission), submission.settings.get("storage_url")
    if folder is None:
        return {}
    return {"folder": folder, **({"storage_url": other} if other else {})}


# --- looking


def _path(operation: Mapping[str, Any]) -> str:
    return f"{operation['parent']}/interactions/{segment(str(operation['interaction']))}"


def _look(operation: Mapping[str, Any]) -> HttpRequest:
    """Ask what has become of it; the answer may hold the whole video, or the inputs."""
    if "interaction" in operation:
        return get(_path(operation), query=(("stream", "false"),)).evolve(drop_long_texts=True)
    name = str(operation["operation"])
    model = "/".join(segment(part) for part in name.rpartition("/operations/")[0].split("/"))
    return post(f"/v1/{model}:fetchPredictOperation", json={"operationName": name}).evolve(drop_long_texts=True)


def _veo_status(response: HttpResponse, request: HttpRequest, bring: Callable[[str], Download]) -> Status:
    operation = expect(Operation, response)
    if not operation.done:
        return Running()
    if operation.error is not None:
        return VendorFailed(failure=failure_of(operation.error, _VENDOR, operation.name))
    document = msgspec.json.decode(response.body)
    result = document.get("response")
    if result is None:
        raise UnexpectedResponse("the operation is done, with neither a result nor an error")
    videos = result.get("videos") or []
    if not isinstance(videos, list) or not all(isinstance(video, dict) for video in videos):
        raise UnexpectedResponse("the operation shows its videos in a shape nobody has met")
    if not videos:
        return VendorFailed(failure=kept_back(result, _VENDOR))

    def download(video: dict[str, Any]) -> Download:
        uri = video.get("gcsUri")
        if isinstance(uri, str) and uri:
            return bring(uri)
        if isinstance(video.get("bytesBase64Encoded"), str):
            return within(request, document, video, "bytesBase64Encoded")
        raise UnexpectedResponse("the operation shows a video with neither bytes nor an address")

    return Succeeded(outputs=tuple(VendorOutput(video=download(video)) for video in videos))


def _in_folder(operation: Mapping[str, Any]) -> Flow[Status | None]:
    """Return what lies in the folder of the attempt, None while nothing does."""
    folder, origin = str(operation["folder"]), origin_of(operation)
    found = videos_in(folder, (yield list_folder(folder, origin)))
    outputs = tuple(VendorOutput(video=fetch(uri, origin)) for uri in found)
    return Succeeded(outputs=outputs) if outputs else None


def _is_over(response: HttpResponse, submission: Submission) -> bool:
    """Tell whether, by the storage's own clock, a render of this attempt has surely ended."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return False
    return now > max(submission.started_at, submission.left_by) + _LONGEST_RENDER_SECONDS
