"""By what a create is known when it comes again, and what a repetition gets."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest
from tests.engine.scripted import Stage
from tests.store.records import make_job

from reelway.core.errors import Conflict, NotFound
from reelway.core.keys import Caller
from reelway.core.lifecycle import State, Status
from reelway.core.videos import Variant, Video, VideoRequest
from reelway.service import Service
from reelway.service.claims import claim_for
from reelway.service.unheard import Unheard
from reelway.vendors.spec import Accepted

Ask: TypeAlias = Callable[..., Awaitable[Video]]

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


@pytest.fixture
def ask(service: Service, stage: Stage) -> Ask:
    """Sends the same create, without a sign, so that it arrives so many seconds from now; the vendor takes each."""
    stage.script.submits.clear()
    stage.script.submits += [
        Accepted(operation={"id": f"op{n}"}, key=f"op{n}", poll_after_seconds=0.0) for n in range(9)
    ]

    async def asking(after: float, **options: float) -> Video:
        return await service.create(REQUEST, CALLER, body_hash="h", unsaid_at=stage.clock() + after, **options)

    return asking


async def test_a_video_that_nobody_named_is_the_answer_to_the_same_create(ask: Ask) -> None:
    """Its client rested and sent again, because it did not get the answer; however often."""
    first = await ask(0.0)
    again = [await ask(seconds) for seconds in (1.0, 2.0, 60.0)]
    assert not first.replayed
    assert {(video.id, video.replayed) for video in again} == {(first.id, True)}


async def test_at_once_is_another_take(ask: Ask) -> None:
    """Who wants three takes asks for them one after the other, or for all together."""
    takes = [await ask(-1.0) for _ in range(3)]
    assert len({video.id for video in takes}) == 3
    assert (await ask(1.0)).id == takes[-1].id


async def test_who_named_the_video_had_the_answer(ask: Ask, service: Service, stage: Stage) -> None:
    """So the same words again are another wish: after a look, a download, an attempt to stop it or to go on from it."""

    async def look(video_id: str) -> None:
        await service.read(video_id, CALLER)

    async def stop(video_id: str) -> None:
        await stage.finished(video_id)
        with pytest.raises(Conflict):
            await service.cancel(video_id, CALLER)

    async def download(video_id: str) -> None:
        await stage.finished(video_id)
        await service.content(video_id, None, variant=Variant.VIDEO, index=0)

    async def edit(video_id: str) -> None:
        await stage.finished(video_id)
        await service.quote(REQUEST.evolve(operation="remix", source_video_id=video_id), CALLER)

    made = [(await ask(0.0)).id]
    for name in (look, stop, download, edit):
        await name(made[-1])
        made.append((await ask(1.0)).id)
    assert len(set(made)) == 5


async def test_a_strangers_look_is_nothing(ask: Ask, service: Service) -> None:
    """Another tenant cannot tell us that the answer arrived."""
    first = await ask(0.0)
    with pytest.raises(NotFound):
        await service.read(first.id, Caller(tenant="other", key_id="other"))
    assert (await ask(1.0)).id == first.id


async def test_the_wait_for_a_video_does_not_name_it(ask: Ask) -> None:
    """The server looks by itself there; a balancer that lost patience is answered with the same video."""
    first = await ask(0.0, wait_seconds=60.0)
    assert first.status is Status.COMPLETED
    again = await ask(1.0, wait_seconds=60.0)
    assert (again.id, again.replayed, again.status) == (first.id, True, Status.COMPLETED)


async def test_a_key_that_may_only_create_is_answered_without_the_wait(service: Service) -> None:
    """What was made and paid for is never answered with a refusal."""
    writer = Caller(tenant="acme", key_id="writer", scopes=("create",))
    video = await service.create(REQUEST, writer, wait_seconds=60.0)
    assert not video.replayed


def test_what_is_not_known_counts_as_not_named() -> None:
    """After a restart: the row of the first create is there, its answer is not."""
    job = make_job(at=100.0)
    unheard = Unheard(keep_seconds=50.0)
    assert unheard.is_repetition(job, 101.0)
    assert not unheard.is_repetition(job, 100.1)
    unheard.answered(job.id, 102.0)
    assert not unheard.is_repetition(job, 102.2)
    unheard.named(job.id)
    assert not unheard.is_repetition(job, 110.0)
    unheard.answered("video_2", 200.0)  # by then nobody repeats the first
    assert unheard.is_repetition(job, 201.0)


def test_who_is_called_back_has_heard_of_what_has_ended() -> None:
    """And asks again because it failed."""
    unheard = Unheard(keep_seconds=50.0)
    running = make_job(at=100.0)
    asked = running.evolve(request=running.request.evolve(callback_url="https://caller.example.test/hook"))
    assert unheard.is_repetition(asked, 101.0)
    assert not unheard.is_repetition(asked.evolve(state=State.FAILED), 101.0)
    assert unheard.is_repetition(running.evolve(state=State.FAILED), 101.0)
