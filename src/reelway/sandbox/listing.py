"""Which videos a list shows. Pure."""

from collections.abc import Iterable

from reelway.core.errors import InvalidRequest
from reelway.core.record import Record
from reelway.dialects.spec import ListVideos
from reelway.sandbox.tasks import Task, look, mode_of

__all__ = ["Page", "choose_page"]


class Page(Record):
    """The tasks of one page."""

    tasks: tuple[Task, ...]
    has_more: bool
    total: int | None


def choose_page(tasks: Iterable[Task], call: ListVideos, now: float) -> Page:
    """Return a page of the tasks. Raises `InvalidRequest` where it should follow a task that is none of them."""
    ordered = sorted(tasks, key=lambda task: task.id, reverse=call.order == "desc")
    found = [task for task in ordered if _fits(task, call, now)]
    total = len(found) if call.counted else None
    if call.after is not None:
        if not any(task.id == call.after for task in ordered):
            raise InvalidRequest(f"after names no video of this list: {call.after[:80]}", param="after")
        found = [task for task in found if (task.id < call.after if call.order == "desc" else task.id > call.after)]
    shown = found[call.skip : call.skip + call.limit]
    return Page(
        tasks=tuple(shown),
        has_more=len(found) > call.skip + call.limit,
        total=total,
    )


def _fits(task: Task, call: ListVideos, now: float) -> bool:
    return (
        (not call.status or look(task, now).status.value in call.status)
        and call.cancelled in (None, task.cancelled_at is not None)
        and call.model in (None, task.model)
        and call.user in (None, task.user)
        and (call.created_after is None or task.created_at > call.created_after)
        and (call.created_before is None or task.created_at < call.created_before)
        and (not call.ids or task.id in call.ids)
        and (not call.client_references or task.client_reference in call.client_references)
        and (not call.modes or mode_of(task) in call.modes)
    )
