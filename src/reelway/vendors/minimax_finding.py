"""Which tasks of MiniMax's list could be a create whose answer was lost.

Only the newer API has a list, and it shows neither the prompt nor anything of ours: time, model, length, size and ratio are all
there is to go by. So no candidate is certain, and several that fit are for somebody else to tell apart.
"""

from email.utils import parsedate_to_datetime

from reelway.core.videos import Mode
from reelway.vendors.minimax_answers import Task, TaskList
from reelway.vendors.spec import HttpResponse, Submission
from reelway.vendors.wire import unix_seconds

__all__ = ["came_too_early", "is_last_page", "may_be", "page_query"]

_PAGE = 100
_CLOCK_SKEW_SECONDS = 120.0
_ANSWER_SECONDS = 900.0
"""A create is answered, or lost, well within this time after the attempt began."""

_VISIBLE_SECONDS = 120.0
"""How long a new task may be missing from the list; the vendor says nothing about it."""


def page_query(submission: Submission, number: int) -> tuple[tuple[str, str], ...]:
    """Return what is asked for: every task of this model, a page of them."""
    return (
        ("page_num", str(number)),
        ("page_size", str(_PAGE)),
        ("filter.model", submission.model),
        ("filter.task_type", "generation"),
    )


def may_be(task: Task, submission: Submission) -> bool:
    """Tell whether this task may have come from this submission; what is not shown excludes nothing."""
    if task.created_at is not None:
        age = unix_seconds(task.created_at) - submission.started_at
        if not -_CLOCK_SKEW_SECONDS <= age <= _ANSWER_SECONDS:
            return False
    request = submission.request
    resolution = task.resolution.lower() if task.resolution else None
    ratio = request.ratio if request.mode is Mode.T2V else None  # otherwise the pictures decide
    pairs: list[tuple[object, object]] = [
        (resolution, request.tier),
        (task.duration, request.seconds),
        (task.ratio or None, ratio),
    ]
    return all(shown is None or wanted is None or shown == wanted for shown, wanted in pairs)


def is_last_page(page: TaskList, seen: int, submission: Submission) -> bool:
    """Tell whether nothing that matters can follow. The order of the list is not documented, so it is looked at."""
    if not page.items or (page.total is not None and seen >= page.total):
        return True
    times = [unix_seconds(task.created_at) for task in page.items if task.created_at is not None]
    newest_first = len(times) == len(page.items) and times == sorted(times, reverse=True)
    return newest_first and len(times) > 1 and times[-1] < submission.started_at - _CLOCK_SKEW_SECONDS


def came_too_early(response: HttpResponse, submission: Submission) -> bool:
    """Tell whether, by the vendor's own clock, a task of this attempt may not be in the list yet."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return False
    return now < max(submission.started_at, submission.left_by) + _VISIBLE_SECONDS
