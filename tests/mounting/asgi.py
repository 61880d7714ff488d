"""Calls an ASGI app without a server. Every request is played to its end; how the body arrives is up to the test."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from reelway.core.record import Record

__all__ = ["Got", "call", "multipart"]

HANG_UP = object()
"""In place of a piece: the client disconnects."""
STALL = object()
"""In place of a piece: nothing more ever comes."""


class Got(Record):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    pieces: tuple[int, ...] = ()
    """The length of each piece of the body."""
    path: str | None = None
    """The file the server was asked to send."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["error"]
        return found


async def call(
    app: Any,
    method: str,
    target: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes | Sequence[Any] = b"",
    content_type: str | None = None,
    pathsend: bool = False,
    key: str | None = "sk-test",
) -> Got | None:
    """Send one request; None when the app never answered. Pieces of `body` arrive one by one."""
    path, _, query = target.partition("?")
    pieces = [body] if isinstance(body, bytes) else list(body)
    names = {"host": "test", **(headers or {})}
    if key is not None:
        names.setdefault("authorization", f"Bearer {key}")
    if content_type is not None:
        names["content-type"] = content_type
    if isinstance(body, bytes) and body:
        names.setdefault("content-length", str(len(body)))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in names.items()],
        "server": ("test", 80),
        "client": ("127.0.0.1", 1),
        "extensions": {"http.response.pathsend": {}} if pathsend else {},
    }
    waiting = list(pieces)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        piece = waiting.pop(0)
        if piece is STALL:
            await asyncio.Event().wait()
        if piece is HANG_UP:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        await asyncio.sleep(0)  # a server takes its turn here

    await app(scope, receive, send)
    return _gather(sent)


def multipart(*parts: tuple[str, Any] | bytes, boundary: str = "gwb1") -> tuple[bytes, str]:
    """Return a form body and its Content-Type. A value is text, or `(filename, media type, bytes)`."""
    out = b""
    for part in parts:
        if isinstance(part, bytes):
            out += f"--{boundary}\r\n".encode() + part + b"\r\n"
            continue
        name, value = part
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, tuple):
            filename, media_type, data = value
            head += f'; filename="{filename}"\r\nContent-Type: {media_type}'
        else:
            data = value.encode()
        out += head.encode() + b"\r\n\r\n" + data + b"\r\n"
    return out + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _gather(sent: list[dict[str, Any]]) -> Got | None:
    if not sent:
        return None
    first, *rest = sent
    assert first["type"] == "http.response.start"
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in first["headers"]}
    assert len(headers) == len(first["headers"]), "a header is given twice"
    pieces = [message["body"] for message in rest if message["type"] == "http.response.body"]
    paths = [message["path"] for message in rest if message["type"] == "http.response.pathsend"]
    return Got(
        status=first["status"],
        headers=headers,
        body=b"".join(pieces),
        pieces=tuple(len(piece) for piece in pieces if piece),
        path=paths[0] if paths else None,
    )
