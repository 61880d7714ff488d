"""What the Vidu dialect takes for a search of its list, and what it refuses rather than show more than was asked for."""

import pytest
from tests.dialects.vidu_calls import read

from reelway.core.errors import InvalidRequest
from reelway.dialects.spec import ListVideos

TASKS = "/ent/v2/tasks"


@pytest.mark.parametrize("prefix", ["pager", "paper"])
def test_pages_are_counted_from_nothing(prefix: str) -> None:
    """The vendor's page spells the names one way, its clients the other."""
    call = read("GET", TASKS, ((f"{prefix}.page", "2"), (f"{prefix}.pagesz", "30")))

    assert call == ListVideos(limit=30, skip=60)


def test_a_token_leads_on_whatever_the_page() -> None:
    """It is the id of the last task."""
    call = read("GET", TASKS, (("pager.page_token", "video_9"), ("pager.page", "2")))

    assert call == ListVideos(limit=10, after="video_9")


def test_tasks_are_searched_by_time_state_and_id() -> None:
    """Several ids in one value or in several; parameters nobody knows are passed over, as at Vidu."""
    call = read(
        "GET",
        TASKS,
        (
            ("created_at.from", "2026-11-22T09:39:00Z"),
            ("created_at.to", "2026-11-22T11:39:00+02:00"),
            ("states", "created"),
            ("states", "queueing,failed"),
            ("task_ids", "a, b"),
            ("task_ids", "c"),
            ("whatever", "1"),
        ),
    )

    assert call == ListVideos(
        limit=10,
        status=("queued", "failed"),
        ids=("a", "b", "c"),
        created_after=1795340340.0,
        created_before=1795340340.0,
    )


@pytest.mark.parametrize(
    "pair",
    [
        ("states", "pondering"),
        ("pager.pagesz", "0"),
        ("pager.pagesz", "101"),
        ("pager.page", "-1"),
        ("created_at.from", "lately"),
        ("model_versions", "q2"),
        ("resolutions", "720p"),
        ("templates", "hug"),
    ],
)
def test_searches_we_cannot_make_are_refused(pair: tuple[str, str]) -> None:
    """Rather than showing more than was asked for."""
    with pytest.raises(InvalidRequest) as caught:
        read("GET", TASKS, (pair,))
    assert caught.value.param == pair[0]


def test_a_parameter_is_given_once() -> None:
    """Two pages cannot be meant."""
    with pytest.raises(InvalidRequest):
        read("GET", TASKS, (("pager.page", "1"), ("paper.page", "2")))
