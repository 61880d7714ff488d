"""A vendor's file server that misbehaves as a test asks for: one trick for each request, and an honest answer when they run out."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

__all__ = ["Shelf", "Trick"]

Trick = Callable[[web.Request], Awaitable[web.StreamResponse]]
_RANGE = re.compile(r"bytes=(\d+)-")


class Shelf:
    """Holds one file, with the validators it is told to name."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.etag = '"fox"'
        self.headers: dict[str, str] = {}
        """Named with every answer."""
        self.tricks: deque[Trick] = deque()
        self.asked: list[tuple[str, str, str]] = []
        """Path with its query, Range and If-Range of each request."""
        self.written: Callable[[], int] = lambda: 0
        """How much of the file the other side has written down."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range", ""), request.headers.get("If-Range", "")
        self.asked.append((request.path_qs, *asked))
        assert request.headers["Accept-Encoding"] == "identity"
        return await (self.tricks.popleft() if self.tricks else self.honest)(request)

    async def honest(self, request: web.Request) -> web.StreamResponse:
        """Give what RFC 9110 asks for."""
        return await self.give(request)

    async def give(
        self,
        request: web.Request,
        *,
        data: bytes | None = None,
        etag: str | None = None,
        cut_after: int | None = None,
        minds_validators: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:
        """Give this file, or the part that is asked for; cut the connection after so many bytes."""
        data = self.data if data is None else data
        etag = self.etag if etag is None else etag
        named = {**self.headers, **({"ETag": etag} if etag else {})}
        start = self.start_of(request)
        known = request.headers.get("If-Range")
        if start is not None and minds_validators and known not in {None, etag, self.headers.get("Last-Modified")}:
            start = None
        if start is not None and start >= len(data):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
        if start is not None:
            named["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        body = data[start or 0 :]
        response = web.StreamResponse(status=200 if start is None else 206, headers=named)
        response.content_length = len(body)
        for name, value in (headers or {}).items():
            response.headers[name] = value
        await response.prepare(request)
        if cut_after is None:
            await response.write(body)
            return response
        return await self.cut(request, response, body[:cut_after])

    async def cut(self, request: web.Request, response: web.StreamResponse, body: bytes) -> web.StreamResponse:
        """Send these bytes, wait until they are written down, and hang up."""
        before = self.written()
        if body:
            await response.write(body)
            while self.written() < before + len(body):
                await asyncio.sleep(0)
        assert request.transport is not None
        request.transport.close()
        return response

    def start_of(self, request: web.Request) -> int | None:
        found = _RANGE.fullmatch(request.headers.get("Range", ""))
        return int(found[1]) if found else None

    def cuts(self, after: int, *, data: bytes | None = None, etag: str | None = None) -> Trick:
        """Hang up after so many bytes."""
        return lambda request: self.give(request, cut_after=after, data=data, etag=etag)

    def says(self, status: int, **headers: str) -> Trick:
        """Answer with a status and no file."""

        async def say(request: web.Request) -> web.StreamResponse:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, headers=named)

        return say
