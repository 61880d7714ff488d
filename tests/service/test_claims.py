"""By what a create is known when it comes again, and what a repetition gets."""

import pytest
from tests.engine.scripted import Stage

from reelway.core.errors import NotFound
from reelway.core.keys import Caller
from reelway.core.videos import VideoRequest
from reelway.service import Service
from reelway.service.claims import claim_for
from reelway.vendors.spec import Accepted

CALLER = Caller(tenant="acme", key_id="key")
REQUEST = VideoRequest(model="sora-2", prompt="a fox", seconds=4)


def test_a_chosen_key_counts_for_more_than_a_count() -> None:
    """Who sends a key means it, however often the client sends; it holds for a day."""
    claim = claim_for(CALLER, 1000.0, idempotency_key="k", body_hash="h", sending=1)
    assert claim is not None
    assert (claim.key_id, claim.key, claim.body_hash, claim.sending) == ("key", "k", "h", None)
    assert claim.expires_at == 1000.0 + 86_400


def test_a_client_that_counts_is_known_by_its_body() -> None:
    """For as long as an official client goes on sending: three times ten minutes and two rests."""
    claims = [claim_for(CALLER, 1000.0, idempotency_key=None, body_hash="h", sending=sending) for sending in (0, 1)]
    assert [claim and (claim.key, claim.sending) for claim in claims] == [("body:h", 0), ("body:h", 1)]
    assert {claim.expires_at for claim in claims if claim} == {1000.0 + 1500}


def test_without_either_nothing_is_remembered() -> None:
    """The same request twice is two videos."""
    assert claim_for(CALLER, 1000.0, idempotency_key=None, body_hash="", sending=None) is None


async def test_a_lost_answer_is_given_again_and_a_second_wish_is_granted(service: Service, stage: Stage) -> None:
    """Count 0 makes a video each time, a greater count gets the newest; the vendor hears of two."""
    stage.script.submits.append(Accepted(operation={"id": "op2"}, key="op2", poll_after_seconds=0.0))
    first = await service.create(REQUEST, CALLER, body_hash="h", sending=0)
    second = await service.create(REQUEST, CALLER, body_hash="h", sending=0)
    again = await service.create(REQUEST, CALLER, body_hash="h", sending=1)
    assert (first.replayed, second.replayed, again.replayed) == (False, False, True)
    assert len({first.id, second.id}) == 2
    assert again.id == second.id
    for video in (first, second):
        await stage.finished(video.id)
    assert len(stage.script.submitted) == 2


@pytest.mark.parametrize("known", [{"idempotency_key": "k"}, {"sending": 1}])
async def test_a_repetition_is_answered_whatever_has_changed_since(service: Service, known: dict[str, object]) -> None:
    """A model that went meanwhile, a source that was deleted: none of it matters to what is made already."""
    made = await service.create(REQUEST, CALLER, body_hash="h", **known)
    gone = REQUEST.evolve(model="no-such-model")
    assert (await service.create(gone, CALLER, body_hash="h", **known)).id == made.id
    with pytest.raises(NotFound):
        await service.create(gone, CALLER, body_hash="another", sending=1)
