"""A lost create, looked for in Ark's list by what the list repeats of it."""

from typing import Any

import pytest
from tests.vendors.openai_cases import play, response
from tests.vendors.test_bytedance import NEWEST, REQUEST, STARTED, submission, task

from reelway.core.errors import UnexpectedResponse, VendorRefused
from reelway.vendors.bytedance import ADAPTER
from reelway.vendors.bytedance_bodies import mark_of
from reelway.vendors.spec import Candidate, Submission

MARK = mark_of(submission())
LATER = {"date": "Fri, 20 Nov 2026 10:30:00 GMT"}
SOON = {"date": "Fri, 20 Nov 2026 10:00:30 GMT"}


def listed(*tasks: dict[str, Any], total: int | None = None, headers: dict[str, str] | None = None) -> Any:
    return response({"items": list(tasks), "total": len(tasks) if total is None else total}, headers=headers)


def found(*tasks: dict[str, Any], given: Submission | None = None) -> list[Candidate]:
    candidates = play(ADAPTER.find(given or submission()), listed(*tasks, headers=LATER))
    return list(candidates)


@pytest.mark.parametrize(
    ("changes", "may_be"),
    [
        ({}, True),
        ({"status": "queued"}, True),
        ({"model": "dreamina-seedance-1-0-pro"}, True),
        ({"model": "ep-20261120180001-a1b2c"}, True),
        ({"model": "doubao-seedance-1-0-pro-fast-251015"}, False),
        ({"model": None, "created_at": None, "execution_expires_after": None}, True),
        ({"execution_expires_after": 172_800}, False),
        ({"seed": MARK.seed}, True),
        ({"seed": 11}, False),
        ({"created_at": STARTED - 600}, False),
        ({"created_at": STARTED + 7200}, False),
        ({"created_at": (STARTED + 2) * 1000}, True),
        ({"resolution": "1080p"}, False),
        ({"resolution": "720p", "ratio": "16:9", "duration": 5}, True),
        ({"ratio": "9:16"}, False),
        ({"duration": 7}, False),
        ({"status": "failed"}, True),
        ({"id": ""}, False),
    ],
)
def test_a_lost_create_is_known_by_what_is_repeated(changes: dict[str, Any], may_be: bool) -> None:
    """What the list shows must fit; what it does not show excludes nothing."""
    assert [candidate.key for candidate in found(task(**changes))] == (["cgt-1"] if may_be else [])


def test_it_is_certain_by_both_marks_alone() -> None:
    """Seed and expiry together are drawn for one attempt; a running task shows no seed yet."""
    assert [candidate.certain for candidate in found(task(seed=MARK.seed))] == [True]
    assert [candidate.certain for candidate in found(task())] == [False]


def test_what_the_caller_chose_is_never_certain() -> None:
    """Another program of the same account may have asked for the same."""
    asked = submission(REQUEST.evolve(seed=7, options={"execution_expires_after": 3600}))
    candidates = found(task(seed=7, execution_expires_after=3600), given=asked)

    assert [candidate.certain for candidate in candidates] == [False]


def test_without_a_seed_the_expiry_narrows_the_search() -> None:
    """2.0 takes none; one candidate is adopted, two are not told apart."""
    newest = submission(REQUEST.evolve(model=NEWEST, card=NEWEST))
    expiry = mark_of(newest).expiry_seconds
    others = [task(id=f"cgt-{number}", model=NEWEST, execution_expires_after=172_800) for number in range(5)]
    candidates = found(*others, task(id="cgt-9", model=NEWEST, execution_expires_after=expiry, seed=3), given=newest)

    assert [(candidate.key, candidate.certain) for candidate in candidates] == [("cgt-9", False)]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"ratio": "adaptive"}, {"ratio": "4:3"}),
        ({"seconds": -1}, {"duration": 9}),
        ({"options": {"frames": 121}}, {"frames": 121}),
    ],
)
def test_what_the_model_chose_excludes_nothing(asked: dict[str, Any], shown: dict[str, Any]) -> None:
    """Shape and length as they were really made."""
    given = submission(REQUEST.evolve(**asked))

    assert len(found(task(**shown), given=given)) == 1


def test_the_list_is_read_to_its_end() -> None:
    """Its order is not documented, so a page ends the search only where it is seen to be the newest first, and old enough."""
    other = task(id="cgt-0", execution_expires_after=172_800)
    pages = [listed(other, total=2), listed(task(), total=2)]
    flow = ADAPTER.find(submission())

    assert dict(next(flow).query)["page_num"] == "1"
    assert dict(flow.send(pages[0]).query)["page_num"] == "2"
    with pytest.raises(StopIteration) as stop:
        flow.send(pages[1])
    assert [candidate.key for candidate in stop.value.value] == ["cgt-1"]


def test_a_list_that_is_seen_to_be_newest_first_need_not_be_read_further() -> None:
    """Five hundred tasks a second is all the vendor shows."""
    old = [task(id=f"cgt-{age}", created_at=STARTED - age, execution_expires_after=172_800) for age in (0, 60, 500)]

    assert play(ADAPTER.find(submission()), listed(*old, total=9_000, headers=LATER)) == ()


def test_a_list_without_an_end_tells_nothing() -> None:
    """Forty pages on, nobody calls a task absent."""
    page = listed(task(id="cgt-0", seed=11), total=10**9)
    with pytest.raises(UnexpectedResponse, match="does not end"):
        play(ADAPTER.find(submission()), *[page] * 40)


def test_nothing_is_absent_sooner_than_the_list_would_show_it() -> None:
    """By the vendor's own clock, where it tells; a server that only speaks Ark's API shows what it has."""
    with pytest.raises(UnexpectedResponse, match="newest"):
        play(ADAPTER.find(submission()), listed(headers=SOON))
    assert play(ADAPTER.find(submission()), listed(headers=LATER)) == ()
    assert play(ADAPTER.find(submission(service="")), listed(headers=SOON)) == ()
    assert len(play(ADAPTER.find(submission()), listed(task(), headers=SOON))) == 1


def test_a_list_that_is_refused_is_not_empty() -> None:
    """A key that may not list even one model leaves the outcome open."""
    denied = response({"error": {"code": "AccessDenied"}}, status=403)
    with pytest.raises(VendorRefused):
        play(ADAPTER.find(submission()), denied, denied)


def test_tiers_are_listed_apart() -> None:
    """Flex tasks are invisible unless asked for."""
    tiers = [
        dict(next(ADAPTER.find(submission(REQUEST.evolve(options=options)))).query)["filter.service_tier"]
        for options in ({}, {"service_tier": "flex"}, {"service_tier": "default"})
    ]

    assert tiers == ["default", "flex", "default"]
