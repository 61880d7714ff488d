"""The address a caller wants to be told at: checked at the door, kept with the video, used once."""

import pytest
from tests.engine.scripted import Stage

from reelway.core.errors import InvalidRequest
from reelway.core.keys import Caller
from reelway.core.videos import VideoRequest
from reelway.service import Service

CALLER = Caller(tenant="acme", key_id="key")
REQUEST = VideoRequest(model="sora-2", prompt="a fox", seconds=4)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/hook",
        "https://169.254.169.254/latest",
        "http://[::1]/",
        "https://user:secret@example.com/",
        "https://example.com:22/",
        "ftp://example.com/",
    ],
)
async def test_an_address_outsiders_may_not_send_us_to_is_refused(service: Service, stage: Stage, url: str) -> None:
    """At create, before anything is kept or charged, and at a dry run alike."""
    request = REQUEST.evolve(callback_url=url)
    for ask in (service.create, service.quote):
        with pytest.raises(InvalidRequest) as refused:
            await ask(request, CALLER)
        assert (refused.value.status, refused.value.code, refused.value.param) == (400, "url_refused", "callback_url")
    assert sum((await stage.store.count_unfinished()).values()) == 0


async def test_a_refusal_names_the_field_as_the_caller_spelled_it(service: Service) -> None:
    """An alias is answered with the alias."""
    request = REQUEST.evolve(callback_url="http://10.0.0.1/", spelled={"callback_url": "webhook_url"})
    with pytest.raises(InvalidRequest, match=r"webhook_url is refused: 10\.0\.0\.1 is not a public address") as refused:
        await service.create(request, CALLER)
    assert refused.value.param == "webhook_url"


@pytest.mark.parametrize("url", ["https://app.example.com/done?a=1", "http://hooks.internal:9000/", "http://10.0.0.7/"])
async def test_the_end_of_the_video_is_told_there(service: Service, stage: Stage, url: str) -> None:
    """Public addresses, and hosts of the private network that the operator allows."""
    video = await service.create(REQUEST.evolve(callback_url=url), CALLER)
    await stage.finished(video.id)
    [message] = await stage.store.messages(video.id)
    assert (message.url, message.tenant, message.type) == (url, "acme", "video.completed")


async def test_a_deleted_video_is_not_told_of(service: Service, stage: Stage) -> None:
    """What was not delivered before is not delivered after."""
    video = await service.create(REQUEST.evolve(callback_url="https://app.example.com/"), CALLER)
    await stage.finished(video.id)
    await service.delete(video.id, CALLER)
    assert await stage.store.messages(video.id) == ()
    assert await stage.store.due_messages(stage.clock() + 1e6, 9, 2e9) == ()
