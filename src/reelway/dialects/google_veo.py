"""Veo's creates, and the operations that answer them, on both surfaces: the Gemini API (with a key) and Vertex AI.

A create has one instance, what is made from what, and parameters, how. Both surfaces take what either documents, because
resellers and their clients mix the two. A finished operation of the Gemini API names files, one of Vertex AI holds the
bytes: without a bucket they are in the answer, and into a caller's bucket nobody but Google can write.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import InputReference, MediaKind, Role, Video, VideoRequest
from reelway.dialects.google_errors import failure_of, message_of, operation_error
from reelway.dialects.google_files import file_name, file_uri, iso_time
from reelway.dialects.google_reading import (
    Source,
    body_of,
    known_fields,
    model_of,
    read_labels,
    read_list,
    read_source,
    read_webhook,
    refuse,
)
from reelway.dialects.shape import Taken, read_shape
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, read_boolean, read_integer, read_seconds, read_text, read_word

__all__ = ["gemini_result", "operation", "read_veo_request", "render_callback", "vertex_result"]

_INSTANCE = ("prompt", "image", "lastFrame", "video", "referenceImages", "mask")
_PARAMETERS = (
    "aspectRatio",
    "compressionQuality",
    "durationSeconds",
    "enhancePrompt",
    "fps",
    "generateAudio",
    "negativePrompt",
    "numberOfVideos",
    "personGeneration",
    "pubsubTopic",
    "resizeMode",
    "resolution",
    "sampleCount",
    "seed",
    "storageUri",
)
_NO_BUCKET = "nothing can be written into a bucket of yours; leave it out, and the result is in the answer"
_NOT_SERVED: Mapping[str, str] = MappingProxyType(
    {"storageUri": _NO_BUCKET, "pubsubTopic": "there is no Pub/Sub; poll, or give a webhookConfig"}
)
_NO_MASK = MappingProxyType({"mask": "masks were a feature of Veo 2, which was switched off"})
_SPELLED: Mapping[str, str] = MappingProxyType(
    {
        "seconds": "parameters.durationSeconds",
        "ratio": "parameters.aspectRatio",
        "tier": "parameters.resolution",
        "fps": "parameters.fps",
        "seed": "parameters.seed",
        "audio": "parameters.generateAudio",
        "response_format": "parameters",
        "callback_url": "webhookConfig.uris[0]",
    }
)
_EXTENSION_SECONDS = 8
"""What Google asks for as the length of an extension, although 7 seconds are added (Gemini API, Veo page of 2026-06-30)."""
_MOST_TAKES = 4
_UNFINISHED = (Status.QUEUED, Status.IN_PROGRESS)
_GEMINI_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse"
_VERTEX_TYPE = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"


# --- reading


def read_veo_request(incoming: Incoming, *, inline: bool) -> VideoRequest:
    """Return what is asked for; `inline`: the result's bytes come in the answer."""
    body = body_of(incoming, ("instances", "parameters", "labels", "webhookConfig"))
    instances = read_list(body.get("instances"), "instances")
    if len(instances) != 1:
        raise InvalidRequest(f"instances must have one entry (got {len(instances)})", param="instances")
    instance = known_fields(instances[0], "instances[0]", _INSTANCE)
    parameters = known_fields(body.get("parameters", {}), "parameters", _PARAMETERS)
    refuse(instance, "instances[0]", _NO_MASK)
    refuse(parameters, "parameters", _NOT_SERVED)
    source = _video(instance["video"]) if "video" in instance else None
    inputs = _images(instance)
    if source is not None and source.reference is not None:
        inputs.append(source.reference)
    shape = read_shape(lambda slot, read: _take_shape(parameters, slot, read))
    callback_url, tags = _webhook(body)
    return VideoRequest(
        model=model_of(incoming.path_parameters["model"]),
        operation="create" if source is None else "extend",
        prompt=_optional(instance, "prompt", read_text, "instances[0]"),
        inputs=tuple(inputs),
        seconds=_seconds(parameters, extends=source is not None),
        ratio=None if shape.ratio is None else shape.ratio.value,
        tier=None if shape.tier is None else shape.tier.value,
        fps=_optional(parameters, "fps", read_integer),
        seed=_optional(parameters, "seed", read_integer),
        n=_takes(parameters),
        audio=_optional(parameters, "generateAudio", read_boolean),
        response_format="b64_json" if inline else "url",
        source_video_id=None if source is None else source.video_id,
        callback_url=callback_url,
        callback_dialect="" if callback_url is None else "google",
        options=_options(parameters),
        metadata=tags,
        spelled=dict(_SPELLED),
    )


def _optional(
    given: Mapping[str, Any], name: str, read: Callable[[Any, str], Any], place: str = "parameters"
) -> Any | None:
    return read(given[name], f"{place}.{name}") if name in given else None


def _images(instance: Mapping[str, Any]) -> list[InputReference]:
    images = [
        _image(instance[name], f"instances[0].{name}", role)
        for name, role in (("image", Role.FIRST_FRAME), ("lastFrame", Role.LAST_FRAME))
        if name in instance
    ]
    references = read_list(instance.get("referenceImages", []), "instances[0].referenceImages")
    for number, item in enumerate(references):
        field = f"instances[0].referenceImages[{number}]"
        given = known_fields(item, field, ("image", "referenceType"))
        word = read_word(given.get("referenceType", "asset"), f"{field}.referenceType")
        if word.lower() != "asset":
            raise InvalidRequest(
                f"{field}.referenceType must be asset (got {describe(word)})", param=f"{field}.referenceType"
            )
        images.append(_image(given.get("image"), f"{field}.image", Role.REFERENCE))
    return images


def _image(value: Any, field: str, role: Role) -> InputReference:
    """Read an image as google-genai writes it (`bytesBase64Encoded`), or as the REST pages do (`inlineData`)."""
    given = known_fields(value, field, ("bytesBase64Encoded", "gcsUri", "mimeType", "inlineData"))
    inline = known_fields(given.pop("inlineData", {}), f"{field}.inlineData", ("data", "mimeType"))
    source = read_source(
        MediaKind.IMAGE,
        role,
        field,
        data=_one_of(field, given.get("bytesBase64Encoded"), inline.get("data")),
        uri=given.get("gcsUri"),
        media_type=inline.get("mimeType", given.get("mimeType")),
    )
    if source.reference is None:
        raise TypeError(f"{field} is an image and cannot be one of our videos")
    return source.reference


def _video(value: Any) -> Source:
    """Read the video that is lengthened, in the spellings of google-genai for either surface or in that of the REST pages."""
    field = "instances[0].video"
    names = ("uri", "gcsUri", "bytesBase64Encoded", "encodedVideo", "encoding", "mimeType", "inlineData")
    given = known_fields(value, field, names)
    inline = known_fields(given.pop("inlineData", {}), f"{field}.inlineData", ("data", "mimeType"))
    return read_source(
        MediaKind.VIDEO,
        Role.SOURCE,
        field,
        data=_one_of(field, given.get("bytesBase64Encoded"), given.get("encodedVideo"), inline.get("data")),
        uri=_one_of(field, given.get("uri"), given.get("gcsUri")),
        media_type=inline.get("mimeType", given.get("mimeType", given.get("encoding"))),
    )


def _one_of(field: str, *spellings: Any) -> Any | None:
    given = [value for value in spellings if value is not None]
    if len(given) > 1:
        raise InvalidRequest(f"{field} is given in two ways at once; give it in one", param=field)
    return given[0] if given else None


def _take_shape(parameters: Mapping[str, Any], slot: str, read: Callable[[Any, str], Any]) -> Taken | None:
    name = {"ratio": "aspectRatio", "tier": "resolution"}.get(slot)
    if name is None or name not in parameters:
        return None
    field = f"parameters.{name}"
    return Taken(field=field, value=read(parameters[name], field))


def _seconds(parameters: Mapping[str, Any], *, extends: bool) -> int | None:
    seconds: int | None = _optional(parameters, "durationSeconds", read_seconds)
    return None if extends and seconds == _EXTENSION_SECONDS else seconds


def _takes(parameters: Mapping[str, Any]) -> int:
    given = _one_of("parameters.sampleCount", parameters.get("sampleCount"), parameters.get("numberOfVideos"))
    takes = 1 if given is None else read_integer(given, "parameters.sampleCount")
    if not 1 <= takes <= _MOST_TAKES:
        raise InvalidRequest(
            f"parameters.sampleCount must be from 1 to {_MOST_TAKES} (got {takes})", param="parameters.sampleCount"
        )
    return takes


def _options(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options by the names of the cards; words in the case in which the cards have them."""
    options = {
        "compression_quality": _upper(_optional(parameters, "compressionQuality", read_word)),
        "enhance_prompt": _optional(parameters, "enhancePrompt", read_boolean),
        "negative_prompt": _optional(parameters, "negativePrompt", read_text),
        "person_generation": _lower(_optional(parameters, "personGeneration", read_word)),
        "resize_mode": _upper(_optional(parameters, "resizeMode", read_word)),
    }
    return {name: value for name, value in options.items() if value is not None}


def _upper(word: str | None) -> str | None:
    return None if word is None else word.upper()


def _lower(word: str | None) -> str | None:
    return None if word is None else word.lower()


def _webhook(body: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return where events go, and the caller's marks: labels, and what is wanted back in the events."""
    tags: dict[str, Any] = dict(read_labels(body.get("labels", {}), "labels"))
    if "webhookConfig" not in body:
        return None, tags
    given = dict(body["webhookConfig"]) if isinstance(body["webhookConfig"], dict) else body["webhookConfig"]
    if isinstance(given, dict) and "user_metadata" in given:  # as google-genai 2.34 passes on a plain dictionary
        given["userMetadata"] = _one_of("webhookConfig", given.pop("user_metadata"), given.get("userMetadata"))
    url, metadata = read_webhook(given, "webhookConfig", metadata_name="userMetadata")
    return url, {**metadata, **tags}


# --- answering


def operation(video: Video, name: str, result: Callable[[Video], dict[str, Any]]) -> dict[str, Any]:
    """Return the operation of this name; `result` says what a finished one answers."""
    if video.status in _UNFINISHED:
        return {"name": name, "done": False}
    failure = failure_of(video)
    if failure is not None and failure.kind is not FailureKind.CONTENT_POLICY:
        return {"name": name, "done": True, "error": operation_error(failure)}
    return {"name": name, "done": True, "response": result(video)}


def gemini_result(video: Video) -> dict[str, Any]:
    """Return files by their addresses, or that a filter kept the video back."""
    made = [
        {"video": {"uri": uri, "encoding": output.media_type}}
        for output in video.outputs
        if (uri := file_uri(video, output)) is not None
    ]
    samples: dict[str, Any] = {"generatedSamples": made} if made else {}
    return {"@type": _GEMINI_TYPE, "generateVideoResponse": samples | _filtered(video)}


def vertex_result(video: Video) -> dict[str, Any]:
    """Return the bytes; in the place of those that are too many, or were not asked for, an address of ours."""
    shown: list[dict[str, Any]] = []
    for number, output in enumerate(video.outputs):
        if number < len(video.b64_json):
            shown.append({"bytesBase64Encoded": video.b64_json[number], "mimeType": output.media_type})
        elif (uri := file_uri(video, output)) is not None:
            shown.append({"gcsUri": uri, "mimeType": output.media_type})
    made: dict[str, Any] = {"videos": shown} if shown else {}
    return {"@type": _VERTEX_TYPE, "raiMediaFilteredCount": 0} | made | _filtered(video)


def render_callback(video: Video) -> dict[str, Any] | None:
    """Return the event of Google's webhooks, which come when all is over.

    A failure has no event of its own in Google's list for Veo; this one carries what Google's failed interactions carry.
    """
    if video.status in _UNFINISHED:
        return None
    failure = failure_of(video)
    data: dict[str, Any] = {"id": f"models/{video.model}/operations/{video.id}", "user_metadata": video.tags}
    if failure is not None:
        data |= {"error_code": failure.kind.value, "error_message": failure.message}
    elif video.outputs:
        data |= {
            "output_file_uri": file_uri(video, video.outputs[0]),
            "file_name": f"files/{file_name(video.id, video.outputs[0].index)}",
        }
    kind = "video.failed" if failure else "video.generated"
    return {"type": kind, "version": "v1", "timestamp": iso_time(video.completed_at), "data": data}


def _filtered(video: Video) -> dict[str, Any]:
    if video.failure is None or video.failure.kind is not FailureKind.CONTENT_POLICY:
        return {}
    return {
        "raiMediaFilteredCount": 1,
        "raiMediaFilteredReasons": [message_of(FailureKind.CONTENT_POLICY, video.failure.message)],
    }
