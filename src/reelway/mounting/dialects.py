"""Puts a dialect on HTTP: each of its paths becomes one raw ASGI endpoint over a backend, the gateway's or the sandbox's.

The rule: who asks is known before a byte of the body is read, and what was staged for a refused request is released.
"""

import time
from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from starlette.routing import Route

from reelway.core.errors import CallerError, Gone, NotFound
from reelway.core.keys import Caller
from reelway.core.videos import Blob, Video
from reelway.dialects.spec import Answer, Call, Dialect, Endpoint, Incoming, OpenContent
from reelway.mounting.bodies import Body, BodyLimits, read_body
from reelway.mounting.exchange import Exchange, Guarded, MethodNotAllowed, check_names
from reelway.mounting.files import OpenedContent, serve_content
from reelway.telemetry import logger

__all__ = ["Backend", "CanOpenLinks", "CanUnstage", "OpenedContent", "mount"]

_LOG = logger("mounting")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Backend(Protocol):
    """Performs the calls a dialect reads. Every method raises `CallerError` when it is the caller's turn to act."""

    async def authenticate(self, key: str | None) -> Caller:
        """Return who holds this key."""
        ...

    async def stage(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        """Keep an uploaded file for the request that is just arriving."""
        ...

    async def perform(self, call: Call, caller: Caller, incoming: Incoming) -> Answer:
        """Do it. `incoming` carries what is not in the call: headers like `Idempotency-Key`."""
        ...

    async def open_content(self, call: OpenContent, caller: Caller) -> OpenedContent:
        """Find a file."""
        ...


@runtime_checkable
class CanUnstage(Protocol):
    """The backend lets go of staged files that no request came to use."""

    async def unstage(self, blob: Blob) -> None: ...


@runtime_checkable
class CanOpenLinks(Protocol):
    """The backend gave out links that open a file without a key."""

    async def open_link(self, call: OpenContent, incoming: Incoming) -> OpenedContent | None:
        """Return the file, None when this request carries no signature, or raise when the signature is not good."""
        ...


def mount(dialect: Dialect, backend: Backend, *, limits: BodyLimits, prefix: str = "") -> list[Route]:
    """Return one route for each path of the dialect; fixed paths stand before those with parameters."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in dialect.endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.upper()] = endpoint
    ordered = sorted(paths, key=lambda path: "{" in path)
    return [
        Route(
            prefix + path,
            Guarded(_Door(dialect, backend, limits, prefix, paths[path]).perform, dialect.render_error),
            name=f"{dialect.name} {path}",
        )
        for path in ordered
    ]


class _Door:
    """One path of a dialect."""

    __slots__ = ("_backend", "_dialect", "_endpoints", "_limits", "_links", "_prefix_length")

    def __init__(
        self, dialect: Dialect, backend: Backend, limits: BodyLimits, prefix: str, endpoints: dict[str, Endpoint]
    ) -> None:
        self._dialect = dialect
        self._backend = backend
        self._links = backend if isinstance(backend, CanOpenLinks) else None
        self._limits = limits
        self._prefix_length = len(prefix)
        self._endpoints = dict(endpoints)
        if "GET" in endpoints:
            self._endpoints.setdefault("HEAD", endpoints["GET"])

    async def perform(self, exchange: Exchange) -> None:
        endpoint = self._endpoints.get(exchange.method)
        if endpoint is None:
            raise MethodNotAllowed(exchange.method, exchange.path, self._endpoints)
        now = time.time()
        incoming = Incoming(
            method=exchange.method,
            path=exchange.path[self._prefix_length :],
            path_parameters=exchange.path_parameters,
            query=exchange.query,
            headers=exchange.headers,
            arrived_at=now,
            request_id=exchange.request_id,
        )
        if endpoint.streams:
            await self._serve(exchange, endpoint, incoming)
            return
        caller = await self._backend.authenticate(self._dialect.key_of(exchange.headers, exchange.query, now))
        check_names(incoming.path_parameters.values())
        staged: list[Blob] = []
        try:
            if exchange.method in _WITH_BODY:
                body = await self._read_body(exchange, staged)
                incoming = incoming.evolve(json=body.json, form=body.form)
            call = endpoint.read(incoming)
        except BaseException:
            await self._release(staged)
            raise
        try:
            answer = await self._perform(call, caller, incoming, staged)
        except (Gone, NotFound):
            if endpoint.render_absent is None:
                raise
            await exchange.answer(endpoint.render_absent(incoming))
            return
        asked = endpoint.render_asked
        await exchange.answer(endpoint.render(answer) if asked is None else asked(answer, incoming))

    async def _serve(self, exchange: Exchange, endpoint: Endpoint, incoming: Incoming) -> None:
        call = None
        content = None
        if self._links is not None:
            call = _content_call(endpoint, incoming)
            content = await self._links.open_link(call, incoming)
        if content is None:
            caller = await self._backend.authenticate(
                self._dialect.key_of(exchange.headers, exchange.query, time.time())
            )
            content = await self._backend.open_content(call or _content_call(endpoint, incoming), caller)
        await serve_content(exchange, content, self._dialect.render_error)

    async def _read_body(self, exchange: Exchange, staged: list[Blob]) -> Body:
        async def stage(pieces: AsyncIterator[bytes], media_type: str) -> Blob:
            blob = await self._backend.stage(pieces, media_type)
            staged.append(blob)
            return blob

        return await read_body(exchange.headers, exchange.receive, self._limits, stage)

    async def _perform(self, call: Call, caller: Caller, incoming: Incoming, staged: list[Blob]) -> Answer:
        try:
            answer = await self._backend.perform(call, caller, incoming)
        except CallerError:
            # Refused, so nothing refers to the files. After an accident something might: those age out instead.
            await self._release(staged)
            raise
        if isinstance(answer, Video) and answer.replayed:
            await self._release(staged)
        return answer

    async def _release(self, staged: list[Blob]) -> None:
        if not isinstance(self._backend, CanUnstage):
            return
        for blob in staged:
            try:
                await self._backend.unstage(blob)
            except Exception:
                _LOG.warning("unstage_failed", key=blob.key, exc_info=True)


def _content_call(endpoint: Endpoint, incoming: Incoming) -> OpenContent:
    check_names(incoming.path_parameters.values())
    call = endpoint.read(incoming)
    if not isinstance(call, OpenContent):
        raise TypeError(f"{endpoint.path} streams, so it must read an OpenContent (got {type(call).__name__})")
    return call
