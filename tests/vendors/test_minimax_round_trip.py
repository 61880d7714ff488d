"""MiniMax's newer API through our dialect: the tests of every surface, for the one that sound leads to."""

from typing import Any

import pytest
from tests.vendors import test_states_round_trip as surfaces
from tests.vendors.round_trip import Line, lines, plain_request, submission_of
from tests.vendors.world import World

from reelway.core.errors import CallerError, NoWayToLook
from reelway.core.failures import FailureKind
from reelway.core.lifecycle import Status
from reelway.vendors.minimax import ADAPTER
from reelway.vendors.minimax_bodies import is_newer

NEWER = next(line for line in lines("minimax") if is_newer(plain_request(line)))
OLDER = next(line for line in lines("minimax") if not is_newer(plain_request(line)))


@pytest.mark.parametrize("status", [Status.QUEUED, Status.IN_PROGRESS])
def test_what_goes_on_is_running(status: Status) -> None:
    """Neither an end nor a surprise."""
    surfaces.test_what_goes_on_is_running(NEWER, status)


@pytest.mark.parametrize(
    "check",
    [
        surfaces.test_what_is_finished_can_be_fetched,
        surfaces.test_success_without_a_video_is_a_failure,
        surfaces.test_a_refusal_for_what_the_words_are_about,
        surfaces.test_a_server_without_a_route_may_have_accepted_or_not,
        surfaces.test_what_is_not_there_is_neither_running_nor_done,
        surfaces.test_a_cancel_ends_it_where_the_vendor_can,
        surfaces.test_what_is_deleted_is_gone,
        surfaces.test_a_lost_create_is_found,
        surfaces.test_a_create_that_never_arrived_is_not_found,
    ],
    ids=lambda check: check.__name__.removeprefix("test_"),
)
def test_the_newer_api_is_a_surface_like_any_other(check: Any) -> None:
    """Results, refusals, cancelling, deleting and finding."""
    check(NEWER)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_stays_what_it_was(kind: FailureKind) -> None:
    """Where the vendor has a number for it."""
    surfaces.test_a_failure_stays_what_it_was(NEWER, kind)


@pytest.mark.parametrize(("raised", "kinds"), surfaces.REFUSALS, ids=lambda value: type(value).__name__)
def test_a_refusal_is_understood_as_one(raised: CallerError, kinds: set[FailureKind]) -> None:
    """By its number and its status."""
    surfaces.test_a_refusal_is_understood_as_one(NEWER, raised, kinds)


def test_a_cancel_is_a_cancel_and_not_only_asked_for() -> None:
    """A queued one is stopped over there, at no cost."""
    world = World()
    peer, accepted = surfaces.made(NEWER, world)

    assert peer.run(ADAPTER.cancel(accepted.operation)) == "cancelled"
    assert world.find(accepted.key).status is Status.FAILED


def test_the_older_api_can_neither_look_up_nor_stop() -> None:
    """So nothing is asked, and what was lost is heard of by callback or not at all."""
    line: Line = OLDER
    peer, accepted = surfaces.made(line, World())
    told = len(peer.calls)

    assert peer.run(ADAPTER.cancel(accepted.operation)) == "refused"
    with pytest.raises(NoWayToLook, match="no list"):
        peer.run(ADAPTER.find(submission_of(line, plain_request(line))))
    assert len(peer.calls) == told
