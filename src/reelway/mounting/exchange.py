"""One HTTP request being answered: what came in, under which request id, and the only ways to answer or to refuse.

The rule: every answer carries `x-request-id`, also a refusal and an accident. What went wrong inside is logged, never told.
"""

import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from reelway.core.errors import CallerError, InvalidRequest, NotFound, StorageFailed
from reelway.dialects.spec import Outgoing
from reelway.telemetry import logger

__all__ = [
    "ClientGone",
    "Exchange",
    "Guarded",
    "InternalError",
    "MethodNotAllowed",
    "RenderError",
    "StorageRefused",
    "check_names",
    "parse_query",
]

RenderError = Callable[[CallerError, str], Outgoing]
"""From the error and our request id to an answer on the wire."""

_LOG = logger("mounting")
_JSON = b"application/json"
_QUERY_BYTES = 16_384
_QUERY_FIELDS = 100
_NAME_LENGTH = 512


class ClientGone(Exception):
    """The client hung up; nobody is left to answer."""


class InternalError(CallerError):
    """An accident of ours, as far as a caller may know of it. Raised nowhere; rendered when something else was."""

    status = 500
    type = "server_error"
    code = "internal_error"


class StorageRefused(InternalError):
    """Bytes could not be kept. The caller can only come back."""

    status = 503
    code = "storage_failed"


class MethodNotAllowed(CallerError):
    """The path is right, the method is not."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, method: str, path: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(f"{method} is not possible on {path}; use {self.allowed}")


class Exchange:
    """A request and its answer."""

    __slots__ = ("_headers", "_query", "_send", "method", "path", "receive", "request_id", "scope", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.request_id = "req_" + os.urandom(12).hex()
        self.started = False
        """Whether the status line is out, so that nothing else can be answered."""
        self._send = send
        self._headers: dict[str, str] | None = None
        self._query: tuple[tuple[str, str], ...] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers, names in lower case."""
        if self._headers is None:
            # ASGI hands names over in lower case.
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}
        return self._headers

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's pairs in order. Raises `InvalidRequest` when it is not text."""
        if self._query is None:
            self._query = parse_query(self.scope["query_string"])
        return self._query

    @property
    def path_parameters(self) -> dict[str, str]:
        """What the route found in the path."""
        found: dict[str, str] = self.scope.get("path_params", {})
        return found

    def offers(self, extension: str) -> bool:
        """Tell whether the server has this ASGI extension."""
        return extension in (self.scope.get("extensions") or ())

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Send the status line and headers, ours among them."""
        self.started = True
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, (b"x-request-id", self.request_id.encode())],
            }
        )

    async def write(self, piece: bytes, *, more: bool) -> None:
        """Send a piece of the body."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def send_path(self, path: str) -> None:
        """Let the server send a whole file; only where it `offers` that."""
        await self._send({"type": "http.response.pathsend", "path": path})

    async def whole(self, status: int, media_type: bytes, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Answer with a body that is already there; a HEAD gets its headers alone."""
        await self.start(
            status, [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *headers]
        )
        await self.write(b"" if self.method == "HEAD" else body, more=False)

    async def answer(self, outgoing: Outgoing) -> None:
        """Answer in JSON."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in outgoing.headers.items()]
        body = b"" if outgoing.body is None else msgspec.json.encode(outgoing.body)
        await self.whole(outgoing.status, _JSON, body, [pair for pair in headers if pair[0] != b"x-request-id"])

    async def refuse(self, error: CallerError, render_error: RenderError) -> None:
        """Answer with an error, in the shape this caller knows."""
        outgoing = render_error(error, self.request_id)
        headers = dict(outgoing.headers)
        if isinstance(error, MethodNotAllowed):
            headers["allow"] = error.allowed
        await self.answer(outgoing.evolve(headers=headers))


class Guarded:
    """An ASGI endpoint. Whatever is raised inside becomes an answer in the right shape, once."""

    __slots__ = ("_perform", "_render_error")

    def __init__(self, perform: Callable[[Exchange], Awaitable[None]], render_error: RenderError) -> None:
        self._perform = perform
        self._render_error = render_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        try:
            await self._perform(exchange)
        except ClientGone:
            return
        except CallerError as error:
            await self._refuse(exchange, error)
        except StorageFailed as error:
            _LOG.error("storage_failed", **_facts(exchange), reason=str(error))
            message = "the server could not store the bytes: try again later; its operator finds the reason in the log"
            await self._refuse(exchange, StorageRefused(message, retry_after_seconds=30))
        except Exception:
            _LOG.exception("request_failed", **_facts(exchange))
            message = f"something went wrong on our side; the server's operator finds it in the log under {exchange.request_id}"
            await self._refuse(exchange, InternalError(message))

    async def _refuse(self, exchange: Exchange, error: CallerError) -> None:
        if exchange.started:
            # Too late for a status. Ending short of the announced length is how HTTP says that something broke.
            _LOG.warning("answer_broken_off", **_facts(exchange), reason=str(error))
            return
        await exchange.refuse(error, self._render_error)


def parse_query(raw: bytes) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a query in order, also those without a value. Raises `InvalidRequest`."""
    if not raw:
        return ()
    if len(raw) > _QUERY_BYTES:
        raise InvalidRequest(
            f"the query is {len(raw)} bytes long; at most {_QUERY_BYTES} are read", code="query_too_long"
        )
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS)
    except UnicodeDecodeError:
        raise InvalidRequest("the query is not UTF-8; percent-encode it as UTF-8", code="invalid_query") from None
    except ValueError:
        raise InvalidRequest(
            f"the query has more than {_QUERY_FIELDS} fields; send fewer", code="invalid_query"
        ) from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise InvalidRequest("the query contains a NUL character; leave it out", code="invalid_query")
    return tuple(pairs)


def check_names(names: Iterable[str]) -> None:
    """Raise `NotFound` for names from a path that nothing of ours can have; databases need not hear of them."""
    for name in names:
        if len(name) > _NAME_LENGTH or "\0" in name:
            raise NotFound(f"there is nothing called {name[:40]!r}")


def _facts(exchange: Exchange) -> dict[str, Any]:
    """Return what may be logged of a request; a part of its path that the route calls `secret` may not."""
    path, secret = exchange.path, exchange.path_parameters.get("secret")
    shown = path.replace(secret, "[redacted]") if secret else path
    return {"request_id": exchange.request_id, "method": exchange.method, "path": shown}
