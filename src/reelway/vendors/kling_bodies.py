"""What a create looks like in both of Kling's designs.

The current one names the model in the path and sorts everything into `contents`, `settings` and `options`; the older one is flat,
counts in texts, and has another name for the place of a picture at every door.
"""

from typing import Any
from urllib.parse import quote

from reelway.core.videos import Input, MediaKind, Mode, Role
from reelway.vendors.kling_prompts import (
    Element,
    Named,
    by_id,
    by_number,
    elements_of,
    named_inputs,
    refuse,
    shots_as_text,
    storyboard_of,
    with_negative,
)
from reelway.vendors.spec import Base64, HttpRequest, PublicUrl, Submission
from reelway.vendors.wire import post

__all__ = ["LEGACY", "create_request", "is_legacy", "product_of", "wants_mark"]

LEGACY = "legacy"
"""The service of accounts that work through the older design."""

_PRODUCTS = {
    Mode.T2V: ("text-to-video", "text2video"),
    Mode.I2V: ("image-to-video", "image2video"),
    Mode.FIRST_LAST: ("image-to-video", "image2video"),
    Mode.R2V: ("omni-video", "omni-video"),
    Mode.EDIT: ("omni-video", "omni-video"),
    Mode.REMIX: ("omni-video", "omni-video"),
}
_OMNI = "omni-video"
_EDITS = (Mode.EDIT, Mode.REMIX)
_LEGACY_MODES = {"720p": "std", "1080p": "pro", "4k": "4k"}
_LEGACY_CHARACTERS = 2500
_CHARACTERS = 3072
_LEGACY_IMAGE_BYTES = 10_000_000
_CONTENT_TYPES = {Role.FIRST_FRAME: "first_frame", Role.LAST_FRAME: "last_frame", Role.REFERENCE: "refer_image"}
_LEGACY_FRAMES = {Role.FIRST_FRAME: "first_frame", Role.LAST_FRAME: "end_frame"}


def create_request(submission: Submission) -> HttpRequest:
    """Return the billable request. Raise `VendorRefused` for what this design has no way to say."""
    product = product_of(submission)
    if is_legacy(submission):
        return post(f"/v1/videos/{product}", json=_legacy(submission, product), billable=True)
    path = f"/{product}/{quote(submission.model, safe='')}"
    return post(path, json=_current(submission, product), billable=True)


def is_legacy(submission: Submission) -> bool:
    """Tell whether the account works through the older design."""
    return submission.service == LEGACY


def product_of(submission: Submission) -> str:
    """Return the door a request goes through."""
    mode = submission.request.mode
    if mode not in _PRODUCTS:
        refuse(f"it has no way to {mode} a video")
    return _PRODUCTS[mode][is_legacy(submission)]


def wants_mark(submission: Submission) -> bool:
    """Tell whether the marked copy is the one to deliver."""
    return submission.request.options.get("watermark") is True


# --- the current design


def _current(submission: Submission, product: str) -> dict[str, Any]:
    request = submission.request
    options: dict[str, Any] = {
        "external_task_id": submission.reference,
        "watermark_info": {"enabled": wants_mark(submission)},
    }
    if submission.callback_url is not None:
        options["callback_url"] = submission.callback_url
    prompt = _prompt_of_current(submission)
    said = {"prompt": prompt} if request.mode is Mode.T2V else {"contents": _contents(submission, product, prompt)}
    return {**said, "settings": _settings(submission), "options": options}


def _settings(submission: Submission) -> dict[str, Any]:
    request = submission.request
    multi_shot = storyboard_of(request).multi_shot
    if request.mode in _EDITS:
        audio, multi_shot = "original" if request.options.get("keep_original_sound") else "off", False
    else:
        audio = "native" if request.audio else "off"
    settings = {
        "multi_shot": multi_shot,
        "audio": audio,
        "resolution": request.tier,
        "aspect_ratio": request.ratio,
        "duration": request.seconds,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _prompt_of_current(submission: Submission) -> str:
    """Return everything that is said in words: the shots last, because their semicolons end them."""
    request = submission.request
    shots = shots_as_text(storyboard_of(request).shots)
    words = "" if request.prompt == shots else request.prompt
    words = with_negative(words, request.options.get("negative_prompt"))
    prompt = by_id("\n".join(part for part in (words, shots) if part))
    if len(prompt) > _CHARACTERS:
        refuse(
            f"its current API takes {_CHARACTERS} characters of prompt, negative_prompt and shots together "
            f"(got {len(prompt)})"
        )
    return prompt


def _contents(submission: Submission, product: str, prompt: str) -> list[dict[str, Any]]:
    request, omni = submission.request, product == _OMNI
    video_type = "base_video" if request.mode in _EDITS else "feature_video"
    return [
        *([{"type": "prompt", "text": prompt}] if prompt else []),
        *(
            {"type": _CONTENT_TYPES[one.given.role], "url": _image(one.given)} | _id(one, omni)
            for one in named_inputs(request.inputs, MediaKind.IMAGE)
        ),
        *({"type": video_type, "url": _video(one.given)} | _id(one, omni) for one in _videos(submission)),
        *(
            {"type": "element", "element_id": element.element_id, "id": element.name}
            for element in elements_of(request.options)
        ),
    ]


def _id(named: Named, omni: bool) -> dict[str, str]:
    """Only the omni models call frames by name."""
    return {"id": named.name} if omni else {}


# --- the older design


def _legacy(submission: Submission, product: str) -> dict[str, Any]:
    request = submission.request
    images, videos = named_inputs(request.inputs, MediaKind.IMAGE), _videos(submission)
    elements = elements_of(request.options)
    body: dict[str, Any] = {
        "model_name": submission.model,
        "mode": _LEGACY_MODES.get(request.tier or ""),
        **_legacy_words(submission, product, (*images, *videos), elements),
        "duration": None if request.seconds is None else str(request.seconds),
        "aspect_ratio": request.ratio,
        "sound": "on" if request.audio else "off",
        **(_lists(submission, images, videos) if product == _OMNI else _frames(images)),
        "element_list": [{"element_id": _number(element.element_id)} for element in elements] or None,
        "watermark_info": {"enabled": wants_mark(submission)},
        "callback_url": submission.callback_url,
        "external_task_id": submission.reference,
    }
    return {name: value for name, value in body.items() if value is not None}


def _legacy_words(
    submission: Submission, product: str, named: tuple[Named, ...], elements: tuple[Element, ...]
) -> dict[str, Any]:
    """Return what is said in words. Where several shots are wanted, this design has to be told who plans them."""
    request, board = submission.request, storyboard_of(submission.request)
    prompt, negative = request.prompt, request.options.get("negative_prompt")
    if product == _OMNI:
        prompt, negative = with_negative(prompt, negative), None
    words: dict[str, Any] = {"prompt": by_number(prompt, named, elements) or None, "negative_prompt": negative or None}
    for name, text in words.items():
        if text is not None and len(text) > _LEGACY_CHARACTERS:
            refuse(f"its older API takes {_LEGACY_CHARACTERS} characters of {name} (got {len(text)})")
    if board.multi_shot:
        words["shot_type"] = "customize" if board.shots else "intelligence"
    if board.shots:
        words["multi_prompt"] = [
            {"index": number, "prompt": by_number(shot.prompt, named, elements), "duration": str(shot.seconds)}
            for number, shot in enumerate(board.shots, start=1)
        ]
    return {**words, "multi_shot": board.multi_shot}


def _frames(images: tuple[Named, ...]) -> dict[str, Any]:
    names = {Role.FIRST_FRAME: "image", Role.LAST_FRAME: "image_tail"}
    return {names[image.given.role]: _legacy_image(image.given) for image in images}


def _lists(submission: Submission, images: tuple[Named, ...], videos: tuple[Named, ...]) -> dict[str, Any]:
    request = submission.request
    edits = request.mode in _EDITS
    image_list: list[dict[str, Any]] = []
    for image in images:
        frame = _LEGACY_FRAMES.get(image.given.role)
        image_list.append({"image_url": _legacy_image(image.given)} | ({"type": frame} if frame else {}))
    refer_type = "base" if edits else "feature"
    sound = "yes" if edits and request.options.get("keep_original_sound") else "no"
    video_list = [
        {"video_url": _video(video.given), "refer_type": refer_type, "keep_original_sound": sound} for video in videos
    ]
    return {"image_list": image_list or None, "video_list": video_list or None}


def _legacy_image(given: Input) -> Any:
    if given.blob is not None and given.blob.bytes > _LEGACY_IMAGE_BYTES:
        refuse(f"its older API takes pictures of {_LEGACY_IMAGE_BYTES} bytes (got {given.blob.bytes})")
    return _image(given)


def _number(element_id: str) -> int | str:
    """Ids of elements are numbers here, and texts in the current design."""
    return int(element_id) if element_id.isascii() and element_id.isdigit() else element_id


# --- inputs


def _videos(submission: Submission) -> tuple[Named, ...]:
    videos = named_inputs(submission.request.inputs, MediaKind.VIDEO)
    if submission.request.mode in _EDITS and not videos:
        refuse("the bytes of the source video are not here any more; send it as a file or an address")
    return videos


def _image(given: Input) -> Any:
    """An address, or base64 without a `data:` before it."""
    if given.blob is not None:
        return Base64(blob=given.blob)
    return given.url or refuse("a picture has to be a file or an address; Kling keeps no files")


def _video(given: Input) -> Any:
    """Videos are taken by address alone."""
    if given.blob is not None:
        return PublicUrl(blob=given.blob)
    return given.url or refuse("a video has to be a file or an address; Kling keeps no files")
