"""Which tasks of DashScope's list could be a create whose answer was lost.

The list shows model and time, and a task shows the words it was made with once it has a result; no reference of ours is kept. What
is left out does not exclude a task: a lost create that is taken for absent is paid twice.
"""

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from reelway.core.errors import UnexpectedResponse
from reelway.vendors.alibaba_answers import Task, TaskPage, TaskRow, look_refusal
from reelway.vendors.alibaba_bodies import workspace_headers
from reelway.vendors.spec import HttpRequest, HttpResponse, Submission
from reelway.vendors.wire import excerpt, expect, get, unix_seconds

__all__ = ["came_too_early", "is_last_page", "list_request", "may_be", "read_page", "shows_other_words"]

_PAGE = 10
"""Tasks on a page. No source says how many there may be; this is what is taken where nothing is said."""

_ZONE = timezone(timedelta(hours=8))
"""Times are Beijing's, in every region, and no zone stands beside them."""

_CLOCK_SKEW_SECONDS = 120.0
_ANSWER_SECONDS = 900.0
"""A create is answered, or lost, well within this time after the attempt began."""

_VISIBLE_SECONDS = 60.0
"""How long a new task may be missing from the list; the vendor says nothing about it."""

_SHORTEST_CUT = 2500
"""From so many characters on, the vendor may have cut a prompt."""


def list_request(submission: Submission, number: int) -> HttpRequest:
    """Return the request for a page of what was created around this attempt."""
    begin, end = submission.started_at - _CLOCK_SKEW_SECONDS, submission.started_at + _ANSWER_SECONDS
    query = (
        ("start_time", _spelled(begin)),
        ("end_time", _spelled(end)),
        ("model_name", submission.model),
        ("page_no", str(number)),
        ("page_size", str(_PAGE)),
    )
    return get("/tasks", query=query, headers=workspace_headers(submission.settings))


def read_page(response: HttpResponse) -> TaskPage:
    """Return a page, which has a list under one of its two names even where nothing is in it."""
    if response.status in (401, 403, 429):
        raise look_refusal(response)
    page = expect(TaskPage, response)
    if page.data is None and page.tasks is None:
        raise UnexpectedResponse(f"a list of tasks was expected and something else came: {excerpt(response)}")
    return page


def is_last_page(page: TaskPage, seen: int) -> bool:
    """Tell whether nothing follows."""
    return not page.rows or (len(page.rows) < _PAGE if page.total is None else seen >= page.total)


def may_be(row: TaskRow, submission: Submission) -> bool:
    """Tell whether this task may have come from this submission."""
    if row.model_name not in (None, "", submission.model):
        return False
    if isinstance(row.gmt_create, bool) or not isinstance(row.gmt_create, int | float):
        return True
    age = unix_seconds(row.gmt_create) - submission.started_at
    return -_CLOCK_SKEW_SECONDS <= age <= _ANSWER_SECONDS


def shows_other_words(task: Task, submission: Submission) -> bool:
    """Tell whether a task was made with other words than these. The vendor cuts long ones without saying so."""
    if task.orig_prompt is None:
        return False
    sent, shown = submission.request.prompt.strip(), task.orig_prompt.strip()
    was_cut = len(shown) >= _SHORTEST_CUT and sent.startswith(shown)
    return shown != sent and not was_cut


def came_too_early(response: HttpResponse, submission: Submission) -> bool:
    """Tell whether, by the vendor's own clock, a task of this attempt may not be in the list yet."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return False
    return now < max(submission.started_at, submission.left_by) + _VISIBLE_SECONDS


def _spelled(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=_ZONE).strftime("%Y%m%d%H%M%S")
