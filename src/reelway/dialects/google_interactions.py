"""Google's dialect for Omni: the Interactions API, as google-genai 3.x speaks it on the Gemini API and on Vertex AI.

The id of an interaction is that of the video. Errors have a shape of their own here, and an unknown id is a bad request.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from reelway.core.errors import CallerError, InvalidRequest
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Video
from reelway.dialects.google_errors import (
    NO_BILLING,
    OUT_OF_MONEY,
    canonical,
    failure_of,
    message_of,
    operation_error,
    retry_headers,
)
from reelway.dialects.google_files import file_uri, iso_time
from reelway.dialects.google_omni import read_interaction
from reelway.dialects.google_reading import key_of
from reelway.dialects.spec import (
    Answer,
    CancelVideo,
    Deleted,
    DeleteVideo,
    Dialect,
    Endpoint,
    Incoming,
    Manners,
    Outgoing,
    ReadVideo,
)
from reelway.dialects.values import read_boolean
from reelway.dialects.video_object import Timestamps

__all__ = ["make_dialect"]

_VERTEX = "/projects/{project}/locations/{location}"
_PLACES = ("/v1", "/v1beta", f"/v1{_VERTEX}", f"/v1beta1{_VERTEX}")
_INVALID = "invalid_request"
_UNKNOWN_ID = "Invalid interaction name."
_USAGE = frozenset(
    {
        "cached_tokens_by_modality",
        "initial_input_tokens",
        "input_tokens_by_modality",
        "output_tokens_by_modality",
        "tool_use_tokens_by_modality",
        "total_cached_tokens",
        "total_input_tokens",
        "total_output_tokens",
        "total_thought_tokens",
        "total_tokens",
        "total_tool_use_tokens",
    }
)
_TOKENS_PER_SECOND = 5792
"""Of video at 720p (price map of litellm 1.109.1)."""


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. Google's times are texts, so `timestamps` does not matter."""
    return Dialect(
        name="google_interactions",
        endpoints=tuple(endpoint for place in _PLACES for endpoint in _below(f"{place}/interactions")),
        render_error=render_error,
        key_of=key_of,
        render_callback=render_callback,
        manners=Manners(usage_of=_usage_of),
    )


def _below(path: str) -> tuple[Endpoint, ...]:
    made, read = partial(_answer, show=_interaction), partial(_answer, show=partial(_interaction, with_input=True))
    return (
        Endpoint(method="POST", path=path, read=read_interaction, render=made),
        Endpoint(method="GET", path=f"{path}/{{id}}", read=_read_read, render=read),
        Endpoint(method="DELETE", path=f"{path}/{{id}}", read=_read_delete, render=_answer_deleted),
        Endpoint(method="POST", path=f"{path}/{{id}}/cancel", read=_read_cancel, render=made),
    )


def _read_read(incoming: Incoming) -> ReadVideo:
    """Read a GET. The prompt is always in the answer, so `include_input` changes nothing."""
    query = dict(incoming.query)
    read_boolean(query.get("include_input", False), "include_input")
    if read_boolean(query.get("stream", False), "stream"):
        raise InvalidRequest(
            "stream is not served here: there are no events of a video being made; poll with stream=false",
            code="unsupported_parameter",
            param="stream",
        )
    return ReadVideo(id=incoming.path_parameters["id"])


def _read_delete(incoming: Incoming) -> DeleteVideo:
    return DeleteVideo(id=incoming.path_parameters["id"])


def _read_cancel(incoming: Incoming) -> CancelVideo:
    return CancelVideo(id=incoming.path_parameters["id"])


# --- answering


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the envelope of the Interactions API: codes are words, and an unknown id is a 400."""
    headers = retry_headers(error, request_id)
    if error.code == "video_not_found":
        return Outgoing(status=400, body={"error": {"code": _INVALID, "message": _UNKNOWN_ID}}, headers=headers)
    code = canonical(error)
    word = _INVALID if code.word == "INVALID_ARGUMENT" else code.word.lower()
    if error.kind in OUT_OF_MONEY:
        word = NO_BILLING.lower()
    body = {"error": {"code": word, "message": message_of(error.kind, error.message)}}
    return Outgoing(status=code.status, body=body, headers=headers)


def render_callback(video: Video) -> dict[str, Any] | None:
    """Return the event of Google's webhooks, which come when all is over."""
    failure = failure_of(video)
    if failure is None and video.status is not Status.COMPLETED:
        return None
    data: dict[str, Any] = {"id": video.id, "user_metadata": video.tags}
    word = _status(video, failure)
    if word == "failed" and failure is not None:
        data |= {"error_code": failure.kind.value, "error_message": failure.message}
    return {"type": f"interaction.{word}", "version": "v1", "timestamp": iso_time(video.completed_at), "data": data}


def _interaction(video: Video, *, with_input: bool = False) -> dict[str, Any]:
    failure = failure_of(video)
    said = [{"type": "text", "text": video.prompt}] if video.prompt else []
    asked = [{"type": "user_input", "content": said}] if with_input else []
    shown: dict[str, Any] = {
        "id": video.id,
        "object": "interaction",
        "model": video.model,
        "status": _status(video, failure),
        "created": iso_time(video.created_at),
        "updated": iso_time(video.completed_at or video.updated_at or video.created_at),
        "steps": [*asked, *_outcome(video, failure)],
    }
    usage = {name: figure for name, figure in video.usage.items() if name in _USAGE}
    more = {"usage": usage, "labels": video.tags, "previous_interaction_id": video.remixed_from_video_id}
    return shown | {name: value for name, value in more.items() if value} | _faults(failure)


def _status(video: Video, failure: Failure | None) -> str:
    """Return Google's word. What a filter kept back is completed there, with a text in place of the video."""
    if failure is None:
        return video.status.value
    if failure.kind is FailureKind.CONTENT_POLICY:
        return "completed"
    return "cancelled" if failure.kind is FailureKind.CANCELLED else "failed"


def _outcome(video: Video, failure: Failure | None) -> list[dict[str, Any]]:
    if failure is None:
        done = video.status is Status.COMPLETED
        return [{"type": "model_output", "content": _videos(video)}] if done else []
    if failure.kind is FailureKind.CONTENT_POLICY:
        return [{"type": "model_output", "content": [{"type": "text", "text": failure.message}]}]
    if failure.kind is FailureKind.CANCELLED:
        return []
    return [{"type": "model_output", "error": operation_error(failure)}]


def _videos(video: Video) -> list[dict[str, Any]]:
    """Return a block for each output: its bytes where they were asked for and are not too many, else its address."""
    blocks: list[dict[str, Any]] = []
    for number, output in enumerate(video.outputs):
        block: dict[str, Any] = {"type": "video", "mime_type": output.media_type}
        if number < len(video.b64_json):
            blocks.append(block | {"data": video.b64_json[number]})
        elif (uri := file_uri(video, output)) is not None:
            blocks.append(block | {"uri": uri})
    return blocks


def _faults(failure: Failure | None) -> dict[str, Any]:
    if failure is None or failure.kind in (FailureKind.CONTENT_POLICY, FailureKind.CANCELLED):
        return {}
    return {"errors": [{"code": failure.kind.value, "message": failure.message}]}


def _usage_of(video: Video) -> dict[str, Any]:
    """Return the tokens Google counts for a video: none where it made none."""
    tokens = round(sum(output.seconds for output in video.outputs) * _TOKENS_PER_SECOND)
    return {
        "total_input_tokens": len((video.prompt or "").split()),
        "total_output_tokens": tokens,
        "output_tokens_by_modality": [{"modality": "video", "tokens": tokens}] if tokens else [],
    }


def _answer(answer: Answer, *, show: Callable[[Video], dict[str, Any]]) -> Outgoing:
    if not isinstance(answer, Video):
        raise TypeError(f"expected a video to show, got {type(answer).__name__}")
    headers = {"idempotent-replayed": "true"} if answer.replayed else {}
    return Outgoing(body=show(answer), headers=headers)


def _answer_deleted(answer: Answer) -> Outgoing:
    if not isinstance(answer, Deleted):
        raise TypeError(f"expected a deletion to show, got {type(answer).__name__}")
    return Outgoing(body={})
