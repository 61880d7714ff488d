"""Which tasks of Ark's list could be a create whose answer was lost.

The list shows neither a prompt nor a reference of ours, but it echoes what was asked for, our mark included. What it leaves out,
as it does for unfinished tasks, does not exclude a task: a lost create that is taken for absent is paid twice.
"""

import re
from email.utils import parsedate_to_datetime

from reelway.core.videos import Mode
from reelway.vendors.bytedance_answers import TaskAnswer, TaskList
from reelway.vendors.bytedance_bodies import Mark, mark_of
from reelway.vendors.spec import HttpResponse, Submission
from reelway.vendors.wire import unix_seconds

__all__ = ["PAGE", "came_too_early", "has_mark", "is_last_page", "may_be"]

PAGE = 500
"""Tasks on a page, the most there can be: the list may be asked for once a second only."""

_CLOCK_SKEW_SECONDS = 120.0
_ANSWER_SECONDS = 900.0
"""A create is answered, or lost, well within this time after the attempt began."""

_VISIBLE_SECONDS = 60.0
"""How long a new task may be missing from the list; the vendor says nothing about it."""

_VENDORS = frozenset({"ark", "byteplus"})
_MODEL = re.compile(r"seedance-\d-\d(?:-[a-z]\w*)*")


def may_be(task: TaskAnswer, submission: Submission) -> bool:
    """Tell whether this task may have come from this submission."""
    if task.created_at is not None:
        age = unix_seconds(task.created_at) - submission.started_at
        if not -_CLOCK_SKEW_SECONDS <= age <= _ANSWER_SECONDS:
            return False
    return _carries(task, mark_of(submission)) and _same_model(task, submission) and _same_shape(task, submission)


def has_mark(task: TaskAnswer, submission: Submission) -> bool:
    """Tell whether this task carries what was drawn for this attempt alone."""
    mark = mark_of(submission)
    return mark.is_unique and (task.seed, task.execution_expires_after) == (mark.seed, mark.expiry_seconds)


def is_last_page(page: TaskList, seen: int, submission: Submission) -> bool:
    """Tell whether nothing that matters can follow. The order of the list is not documented, so it is looked at."""
    if not page.items or (page.total is not None and seen >= page.total):
        return True
    times = [unix_seconds(task.created_at) for task in page.items if task.created_at is not None]
    newest_first = len(times) == len(page.items) and times == sorted(times, reverse=True)
    return newest_first and len(times) > 1 and times[-1] < submission.started_at - _CLOCK_SKEW_SECONDS


def came_too_early(response: HttpResponse, submission: Submission) -> bool:
    """Tell whether, by the vendor's own clock, a task of this attempt may not be in the list yet."""
    if submission.service not in _VENDORS:
        return False
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return False
    return now < max(submission.started_at, submission.left_by) + _VISIBLE_SECONDS


def _carries(task: TaskAnswer, mark: Mark) -> bool:
    seed_differs = mark.seed is not None and task.seed is not None and task.seed != mark.seed
    expiry_differs = task.execution_expires_after is not None and task.execution_expires_after != mark.expiry_seconds
    return not (seed_differs or expiry_differs)


def _same_model(task: TaskAnswer, submission: Submission) -> bool:
    """Both clouds add a prefix of their own and perhaps a version; of an endpoint id nobody can tell which model it means."""
    shown, wanted = _MODEL.search(task.model or ""), _MODEL.search(submission.model)
    return shown is None or wanted is None or shown[0] == wanted[0]


def _same_shape(task: TaskAnswer, submission: Submission) -> bool:
    """Compare what is shown with what was asked for; what the model chose, or took over from a draft, tells nothing."""
    request = submission.request
    pairs: list[tuple[object, object]] = [(task.resolution, request.tier)]
    if request.mode is not Mode.REMIX:
        chosen = request.ratio == "adaptive"
        pairs.append((task.ratio, None if chosen else request.ratio))
        counts_frames = "frames" in request.options
        pairs.append((task.frames, request.options.get("frames")))
        pairs.append((task.duration, None if counts_frames or request.seconds == -1 else request.seconds))
        pairs.append((task.generate_audio, request.audio))
    return all(shown is None or wanted is None or shown == wanted for shown, wanted in pairs)
