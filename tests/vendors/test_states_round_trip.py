"""What becomes of a video on the other side, told through each vendor's wire: every state, failure and refusal."""

from typing import Any

import pytest
from tests.vendors.peer import Peer
from tests.vendors.round_trip import LEGS, Line, lines, plain_request, submission_of
from tests.vendors.world import LINK, World

from reelway.core.errors import (
    AuthenticationRequired,
    BudgetExceeded,
    CallerError,
    InvalidRequest,
    NoRoute,
    NotFound,
    PermissionDenied,
    RateLimited,
    UnexpectedResponse,
    VendorRefused,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.dialects.spec import OpenContent
from reelway.vendors.registry import adapters
from reelway.vendors.spec import (
    Accepted,
    CanCancel,
    CanDelete,
    CanFind,
    Download,
    Running,
    Succeeded,
    VendorFailed,
)


def each_surface() -> list[Line]:
    """Return one line for each way a vendor makes videos: leg, family and kind of work."""
    found: dict[tuple[str, str, str, bool], Line] = {}
    for line in lines():
        kind = (line.leg.vendor, line.leg.service, line.card.family, line.mode in ("edit", "extend", "remix"))
        found.setdefault(kind, line)
    return list(found.values())


SURFACES = each_surface()
WITH_A_LIST = [line for line in SURFACES if line.leg.vendor not in ("minimax", "vertex")]
"""Vertex AI shows no list: what is lost there is found in a bucket, and our server has none. Of MiniMax's two APIs only the newer
one has a list: see the tests of that vendor."""
each = pytest.mark.parametrize("line", SURFACES, ids=str)
BY_LINK = [line for line in SURFACES if line.leg.vendor != "openai_videos"]
"""Vendors whose answers name the file; elsewhere it is at an endpoint, and fetching shows that it is missing."""


def each_that(ability: type, among: list[Line] = SURFACES) -> pytest.MarkDecorator:
    """Return the surfaces of adapters with an ability."""
    return pytest.mark.parametrize("line", [line for line in among if isinstance(line.leg.adapter, ability)], ids=str)


def made(line: Line, world: World) -> tuple[Peer, Accepted]:
    """Submit one video."""
    peer = Peer(line.leg.vendor, world)
    accepted = peer.run(line.leg.adapter.submit(submission_of(line, plain_request(line))))
    assert isinstance(accepted, Accepted)
    return peer, accepted


def looked(line: Line, peer: Peer, accepted: Accepted) -> Any:
    return peer.run(line.leg.adapter.check(accepted.operation))


def test_every_adapter_has_a_surface_here() -> None:
    """A vendor whose own words are not spoken by our server is one that nobody checks."""
    assert {line.leg.vendor for line in SURFACES} == set(adapters())
    assert {(leg.vendor, leg.service) for leg in LEGS} >= {(line.leg.vendor, line.leg.service) for line in SURFACES}


@each
@pytest.mark.parametrize("status", [Status.QUEUED, Status.IN_PROGRESS])
def test_what_goes_on_is_running(line: Line, status: Status) -> None:
    """Neither an end nor a surprise."""
    world = World()
    peer, accepted = made(line, world)
    world.change(accepted.key, status=status, progress=0 if status is Status.QUEUED else 40)

    found = looked(line, peer, accepted)

    assert isinstance(found, Running)
    assert found.progress in ((None, 0) if status is Status.QUEUED else (None, 0, 40))


@each
def test_what_is_finished_can_be_fetched(line: Line) -> None:
    """The file is named by the very link the other side gave, or read at an endpoint of its own."""
    world = World()
    peer, accepted = made(line, world)
    world.complete(accepted.key)

    found = looked(line, peer, accepted)

    assert isinstance(found, Succeeded)
    assert len(found.outputs) == 1
    assert leads_to_the_file(peer, found.outputs[0].video, accepted.key)


def leads_to_the_file(peer: Peer, download: Download, video_id: str) -> bool:
    if download.base64_key:
        return True  # read out of the answer itself, whose endpoint was just asked
    if download.request.path == LINK.format(id=video_id, index=0):
        return True
    call = peer.read(download.request)
    return isinstance(call, OpenContent) and (call.id, call.index) == (video_id, 0)


@pytest.mark.parametrize("line", BY_LINK, ids=str)
def test_success_without_a_video_is_a_failure(line: Line) -> None:
    """Money may be gone, but nothing is called completed that cannot be fetched."""
    world = World()
    peer, accepted = made(line, world)
    world.change(accepted.key, status=Status.COMPLETED, progress=100)

    found = looked(line, peer, accepted)

    assert isinstance(found, VendorFailed)
    assert found.failure.kind in {FailureKind.VENDOR_ERROR, FailureKind.CONTENT_POLICY}


@each
@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_stays_what_it_was(line: Line, kind: FailureKind) -> None:
    """Where the vendor has a word for it; what only concerns the other side's keys and routes is the vendor's failure."""
    world = World()
    peer, accepted = made(line, world)
    failure = Failure(kind=kind, message="It broke for a reason.")
    world.change(accepted.key, status=Status.FAILED, failure=failure, completed_at=1_790_000_030.0)

    found = looked(line, peer, accepted)

    assert isinstance(found, VendorFailed)
    always = {FailureKind.CONTENT_POLICY}
    allowed = {kind} if kind in always else {kind, FailureKind.VENDOR_ERROR}
    if kind is FailureKind.BUDGET_EXCEEDED:
        allowed.add(FailureKind.INSUFFICIENT_QUOTA)
    assert found.failure.kind in allowed


REFUSALS: list[tuple[CallerError, set[FailureKind]]] = [
    (InvalidRequest("seconds must be 4 (got 5)", param="seconds"), {FailureKind.INVALID_REQUEST}),
    (AuthenticationRequired("no"), {FailureKind.AUTHENTICATION}),
    (BudgetExceeded("no"), {FailureKind.INSUFFICIENT_QUOTA}),
    (PermissionDenied("no"), {FailureKind.PERMISSION}),
    (NotFound("unknown model", code="model_not_found", param="model"), {FailureKind.MODEL_NOT_FOUND}),
    (RateLimited("slow down", retry_after_seconds=3), {FailureKind.RATE_LIMITED}),
]


@each
@pytest.mark.parametrize(("raised", "kinds"), REFUSALS, ids=lambda value: type(value).__name__)
def test_a_refusal_is_understood_as_one(line: Line, raised: CallerError, kinds: set[FailureKind]) -> None:
    """Surely not accepted, and for the reason the other side had."""
    with pytest.raises(VendorRefused) as caught:
        made(line, World(refuse=raised))

    assert caught.value.failure.kind in kinds


@each
def test_a_refusal_for_what_the_words_are_about(line: Line) -> None:
    """Content rules are the caller's to follow, so they keep their name."""
    refusal = InvalidRequest("The prompt breaks the rules.", code="content_policy")
    refusal.kind = FailureKind.CONTENT_POLICY

    with pytest.raises(VendorRefused) as caught:
        made(line, World(refuse=refusal))

    assert caught.value.failure.kind is FailureKind.CONTENT_POLICY


@each
def test_a_server_without_a_route_may_have_accepted_or_not(line: Line) -> None:
    """A refusal, or an outcome that is looked up; never an acceptance."""
    with pytest.raises((VendorRefused, UnexpectedResponse)):
        made(line, World(refuse=NoRoute("no account", retry_after_seconds=3)))


@each
def test_what_is_not_there_is_neither_running_nor_done(line: Line) -> None:
    """Deleted over there: a surprise that only the deadline ends, or a failure."""
    world = World()
    peer, accepted = made(line, world)
    world.videos.clear()

    try:
        found = looked(line, peer, accepted)
    except (UnexpectedResponse, VendorRefused):
        return
    assert isinstance(found, VendorFailed)


@each_that(CanCancel)
def test_a_cancel_ends_it_where_the_vendor_can(line: Line) -> None:
    """`cancelled` or `asked`, and the next look agrees."""
    adapter: Any = line.leg.adapter
    world = World()
    peer, accepted = made(line, world)

    answer = peer.run(adapter.cancel(accepted.operation))

    if answer == "refused":
        assert world.find(accepted.key).status is Status.QUEUED
        return
    assert answer in {"cancelled", "asked"}
    assert world.find(accepted.key).status is Status.FAILED
    found = looked(line, peer, accepted)
    assert isinstance(found, VendorFailed)
    assert found.failure.kind is FailureKind.CANCELLED


@each_that(CanDelete)
def test_what_is_deleted_is_gone(line: Line) -> None:
    """Once finished, and a second time without complaint."""
    adapter: Any = line.leg.adapter
    world = World()
    peer, accepted = made(line, world)
    world.complete(accepted.key)

    told = len(peer.calls)
    peer.run(adapter.delete(accepted.operation))
    if len(peer.calls) == told:
        return  # what this surface makes goes by itself, and nobody can be asked to forget it
    assert not world.videos
    peer.run(adapter.delete(accepted.operation))


@each_that(CanFind, among=WITH_A_LIST)
def test_a_lost_create_is_found(line: Line) -> None:
    """Among others, and surely where a mark of ours is kept."""
    adapter: Any = line.leg.adapter
    world = World()
    peer, accepted = made(line, world)

    candidates = peer.run(adapter.find(submission_of(line, plain_request(line))))

    assert [candidate.key for candidate in candidates] == [accepted.key]
    assert candidates[0].operation == accepted.operation


@each_that(CanFind, among=WITH_A_LIST)
def test_a_create_that_never_arrived_is_not_found(line: Line) -> None:
    """Nothing over there, or nothing that could be it."""
    adapter: Any = line.leg.adapter
    found = Peer(line.leg.vendor, World()).run(adapter.find(submission_of(line, plain_request(line))))

    assert found == ()
