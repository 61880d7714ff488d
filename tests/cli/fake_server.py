"""A scripted HTTP server on loopback: each path answers with what the test put there, and every request is remembered."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

__all__ = ["BREAK", "FakeServer", "Reply", "Request", "events", "fake_server", "video"]

VIDEO_ID = "video_01"


class Request(NamedTuple):
    """What arrived; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What to answer. With `cut`, the connection breaks after so many bytes of the body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = {}
    cut: int | None = None


BREAK = Reply(status=0)
"""Close the connection without an answer."""


class FakeServer:
    """Answers in the order of the script; the last answer of a path is repeated."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[Request] = []
        self._script: dict[tuple[str, str], list[Reply]] = {}

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """Put answers for one path."""
        self._script[method, path] = list(replies)

    def seen(self, method: str, path: str) -> list[Request]:
        """Return the requests for one path."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def reply_to(self, request: Request) -> Reply:
        """Return the next answer."""
        self.requests.append(request)
        replies = self._script.get((request.method, request.path))
        if not replies:
            return Reply(404, {"error": {"message": f"no {request.path}", "code": "not_found"}})
        return replies.pop(0) if len(replies) > 1 else replies[0]


def video(status: str, progress: int = 0, **more: Any) -> dict[str, Any]:
    """Return a video object."""
    return {"id": VIDEO_ID, "object": "video", "model": "veo3.1", "status": status, "progress": progress, **more}


def events(*videos: Mapping[str, Any], first: int = 1) -> Reply:
    """Return a stream of server-sent events, numbered from `first`."""
    lines = [f"id: {number}\nevent: video\ndata: {json.dumps(one)}\n\n" for number, one in enumerate(videos, first)]
    return Reply(body=": hello\n\n" + "".join(lines), headers={"Content-Type": "text/event-stream"})


@contextmanager
def fake_server() -> Iterator[FakeServer]:
    """Run a server for the length of the context."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.close_connection = True
            reply = fake.reply_to(Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body))
            if reply.status:
                self._write(reply)

        def _write(self, reply: Reply) -> None:
            content = reply.body if isinstance(reply.body, bytes) else None
            if content is None:
                content = (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
            kind = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            self.send_response(reply.status)
            for name, value in (kind | dict(reply.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: reply.cut])

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names the base class calls

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class names it so
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    fake = FakeServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def parts_of(request: Request) -> Sequence[tuple[str, str | None, bytes]]:
    """Return (field, filename, content) of a multipart body, in order."""
    from email.parser import BytesParser
    from email.policy import HTTP

    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    return [
        (
            str(part.get_param("name", header="Content-Disposition")),
            part.get_filename(),
            bytes(part.get_payload(decode=True) or b""),
        )
        for part in message.iter_parts()
    ]
