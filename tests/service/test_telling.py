"""Callers who came through a vendor's dialect are told as that vendor would tell them: every status, in order, with our links."""

import json
from collections import deque
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.engine.scripted import Stage
from tests.webhooks.receiver import PRIVATE, SECRETS, receiving, verify

from reelway.core.failures import Failure, FailureKind
from reelway.core.keys import Caller
from reelway.core.lifecycle import State
from reelway.core.videos import Video, VideoRequest
from reelway.dialects.registry import make_dialects
from reelway.service import Service
from reelway.service.telling import callback_words
from reelway.vendors.spec import Accepted, VendorFailed
from reelway.webhooks.delivery import Deliverer

CALLER = Caller(tenant="acme", key_id="key")
URL = "https://app.example.com/done"
TELLING = {dialect.name: dialect.render_callback for dialect in make_dialects() if dialect.render_callback is not None}
WITHOUT_LINKS = {"google", "google_interactions", "minimax"}
"""Their messages name what to ask for, with a key."""
EVERY_STATUS = ["video.queued", "video.in_progress", "video.completed"]


@pytest.fixture(autouse=True)
def words(service: Service, stage: Stage) -> None:
    """The engine knows every dialect."""
    stage.tools.words = callback_words(make_dialects(), service._reader.view)


def asking(dialect: str, url: str = URL, **changes: Any) -> VideoRequest:
    """Return the request of a caller of this dialect who wants to be told."""
    request = VideoRequest(model="sora-2", prompt="a fox", seconds=4, callback_url=url, callback_dialect=dialect)
    return request.evolve(**changes)


async def bodies(stage: Stage, video: Video) -> list[tuple[str, Any]]:
    """Return what was written for the caller of a finished video."""
    await stage.finished(video.id)
    return [(message.type, json.loads(message.body)) for message in await stage.store.messages(video.id)]


@pytest.mark.parametrize("dialect", sorted(TELLING))
async def test_a_finished_video_is_told_in_the_vendors_words(service: Service, stage: Stage, dialect: str) -> None:
    """The last message is what the vendor's dialect says of the video; where it says a link, the one that reading it shows."""
    video = await service.create(asking(dialect), CALLER)
    told = await bodies(stage, video)
    shown = await service.read(video.id, CALLER)
    assert [kind for kind, _ in told] == [kind for kind in EVERY_STATUS if kind in dict(told)]
    assert told[-1] == ("video.completed", json.loads(json.dumps(TELLING[dialect](shown))))
    assert (str(shown.outputs[0].url) in json.dumps(told[-1][1])) is (dialect not in WITHOUT_LINKS)


@pytest.mark.parametrize("dialect", sorted(TELLING))
async def test_a_failed_video_is_told_in_the_vendors_words(service: Service, stage: Stage, dialect: str) -> None:
    """What went wrong is in it, and no link."""
    failure = Failure(kind=FailureKind.CONTENT_POLICY, message="No foxes.")
    stage.script.checks = deque([VendorFailed(failure=failure)])
    told = await bodies(stage, await service.create(asking(dialect), CALLER))
    assert told[-1][0] == "video.failed"
    assert "signature=" not in json.dumps(told[-1][1])


async def test_a_vendor_of_every_change_tells_every_change(service: Service, stage: Stage) -> None:
    """From the first moment on: the first message is on disk when the create is answered."""
    video = await service.create(asking("kling"), CALLER)
    assert [message.type for message in await stage.store.messages(video.id)][:1] == EVERY_STATUS[:1]
    assert [kind for kind, _ in await bodies(stage, video)] == EVERY_STATUS


async def test_takes_are_told_as_one_video(service: Service, stage: Stage) -> None:
    """Each of their changes is the video's own."""
    stage.script.submits = deque(
        Accepted(operation={"id": key}, key=key, poll_after_seconds=0.0) for key in ("op0", "op1", "op2")
    )
    video = await service.create(asking("kling", n=2), CALLER)
    assert [kind for kind, _ in await bodies(stage, video)] == EVERY_STATUS
    job = await stage.store.get(video.id)
    assert job is not None
    assert [await stage.store.messages(take) for take in job.takes] == [(), ()]


async def test_words_that_fail_keep_no_video_from_its_end(service: Service, stage: Stage) -> None:
    """It is logged, nothing is told, and the video is made."""

    def broken(job: Any) -> Any:
        raise KeyError(job.id)

    stage.tools.words = broken
    with capture_logs() as logged:
        video = await service.create(asking("kling"), CALLER)
        job = await stage.finished(video.id)
    assert job.state is State.COMPLETED
    assert "message_not_made" in {entry["event"] for entry in logged}


async def test_what_is_told_arrives_in_order_and_unchanged(service: Service, stage: Stage) -> None:
    """Whatever has to be repeated: the same text under the same id, and nothing overtakes it."""
    async with receiving() as receiver:
        receiver.script(500, 500, 200)
        made = await service.create(asking("kling"), CALLER)
        await stage.finished(made.id)
        messages = [message.evolve(url=receiver.url) for message in await stage.store.messages(made.id)]
        outbox = Redirected(stage, receiver.url)
        now = [messages[-1].created_at + 1]

        async def secret_for(tenant: str) -> str:
            return SECRETS[tenant]

        deliverer = Deliverer(outbox, secret_for, clock=lambda: now[0], random=lambda: 0.5, allowed_hosts=PRIVATE)
        for _ in range(4):
            await deliverer.deliver_due()
            now[0] += 3600
        await deliverer.close()
        first, *rest = [message.id for message in messages]
        assert receiver.ids == [first, first, first, *rest]
        assert [body for _, body in receiver.posts[2:]] == [message.body for message in messages]
        for headers, body in receiver.posts:
            verify(headers, body, SECRETS["acme"])


class Redirected:
    """The outbox, with every message going to the receiver of this test."""

    def __init__(self, stage: Stage, url: str) -> None:
        self._store = stage.store
        self._url = url
        self.message_delivered = stage.store.message_delivered
        self.message_failed = stage.store.message_failed

    async def due_messages(self, now: float, limit: int, hold_until: float) -> Any:
        taken = await self._store.due_messages(now, limit, hold_until)
        return tuple(message.evolve(url=self._url) for message in taken)
