"""A server made of the dialect alone: reads what a client or an adapter sends, and answers, without a network."""

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import msgspec
from multipart import MultipartParser, parse_options_header  # type: ignore[import-untyped]  # it has no py.typed

from reelway.core.errors import CallerError
from reelway.core.videos import Blob, VideoRequest
from reelway.dialects.openai_videos import make_dialect
from reelway.dialects.spec import Answer, Call, CreateVideo, Endpoint, FormField, Incoming, Outgoing, Upload

__all__ = ["DialectServer", "route"]

_DIALECT = make_dialect()


class DialectServer:
    """Keeps the calls it read. `perform` plays the service."""

    def __init__(self, perform: Callable[[Call], Answer]) -> None:
        self.calls: list[Call] = []
        self.sent: list[httpx2.Request] = []
        self._perform = perform

    @property
    def request(self) -> VideoRequest:
        """The request of the only call, a create."""
        (call,) = self.calls
        assert isinstance(call, CreateVideo)
        return call.request

    def answer(self, incoming: Incoming) -> Outgoing:
        """Read, perform, render."""
        endpoint, parameters = route(incoming.method, incoming.path)
        try:
            call = endpoint.read(incoming.evolve(path_parameters=parameters))
            self.calls.append(call)
            return endpoint.render(self._perform(call))
        except CallerError as error:
            return _DIALECT.render_error(error, "req_1")

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a client of httpx2, through its `MockTransport`."""
        self.sent.append(request)
        incoming = Incoming(
            method=request.method,
            path=request.url.path,
            query=tuple(request.url.params.multi_items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            **_body(request),
        )
        outgoing = self.answer(incoming)
        return httpx2.Response(outgoing.status, headers=outgoing.headers, json=outgoing.body)


def route(method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    """Return the endpoint for a path, in the order of the dialect's table, and the parameters in the path."""
    for endpoint in _DIALECT.endpoints:
        pieces, given = endpoint.path.split("/"), path.split("/")
        if endpoint.method == method and len(pieces) == len(given):
            pairs = list(zip(pieces, given, strict=True))
            if all(piece in ("{id}", part) for piece, part in pairs):
                return endpoint, {piece[1:-1]: part for piece, part in pairs if piece == "{id}"}
    raise AssertionError(f"no endpoint for {method} {path}")


def _body(request: httpx2.Request) -> dict[str, Any]:
    content = request.read()
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    if media_type == "multipart/form-data":
        return {"form": tuple(_fields(content, options["boundary"]))}
    if media_type == "application/x-www-form-urlencoded":
        return {"form": tuple(FormField(name=name, value=value) for name, value in parse_qsl(content.decode()))}
    return {"json": msgspec.json.decode(content)} if content else {}


def _fields(content: bytes, boundary: str) -> Iterator[FormField]:
    for part in MultipartParser(io.BytesIO(content), boundary):
        if part.filename is None:
            yield FormField(name=part.name, value=part.value)
            continue
        blob = Blob(key=f"staged/{part.filename}", sha256="0", bytes=part.size, media_type=part.content_type)
        yield FormField(name=part.name, value=Upload(filename=part.filename, media_type=part.content_type, blob=blob))
