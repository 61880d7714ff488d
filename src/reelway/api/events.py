"""`/v1/videos/{id}/events`: a video's story as server-sent events, until its last line.

The rule: refusals come as ordinary errors before the stream begins; once it has begun it only ever ends.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec
from starlette.routing import Route

from reelway.dialects.openai_videos import Timestamps, key_of, render_video
from reelway.mounting.endpoints import get_route
from reelway.mounting.exchange import Exchange, check_names
from reelway.service import Service, VideoEvent

__all__ = ["events_route"]

_PROMPT_SECONDS = 0.5
"""A refusal is known within this time; after it the stream begins, so that the client sees that it is connected."""
_RETRY_MILLISECONDS = 2000
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events until they fill a buffer
)
_HEARTBEAT = b": waiting\n\n"


def events_route(service: Service, *, timestamps: Timestamps, heartbeat_seconds: float) -> Route:
    """Return the route."""

    async def answer(exchange: Exchange) -> None:
        caller = await service.authenticate(key_of(exchange.headers))
        check_names(exchange.path_parameters.values())
        last_event_id = exchange.headers.get("last-event-id") or None
        events = service.events(exchange.path_parameters["id"], caller, last_event_id=last_event_id)
        await _Relay(exchange, events, timestamps, heartbeat_seconds).run()

    return get_route("/v1/videos/{id}/events", answer, head=False)


class _Relay:
    """One stream to one client."""

    def __init__(
        self, exchange: Exchange, events: AsyncIterator[VideoEvent], timestamps: Timestamps, heartbeat_seconds: float
    ) -> None:
        self._exchange = exchange
        self._events = events
        self._timestamps = timestamps
        self._heartbeat_seconds = heartbeat_seconds
        self._following = self._follow()
        self._gone = asyncio.ensure_future(self._until_gone())

    async def run(self) -> None:
        try:
            await self._next_change(_PROMPT_SECONDS)
            if self._following.done() and self._following.result() is None:
                # Nothing is left to tell. 204 is what keeps a browser from asking again (HTML, 9.2).
                await self._exchange.start(204, ())
                await self._exchange.write(b"", more=False)
                return
            await self._exchange.start(200, _HEADERS)
            await self._exchange.write(f"retry: {_RETRY_MILLISECONDS}\n\n".encode(), more=True)
            await self._relay()
        finally:
            await self._close()

    async def _relay(self) -> None:
        while not self._gone.done():
            await self._next_change(self._heartbeat_seconds)
            if not self._following.done():
                if not self._gone.done():
                    await self._exchange.write(_HEARTBEAT, more=True)
                continue
            event = self._following.result()
            if event is None:
                await self._exchange.write(b"", more=False)
                return
            await self._exchange.write(self._encode(event), more=True)
            self._following = self._follow()

    async def _next_change(self, seconds: float) -> None:
        tasks: set[asyncio.Future[Any]] = {self._following, self._gone}
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    def _follow(self) -> asyncio.Future[VideoEvent | None]:
        async def following() -> VideoEvent | None:
            return await anext(self._events, None)

        return asyncio.ensure_future(following())

    def _encode(self, event: VideoEvent) -> bytes:
        data = msgspec.json.encode(render_video(event.video, timestamps=self._timestamps))
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), data)

    async def _until_gone(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass

    async def _close(self) -> None:
        tasks: tuple[asyncio.Future[Any], ...] = (self._gone, self._following)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(self._events, AsyncGenerator):
            with contextlib.suppress(Exception):  # what went wrong was raised, and logged, where it happened
                await self._events.aclose()
