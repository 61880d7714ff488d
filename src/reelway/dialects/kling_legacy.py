"""Requests in the words of Kling's older API ("/v1"), and in the flat ones that resellers take on the same paths.

What both call alike is read as everywhere (`video_request`); here are Kling's lists, which hold what other vendors give one by one.
"""

from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.videos import InputReference, MediaKind, Role, VideoRequest
from reelway.dialects.fields import is_blank, read_fields
from reelway.dialects.kling_naming import named_inputs, prompt_by_name, shots_in_words, without_plain_ids
from reelway.dialects.references import Place, read_reference
from reelway.dialects.spec import Incoming
from reelway.dialects.values import describe, read_boolean, read_json, read_object, read_text, read_word, wrong_type
from reelway.dialects.video_request import read_video_request

__all__ = ["read_legacy"]

_FRAMES = {"image": Role.FIRST_FRAME, "image_tail": Role.LAST_FRAME}
_ITEM_TYPES = {"": Role.REFERENCE, "first_frame": Role.FIRST_FRAME, "end_frame": Role.LAST_FRAME}
_REFER_TYPES = {"base": Role.SOURCE, "feature": Role.REFERENCE}


def read_legacy(incoming: Incoming, product: str) -> VideoRequest:
    """Return what is asked for at one of the doors. Raises `InvalidRequest` that names the field."""
    fields = read_fields(incoming)
    source = _source(fields)
    inputs, of_lists = _inputs(fields)
    marked = _watermark(fields.pop("watermark_info", None))
    fields["model"] = _model(fields, source)
    request = read_video_request(incoming.evolve(json=fields, form=None), source_video_id=source)
    prompt, options = _storyboard(prompt_by_name(request.prompt or ""), {**request.options, **marked, **of_lists})
    request = request.evolve(
        operation="create" if source is None else "extend",
        prompt=prompt or None,
        inputs=(*inputs, *request.inputs),
        options=dict(sorted(options.items())),
        callback_dialect="" if request.callback_url is None else "kling",
    )
    _check_door(request, product)
    return request


def _model(fields: dict[str, Any], source: str | None) -> str | None:
    """Return the version where one is named, else the family that resellers' clients name beside it."""
    given = [read_text(fields.pop(name), name).strip() for name in ("model_name", "model") if name in fields]
    if not given and source is None:
        raise InvalidRequest(
            "model_name is required: name a model, kling-v3 say; GET /v1/models lists them",
            code="missing_required_parameter",
            param="model_name",
        )
    return given[0] if given else None


def _source(fields: dict[str, Any]) -> str | None:
    """Return the video that is lengthened; tasks and the videos they made have one id here."""
    ids = {name: read_text(fields.pop(name), name).strip() for name in ("video_id", "task_id") if name in fields}
    if len(set(ids.values())) > 1:
        raise InvalidRequest(
            "video_id and task_id name different videos; send one of them",
            code="conflicting_parameters",
            param="task_id",
        )
    return next(iter(ids.values()), None)


def _watermark(value: Any) -> dict[str, bool]:
    if is_blank(value):
        return {}
    given = read_object(value, "watermark_info")
    if given.keys() - {"enabled"}:
        raise InvalidRequest("watermark_info has the field enabled, and no other", param="watermark_info")
    return {"watermark": read_boolean(given["enabled"], "watermark_info.enabled")} if "enabled" in given else {}


# --- inputs


def _inputs(fields: dict[str, Any]) -> tuple[tuple[InputReference, ...], dict[str, Any]]:
    """Take the inputs out of the fields; the options that stand in their lists come along."""
    frames = [
        read_reference(fields.pop(name), Place(field=name, kind=MediaKind.IMAGE, role=role)).reference
        for name, role in _FRAMES.items()
        if name in fields
    ]
    listed: list[tuple[InputReference, str | None]] = []
    for number, item in enumerate(_items(fields, "image_list"), start=1):
        listed.append((_picture(item, f"image_list[{number - 1}]"), f"image_{number}"))
    options: dict[str, Any] = {}
    for number, item in enumerate(_items(fields, "video_list"), start=1):
        video, said = _video(item, f"video_list[{number - 1}]")
        listed.append((video, f"video_{number}"))
        options |= said
    return (*frames, *named_inputs(listed)), options


def _items(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.pop(name, None) or []
    items = read_json(value, name) if isinstance(value, str) and value.lstrip().startswith("[") else value
    if not isinstance(items, list):
        raise wrong_type(name, "a list", items)
    return items


def _picture(item: Any, field: str) -> InputReference:
    """Read `{"image_url", "type"}` of omni-video, `{"image"}` of multi-image2video, or a bare address."""
    place = Place(field=field, kind=MediaKind.IMAGE, role=Role.REFERENCE)
    if isinstance(item, str):
        return read_reference(item, place).reference
    given = _object(item, field, ("image_url", "image", "type"))
    word = read_word(given.pop("type", ""), f"{field}.type").lower()
    if word not in _ITEM_TYPES:
        raise InvalidRequest(
            f"{field}.type must be first_frame, end_frame or absent (got {describe(word)})", param=f"{field}.type"
        )
    return read_reference(given, place.evolve(role=_ITEM_TYPES[word])).reference


def _video(item: Any, field: str) -> tuple[InputReference, dict[str, Any]]:
    """Read `{"video_url", "refer_type", "keep_original_sound"}`; a video is there to be edited unless it says otherwise."""
    given = _object(item, field, ("video_url", "refer_type", "keep_original_sound"))
    word = read_word(given.get("refer_type", "base"), f"{field}.refer_type").lower()
    if word not in _REFER_TYPES:
        raise InvalidRequest(
            f"{field}.refer_type must be base or feature (got {describe(word)})", param=f"{field}.refer_type"
        )
    place = Place(field=field, kind=MediaKind.VIDEO, role=_REFER_TYPES[word])
    video = read_reference({"video_url": given.get("video_url")}, place).reference
    if "keep_original_sound" not in given:
        return video, {}
    keep = read_boolean(given["keep_original_sound"], f"{field}.keep_original_sound")
    # A video that is only referred to is never heard, so that "no" says nothing.
    return video, {"keep_original_sound": keep} if keep or word == "base" else {}


def _object(item: Any, field: str, known: tuple[str, ...]) -> dict[str, Any]:
    given = {name: value for name, value in read_object(item, field).items() if not is_blank(value)}
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise InvalidRequest(f"{field} has the fields {', '.join(known)}, and no {unknown[0]}", param=field)
    return given


# --- shots and elements


def _storyboard(prompt: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the prompt and the options, with everything called by name.

    A storyboard of the caller's own leaves the prompt without effect at Kling, so it may be missing: then the shots are the prompt.
    """
    if "element_list" in options:
        elements = _objects(options["element_list"], "element_list", "an element_id")
        options = {**options, "element_list": without_plain_ids(_plain_element(item) for item in elements)}
    told = "shot_type" in options or "multi_prompt" in options
    if told and not read_boolean(options.get("multi_shot", False), "multi_shot"):
        raise InvalidRequest("shot_type and multi_prompt need multi_shot to be true", param="multi_shot")
    if "multi_prompt" in options:
        shots = _shots(options["multi_prompt"])
        options = {**options, "multi_prompt": shots}
        prompt = prompt if prompt.strip() else shots_in_words(shots)
    implied = "customize" if "multi_prompt" in options else "intelligence"
    if options.get("shot_type") == implied:
        options = {name: value for name, value in options.items() if name != "shot_type"}
    return prompt, options


def _plain_element(item: dict[str, Any]) -> dict[str, Any]:
    given = item.get("element_id")
    return {**item, "element_id": str(given)} if isinstance(given, int) and not isinstance(given, bool) else item


def _shots(value: Any) -> list[dict[str, Any]]:
    return [
        {**shot, "prompt": prompt_by_name(shot["prompt"])} if isinstance(shot.get("prompt"), str) else shot
        for shot in _objects(value, "multi_prompt", "index, prompt and duration")
    ]


def _objects(value: Any, field: str, what: str) -> list[dict[str, Any]]:
    items = read_json(value, field) if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise wrong_type(field, f"a list of objects with {what}", items)
    return items


# --- doors


def _check_door(request: VideoRequest, product: str) -> None:
    """Refuse what belongs to another path: nobody shall get, and pay for, another kind of video than this path makes."""
    given = [reference.field for reference in request.inputs]
    if product == "text2video" and given:
        raise InvalidRequest(f"{given[0]} cannot be used at text2video; use image2video or omni-video", param=given[0])
    if product in ("image2video", "multi-image2video") and not given and request.source_video_id is None:
        field = "image" if product == "image2video" else "image_list"
        raise InvalidRequest(f"{field} is required at {product}", code="missing_required_parameter", param=field)
    if product == "video-extend" and request.source_video_id is None:
        raise InvalidRequest(
            "video_id is required: the video to lengthen", code="missing_required_parameter", param="video_id"
        )
    if "element_list" in request.options and not given and product == "omni-video":
        raise InvalidRequest(
            "element_list needs a picture or a video beside it here: send image_list or video_list",
            param="element_list",
        )
