"""How Vidu's list is walked for a create whose answer was lost.

The list begins with the time of the attempt and is followed to its end. What a page leaves out excludes nothing: a lost create that
is taken for absent is paid twice.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from reelway.vendors.spec import HttpResponse, Submission
from reelway.vendors.vidu_answers import Task, TaskList

__all__ = ["came_too_early", "first_page", "may_be", "next_page"]

_PAGE = 100
"""Tasks on a page, the most there can be."""
_CLOCK_SKEW_SECONDS = 60.0
_ANSWER_SECONDS = 900.0
"""A create is answered, or lost, well within this time after the attempt began."""
_VISIBLE_SECONDS = 30.0
"""How long a new task may be missing from the list; the vendor says nothing about it."""

Query = tuple[tuple[str, str], ...]


def first_page(submission: Submission) -> Query:
    """Return what asks for the first page."""
    return _numbered(submission, 0)


def next_page(page: TaskList, query: Query, number: int, submission: Submission) -> Query | None:
    """Return what asks for the page after this one, None where it is the last: by its token, else by its number."""
    if page.next_page_token:
        return (*_window(submission), ("pager.page_token", page.next_page_token))
    counted = any(name == "pager.page" for name, _ in query)
    return _numbered(submission, number + 1) if counted and len(page.tasks) >= _PAGE else None


def may_be(task: Task, submission: Submission) -> bool:
    """Tell whether this task is of the right time, as far as it says when it was created."""
    try:
        created_at = datetime.fromisoformat(task.created_at or "").timestamp()
    except (ValueError, OverflowError):
        return True
    return -_CLOCK_SKEW_SECONDS <= created_at - submission.started_at <= _ANSWER_SECONDS


def came_too_early(response: HttpResponse, submission: Submission) -> bool:
    """Tell whether, by the vendor's own clock, a task of this attempt may not be in the list yet."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return False
    return now < max(submission.started_at, submission.left_by) + _VISIBLE_SECONDS


def _numbered(submission: Submission, number: int) -> Query:
    return (*_window(submission), ("pager.page", str(number)))


def _window(submission: Submission) -> Query:
    since = datetime.fromtimestamp(submission.started_at - _CLOCK_SKEW_SECONDS, tz=UTC)
    return (("created_at.from", since.strftime("%Y-%m-%dT%H:%M:%SZ")), ("pager.pagesz", str(_PAGE)))
