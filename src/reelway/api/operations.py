"""Every operation of the public API, with all it can take and all it can answer. The OpenAPI document is drawn from this table.

The rule: a status that is not in here does not happen. Tests compare the table with the mounted routes, and schemathesis with life.
"""

from typing import Any

from reelway.api.operation import ERRORS, Operation, Parameter

__all__ = ["ERRORS", "OPERATIONS", "Operation", "Parameter"]

_BINARY = {"type": "string", "format": "binary"}


_ID = Parameter(
    name="id", place="path", schema={"type": "string", "minLength": 1}, description="The id of a video of yours."
)
_CHARACTER_ID = _ID.evolve(description="The id of a character of yours.")
_KEY = Parameter(
    name="Idempotency-Key",
    place="header",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7E]+$"},
    description="The same key and the same request within 24 hours: the first answer again.",
)
_STRICT = Parameter(
    name="Reelway-Strict",
    place="header",
    schema={"type": "boolean"},
    description="Refuse what would otherwise be a warning.",
)
_PRIORITY = Parameter(
    name="Reelway-Priority",
    place="header",
    schema={"type": "string", "enum": ["high", "normal", "low"]},
    description="Where it stands among your own videos that wait for an account.",
)
_BODY_ERRORS = (400, 401, 402, 403, 404, 408, 409, 410, 413, 415, 422, 429, 500, 503)
_READ_ERRORS = (400, 401, 403, 404, 500, 503)
_VIDEO_HEADERS = ("x-request-id", "openai-poll-after-ms")


def _create(path: str, name: str, summary: str, description: str, body: str) -> Operation:
    return Operation(
        method="post",
        path=path,
        name=name,
        tag="Videos",
        summary=summary,
        description=description,
        parameters=((_ID,) if "{id}" in path else ()) + (_KEY, _STRICT, _PRIORITY),
        body=body,
        answer="Video",
        answer_text="Accepted and on disk. Ask again, wait, or listen to its events.",
        headers=(*_VIDEO_HEADERS, "idempotent-replayed"),
        errors=_BODY_ERRORS,
    )


def _filter(name: str, schema: dict[str, Any], description: str) -> Parameter:
    return Parameter(name=name, place="query", schema=schema, description=description)


_TIME = {"type": "number", "minimum": 0, "maximum": 999_999_999_999_999}

_CONTENT = Operation(
    method="get",
    path="/v1/videos/{id}/content",
    name="downloadVideo",
    tag="Files",
    summary="Download a file",
    description="The video, or a picture made from it. Ranges, `ETag`, `If-Range` and `If-None-Match` are understood. "
    "A signed link (the `url` of a finished video) needs no key.",
    parameters=(
        _ID,
        _filter(
            "variant",
            {"type": "string", "enum": ["video", "thumbnail", "spritesheet", "last_frame"], "default": "video"},
            "Which file: the video, a WebP, a JPEG of up to 25 frames, or a PNG.",
        ),
        _filter("index", {"type": "integer", "minimum": 0, "default": 0}, "Which output, when `n` was more than 1."),
        _filter("expires", {"type": "string"}, "Part of a signed link."),
        _filter("signature", {"type": "string"}, "Part of a signed link."),
        Parameter(
            name="Range",
            place="header",
            schema={"type": "string"},
            description="One range of bytes; several get the whole file.",
        ),
    ),
    content=dict.fromkeys(
        ("video/mp4", "video/webm", "video/quicktime", "image/webp", "image/jpeg", "image/png"), _BINARY
    ),
    answer_text="The whole file.",
    more={206: "The range that was asked for.", 304: "You have it already."},
    headers=("x-request-id", "etag", "accept-ranges", "content-disposition"),
    errors=(400, 401, 403, 404, 409, 410, 416, 500, 503),
    links=True,
)

OPERATIONS: tuple[Operation, ...] = (
    _create(
        "/v1/videos",
        "createVideo",
        "Create a video",
        "Multipart, JSON and url-encoded forms mean the same. Every field is used, or named in `warnings`, or refused; "
        "what the model cannot do is refused before anything is charged.",
        "CreateBody",
    ),
    Operation(
        method="get",
        path="/v1/videos",
        name="listVideos",
        tag="Videos",
        summary="List videos",
        description="Your own, newest first unless `order` says otherwise.",
        parameters=(
            _filter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "How many."),
            _filter("order", {"type": "string", "enum": ["asc", "desc"], "default": "desc"}, "By time of creation."),
            _filter("after", {"type": "string"}, "The `last_id` of the page before."),
            _filter(
                "status",
                {
                    "type": "array",
                    "items": {"type": "string", "enum": ["queued", "in_progress", "completed", "failed"]},
                },
                "Only these.",
            ),
            _filter("model", {"type": "string"}, "Only this model."),
            _filter("user", {"type": "string"}, "Only this end user of yours."),
            _filter("created_after", _TIME, "Unix time."),
            _filter("created_before", _TIME, "Unix time."),
        ),
        answer="VideoList",
        answer_text="A page.",
        headers=("x-request-id",),
        errors=_READ_ERRORS,
    ),
    Operation(
        method="post",
        path="/v1/videos/quote",
        name="quoteVideo",
        tag="Videos",
        summary="Ask what a video would cost",
        description="A dry run of a create: the resolved request, its warnings and its price. Nothing is charged or sent.",
        parameters=(_STRICT,),
        body="CreateBody",
        answer="Quote",
        answer_text="What a create would do.",
        headers=("x-request-id",),
        errors=_BODY_ERRORS,
    ),
    _create("/v1/videos/edits", "editVideo", "Edit a video", "Makes a new video; the source stays.", "EditBody"),
    _create(
        "/v1/videos/extensions",
        "extendVideo",
        "Lengthen a video",
        "Makes a new, longer video; the source stays.",
        "ExtendBody",
    ),
    Operation(
        method="post",
        path="/v1/videos/characters",
        name="createCharacter",
        tag="Characters",
        summary="Create a character",
        description="Kept until you delete it. A create names it in `characters`, and its prompt calls it `@name`. Of a video, two "
        "stills are kept. For models whose card has subjects.",
        parameters=(_KEY,),
        body="CharacterBody",
        answer="Character",
        answer_text="Kept, with files of its own.",
        headers=("x-request-id", "idempotent-replayed"),
        errors=_BODY_ERRORS,
    ),
    Operation(
        method="get",
        path="/v1/videos/characters/{id}",
        name="getCharacter",
        tag="Characters",
        summary="Read a character",
        parameters=(_CHARACTER_ID,),
        answer="Character",
        answer_text="The character.",
        headers=("x-request-id",),
        errors=_READ_ERRORS,
    ),
    Operation(
        method="delete",
        path="/v1/videos/characters/{id}",
        name="deleteCharacter",
        tag="Characters",
        summary="Delete a character",
        description="With its pictures, at once. Videos made with it stay; one that still waits to be sent to its vendor fails.",
        parameters=(_CHARACTER_ID,),
        answer="DeletedCharacter",
        answer_text="Gone.",
        headers=("x-request-id",),
        errors=_READ_ERRORS,
    ),
    Operation(
        method="get",
        path="/v1/videos/{id}",
        name="getVideo",
        tag="Videos",
        summary="Read a video",
        description="With `wait`, the answer comes when the video is finished or the time is over.",
        parameters=(
            _ID,
            _filter("wait", {"type": "number", "minimum": 0, "maximum": 60, "default": 0}, "Seconds to wait."),
            Parameter(
                name="Prefer",
                place="header",
                schema={"type": "string", "examples": ["wait=30"]},
                description="`wait=SECONDS` does the same; cut to 60.",
            ),
        ),
        answer="Video",
        answer_text="The video as it is now.",
        headers=_VIDEO_HEADERS,
        errors=_READ_ERRORS,
    ),
    Operation(
        method="delete",
        path="/v1/videos/{id}",
        name="deleteVideo",
        tag="Videos",
        summary="Delete a video",
        description="Record and files. One that is still being made is cancelled first.",
        parameters=(_ID,),
        answer="Deleted",
        answer_text="Gone.",
        headers=("x-request-id",),
        errors=(*_READ_ERRORS, 409, 410),
    ),
    Operation(
        method="post",
        path="/v1/videos/{id}/cancel",
        name="cancelVideo",
        tag="Videos",
        summary="Cancel a video",
        description="Truthful: the answer says whether it could be stopped and what it costs all the same.",
        parameters=(_ID,),
        answer="Video",
        answer_text="The video after the attempt.",
        headers=_VIDEO_HEADERS,
        errors=(*_READ_ERRORS, 408, 409, 410, 413, 415),
    ),
    _create(
        "/v1/videos/{id}/remix",
        "remixVideo",
        "Remix a video",
        "Makes a new video from a finished one and a prompt.",
        "RemixBody",
    ),
    _CONTENT,
    _CONTENT.evolve(
        method="head",
        name="describeFile",
        summary="Look at a file's headers",
        description="What `GET` would answer, without the bytes. Ranges are ignored.",
        parameters=tuple(parameter for parameter in _CONTENT.parameters if parameter.name != "Range"),
        answer_text="Its length, type and ETag.",
        more={304: "You have it already."},
        errors=tuple(status for status in _CONTENT.errors if status != 416),
    ),
    Operation(
        method="get",
        path="/v1/videos/{id}/events",
        name="followVideo",
        tag="Videos",
        summary="Follow a video",
        description="Server-sent events: one on every change of status or progress, each with the whole video as `data`. "
        "Ends after the final one; `Last-Event-ID` resumes.",
        parameters=(
            _ID,
            Parameter(
                name="Last-Event-ID",
                place="header",
                schema={"type": "string"},
                description="The id of the last event you saw.",
            ),
        ),
        content={"text/event-stream": {"$ref": "#/components/schemas/ServerSentEvent"}},
        answer_text="The events; the schema is that of one of them.",
        more={204: "Nothing is left to tell."},
        headers=("x-request-id",),
        errors=_READ_ERRORS,
    ),
    Operation(
        method="get",
        path="/v1/models",
        name="listModels",
        tag="Models",
        summary="List models",
        answer="ModelList",
        answer_text="Every name that can be asked for, aliases included.",
        headers=("x-request-id",),
        errors=(401, 403, 500),
    ),
    Operation(
        method="get",
        path="/v1/models/{id}",
        name="getModel",
        tag="Models",
        summary="Read a model",
        parameters=(_ID.evolve(description="The name of a model."),),
        answer="Model",
        answer_text="The model with its whole card.",
        headers=("x-request-id",),
        errors=(401, 403, 404, 500),
    ),
    Operation(
        method="get",
        path="/admin/v1/submits",
        name="listLostSubmits",
        tag="Operations",
        summary="List submits whose outcome nobody knows",
        description="For keys with the scope `admin`, and over all tenants. `reelway submits settle` settles them.",
        parameters=(
            _filter("outcome", {"type": "string", "enum": ["unknown"], "default": "unknown"}, "Only these are listed."),
            _filter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 100}, "How many."),
        ),
        answer="SubmitList",
        answer_text="Those still looked up, then those that ended and were not settled.",
        headers=("x-request-id",),
        errors=(400, 401, 403, 500, 503),
    ),
    Operation(
        method="get",
        path="/healthz",
        name="health",
        tag="Operations",
        summary="Is the process alive?",
        answer="Health",
        answer_text="It is.",
        headers=("x-request-id",),
        keyed=False,
    ),
    Operation(
        method="get",
        path="/readyz",
        name="readiness",
        tag="Operations",
        summary="Can it take requests?",
        answer="Readiness",
        answer_text="It can.",
        headers=("x-request-id",),
        more={503: "It cannot: starting, stopping, or out of reach of its database."},
        errors=(500,),
        keyed=False,
    ),
)
