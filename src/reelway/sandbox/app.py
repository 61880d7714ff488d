"""The sandbox as an ASGI app: every dialect over one small renderer, and lists of the creates it saw and the callbacks it sent.

An answer that is to be lost is broken off here, below every layer that would turn it into a proper error.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reelway.catalog.catalog import Catalog
from reelway.catalog.load import load_catalog
from reelway.core.record import Record
from reelway.dialects.openai_videos import key_of, render_error
from reelway.dialects.registry import make_dialects
from reelway.dialects.spec import Dialect, Outgoing
from reelway.media.render import RenderingWorker
from reelway.mounting.bodies import BodyLimits
from reelway.mounting.dialects import mount
from reelway.mounting.exchange import Exchange, Guarded, MethodNotAllowed
from reelway.mounting.paths import PathTable
from reelway.sandbox.backend import SandboxBackend
from reelway.sandbox.behaviour import SandboxSettings
from reelway.sandbox.folder import SandboxFolder
from reelway.sandbox.intake import Intake
from reelway.sandbox.judging import Judge
from reelway.sandbox.misbehaviour import with_odd_words
from reelway.sandbox.nowhere import Nowhere
from reelway.sandbox.stock import Stock
from reelway.sandbox.studio import Studio

__all__ = ["Sandbox", "SandboxSettings", "make_sandbox"]

_BROKEN_ANSWER = b'{"id":"vid'


class Sandbox:
    """A make-believe vendor. `close` it in the end; what is rendering then is taken up again at the next start."""

    def __init__(self, app: ASGIApp, backend: SandboxBackend) -> None:
        self._app = app
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def open(self) -> None:
        """Take up what an earlier run left: callbacks go on also when nobody asks for anything."""
        await self._backend.open()

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self._backend.close()

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
                await self.open()
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
    admits: Callable[[str], Awaitable[bool]] | None = None,
    settings: SandboxSettings = SandboxSettings(),  # noqa: B008 - a frozen value
    clock: Callable[[], float] = time.time,
    catalog: Catalog | None = None,
    dialects: Sequence[Dialect] | None = None,
) -> Sandbox:
    """Return a sandbox over a folder, which plays the vendor of every dialect there is.

    `keys` None accepts any key and none; `admits` is asked about those that are not among them. The worker stays the caller's
    to close. Without a catalogue the packaged one holds.
    """
    played = tuple(make_dialects() if dialects is None else dialects)
    files = SandboxFolder(folder, log=settings.log)
    studio = Studio(
        files,
        worker,
        draft=settings.draft,
        stock=Stock(folder, worker) if settings.stock else None,
        most_tasks=settings.most_tasks,
        clock=clock,
    )
    intake = Intake(
        files,
        worker,
        pace=settings.pace,
        lifetime_seconds=settings.lifetime_seconds,
        fetch_urls=settings.fetch_urls,
        allowed_hosts=settings.allowed_hosts,
        upload_bytes=settings.upload_bytes,
        judge=Judge(load_catalog() if catalog is None else catalog),
    )
    by_name = {dialect.name: dialect for dialect in played}
    backend = SandboxBackend(files, studio, intake, by_name, keys=keys, admits=admits, settings=settings, clock=clock)
    routes: list[BaseRoute] = [
        route
        for dialect in played
        for route in mount(with_odd_words(dialect), backend.playing(dialect), limits=BodyLimits())
    ]
    log = _Log(files, backend)
    routes += [Route(path, Guarded(log.creates, render_error)) for path in _beside("/requests")]
    routes += [Route(path, Guarded(log.callbacks, render_error)) for path in _beside("/callbacks")]
    routes += [Route(path, Guarded(log.faults, render_error)) for path in _beside("/faults")]
    return Sandbox(PathTable(Router(routes, redirect_slashes=False, default=Nowhere(played))), backend)


class _Log:
    """What the sandbox saw and did."""

    def __init__(self, folder: SandboxFolder, backend: SandboxBackend) -> None:
        self._folder = folder
        self._backend = backend

    async def creates(self, exchange: Exchange) -> None:
        """`GET` returns the creates seen so far, oldest first; `DELETE` forgets them."""
        await self._backend.authenticate(key_of(exchange.headers))
        if exchange.method == "DELETE":
            await asyncio.to_thread(self._folder.forget_requests)
        await _answer_list(exchange, self._folder.requests)

    async def callbacks(self, exchange: Exchange) -> None:
        """`GET` returns the callbacks sent since the start, oldest first; `DELETE` forgets them."""
        await self._backend.authenticate(key_of(exchange.headers))
        if exchange.method == "DELETE":
            self._backend.callbacks.sent.clear()
        await _answer_list(exchange, self._backend.callbacks.sent)

    async def faults(self, exchange: Exchange) -> None:
        """`PUT ?directives=…` lets them hold for every create from now on, in place of those before."""
        await self._backend.authenticate(key_of(exchange.headers))
        if exchange.method != "PUT":
            raise MethodNotAllowed(exchange.method, exchange.path, ("PUT",))
        directives = dict(exchange.query).get("directives", "")
        self._backend.misbehave(directives)
        await exchange.answer(Outgoing(body={"object": "sandbox.faults", "directives": directives}))


def _beside(path: str) -> tuple[str, str]:
    """Return where a log is read: alone, and below `/sandbox` of a gateway."""
    return f"/sandbox{path}", path


async def _answer_list(exchange: Exchange, entries: Iterable[Record]) -> None:
    seen: list[Any] = [msgspec.to_builtins(entry) for entry in entries]
    await exchange.answer(Outgoing(body={"object": "list", "data": seen, "total": len(seen)}))
