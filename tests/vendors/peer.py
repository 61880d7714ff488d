"""Our own server as the vendor, without a network: what an adapter sends is read by a dialect, and its answers are rendered.

Bytes that the transport would fill in are made up here, each file its own, and recognised again when they come back.
"""

import base64
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from tests.vendors.legs import BASES

from reelway.core.errors import CallerError, NotFound
from reelway.core.videos import Blob, InputReference, MediaKind, VideoRequest
from reelway.dialects.registry import make_dialects
from reelway.dialects.spec import Answer, Call, Dialect, Endpoint, FormField, Incoming, Upload
from reelway.vendors.spec import Base64, DataUri, FilePart, Flow, HttpRequest, HttpResponse, PublicUrl

__all__ = ["Peer", "bytes_of", "settled"]

_LINKS = "https://files.example.test/"
_HEADS = {
    MediaKind.IMAGE: b"\x89PNG\r\n\x1a\n",
    MediaKind.VIDEO: b"\x00\x00\x00\x18ftypisom",
    MediaKind.AUDIO: b"ID3",
}
_KEY = re.compile(rb"<<(.*?)>>")


class Peer:
    """One adapter's way into our server. Keeps every call it read; `perform` plays the service."""

    def __init__(self, vendor: str, perform: Callable[[Call], Answer]) -> None:
        self.calls: list[Call] = []
        self._base = BASES[vendor]
        self._perform = perform

    def run(self, flow: Flow[Any]) -> Any:
        """Return what a step returns; what it raises is raised."""
        try:
            request = next(flow)
            while True:
                request = flow.send(self.answer(request))
        except StopIteration as stop:
            return stop.value

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Read, perform, render."""
        incoming = self._incoming(request)
        dialect, endpoint, parameters = _find(incoming.method, incoming.path)
        incoming = incoming.evolve(path_parameters=parameters, request_id="req_1")
        try:
            call = endpoint.read(incoming)
            self.calls.append(call)
            answer, asked = self._perform(call), endpoint.render_asked
            outgoing = endpoint.render(answer) if asked is None else asked(answer, incoming)
        except CallerError as error:
            absent = endpoint.render_absent if isinstance(error, NotFound) else None
            outgoing = dialect.render_error(error, "req_1") if absent is None else absent(incoming)
        body = b"" if outgoing.body is None else msgspec.json.encode(outgoing.body)
        return HttpResponse(status=outgoing.status, headers=outgoing.headers, body=body)

    def read(self, request: HttpRequest) -> Call:
        """Return what a request means, also one whose answer is streamed."""
        incoming = self._incoming(request)
        _, endpoint, parameters = _find(incoming.method, incoming.path)
        return endpoint.read(incoming.evolve(path_parameters=parameters))

    def _incoming(self, request: HttpRequest) -> Incoming:
        path, query = request.path, request.query
        if "://" in path:
            parts = urlsplit(path)
            path, query = parts.path, (*parse_qsl(parts.query), *query)
        else:
            path = self._base + path
        return Incoming(
            method=request.method,
            path=unquote(path),
            query=tuple(query),
            headers={name.lower(): value for name, value in request.headers},
            json=_arrived(request.json),
            form=tuple(FormField(name=name, value=_field(value)) for name, value in request.form) or None,
        )


def bytes_of(blob: Blob) -> bytes:
    """Return the bytes a blob is played with: the head of its kind, and its own record."""
    kind = MediaKind(blob.media_type.partition("/")[0])
    return _HEADS[kind] + b"<<" + msgspec.json.encode(blob) + b">>"


def settled(request: VideoRequest) -> VideoRequest:
    """Return the request with every file recognised, as the service does before it resolves."""
    return request.evolve(inputs=tuple(_settled_input(given) for given in request.inputs))


def _settled_input(given: InputReference) -> InputReference:
    if given.data is not None:
        match = _KEY.search(given.data)
        assert match is not None, f"{given.field} is not what was sent"
        blob = msgspec.json.decode(match[1], type=Blob)
        return given.evolve(data=None, blob=blob, kind=MediaKind(blob.media_type.partition("/")[0]))
    if given.url is not None and given.url.startswith(_LINKS):
        blob = msgspec.json.decode(base64.urlsafe_b64decode(given.url.removeprefix(_LINKS)), type=Blob)
        return given.evolve(url=None, blob=blob, kind=MediaKind(blob.media_type.partition("/")[0]))
    if given.blob is not None and given.kind is None:
        return given.evolve(kind=MediaKind(given.blob.media_type.partition("/")[0]))
    if given.url is not None and given.kind is None:
        ending = given.url.rpartition(".")[2]
        return given.evolve(kind={"mp4": MediaKind.VIDEO, "mp3": MediaKind.AUDIO}.get(ending, MediaKind.IMAGE))
    return given


def _arrived(value: Any) -> Any:
    """Return a body as it is after the transport filled it in and the other side decoded it."""
    return None if value is None else msgspec.json.decode(msgspec.json.encode(_filled(value)))


def _filled(value: Any) -> Any:
    match value:
        case Base64(blob=blob):
            return base64.b64encode(bytes_of(blob)).decode()
        case DataUri(blob=blob):
            return f"data:{blob.media_type};base64,{base64.b64encode(bytes_of(blob)).decode()}"
        case PublicUrl(blob=blob):
            return _LINKS + base64.urlsafe_b64encode(msgspec.json.encode(blob)).decode()
        case dict():
            return {name: _filled(part) for name, part in value.items()}
        case list() | tuple():
            return [_filled(part) for part in value]
        case _:
            return value


def _field(value: Any) -> str | Upload:
    if isinstance(value, FilePart):
        return Upload(filename=value.filename, media_type=value.blob.media_type, blob=value.blob)
    text = _filled(value)
    assert isinstance(text, str)
    return text


def _find(method: str, path: str) -> tuple[Dialect, Endpoint, dict[str, str]]:
    """Return the endpoint as the server finds it: a fixed path before one with parameters."""
    found: list[tuple[Dialect, Endpoint, dict[str, str]]] = []
    for dialect in make_dialects():
        for endpoint in dialect.endpoints:
            match = _pattern(endpoint.path).fullmatch(path) if endpoint.method == method else None
            if match is not None:
                found.append((dialect, endpoint, match.groupdict()))
    assert found, f"no endpoint for {method} {path}"
    return min(found, key=lambda entry: len(entry[2]))


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)(?::path)?\}", path)
    return re.compile(
        "".join(f"(?P<{piece}>[^/]+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))
    )
