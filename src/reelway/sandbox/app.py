"""The sandbox as an ASGI app: the OpenAI Videos dialect over a small renderer, and a list of the creates it saw.

An answer that is to be lost is broken off here, below every layer that would turn it into a proper error.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from reelway.core.errors import NotFound
from reelway.dialects.openai_videos import key_of, make_dialect, render_error
from reelway.dialects.spec import Outgoing
from reelway.media.render import RenderingWorker
from reelway.mounting.bodies import BodyLimits
from reelway.mounting.dialects import mount
from reelway.mounting.exchange import Exchange, Guarded
from reelway.sandbox.backend import SandboxBackend, SandboxSettings
from reelway.sandbox.folder import SandboxFolder
from reelway.sandbox.intake import Intake
from reelway.sandbox.misbehaviour import with_odd_words
from reelway.sandbox.studio import Studio

__all__ = ["Sandbox", "SandboxSettings", "make_sandbox"]

_REQUEST_PATHS = ("/sandbox/requests", "/requests")
"""Where the log is read: alone, and below `/sandbox` of a gateway."""

_BROKEN_ANSWER = b'{"id":"vid'


class Sandbox:
    """A make-believe vendor. `close` it in the end; what is rendering then is taken up again at the next start."""

    def __init__(self, app: Starlette, studio: Studio) -> None:
        self._app = app
        self._studio = studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self._studio.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        await self._app(scope, receive, watch)
        if not started:
            # More is announced than comes, which is how HTTP says that a connection broke.
            headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": _BROKEN_ANSWER, "more_body": True})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def make_sandbox(
    folder: Path,
    worker: RenderingWorker,
    *,
    keys: frozenset[str] | None = None,
    settings: SandboxSettings = SandboxSettings(),  # noqa: B008 - a frozen value
    clock: Callable[[], float] = time.time,
) -> Sandbox:
    """Return a sandbox over a folder. `keys` None accepts any key and none; the worker stays the caller's to close."""
    files = SandboxFolder(folder)
    studio = Studio(files, worker, draft=settings.draft, most_tasks=settings.most_tasks, clock=clock)
    intake = Intake(
        files,
        worker,
        pace=settings.pace,
        lifetime_seconds=settings.lifetime_seconds,
        fetch_urls=settings.fetch_urls,
        allowed_hosts=settings.allowed_hosts,
        upload_bytes=settings.upload_bytes,
    )
    backend = SandboxBackend(files, studio, intake, keys=keys, settings=settings, clock=clock)
    dialect = with_odd_words(make_dialect())
    routes = mount(dialect, backend, limits=BodyLimits())
    log = Guarded(_Log(files, backend).answer, render_error)
    elsewhere = Guarded(_nothing_here, render_error)
    routes += [Route(path, log) for path in _REQUEST_PATHS]
    return Sandbox(Starlette(routes=[*routes, Route("/{path:path}", elsewhere)]), studio)


class _Log:
    """`GET` returns the creates seen so far, oldest first; `DELETE` forgets them."""

    def __init__(self, folder: SandboxFolder, backend: SandboxBackend) -> None:
        self._folder = folder
        self._backend = backend

    async def answer(self, exchange: Exchange) -> None:
        await self._backend.authenticate(key_of(exchange.headers))
        if exchange.method == "DELETE":
            await asyncio.to_thread(self._folder.forget_requests)
        seen: list[Any] = [msgspec.to_builtins(request) for request in self._folder.requests]
        await exchange.answer(Outgoing(body={"object": "list", "data": seen, "total": len(seen)}))


async def _nothing_here(exchange: Exchange) -> None:
    raise NotFound(
        f"There is nothing at {exchange.path[:80]}; the sandbox speaks the OpenAI Videos API under /v1/videos.",
        code="unknown_path",
    )
