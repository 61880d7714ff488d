"""The dialect of MiniMax's older API ("/minimax/v1"): three calls, and errors that come with HTTP 200.

A task is one of our videos by our id, and so is its file. The number that says what went wrong stands in `base_resp`; what broke
on our side, or leads nowhere, keeps its HTTP status besides.
"""

import hashlib
from typing import Any

from reelway.core.errors import CallerError
from reelway.core.lifecycle import Status
from reelway.core.videos import Video
from reelway.dialects.minimax_reading import OLDER, read_older
from reelway.dialects.minimax_words import failure_code, refusal_of, reply_headers, video_of
from reelway.dialects.native import bearer_key, missing
from reelway.dialects.spec import Answer, CreateVideo, Dialect, Endpoint, Incoming, Manners, Outgoing, ReadVideo
from reelway.dialects.video_object import Timestamps

__all__ = ["make_dialect", "render_error"]

_API = "/minimax/v1"
_STATES = {
    Status.QUEUED: "Queueing",
    Status.IN_PROGRESS: "Processing",
    Status.COMPLETED: "Success",
    Status.FAILED: "Fail",
}
_PUSHED = {
    Status.QUEUED: "processing",
    Status.IN_PROGRESS: "processing",
    Status.COMPLETED: "success",
    Status.FAILED: "failed",
}
"""The words of callbacks, which are others and fewer."""

_FINE = {"status_code": 0, "status_msg": "success"}
_NO_FILE = {"status_code": 2013, "status_msg": "invalid params, there is no file of this task"}


def make_dialect(*, timestamps: Timestamps = "s") -> Dialect:
    """Return the dialect. MiniMax's times are seconds, whatever ours are."""
    return Dialect(
        name=OLDER,
        endpoints=(
            Endpoint(method="POST", path=f"{_API}/video_generation", read=_read_create, render=_answer_created),
            Endpoint(method="GET", path=f"{_API}/query/video_generation", read=_read_query, render=_answer_task),
            Endpoint(method="GET", path=f"{_API}/files/retrieve", read=_read_file, render=_answer_file),
        ),
        render_error=render_error,
        key_of=bearer_key,
        render_callback=_pushed,
        manners=Manners(challenges=True),
    )


def render_error(error: CallerError, request_id: str) -> Outgoing:
    """Return the older API's way of saying no: HTTP 200 and a number, as far as it is about the request."""
    refusal = refusal_of(error)
    status = refusal.status if refusal.status in (404, 405) or refusal.status >= 500 else 200
    body = {"base_resp": {"status_code": refusal.code, "status_msg": error.message}}
    return Outgoing(status=status, body=body, headers=reply_headers(error, request_id))


def _read_create(incoming: Incoming) -> CreateVideo:
    return CreateVideo(request=read_older(incoming))


def _read_query(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=_parameter(incoming, "task_id"))


def _read_file(incoming: Incoming) -> ReadVideo:
    return ReadVideo(id=_parameter(incoming, "file_id"))


def _parameter(incoming: Incoming, name: str) -> str:
    """Return a parameter of the query; others are passed over, as older programs add a GroupId."""
    value = dict(incoming.query).get(name, "").strip()
    if not value:
        raise missing(name, "it says which one is meant")
    return value


def _answer_created(answer: Answer) -> Outgoing:
    video = video_of(answer)
    headers = {"idempotent-replayed": "true"} if video.replayed else {}
    return Outgoing(body={"task_id": video.id, "base_resp": _FINE}, headers=headers)


def _answer_task(answer: Answer) -> Outgoing:
    video = video_of(answer)
    return Outgoing(body=_task(video, _STATES[video.status]))


def _pushed(video: Video) -> dict[str, Any]:
    return _task(video, _PUSHED[video.status])


def _task(video: Video, state: str) -> dict[str, Any]:
    """Return a task. Why one failed stands where other answers say that there was an error."""
    task: dict[str, Any] = {"task_id": video.id, "status": state, "file_id": video.id if video.outputs else ""}
    if video.outputs:
        task |= {"video_width": video.outputs[0].width, "video_height": video.outputs[0].height}
    if video.status is not Status.FAILED:
        return {**task, "base_resp": _FINE}
    reason = "the task failed" if video.failure is None else video.failure.message
    return {**task, "base_resp": {"status_code": failure_code(video.failure), "status_msg": reason}}


def _answer_file(answer: Answer) -> Outgoing:
    video = video_of(answer)
    if not video.outputs or video.outputs[0].url is None:
        return Outgoing(body={"base_resp": _NO_FILE})
    file = {
        "file_id": _number_of(video.id),
        "bytes": video.outputs[0].bytes,
        "created_at": int(video.completed_at or video.created_at),
        "filename": "output_aigc.mp4",
        "purpose": "video_generation",
        "download_url": video.outputs[0].url,
    }
    return Outgoing(body={"file": file, "base_resp": _FINE})


def _number_of(video_id: str) -> int:
    """Return a number in place of the id: MiniMax shows one here, and programs that know their types read nothing else."""
    return int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8]) >> 1
