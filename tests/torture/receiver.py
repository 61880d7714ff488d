"""Somebody who wants to be told: takes webhooks, writes down what came in which order, and is not always well."""

import json
import zlib
from typing import Any, NamedTuple

from aiohttp import web
from tests.ports import quiet_port

__all__ = ["Heard", "Receiver"]

_UNWELL_SHARE = 10
"""Of so many videos one meets an error at the first try."""


class Heard(NamedTuple):
    """One webhook that was taken."""

    message_id: str
    video_id: str
    status: str
    """`completed` or `failed`, or the vendor's word for it in its own dialect."""


class Receiver:
    """A server on loopback."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._refused: set[str] = set()
        self._port = quiet_port()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/told"

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/told", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        heard = _read(request.headers["webhook-id"], json.loads(await request.read()))
        unwell = zlib.crc32(heard.video_id.encode()) % _UNWELL_SHARE == 0
        if unwell and heard.video_id not in self._refused:
            self._refused.add(heard.video_id)
            return web.Response(status=500)
        self.heard.append(heard)
        return web.Response(status=204)


def _read(message_id: str, body: dict[str, Any]) -> Heard:
    if "task_status" in body:
        return Heard(message_id, body["task_id"], body["task_status"])
    return Heard(message_id, body["data"]["id"], body["type"].removeprefix("video."))
