"""A receiver on loopback whose every answer a test decides, and an outbox in a real store with a clock that a test moves."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from standardwebhooks import Webhook
from tests.store.records import NOW, Fleet, change, completed

from reelway.core.lifecycle import Status
from reelway.core.messages import Message
from reelway.store.sqlite import SqliteStore
from reelway.webhooks.delivery import Deliverer
from reelway.webhooks.messages import message_for

SECRETS = {"default": "whsec_Z2F0ZXdheS10ZXN0LXNlY3JldC0wMDAx", "acme": "whsec_Z2F0ZXdheS10ZXN0LXNlY3JldC0wMDAy"}
PRIVATE = frozenset({"127.0.0.1", "localhost"})


class Receiver:
    """Notes what arrives and answers by script: a status, or an event that is waited for first. The last line is repeated."""

    def __init__(self) -> None:
        self.answers: deque[int | asyncio.Event] = deque([200])
        self.headers: dict[str, str] = {}
        self.posts: list[tuple[dict[str, str], str]] = []
        self.arrived = asyncio.Event()
        self.port = 0

    def script(self, *answers: int | asyncio.Event) -> None:
        """Answer like this from now on."""
        self.answers = deque(answers)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.posts]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.posts.append((headers, await request.text()))
        self.arrived.set()
        line = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(line, asyncio.Event):
            await line.wait()
            line = 200
        return web.Response(status=line, headers=self.headers, text="thank you")


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Post:
    """An outbox and a deliverer; `now` is what its clock says."""

    def __init__(self, path: Path) -> None:
        self.now = NOW
        self.store = SqliteStore(path)
        self.fleet = Fleet(self.store)
        self.deliverer = self.make()
        self._number = 0

    def make(self, *, allowed_hosts: frozenset[str] = PRIVATE, limit_seconds: float = 10.0) -> Deliverer:
        """Return a deliverer; jitter is such that pauses are exact."""

        async def secret_for(tenant: str) -> str:
            return SECRETS[tenant]

        return Deliverer(
            self.store,
            secret_for,
            clock=lambda: self.now,
            random=lambda: 0.5,
            allowed_hosts=allowed_hosts,
            limit_seconds=limit_seconds,
        )

    async def queue(self, url: str, *, tenant: str = "default") -> Message:
        """End a video whose caller wants to hear of it; return the message."""
        self._number += 1
        job = await self.fleet.held(tenant=tenant)
        last = change(job, job.epoch, **completed())
        request = last.job.request.evolve(callback_url=url)
        message = message_for(
            last.job.evolve(request=request),
            self.now,
            self._number.to_bytes(10, "big"),
            before=Status.IN_PROGRESS,
            words=lambda job: None,
        )
        assert message is not None
        await self.store.apply(last.evolve(message=message))
        return message

    async def state(self, message: Message) -> Message:
        """Return the message as it is on record."""
        [found] = await self.store.messages(message.video_id)
        return found


@asynccontextmanager
async def posting(path: Path) -> AsyncIterator[Post]:
    """Open an outbox over this file, and close it."""
    post = Post(path)
    await post.store.open()
    try:
        yield post
    finally:
        await post.deliverer.close()
        await post.store.close()


def verify(headers: dict[str, str], body: str, secret: str = SECRETS["default"]) -> None:
    """Check a signature; the age of a make-believe clock's message is not looked at."""
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
    assert headers["webhook-signature"] == Webhook(secret).sign(headers["webhook-id"], moment, body)
