"""Delivers messages: takes what is due, signs and posts it, and notes what became of it.

The one rule: at least once. A message is held on the disk before it is sent and ticked off after it arrived, so a crash in
between sends it again, under the same `webhook-id`. Neither secrets nor more of an address than its host are logged.
"""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from yarl import URL

from reelway.core.errors import StorageFailed
from reelway.core.messages import Message
from reelway.network.guard import AddressRefused, PublicResolver, check_url
from reelway.telemetry import logger
from reelway.webhooks.messages import next_try_at
from reelway.webhooks.signing import signed_headers
from reelway.webhooks.spec import Outbox

__all__ = ["Deliverer"]

_log = logger("webhooks")
_LOOK_SECONDS = 5.0
"""How often it looks for due messages by itself; a new one is told of by `nudge`."""
_HOLD_SECONDS = 30.0
"""How long a message is kept from others while it is sent: the time limit, and ample time to note the outcome."""
_AT_ONCE = 64
_GRACE_SECONDS = 2.0
"""How long a stop waits for posts on their way; what is cut off then is sent again when its hold is over."""
_GONE = 410


class Deliverer:
    """Sends the messages of one outbox. Several may share one, in as many processes."""

    def __init__(
        self,
        outbox: Outbox,
        secret_for: Callable[[str], Awaitable[str]],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        allowed_hosts: frozenset[str] = frozenset(),
        limit_seconds: float = 10.0,
    ) -> None:
        """`secret_for` returns a tenant's secret; `allowed_hosts` may have private addresses; `limit_seconds` is for one try."""
        self._outbox = outbox
        self._secret_for = secret_for
        self._clock = clock
        self._random = random
        self._allowed_hosts = allowed_hosts
        self._limit_seconds = limit_seconds
        self._session: aiohttp.ClientSession | None = None
        self._posts: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver, in a task of its own."""
        self._running = asyncio.create_task(self.run(self._stopping), name="deliverer")

    async def stop(self) -> None:
        """Let posts on their way finish for a moment, and end what `start` began."""
        self._stopping.set()
        if self._running is not None:
            await self._running
            self._running = None

    def nudge(self) -> None:
        """Look for due messages now."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until told to stop. Whatever goes wrong is logged, and tried again."""
        stop = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                self._wake.clear()
                await self._start_quietly()
                waking = asyncio.create_task(self._wake.wait())
                await asyncio.wait({waking, stop}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
        finally:
            stop.cancel()
            await self._end()

    async def deliver_due(self) -> int:
        """Try everything that is due, once, and return how many tries that were."""
        count = 0
        while started := await self._start():
            count += started
            await asyncio.gather(*self._posts)
        return count

    async def close(self) -> None:
        """Close every connection; `run` does so when it ends."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _start_quietly(self) -> None:
        try:
            await self._start()
        except StorageFailed as error:
            _log.error("messages_not_read", reason=str(error))
        except Exception:
            _log.exception("delivery_failed")

    async def _start(self) -> int:
        """Take as many due messages as there are free places, and begin to post them."""
        free = _AT_ONCE - len(self._posts)
        if not free:
            return 0
        now = self._clock()
        messages = await self._outbox.due_messages(now, free, now + _HOLD_SECONDS)
        for message in messages:
            post = asyncio.create_task(self._try(message), name=f"post {message.id}")
            self._posts.add(post)
            post.add_done_callback(self._done)
        return len(messages)

    def _done(self, post: asyncio.Task[None]) -> None:
        """A place is free again, and the next message of the same video may be due."""
        self._posts.discard(post)
        self._wake.set()

    async def _end(self) -> None:
        if self._posts:
            _, late = await asyncio.wait(self._posts, timeout=_GRACE_SECONDS)
            for post in late:
                post.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.close()

    async def _try(self, message: Message) -> None:
        """Try once and note the outcome; where the disk refuses that, the message is tried again when its hold is over."""
        try:
            try:
                status, answer = await self._post(message)
            except StorageFailed:
                raise
            except Exception as error:
                _log.exception("message_not_sent", message_id=message.id, video_id=message.video_id)
                status, answer = None, f"not sent: {type(error).__name__}"
            await self._note(message, status, answer)
        except StorageFailed as error:
            _log.error("try_not_noted", message_id=message.id, video_id=message.video_id, reason=str(error))

    async def _post(self, message: Message) -> tuple[int | None, str]:
        """Return the status and what to note of it; no status where there was no answer."""
        secret = await self._secret_for(message.tenant)
        headers = signed_headers(message.id, message.body, secret, self._clock())
        try:
            url = check_url(message.url, allowed_hosts=self._allowed_hosts)
            async with self._open().post(
                url,
                data=message.body.encode(),
                headers={**headers, "Content-Type": "application/json"},
                allow_redirects=False,
            ) as answer:
                return answer.status, str(answer.status)
        except AddressRefused as error:
            return None, f"refused: {error}"
        except TimeoutError:
            return None, f"no answer within {self._limit_seconds:g} seconds"
        except aiohttp.ClientConnectorCertificateError:
            return None, "not reached: its certificate is not valid"
        except aiohttp.ClientConnectorError as error:
            return None, f"not reached: {error.os_error.strerror or error.os_error}"
        except (aiohttp.ClientError, OSError) as error:
            return None, f"no answer: {type(error).__name__}"

    async def _note(self, message: Message, status: int | None, answer: str) -> None:
        now, tries = self._clock(), message.tries + 1
        known = {"message_id": message.id, "video_id": message.video_id, "host": _host(message.url), "tries": tries}
        if status is not None and 200 <= status < 300:
            await self._outbox.message_delivered(message.id, now, answer)
            _log.info("message_delivered", **known, answer=answer)
            return
        due_at = None if status == _GONE else next_try_at(message.evolve(tries=tries), now, self._random())
        await self._outbox.message_failed(message.id, due_at, tries, answer)
        _log.warning("message_given_up" if due_at is None else "message_not_delivered", **known, answer=answer)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Every try has a connection of its own to an address that was looked up and checked for it.
            connector = aiohttp.TCPConnector(
                limit=_AT_ONCE, force_close=True, use_dns_cache=False, resolver=PublicResolver(self._allowed_hosts)
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._limit_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "reelway"},
                trust_env=False,
            )
        return self._session


def _host(url: str) -> str | None:
    """Return all of an address that may be logged: its path and query may be secrets of the receiver."""
    try:
        return URL(url).host
    except ValueError:
        return None
