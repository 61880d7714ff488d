"""Gemini Omni over Google's Interactions API: one body and one answer, on the Gemini API and on Vertex AI.

`completed` is no success: a refusal is completed too, with a text in place of the video. What was made is in the last
`model_output` step that holds a video.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from reelway.core.errors import UnexpectedResponse
from reelway.core.failures import Failure, FailureKind
from reelway.core.record import Record
from reelway.core.videos import Mode, Role
from reelway.vendors.google_errors import OperationError, blocked, cannot, failure_of, has_gone, without_video
from reelway.vendors.google_media import interaction_media, within
from reelway.vendors.spec import (
    CancelAnswer,
    Download,
    HttpRequest,
    HttpResponse,
    Running,
    Status,
    Submission,
    Succeeded,
    VendorFailed,
    VendorOutput,
    inputs_of,
)
from reelway.vendors.wire import excerpt, expect, is_success, word

__all__ = ["MARK", "Created", "Place", "cancelled", "check_deleted", "create_body", "is_bare", "mark_of", "outcome"]

MARK = "reelway_attempt"
"""Under this name our reference stands among the labels and in the events of a webhook."""

_TASKS: Mapping[Mode, str] = MappingProxyType(
    {
        Mode.T2V: "text_to_video",
        Mode.I2V: "image_to_video",
        Mode.FIRST_LAST: "image_to_video",
        Mode.R2V: "reference_to_video",
        Mode.EDIT: "edit",
        Mode.REMIX: "edit",
        Mode.EXTEND: "extend",
    }
)
_FROM_VIDEO = (Mode.EDIT, Mode.REMIX, Mode.EXTEND)
_FRAMES = "<FIRST_FRAME> <LAST_FRAME> "
_FRAME_TAG = re.compile(r"<(?:FIRST|LAST)_FRAME>")
_NOT_IN_A_LABEL = re.compile(r"[^a-z0-9_-]")
_LONGEST_LABEL = 63
_FAILED = frozenset({"failed", "incomplete", "budget_exceeded", "requires_action", "requires_continuation"})
_LARGEST_FIGURE = 2**53


class Created(Record):
    """The answer to a create: everything else in it may change with the next look."""

    id: str


class Block(Record):
    """A part of what the model said."""

    type: str = ""
    text: Any = None


class Step(Record):
    type: str = ""
    content: list[Block] | None = None
    error: OperationError | None = None


class Fault(Record):
    """A fault of the platform; the code is a word or an address."""

    code: Any = None
    message: Any = None


class Interaction(Record):
    """The fields that are used; the videos are read from the document itself, by their place in it."""

    id: str
    status: str
    steps: list[Step] | None = None
    errors: list[Fault] | None = None
    usage: dict[str, Any] | None = None


def create_body(submission: Submission, vendor: str, delivery: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of a create; `delivery` says how the result is to come."""
    request = submission.request
    generation: dict[str, Any] = {} if request.seed is None else {"seed": request.seed}
    generation["video_config"] = {"task": _TASKS[request.mode]}
    wanted = {
        "type": "video",
        "aspect_ratio": request.ratio,
        "resolution": request.tier,
        "duration": None if request.seconds is None else f"{request.seconds}s",
        **delivery,
    }
    previous = _previous(submission)
    body: dict[str, Any] = {
        "model": submission.model,
        "background": True,
        "input": _input(submission, vendor, with_source=previous is None),
        "generation_config": generation,
        "response_format": {name: value for name, value in wanted.items() if value is not None},
        "labels": {MARK: mark_of(submission)},
        **dict(sorted(request.options.items())),
    }
    if previous is not None:
        body["previous_interaction_id"] = previous
    if submission.callback_url is not None:
        body["webhook_config"] = {"uris": [submission.callback_url], "user_metadata": body["labels"]}
    return body


def mark_of(submission: Submission) -> str:
    """Return our reference as a label may hold it."""
    return _NOT_IN_A_LABEL.sub("-", submission.reference.lower())[:_LONGEST_LABEL]


class Place(Record):
    """Where this surface keeps results: behind addresses, or within the answer to the same look."""

    vendor: str
    again: HttpRequest
    fetch: Callable[[str], Download]


def outcome(response: HttpResponse, place: Place) -> Status:
    """Return what the answer to a look says."""
    found = expect(Interaction, response)
    match word(found.status):
        case "queued" | "in_progress":
            return Running()
        case "completed":
            return _completed(found, msgspec.json.decode(response.body), place)
        case "cancelled":
            message = f"The video was cancelled at `{place.vendor}`."
            return VendorFailed(failure=Failure(kind=FailureKind.CANCELLED, message=message, vendor_code="cancelled"))
        case state if state in _FAILED:
            return VendorFailed(failure=_failure(found, place.vendor).evolve(vendor_code=state))
        case unknown:
            raise UnexpectedResponse(f"unknown interaction status {unknown!r}")


def is_bare(response: HttpResponse) -> bool:
    """Tell whether an interaction is completed and shows nothing that came of it, neither a video nor a word.

    Seen on Vertex AI on 2026-09-20, while the file lay in the bucket.
    """
    found = expect(Interaction, response)
    said = any(step.type == "model_output" for step in found.steps or ())
    return word(found.status) == "completed" and not said and not _video_tokens(_figures(found.usage))


def cancelled(response: HttpResponse) -> CancelAnswer:
    """Return what an answer to a cancel means. Nobody has said that it is free, so the next look tells what became of it."""
    if is_success(response) or response.status in (400, 409):
        return "asked"  # a 400 or 409: it has ended meanwhile
    if response.status in (404, 405):
        return "refused"
    raise UnexpectedResponse(f"the cancel was not answered: {excerpt(response)}")


def check_deleted(response: HttpResponse) -> None:
    """Raise `UnexpectedResponse` unless it is gone now, or was before."""
    if not is_success(response) and response.status not in (404, 410) and not has_gone(response):
        raise UnexpectedResponse(f"it was not deleted: {excerpt(response)}")


def _previous(submission: Submission) -> str | None:
    """Return the interaction to go on from, where this account made the source with the same model."""
    source = submission.source
    if submission.request.mode not in _FROM_VIDEO or source is None or "interaction" not in source:
        return None
    is_other = submission.source_model not in (None, submission.model)
    has_bytes = bool(inputs_of(submission.request, Role.SOURCE))
    return None if is_other and has_bytes else str(source["interaction"])


def _input(submission: Submission, vendor: str, *, with_source: bool) -> str | list[dict[str, Any]]:
    """Return the prompt, alone or behind what it speaks of, in the order in which tags count."""
    request = submission.request
    sources = inputs_of(request, Role.SOURCE) if with_source else ()
    if with_source and request.mode in _FROM_VIDEO and not sources:
        raise cannot(vendor, f"the video to {request.mode} is not at hand; send it as a file")
    given = (*sources, *inputs_of(request, Role.FIRST_FRAME), *inputs_of(request, Role.LAST_FRAME))
    blocks = [interaction_media(one) for one in (*given, *inputs_of(request, Role.REFERENCE))]
    prompt = request.prompt
    if request.mode is Mode.FIRST_LAST and not _FRAME_TAG.search(prompt):
        prompt = _FRAMES + prompt
    if not blocks:
        return prompt
    return [{"type": "user_input", "content": [*blocks, {"type": "text", "text": prompt}]}]


def _completed(found: Interaction, document: Any, place: Place) -> Status:
    usage = _figures(found.usage)
    for step in reversed(document.get("steps") or []):
        videos = [block for block in step.get("content") or [] if block.get("type") == "video"]
        if step.get("type") == "model_output" and videos:
            outputs = tuple(VendorOutput(video=_download(block, document, place)) for block in videos)
            return Succeeded(outputs=outputs, usage=usage)
    said = [step for step in found.steps or () if step.type == "model_output"]
    if _video_tokens(usage):
        return VendorFailed(failure=without_video(place.vendor, charged=True))
    if not said:
        raise UnexpectedResponse("the interaction is completed, and shows nothing that came of it")
    texts = tuple(block.text for step in said for block in step.content or () if isinstance(block.text, str))
    if any(text.strip() for text in texts):
        return VendorFailed(failure=blocked(texts, place.vendor))
    return VendorFailed(failure=without_video(place.vendor))


def _download(block: dict[str, Any], document: Any, place: Place) -> Download:
    uri = block.get("uri")
    if isinstance(uri, str) and uri:
        return place.fetch(uri)
    if isinstance(block.get("data"), str):
        return within(place.again, document, block, "data")
    raise UnexpectedResponse("the interaction shows a video with neither bytes nor an address")


def _failure(found: Interaction, vendor: str) -> Failure:
    """Return why it failed: a step's own status, with the code of a fault beside it."""
    fault = next(iter(found.errors or ()), Fault())
    error = next((step.error for step in reversed(found.steps or []) if step.error is not None), None)
    if error is None:
        error = OperationError(message=fault.message)
    told = fault.code if isinstance(fault.code, str) else ""
    return failure_of(error, vendor, found.id, told=told)


def _figures(usage: dict[str, Any] | None) -> dict[str, Any]:
    """Return the counts of tokens, in all and by what they stand for."""
    figures: dict[str, Any] = {}
    for name, value in (usage or {}).items():
        if name.startswith("total_") and _is_count(value):
            figures[name] = value
        if name == "output_tokens_by_modality" and isinstance(value, list):
            figures[name] = [
                {"modality": str(entry.get("modality")), "tokens": entry["tokens"]}
                for entry in value
                if isinstance(entry, dict) and _is_count(entry.get("tokens"))
            ]
    return figures


def _video_tokens(usage: dict[str, Any]) -> int:
    entries = usage.get("output_tokens_by_modality", [])
    return sum(entry["tokens"] for entry in entries if word(entry["modality"]) == "video")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_FIGURE
