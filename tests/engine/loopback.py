"""A server on loopback whose every answer the test decides."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

__all__ = ["Handler", "Vendor", "running"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Vendor:
    """What was asked, and who answers."""

    def __init__(self) -> None:
        self.handler: Handler | None = None
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.path_qs, dict(request.headers), body))
        assert self.handler is not None
        return await self.handler(request)


@asynccontextmanager
async def running() -> AsyncIterator[Vendor]:
    """Serve until the test is over."""
    vendor = Vendor()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", vendor.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield vendor
    await runner.cleanup()
