"""Google's dialect for Veo: the Gemini API as google-genai 2.x speaks it with a key, and Vertex AI as 3.x does.

Veo has left the Gemini API, but its shape is what clients and resellers copied. Where Google has an operation, its id here is
that of the video. The Interactions API, with other errors, is a dialect of its own (`google_interactions`).
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from reelway.core.errors import InvalidRequest, NotFound
from reelway.core.videos import Video
from reelway.dialects.google_errors import render_error
from reelway.dialects.google_files import file_metadata, read_file_name
from reelway.dialects.google_reading import body_of, key_of, model_of
from reelway.dialects.google_veo import gemini_result, operation, read_veo_request, render_callback, vertex_result
from reelway.dialects.spec import (
    Answer,
    CreateVideo,
    Dialect,
    Endpoint,
    Incoming,
    OpenContent,
    Outgoing,
    ReadVideo,
)
from reelway.dialects.values import describe, read_text
from reelway.dialects.video_object import Timestamps

__all__ = ["make_dialect"]

_OPERATION = re.compile(r"projects/[^/]+/locations/[^/]+/publishers/google/models/[^/]+/operations/([^/]+)")
_VERTEX_MODEL = "projects/{project}/locations/{location}/publishers/google/models/{model}"
_ANYWHERE = {"project": "-", "location": "-"}
_MEDIA = "media"


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. Google's times are texts, so `timestamps` does not matter."""
    return Dialect(
        name="google",
        endpoints=(*_gemini(), *_files("/v1beta"), *_files("/v1"), *_vertex("/v1"), *_vertex("/v1beta1")),
        render_error=render_error,
        key_of=key_of,
        render_callback=render_callback,
    )


# --- the Gemini API


def _gemini() -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            method="POST",
            path="/v1beta/models/{model}:predictLongRunning",
            read=partial(_read_create, inline=False),
            render=partial(_answer, show=_gemini_operation),
        ),
        Endpoint(
            method="GET",
            path="/v1beta/models/{model}/operations/{id}",
            read=_read_operation,
            render=partial(_answer, show=_gemini_operation),
        ),
    )


def _read_create(incoming: Incoming, *, inline: bool) -> CreateVideo:
    return CreateVideo(request=read_veo_request(incoming, inline=inline))


def _read_operation(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=incoming.path_parameters["id"])


def _gemini_operation(video: Video) -> dict[str, Any]:
    return operation(video, f"models/{video.model}/operations/{video.id}", gemini_result)


# --- files


def _files(version: str) -> tuple[Endpoint, ...]:
    """Return the paths of files: google-genai 2.x asks below `v1beta`, 3.x below `v1`."""
    return (
        Endpoint(
            method="GET",
            path=f"{version}/files/{{name:path}}:download",
            read=_read_download,
            render=partial(_answer, show=_metadata),
            streams=True,
        ),
        Endpoint(
            method="GET",
            path=f"{version}/files/{{name}}",
            read=_read_file,
            render=partial(_answer, show=_metadata),
            render_asked=lambda answer, incoming: _answer(answer, show=partial(_metadata, index=_file_of(incoming)[1])),
        ),
    )


def _read_download(incoming: Incoming) -> OpenContent:
    # A name that is an `http://` address brings a query of its own along, with another one behind it.
    word = dict(incoming.query).get("alt", _MEDIA)
    if word.partition(":download")[0] != _MEDIA:
        raise InvalidRequest(f"alt must be {_MEDIA} (got {describe(word)})", param="alt")
    video_id, index = _file_of(incoming)
    return OpenContent(id=video_id, index=index)


def _read_file(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=_file_of(incoming)[0])


def _file_of(incoming: Incoming) -> tuple[str, int]:
    name = incoming.path_parameters["name"].removesuffix(":download")
    found = read_file_name(name)
    if found is None:
        raise NotFound(f"there is no file files/{name[:80]} here", param="name")
    return found


def _metadata(video: Video, index: int = 0) -> dict[str, Any]:
    return file_metadata(video, index)


# --- Vertex AI


def _vertex(version: str) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            method="POST",
            path=f"{version}/{_VERTEX_MODEL}:predictLongRunning",
            read=partial(_read_create, inline=True),
            render=_answer_vertex,
            render_asked=_answer_vertex,
        ),
        Endpoint(
            method="POST",
            path=f"{version}/{_VERTEX_MODEL}:fetchPredictOperation",
            read=_read_fetch,
            render=_answer_vertex,
            render_asked=_answer_vertex,
        ),
    )


def _read_fetch(incoming: Incoming) -> ReadVideo:
    body = body_of(incoming, ("operationName",))
    name = read_text(body.get("operationName", ""), "operationName")
    match = _OPERATION.fullmatch(name)
    if match is None or model_of(name.rpartition("/operations/")[0]) != incoming.path_parameters["model"]:
        raise InvalidRequest(
            f"operationName must be the name of an operation of this model, as the create gave it (got {describe(name)})",
            param="operationName",
        )
    return ReadVideo(id=match[1])


def _answer_vertex(answer: Answer, incoming: Incoming | None = None) -> Outgoing:
    """Name the operation below the project and location of the request; which they are makes no difference to us."""
    places = _ANYWHERE if incoming is None else incoming.path_parameters

    def show(video: Video) -> dict[str, Any]:
        model = _VERTEX_MODEL.format_map({**places, "model": video.model})
        return operation(video, f"{model}/operations/{video.id}", vertex_result)

    return _answer(answer, show=show)


def _answer(answer: Answer, *, show: Callable[[Video], dict[str, Any]]) -> Outgoing:
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    headers = {"idempotent-replayed": "true"} if answer.replayed else {}
    return Outgoing(body=show(answer), headers=headers)
