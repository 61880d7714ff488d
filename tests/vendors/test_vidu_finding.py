"""How a lost create is looked for at Vidu: by number or by token to the end of the list, and never called absent too early."""

from typing import Any

import msgspec
import pytest
from tests.vendors.vidu_cases import submission

from reelway.core.errors import UnexpectedResponse
from reelway.vendors.spec import HttpRequest, HttpResponse
from reelway.vendors.vidu import ADAPTER

STARTED = 1_795_340_400.0
LOST = submission().evolve(started_at=STARTED, reference="video_1-1")


def searched(*answers: Any) -> tuple[list[HttpRequest], Any]:
    """Return what was asked, and what was found after these bodies; the last one is given as often as it is asked for."""
    flow, asked = ADAPTER.find(LOST), []
    bodies = [answer if isinstance(answer, bytes) else msgspec.json.encode(answer) for answer in answers]
    try:
        request = next(flow)
        while True:
            asked.append(request)
            request = flow.send(HttpResponse(status=200, body=bodies[min(len(asked), len(bodies)) - 1]))
    except StopIteration as stop:
        return asked, stop.value
    except UnexpectedResponse as error:
        return asked, error


def tasks(count: int, **fields: Any) -> dict[str, Any]:
    shown = {"payload": "other", "created_at": "2026-11-22T09:40:02.123456789Z", **fields}
    return {"tasks": [{"id": str(number), **shown} for number in range(count)], "next_page_token": ""}


def test_full_pages_are_counted_where_there_is_no_token() -> None:
    """A page that is not full is the last."""
    asked, found = searched(tasks(100), tasks(100), tasks(3))

    assert [dict(request.query)["pager.page"] for request in asked] == ["0", "1", "2"]
    assert found == ()


def test_a_list_without_end_proves_nothing() -> None:
    """One that shows the same full page again and again, say."""
    assert isinstance(searched(tasks(100))[1], UnexpectedResponse)


def test_the_search_begins_a_minute_before_the_attempt() -> None:
    """Clocks differ."""
    asked, _ = searched(tasks(0))

    assert dict(asked[0].query)["created_at.from"] == "2026-11-22T09:39:00Z"


@pytest.mark.parametrize(
    ("created_at", "looks"),
    [
        ("2026-11-22T09:40:02.123456789Z", 1),
        ("2026-11-22T09:39:30Z", 1),
        (None, 1),
        ("lately", 1),
        ("2026-11-22T09:38:00Z", 0),
        ("2026-11-22T10:40:00Z", 0),
    ],
)
def test_only_tasks_of_the_time_are_looked_at(created_at: str | None, looks: int) -> None:
    """Of one that does not say when it was made, nobody knows."""
    asked, _ = searched(tasks(1, payload=None, created_at=created_at), {"id": "0", "state": "success", "payload": ""})

    assert len(asked) == 1 + looks


def test_a_task_that_nowhere_shows_its_payload_may_be_ours() -> None:
    """So it is named, but not as certain."""
    _, found = searched(tasks(1, payload=None), {"id": "0", "state": "processing"})

    assert [(candidate.key, candidate.certain) for candidate in found] == [("0", False)]


def test_a_task_that_is_not_shown_is_no_proof() -> None:
    """An empty answer is not the payload of somebody else."""
    assert isinstance(searched(tasks(1, payload=None), {"id": "0"})[1], UnexpectedResponse)


def test_thousands_of_unmarked_tasks_are_not_looked_at() -> None:
    """The search gives up and comes again, instead of asking without end."""
    page = {**tasks(100, payload=None), "next_page_token": "more"}
    look = {"state": "success", "payload": "other"}
    asked, found = searched(page, *[look] * 100, page, *[look] * 100, page)

    assert isinstance(found, UnexpectedResponse)
    assert len(asked) == 203
