"""Which videos of a list could be a create whose answer was lost.

The API keeps no mark of ours, so the prompt decides, then everything else the list shows. What a clone leaves out, or rounds,
does not exclude a video: a lost create that is taken for absent is paid twice.
"""

from reelway.core.videos import Mode
from reelway.vendors.openai_answers import VideoAnswer, VideoList
from reelway.vendors.spec import Submission
from reelway.vendors.wire import unix_seconds

__all__ = ["PAGE", "goes_on", "mark_of", "may_be"]

PAGE = 100
"""Videos on a page; the most that OpenAI gave."""

_CLOCK_SKEW_SECONDS = 120.0
_ANSWER_SECONDS = 900.0
"""A create is answered, or lost, well within this time after the attempt began."""

_OWN_NAMES = frozenset({"openai", "reelway", "sandbox"})
"""Services that list a video under the model that was asked for."""

_ROUNDING = frozenset({"vllm", "sglang"})
"""Services that show the size and length they really make."""


def may_be(video: VideoAnswer, submission: Submission) -> bool:
    """Tell whether this video may have come from this submission."""
    mark = mark_of(video)
    if mark is not None:
        return mark == submission.reference
    return _same_time(video, submission) and _same_words(video, submission) and _same_shape(video, submission)


def mark_of(video: VideoAnswer) -> str | None:
    """Return the mark that another Reelway keeps for whoever created the video."""
    mark = (video.metadata or {}).get("client_request_id")
    return mark if isinstance(mark, str) else None


def goes_on(page: VideoList, submission: Submission) -> bool:
    """Tell whether older videos that could matter may follow on another page."""
    times = [unix_seconds(video.created_at) for video in page.data if video.created_at is not None]
    newest_first = len(times) == len(page.data) and times == sorted(times, reverse=True)
    if newest_first and times and times[-1] < submission.started_at - _CLOCK_SKEW_SECONDS:
        return False
    return len(page.data) >= PAGE if page.has_more is None else page.has_more


def _same_time(video: VideoAnswer, submission: Submission) -> bool:
    if video.created_at is None:
        return True
    age = unix_seconds(video.created_at) - submission.started_at
    return -_CLOCK_SKEW_SECONDS <= age <= _ANSWER_SECONDS


def _same_words(video: VideoAnswer, submission: Submission) -> bool:
    request = submission.request
    if video.prompt is not None and video.prompt.strip() != request.prompt.strip():
        return False
    source_id = None if submission.source is None else submission.source.get("id")
    if request.mode is Mode.REMIX:
        if source_id is not None and video.remixed_from_video_id not in (None, source_id):
            return False
    elif video.remixed_from_video_id is not None and request.mode in (Mode.T2V, Mode.I2V):
        return False
    return source_id is not None or _same_model(video, submission)


def _same_model(video: VideoAnswer, submission: Submission) -> bool:
    """Resellers and Azure list their own names; OpenAI listed a snapshot (`sora-2-2025-12-08`) where `sora-2` was asked for."""
    if not video.model or submission.service not in _OWN_NAMES:
        return True
    return video.model == submission.model or video.model.startswith(f"{submission.model}-20")


def _same_shape(video: VideoAnswer, submission: Submission) -> bool:
    request = submission.request
    if submission.service in _ROUNDING or request.mode in (Mode.EDIT, Mode.EXTEND, Mode.REMIX):
        return True
    size = request.size
    if size and video.size and "x" in video.size and video.size.lower() != size:
        return False
    seconds = _number(video.seconds)
    return seconds is None or request.seconds in (None, -1) or seconds == request.seconds


def _number(value: str | float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
