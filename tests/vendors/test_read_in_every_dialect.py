"""A video made in one vendor's words is read in every other vendor's: one job, many tongues."""

import pytest
from tests.vendors.peer import Peer
from tests.vendors.round_trip import Line, plain_request, submission_of
from tests.vendors.test_states_round_trip import SURFACES
from tests.vendors.world import World

from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.vendors.spec import Accepted, Running, Succeeded, VendorFailed


def submitted(line: Line, world: World) -> Accepted:
    accepted = Peer(line.leg.vendor, world).run(line.leg.adapter.submit(submission_of(line, plain_request(line))))
    assert isinstance(accepted, Accepted)
    return accepted


@pytest.mark.parametrize("reader", SURFACES, ids=lambda line: f"read-by-{line}")
@pytest.mark.parametrize("maker", SURFACES, ids=lambda line: f"made-by-{line}")
def test_a_video_of_one_vendors_client_is_seen_by_anothers(maker: Line, reader: Line) -> None:
    """Whoever has the id gets its state in the words of the API it asks, from the queue to the end."""
    world = World()
    own = submitted(reader, world)
    made = submitted(maker, world)
    operation = {
        name: value.replace(own.key, made.key) if isinstance(value, str) else value
        for name, value in own.operation.items()
    }

    def look() -> object:
        return Peer(reader.leg.vendor, world).run(reader.leg.adapter.check(operation))

    assert isinstance(look(), Running)
    world.change(made.key, status=Status.IN_PROGRESS, progress=40)
    assert isinstance(look(), Running)
    world.complete(made.key)
    assert isinstance(look(), Succeeded)
    refused = Failure(kind=FailureKind.CONTENT_POLICY, message="The prompt breaks the rules.")
    world.change(made.key, status=Status.FAILED, outputs=(), failure=refused)
    found = look()
    assert isinstance(found, VendorFailed)
    assert found.failure.kind is FailureKind.CONTENT_POLICY
