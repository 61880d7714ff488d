"""The yardstick: a bare ASGI app on the same server, with the same parse and the same grouped commit, and nothing else.

Run as `python -m bench.bare PORT FOLDER`. It knows no keys, no models, no prices and no vendors.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from reelway.core.ids import make_id
from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.lifecycle import State
from reelway.core.videos import Blob, Mode, ResolvedRequest
from reelway.mounting.bodies import BodyLimits, read_body
from reelway.store.spec import Creation, JobQuery
from reelway.store.sqlite import SqliteStore

LIMITS = BodyLimits()
REQUEST = ResolvedRequest(
    operation="create", model="sora-2", card="sora-2", mode=Mode.T2V, prompt="", seconds=4, width=1280, height=720
)
JSON = [(b"content-type", b"application/json")]


class Bare:
    """Four endpoints told apart by method and path."""

    def __init__(self, store: SqliteStore, file: Path) -> None:
        self._store = store
        self._file = file

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if scope["method"] == "POST":
            await _answer(send, await self._create(scope, receive))
        elif path.endswith("/content"):
            await self._content(send)
        elif path == "/v1/videos":
            page = await self._store.page(JobQuery(tenant="default", limit=20))
            await _answer(send, {"object": "list", "data": [_video(job) for job in page.jobs]})
        else:
            job = await self._store.get(path.rpartition("/")[2])
            await _answer(send, _video(job) if job else {})

    async def _create(self, scope: Any, receive: Any) -> dict[str, Any]:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = await read_body(headers, receive, LIMITS, _no_files)
        fields = body.json if body.json is not None else {field.name: field.value for field in body.form or ()}
        now = time.time()
        job = Job(
            id=make_id("video", now, os.urandom(10)),
            tenant="default",
            key_id="bare",
            request=REQUEST.evolve(prompt=str(fields["prompt"])),
            created_at=now,
            updated_at=now,
            deadline_at=now + 3600,
            due_at=now,
            reserved=400_000,
        )
        event = JobEvent(seq=1, at=now, state=State.QUEUED, name="created")
        entry = Entry(kind="reserve", amount=job.reserved, at=now)
        await self._store.create(Creation(job=job, event=event, entry=entry))
        return _video(job)

    async def _content(self, send: Any) -> None:
        headers = [(b"content-type", b"video/mp4"), (b"content-length", str(self._file.stat().st_size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": str(self._file)})


def _video(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "object": "video",
        "model": job.request.model,
        "status": "queued",
        "created_at": job.created_at,
    }


async def _answer(send: Any, body: dict[str, Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": JSON})
    await send({"type": "http.response.body", "body": msgspec.json.encode(body)})


async def _no_files(pieces: Any, media_type: str) -> Blob:
    raise AssertionError("the bare app takes no files")


async def main(port: int, folder: Path) -> None:
    """Serve until killed."""
    store = SqliteStore(folder / "bare.db")
    await store.open()
    app = Bare(store, folder / "video.mp4")
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False, backlog=1024)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
