"""How much callers may have under way, and where theirs stand."""

import asyncio
from collections import deque

import pytest
from tests.engine.scripted import Stage
from tests.service.conftest import service_of

from reelway.core.errors import RateLimited
from reelway.core.keys import Caller
from reelway.core.videos import VideoRequest
from reelway.engine.limits import Ceiling
from reelway.service import ServiceLimits
from reelway.vendors.spec import Running

ADA = Caller(tenant="acme", key_id="key_1")
REQUEST = VideoRequest(model="sora-2", prompt="a fox")


@pytest.fixture
def busy(stage: Stage) -> Stage:
    """A vendor that never gets done."""
    stage.script.checks = deque([Running(poll_after_seconds=1e6)])
    return stage


async def test_a_key_has_so_many_under_way_and_no_more(busy: Stage) -> None:
    """However many are asked for at once; another key is not concerned, and a cancel makes room."""
    service = service_of(busy, ServiceLimits(unfinished_per_key=2))
    made = await asyncio.gather(*(service.create(REQUEST, ADA) for _ in range(6)), return_exceptions=True)
    refused = [answer for answer in made if isinstance(answer, RateLimited)]
    assert (len(refused), {error.code for error in refused}) == (4, {"too_many_unfinished"})
    await service.create(REQUEST, Caller(tenant="acme", key_id="key_2"))
    first = next(video for video in made if not isinstance(video, BaseException))
    await busy.reaches(first.id, "accepted")
    await service.cancel(first.id, ADA)
    await service.create(REQUEST, ADA)


async def test_an_end_user_is_counted_over_all_keys_of_the_tenant(busy: Stage) -> None:
    """Whoever names no user is not limited by it."""
    service = service_of(busy, ServiceLimits(unfinished_per_user=1))
    await service.create(REQUEST.evolve(user="bob"), ADA)
    with pytest.raises(RateLimited, match="'bob'"):
        await service.create(REQUEST.evolve(user="bob"), Caller(tenant="acme", key_id="key_2"))
    await service.create(REQUEST.evolve(user="eve"), ADA)
    await service.create(REQUEST, ADA)
    await service.create(REQUEST, ADA)


async def test_a_place_in_the_queue_is_told_and_urgency_moves_it(busy: Stage) -> None:
    """With one place at the vendor, the urgent one is next though it came last."""
    [limits] = busy.tools.router.limits.values()
    limits.places = Ceiling(1)
    service = service_of(busy)
    first = await service.create(REQUEST, ADA)
    await busy.reaches(first.id, "accepted")
    waiting = [(await service.create(REQUEST, ADA, urgency=urgency)).id for urgency in (0, 1, -1)]
    await asyncio.sleep(0)
    seen = {video_id: await service.read(video_id, ADA) for video_id in waiting}
    assert [seen[video_id].queue_position for video_id in waiting] == [1, 2, 0]
    etas = [seen[video_id].eta_seconds for video_id in waiting]
    assert etas[2] is not None
    assert etas[1] is not None
    assert etas[1] > etas[2] > 0
