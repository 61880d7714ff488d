"""A lost create, looked for in the list of an OpenAI-compatible server."""

from typing import Any

import pytest
from tests.vendors.openai_cases import REQUEST, STARTED, play, response, shown, submission

from reelway.core.errors import NoWayToLook, UnexpectedResponse
from reelway.core.videos import Mode
from reelway.vendors.openai_videos import ADAPTER
from reelway.vendors.spec import Candidate, HttpResponse, Submission


def found(*pages: dict[str, Any], given: Submission | None = None) -> list[str]:
    candidates = play(ADAPTER.find(given or submission()), *(response(page) for page in pages))
    assert all(isinstance(candidate, Candidate) for candidate in candidates)
    return [candidate.key for candidate in candidates]


def page(*videos: dict[str, Any], has_more: bool | None = False) -> dict[str, Any]:
    return {"object": "list", "data": list(videos), "has_more": has_more}


@pytest.mark.parametrize(
    ("changes", "may_be"),
    [
        ({}, True),
        ({"prompt": " a fox\n"}, True),
        ({"prompt": "another fox"}, False),
        ({"model": "sora-2-2025-12-08"}, True),
        ({"model": "sora-2-pro"}, False),
        ({"size": "720x1280"}, False),
        ({"seconds": 8}, True),
        ({"seconds": "12"}, False),
        ({"created_at": (STARTED + 3) * 1000}, True),
        ({"created_at": STARTED - 600}, False),
        ({"created_at": STARTED + 7200}, False),
        ({"remixed_from_video_id": "video_0"}, False),
        ({"prompt": None, "model": None, "size": None, "seconds": None, "created_at": None}, True),
        ({"metadata": {"client_request_id": "job_2-1"}}, False),
        ({"metadata": {"client_request_id": "job_1-1"}, "prompt": "shortened"}, True),
        ({"status": "failed"}, True),
    ],
)
def test_a_lost_create_is_known_by_what_was_asked(changes: dict[str, Any], may_be: bool) -> None:
    """What the list shows must fit; what it does not show excludes nothing."""
    assert found(page(shown(**changes))) == (["video_9"] if may_be else [])


def test_our_own_mark_makes_it_certain() -> None:
    """Another Reelway shows the mark we sent; without it, equal prompts cannot be told apart."""
    marked = shown(id="video_8", metadata={"client_request_id": "job_1-1"})
    candidates = play(ADAPTER.find(submission(service="reelway")), response(page(marked, shown())))

    assert [(candidate.key, candidate.certain) for candidate in candidates] == [("video_8", True), ("video_9", False)]


def test_names_and_sizes_of_others_exclude_nothing() -> None:
    """Resellers list their own model names, self-hosted servers the size they really make."""
    other = shown(model="their-name", size="1280x704", seconds="5")

    assert found(page(other), given=submission(service="vllm")) == ["video_9"]
    assert found(page(shown(model="their-name")), given=submission(service="compatible")) == ["video_9"]


def test_a_remix_is_known_by_its_source() -> None:
    """The list names it, and little else is shown of a remix."""
    given = submission(REQUEST.evolve(mode=Mode.REMIX, seconds=None), source={"id": "video_0"})

    assert found(page(shown(remixed_from_video_id="video_0", seconds="4")), given=given) == ["video_9"]
    assert found(page(shown(remixed_from_video_id="video_1")), given=given) == []


def test_the_list_is_followed_until_before_the_attempt() -> None:
    """Older pages are not asked for once the times have passed the start."""
    recent = [shown(id=f"video_{number}", prompt="other") for number in range(3)]
    old = shown(id="video_old", created_at=STARTED - 500)

    assert found(page(*recent, has_more=True), page(shown(), old, has_more=True)) == ["video_9"]


def test_a_list_without_order_or_end_is_followed_by_its_length() -> None:
    """SGLang says neither `has_more` nor `last_id`: a full page may go on, a short one is the last."""
    full = [shown(id=f"video_{number}", prompt="other") for number in range(100)]

    assert found(page(*full, has_more=None), page(shown(), has_more=None)) == ["video_9"]


def test_a_list_that_goes_in_circles_finds_nothing_for_sure() -> None:
    """A server that ignores `after` must not make a lost create look absent."""
    circle = page(shown(prompt="other"), has_more=True)
    with pytest.raises(UnexpectedResponse, match="does not end"):
        found(circle, circle)


def test_a_server_without_a_list_cannot_say_that_nothing_is_there() -> None:
    """The engine asks again later, or gives up honestly."""
    with pytest.raises(UnexpectedResponse):
        play(ADAPTER.find(submission()), response({"detail": "Not Found"}, status=404))


@pytest.mark.parametrize(
    ("service", "status", "text", "raised"),
    [
        ("compatible", 404, '{"error":{"message":"Invalid URL (GET /v1/videos)"}}', NoWayToLook),
        ("", 405, '{"detail":"Method Not Allowed"}', NoWayToLook),
        ("compatible", 404, "<html>404</html>", UnexpectedResponse),
        ("compatible", 500, "{}", UnexpectedResponse),
        ("openai", 404, "{}", UnexpectedResponse),
    ],
)
def test_an_unknown_clone_may_say_that_it_has_no_list(
    service: str, status: int, text: str, raised: type[Exception]
) -> None:
    """Many resellers run new-api, which has none; a page of a proxy says nothing, and others surely have one."""
    with pytest.raises(raised):
        play(ADAPTER.find(submission(service=service)), HttpResponse(status=status, body=text.encode()))
