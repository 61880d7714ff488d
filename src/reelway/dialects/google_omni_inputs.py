"""What is given to an Omni create, and what for: texts, images and videos, the task, and the interaction it goes on from.

What an input is for follows from the task. Without one the prompt's own tags say it (`<FIRST_FRAME>`, `<IMAGE_REF_0>`), and
else the model card, as for every caller who says nothing.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.core.videos import InputReference, MediaKind, Operation, Role
from reelway.dialects.google_reading import known_fields, read_list, read_source, refuse, unserved
from reelway.dialects.media_bytes import kind_of_type
from reelway.dialects.values import describe, read_text, read_word, wrong_type

__all__ = ["TASK_FIELD", "Aim", "read_aim"]

TASK_FIELD = "generation_config.video_config.task"

_MEDIA_NOT_SERVED = MappingProxyType(
    {"processing": "it is for understanding videos", "resolution": "it is for understanding media"}
)
_TASKS = ("text_to_video", "image_to_video", "reference_to_video", "edit", "extend")
_MODES: Mapping[str, str] = MappingProxyType({"text_to_video": "t2v", "reference_to_video": "r2v"})
_FRAME_TAGS: Mapping[str, Role] = MappingProxyType({"<FIRST_FRAME>": Role.FIRST_FRAME, "<LAST_FRAME>": Role.LAST_FRAME})
_REFERENCE_TAG = re.compile(r"<(?:IMAGE|VIDEO)_REF_\d+>")
_BOTH_FRAMES = re.compile(r"<FIRST_FRAME>\s+<LAST_FRAME>\s+")


class _Said(Record):
    """What `input` holds: texts, and media in order."""

    texts: tuple[str, ...] = ()
    media: tuple[InputReference, ...] = ()


class Aim(Record):
    """What is to be made of what."""

    operation: Operation = "create"
    mode: str | None = None
    source_video_id: str | None = None
    inputs: tuple[InputReference, ...] = ()
    prompt: str | None = None


def read_aim(body: Mapping[str, Any], video_config: Any) -> Aim:
    """Return what `input`, `previous_interaction_id` and the task of `video_config` say together."""
    said = _read_input(body.get("input"), "input")
    field = "previous_interaction_id"
    previous = read_text(body[field], field).strip() if field in body else None
    aim = _aim(said, _task(video_config), previous)
    return aim.evolve(prompt=_prompt(said, aim))


def _read_input(value: Any, field: str) -> _Said:
    """Read a prompt, one block, a list of blocks, or the one step of a user."""
    if value is None:
        raise InvalidRequest(f"{field} is required: a prompt, or a list of content", param=field)
    if isinstance(value, str):
        return _Said(texts=(value,))
    blocks = [value] if isinstance(value, dict) else read_list(value, field)
    if any(isinstance(block, dict) and block.get("type") == "user_input" for block in blocks):
        if len(blocks) != 1:
            raise InvalidRequest(
                f"{field} must have one step (got {len(blocks)}); go on from an earlier one with previous_interaction_id",
                param=field,
            )
        step = known_fields(blocks[0], f"{field}[0]", ("type", "content"))
        return _read_input(step.get("content"), f"{field}[0].content")
    said = _Said()
    for number, block in enumerate(blocks):
        said = _with_block(said, block, f"{field}[{number}]")
    return said


def _with_block(said: _Said, block: Any, field: str) -> _Said:
    if isinstance(block, str):
        return said.evolve(texts=(*said.texts, block))
    if not isinstance(block, dict):
        raise wrong_type(field, "a content block", block)
    match block.get("type"):
        case "text":
            given = known_fields(block, field, ("type", "text", "annotations"))
            return said.evolve(texts=(*said.texts, read_text(given.get("text", ""), f"{field}.text")))
        case "image" | "video" | "document" as word:
            return said.evolve(media=(*said.media, _read_media(block, field, word)))
        case "audio":
            raise unserved(field, "audio is not taken as an input")
        case word:
            raise InvalidRequest(
                f"{field}.type must be text, image, video or document (got {describe(word)})", param=f"{field}.type"
            )


def _read_media(block: dict[str, Any], field: str, word: str) -> InputReference:
    given = known_fields(block, field, ("type", "data", "uri", "mime_type", "name", *_MEDIA_NOT_SERVED))
    refuse(given, field, _MEDIA_NOT_SERVED)
    # An uploaded file is a document in Google's pages; what it is, its type says, or later its bytes.
    kind = kind_of_type(given.get("mime_type")) if word == "document" else MediaKind(word)
    source = read_source(
        kind,
        None,
        field,
        data=given.get("data"),
        uri=given.get("uri"),
        media_type=given.get("mime_type"),
        name=given.get("name"),
    )
    return source.reference or InputReference(field=field, kind=kind, video_id=source.video_id)


def _task(video_config: Any) -> str | None:
    config = known_fields(video_config, "generation_config.video_config", ("task",))
    if "task" not in config:
        return None
    task = read_word(config["task"], TASK_FIELD)
    if task not in _TASKS:
        raise InvalidRequest(
            f"{TASK_FIELD} must be one of {', '.join(_TASKS)} (got {describe(task)})", param=TASK_FIELD
        )
    return task


def _aim(said: _Said, task: str | None, previous: str | None) -> Aim:
    if previous is not None:
        if task not in (None, "edit", "extend"):
            raise InvalidRequest(
                f"{TASK_FIELD} must be edit or extend with a previous_interaction_id (got {describe(task)})",
                param=TASK_FIELD,
            )
        return _from_video(said, "extend" if task == "extend" else "edit", previous)
    if task in ("edit", "extend"):
        return _from_video(said, "extend" if task == "extend" else "edit", None)
    if task == "reference_to_video" or task == "text_to_video":
        return Aim(mode=_MODES[task], inputs=_in_roles(said.media, (), Role.REFERENCE))
    tags = "".join(said.texts)
    frames = tuple(role for tag, role in _FRAME_TAGS.items() if tag in tags)
    if task == "image_to_video":
        return Aim(inputs=_in_roles(said.media, (Role.FIRST_FRAME, Role.LAST_FRAME), Role.REFERENCE))
    if frames or _REFERENCE_TAG.search(tags):
        return Aim(inputs=_in_roles(said.media, frames, Role.REFERENCE))
    if any(given.kind is MediaKind.VIDEO for given in said.media):
        return _from_video(said, "edit", None)
    return Aim(inputs=said.media)


def _from_video(said: _Said, operation: Operation, previous: str | None) -> Aim:
    """Work on the video that is given, or on the previous one. Images are references; what may be either is the video."""
    videos = [given for given in said.media if given.kind is not MediaKind.IMAGE]
    count = len(videos) + (previous is not None)
    if count != 1:
        raise InvalidRequest(
            f"input must give one video to {operation}, as content or by previous_interaction_id (got {count})",
            param="input",
        )
    images = tuple(given.evolve(role=Role.REFERENCE) for given in said.media if given.kind is MediaKind.IMAGE)
    source_video_id = previous or videos[0].video_id
    if source_video_id is not None:
        return Aim(operation=operation, source_video_id=source_video_id, inputs=images)
    return Aim(operation=operation, inputs=(videos[0].evolve(role=Role.SOURCE), *images))


def _in_roles(media: tuple[InputReference, ...], frames: tuple[Role, ...], others: Role) -> tuple[InputReference, ...]:
    """Give the first images the roles of frames, in order, and everything else the other role."""
    left = list(frames)
    return tuple(
        given.evolve(role=left.pop(0) if left and given.kind is MediaKind.IMAGE else others) for given in media
    )


def _prompt(said: _Said, aim: Aim) -> str | None:
    """Return the texts. Two tags that only say in which order the frames stand are said by the roles already."""
    text = "\n".join(said.texts)
    if [given.role for given in aim.inputs] == [Role.FIRST_FRAME, Role.LAST_FRAME]:
        text = text[match.end() :] if (match := _BOTH_FRAMES.match(text)) else text
    return text or None
