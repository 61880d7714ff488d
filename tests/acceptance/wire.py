"""How acceptance tests speak HTTP beyond a single question: forms with files, many questions on one connection, raw bytes.

Nothing here knows what a right answer is.
"""

import http.client
import json
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from tests.acceptance.processes import KEY, Answer

from reelway.core.videos import VideoRequest

__all__ = ["File", "Line", "as_fields", "as_multipart", "say"]

_BOUNDARY = "acceptance-d41d8cd98f00b204"
_PATIENCE_SECONDS = 60.0


class File:
    """A file in a form."""

    def __init__(self, data: bytes, media_type: str, name: str) -> None:
        self.data = data
        self.media_type = media_type
        self.name = name


def as_multipart(fields: Iterable[tuple[str, str | File]]) -> tuple[bytes, dict[str, str]]:
    """Return a form's body and the header that goes with it."""
    parts: list[bytes] = []
    for name, value in fields:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, File):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.media_type}'
        data = value.data if isinstance(value, File) else value.encode()
        parts.append(f"{head}\r\n\r\n".encode() + data + b"\r\n")
    body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


def as_fields(request: VideoRequest) -> dict[str, Any]:
    """Return a catalogue's request as the JSON of a create; inputs become `content`, the one field that can say every role."""
    fields: dict[str, Any] = {
        "model": request.model,
        "prompt": request.prompt,
        "mode": request.mode or (request.operation if request.operation != "create" else None),
        "seconds": request.seconds,
        "width": request.width,
        "height": request.height,
        "aspect_ratio": request.ratio,
        "resolution": request.tier,
        "fps": request.fps,
        "seed": request.seed,
        "n": request.n if request.n != 1 else None,
        "audio": request.audio,
        "parameters": request.parameters or None,
        "metadata": request.metadata or None,
        "content": [
            {"type": f"{given.kind}_url", f"{given.kind}_url": {"url": given.url}, "role": given.role}
            for given in request.inputs
        ],
        **request.options,
    }
    return {name: value for name, value in fields.items() if value is not None}


class Line:
    """One connection that is kept, for hundreds of questions."""

    def __init__(self, url: str, *, key: str = KEY) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
        self._key = key

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request in JSON."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def say(url: str, head: Mapping[str, str], request_line: str, pieces: Iterable[bytes]) -> tuple[Answer, int]:
    """Send a request piece by piece until it is all sent or answered; return the answer and how many bytes of body went out."""
    parts = urlsplit(url)
    sent = 0
    with socket.create_connection((parts.hostname, parts.port), _PATIENCE_SECONDS) as line:
        lines = [request_line, f"Host: {parts.netloc}", *(f"{name}: {value}" for name, value in head.items())]
        line.sendall("\r\n".join((*lines, "", "")).encode())
        try:
            for piece in pieces:
                line.sendall(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered before the end, which is what some tests want to see
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return Answer(answer.status, dict(answer.getheaders()), answer.read()), sent
