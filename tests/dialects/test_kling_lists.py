"""Looks and lists of the Kling dialect, and the paths for which nothing here has a use."""

from typing import Any

import pytest
from tests.dialects.kling_calls import read, refused

from reelway.core.errors import InvalidRequest, NotFound
from reelway.core.videos import Mode
from reelway.dialects.spec import ListVideos, ReadVideo


def test_a_task_is_read_by_its_id_or_its_reference() -> None:
    """Which of the two it is, whoever performs the call knows."""
    assert read("GET", "/kling/v1/videos/text2video/{id}", id="gw-1") == ReadVideo(id="gw-1")


@pytest.mark.parametrize(
    ("product", "modes"),
    [
        ("text2video", (Mode.T2V,)),
        ("image2video", (Mode.I2V, Mode.FIRST_LAST)),
        ("multi-image2video", (Mode.R2V,)),
        ("omni-video", (Mode.R2V, Mode.EDIT, Mode.REMIX)),
        ("video-extend", (Mode.EXTEND,)),
    ],
)
def test_each_door_lists_what_it_makes(product: str, modes: tuple[Mode, ...]) -> None:
    """Thirty to a page, and pages are counted."""
    path = f"/kling/v1/videos/{product}"

    assert read("GET", path) == ListVideos(limit=30, modes=modes)
    assert read("GET", path, {"pageNum": "3", "pageSize": "500"}) == ListVideos(limit=500, skip=1000, modes=modes)


@pytest.mark.parametrize(
    "query", [{"pageNum": "0"}, {"pageNum": "1001"}, {"pageSize": "0"}, {"pageSize": "501"}, {"pageSize": "x"}]
)
def test_pages_have_the_vendors_limits(query: dict[str, str]) -> None:
    """A thousand pages of five hundred."""
    assert refused(read, "GET", "/kling/v1/videos/text2video", query).param == next(iter(query))


def test_tasks_are_looked_up_by_ids_or_references() -> None:
    """Twenty at a time, one kind in a call."""
    twenty = [str(number) for number in range(20)]

    assert read("GET", "/kling/tasks", {"task_ids": ", ".join(twenty)}) == ListVideos(limit=20, ids=tuple(twenty))
    assert read("GET", "/kling/tasks", {"external_task_ids": "a"}) == ListVideos(limit=20, client_references=("a",))
    assert "at most 20" in refused(read, "GET", "/kling/tasks", {"task_ids": ",".join([*twenty, "20"])}).message
    for query in ({}, {"task_ids": ","}, {"task_ids": "1", "external_task_ids": "a"}):
        assert "either task_ids or external_task_ids" in refused(read, "GET", "/kling/tasks", query).message


@pytest.mark.parametrize("as_type", [int, str])
def test_tasks_are_searched_by_time_and_status(as_type: type) -> None:
    """The vendor's pages show times as numbers and as texts."""
    body = {
        "start_time": as_type(1793000000000),
        "end_time": as_type(1793001000500),
        "limit": 2,
        "filters": [{"key": "status", "values": ["succeeded", "failed"]}, {"key": "product_type", "values": ["video"]}],
    }

    assert read("POST", "/kling/tasks", json=body) == ListVideos(
        limit=2, status=("completed", "failed"), created_after=1793000000.0, created_before=1793001000.5
    )
    assert read("POST", "/kling/tasks", json={**body, "cursor": "video_1", "filters": []}) == ListVideos(
        limit=2, after="video_1"
    )
    assert read("POST", "/kling/tasks") == ListVideos(limit=100)


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 501},
        {"start_time": "yesterday"},
        {"filters": {"key": "status"}},
        {"filters": [{"key": "status", "values": ["done"]}]},
        {"filters": [{"key": "product_type", "values": ["image"]}]},
        {"filters": [{"key": "model", "values": ["x"]}]},
        {"filters": [{"key": "status"}]},
        {"page": 1},
    ],
)
def test_a_search_that_means_nothing_is_refused(body: dict[str, Any]) -> None:
    """Rather than answered with everything there is."""
    assert isinstance(refused(read, "POST", "/kling/tasks", json=body), InvalidRequest)


@pytest.mark.parametrize(
    "path",
    [
        "/kling/v1/videos/lip-sync",
        "/kling/v1/videos/motion-control",
        "/kling/v1/videos/avatar/image2video",
        "/kling/motion-control/{model}",
    ],
)
def test_what_no_model_here_can_do_says_so(path: str) -> None:
    """In Kling's own words for a resource that is missing, with what there is instead."""
    error = refused(read, "POST", path, json={}, **({"model": "kling-3.0"} if "{" in path else {}))

    assert isinstance(error, NotFound)
    assert "text2video" in error.message
