"""What Omni's creates ask for, read into one request; `google_omni_inputs` knows what is made from what."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.videos import VideoRequest
from reelway.dialects.google_omni_inputs import TASK_FIELD, read_aim
from reelway.dialects.google_reading import (
    body_of,
    known_fields,
    model_of,
    read_labels,
    read_list,
    read_webhook,
    refuse,
    unserved,
)
from reelway.dialects.shape import Taken, read_shape
from reelway.dialects.spec import CreateVideo, Incoming
from reelway.dialects.values import describe, read_boolean, read_integer, read_text, read_word

__all__ = ["read_interaction"]

_LONGEST_WAIT_SECONDS = 600.0
_BODY = (
    "agent",
    "agent_config",
    "background",
    "cached_content",
    "continuation_token",
    "environment",
    "generation_config",
    "input",
    "labels",
    "model",
    "previous_interaction_id",
    "response_format",
    "response_mime_type",
    "response_modalities",
    "safety_settings",
    "service_tier",
    "store",
    "stream",
    "system_instruction",
    "tools",
    "webhook_config",
)
_FOR_TEXT = "video models do not take it"
_NOT_SERVED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "agent",
            "agent_config",
            "cached_content",
            "continuation_token",
            "environment",
            "safety_settings",
            "system_instruction",
            "tools",
        ),
        _FOR_TEXT,
    )
)
_GENERATION_NOT_SERVED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "image_config",
            "max_output_tokens",
            "speech_config",
            "stop_sequences",
            "temperature",
            "thinking_level",
            "thinking_summaries",
            "tool_choice",
            "top_p",
            "transcription_config",
        ),
        _FOR_TEXT,
    )
)
_FORMAT = ("type", "aspect_ratio", "resolution", "duration", "delivery", "gcs_uri")
_FORMAT_NOT_SERVED = MappingProxyType(
    {"gcs_uri": "nothing can be written into a bucket of yours; leave it out, and the address is one of this server"}
)
_TIERS = ("flex", "standard", "priority", "deferred")
_DURATION = re.compile(r"(\d{1,5})(?:\.0*)?s")
_SPELLED: Mapping[str, str] = MappingProxyType(
    {
        "mode": TASK_FIELD,
        "seconds": "response_format.duration",
        "ratio": "response_format.aspect_ratio",
        "tier": "response_format.resolution",
        "seed": "generation_config.seed",
        "response_format": "response_format.delivery",
        "callback_url": "webhook_config.uris[0]",
    }
)


def read_interaction(incoming: Incoming) -> CreateVideo:
    """Return the call: in the background at once, else when the video is finished or ten minutes are over."""
    body = body_of(incoming, _BODY)
    refuse(body, "", _NOT_SERVED)
    background = _switch(body, "background", usual=False)
    if not _switch(body, "store", usual=True):
        raise unserved("store", "every video is kept until it is deleted or expires; leave it out or send true")
    if _switch(body, "stream", usual=False):
        raise unserved("stream", "there are no events of a video being made; poll, or give a webhook_config")
    _check_output(body)
    generation = known_fields(
        body.get("generation_config", {}), "generation_config", ("seed", "video_config", *_GENERATION_NOT_SERVED)
    )
    refuse(generation, "generation_config", _GENERATION_NOT_SERVED)
    aim = read_aim(body, generation.get("video_config", {}))
    wanted = _format(body.get("response_format", {}))
    shape = read_shape(lambda slot, read: _take_shape(wanted, slot, read))
    callback_url, tags = _marks(body, background=background)
    request = VideoRequest(
        model=_model(body),
        operation=aim.operation,
        prompt=aim.prompt,
        mode=aim.mode,
        inputs=aim.inputs,
        seconds=_seconds(wanted),
        ratio=None if shape.ratio is None else shape.ratio.value,
        tier=None if shape.tier is None else shape.tier.value,
        seed=read_integer(generation["seed"], "generation_config.seed") if "seed" in generation else None,
        # Google's usual delivery: who asks for no address reads the bytes out of the answer.
        response_format="url" if _word(wanted, "delivery", ("inline", "uri")) == "uri" else "b64_json",
        source_video_id=aim.source_video_id,
        callback_url=callback_url,
        callback_dialect="" if callback_url is None else "google_interactions",
        options=_options(body),
        metadata=tags,
        spelled=dict(_SPELLED),
    )
    return CreateVideo(request=request, wait_seconds=0.0 if background else _LONGEST_WAIT_SECONDS)


def _check_output(body: Mapping[str, Any]) -> None:
    """Refuse to answer with anything but a video."""
    modalities = [
        word.lower() for word in map(str, read_list(body.get("response_modalities", []), "response_modalities"))
    ]
    if modalities not in ([], ["video"]):
        raise unserved("response_modalities", "videos are made here, and nothing else")
    if body.get("response_mime_type", "video/mp4") != "video/mp4":
        raise unserved("response_mime_type", "videos are made as video/mp4")


def _format(value: Any) -> dict[str, Any]:
    """Return the wished format; a list may hold it too."""
    field = "response_format"
    if isinstance(value, list):
        if len(value) != 1:
            raise InvalidRequest(f"{field} must be one format (got {len(value)})", param=field)
        value = value[0]
    wanted = known_fields(value, field, _FORMAT)
    refuse(wanted, field, _FORMAT_NOT_SERVED)
    if wanted.get("type", "video") != "video":
        raise InvalidRequest(f"{field}.type must be video (got {describe(wanted['type'])})", param=f"{field}.type")
    return wanted


def _take_shape(wanted: Mapping[str, Any], slot: str, read: Any) -> Taken | None:
    name = {"ratio": "aspect_ratio", "tier": "resolution"}.get(slot)
    if name is None or name not in wanted:
        return None
    field = f"response_format.{name}"
    return Taken(field=field, value=read(wanted[name], field))


def _seconds(wanted: Mapping[str, Any]) -> int | None:
    """Return a length, which Google takes as a text with its unit and in no other way."""
    if "duration" not in wanted:
        return None
    field, value = _SPELLED["seconds"], wanted["duration"]
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidRequest(
            f'{field} must be whole seconds with their unit, as "8s" (got {describe(value)})', param=field
        )
    return int(match[1])


def _marks(body: Mapping[str, Any], *, background: bool) -> tuple[str | None, dict[str, Any]]:
    """Return where events go, and the caller's marks: labels, and what is wanted back in the events."""
    labels = read_labels(body.get("labels", {}), "labels")
    if "webhook_config" not in body:
        return None, dict(labels)
    url, metadata = read_webhook(body["webhook_config"], "webhook_config", metadata_name="user_metadata")
    if url is not None and not background:
        raise InvalidRequest("webhook_config needs background: true", param="webhook_config")
    for name in metadata.keys() & labels.keys():
        if metadata[name] != labels[name]:
            raise InvalidRequest(
                f"labels and webhook_config.user_metadata say different things of {name[:80]}; give it once",
                param=f"webhook_config.user_metadata.{name[:80]}",
            )
    return url, {**metadata, **labels}


def _options(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tier of service, where it is not the usual one."""
    tier = _word(body, "service_tier", _TIERS, place="")
    return {} if tier in (None, "standard") else {"service_tier": tier}


def _model(body: Mapping[str, Any]) -> str:
    model = model_of(read_text(body.get("model", ""), "model").strip())
    if not model:
        raise InvalidRequest("model is required: name a model; GET /v1/models lists them", param="model")
    return model


def _word(given: Mapping[str, Any], name: str, words: tuple[str, ...], place: str = "response_format.") -> str | None:
    if name not in given:
        return None
    word = read_word(given[name], place + name).lower()
    if word not in words:
        raise InvalidRequest(
            f"{place}{name} must be one of {', '.join(words)} (got {describe(word)})", param=place + name
        )
    return word


def _switch(body: Mapping[str, Any], name: str, *, usual: bool) -> bool:
    return read_boolean(body[name], name) if name in body else usual
