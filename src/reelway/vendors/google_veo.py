"""Veo's one request and its operations, as Vertex AI takes them; the Gemini API took the same with fewer fields.

`done` is no success: a safety filter leaves the list of videos shorter or empty, and only what is in it was made.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.failures import Failure
from reelway.core.record import Record
from reelway.core.videos import Mode, Role
from reelway.vendors.google_errors import OperationError, blocked, cannot, without_video
from reelway.vendors.google_media import veo_media
from reelway.vendors.spec import Submission, inputs_of

__all__ = ["Operation", "instances", "kept_back", "parameters"]

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "compression_quality": "compressionQuality",
        "enhance_prompt": "enhancePrompt",
        "negative_prompt": "negativePrompt",
        "person_generation": "personGeneration",
        "resize_mode": "resizeMode",
    }
)
"""Options of the cards in Google's spelling; an option of an operator's own card keeps its name."""


class Operation(Record):
    """An operation, running or done. The key `done` may be missing while it runs."""

    name: str
    done: bool = False
    error: OperationError | None = None
    response: dict[str, Any] | None = None


def instances(submission: Submission, vendor: str) -> list[dict[str, Any]]:
    """Return what is made from what. Raise `VendorRefused` when the source of an extension is not at hand."""
    request = submission.request
    instance: dict[str, Any] = {"prompt": request.prompt} if request.prompt else {}
    for name, role in (("image", Role.FIRST_FRAME), ("lastFrame", Role.LAST_FRAME), ("video", Role.SOURCE)):
        for given in inputs_of(request, role):
            instance[name] = veo_media(given)
    references = inputs_of(request, Role.REFERENCE)
    if references:
        instance["referenceImages"] = [{"image": veo_media(given), "referenceType": "asset"} for given in references]
    if request.mode is Mode.EXTEND and "video" not in instance:
        raise cannot(vendor, "the video to lengthen is not at hand; send it as a file")
    return [instance]


def parameters(submission: Submission) -> dict[str, Any]:
    """Return how it is made."""
    request = submission.request
    given = {
        "sampleCount": request.n,
        # An extension has one length, and the pages do not agree whether it is called 7 or 8 seconds.
        "durationSeconds": None if request.mode is Mode.EXTEND else request.seconds,
        "aspectRatio": request.ratio,
        "resolution": request.tier,
        "fps": request.fps,
        "generateAudio": request.audio,
        "seed": request.seed,
        **{_NAMES.get(name, name): value for name, value in sorted(request.options.items())},
    }
    return {name: value for name, value in given.items() if value is not None}


def kept_back(response: Mapping[str, Any], vendor: str) -> Failure:
    """Return why a finished operation holds no video."""
    reasons = response.get("raiMediaFilteredReasons")
    told = tuple(map(str, reasons)) if isinstance(reasons, list) else ()
    count = response.get("raiMediaFilteredCount")
    if told or (isinstance(count, int) and count > 0):
        return blocked(told, vendor)
    return without_video(vendor)
