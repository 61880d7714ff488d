"""A vendor that is never done: every look at a task is answered at once with `in_progress`. Run as `python -m bench.vendor PORT`.

Written on bare sockets, so that it costs a tenth of what asking it costs.
"""

import asyncio
import sys

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class _Answers(asyncio.Protocol):
    """One connection. Requests have no body."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._gathered = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._gathered = (self._gathered + data).split(b"\r\n\r\n")
        for request in requests:
            task = request.split(b" ", 2)[1].rpartition(b"/")[2]
            body = b'{"id":"%s","object":"video","model":"sora-2","status":"in_progress","progress":40}' % task
            if self._transport is not None:
                self._transport.write(_HEAD % len(body) + body)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
