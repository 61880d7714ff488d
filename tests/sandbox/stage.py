"""A sandbox on a small stage: no processes, no server, and a clock that only moves when told to."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.mounting.asgi import Got, call, multipart

from reelway.dialects.spec import Dialect
from reelway.media.images import read_image_facts
from reelway.media.pictures import make_pictures
from reelway.media.probe import read_video_facts
from reelway.media.render import RenderSpec, render
from reelway.media.spec import ImageFacts, Pictures, VideoFacts
from reelway.sandbox.app import Sandbox, SandboxSettings, make_sandbox

__all__ = ["Clock", "InlineWorker", "Stage"]

_LOOKS = 2_000


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class InlineWorker:
    """Does media work in a thread; `specs` remembers what was rendered."""

    def __init__(self) -> None:
        self.specs: list[RenderSpec] = []

    async def image_facts(self, path: Path) -> ImageFacts:
        return await asyncio.to_thread(read_image_facts, path)

    async def video_facts(self, path: Path) -> VideoFacts:
        return await asyncio.to_thread(read_video_facts, path)

    async def pictures(self, path: Path, folder: Path) -> Pictures:
        return await asyncio.to_thread(make_pictures, path, folder)

    async def render(self, spec: RenderSpec, target: Path) -> None:
        self.specs.append(spec)
        await asyncio.to_thread(render, spec, target)

    async def close(self) -> None:
        """Nothing is held."""


class Stage:
    """A sandbox and what a test does with it."""

    def __init__(
        self,
        folder: Path,
        *,
        keys: frozenset[str] | None = None,
        settings: SandboxSettings | None = None,
        dialects: Sequence[Dialect] | None = None,
    ) -> None:
        self.folder = folder
        self.dialects = dialects
        self.clock = Clock()
        self.worker = InlineWorker()
        self.keys = keys
        self.settings = settings or SandboxSettings(pace=0, draft=True)
        self.sandbox = self.restart()

    def restart(self) -> Sandbox:
        """Begin anew on the same folder, as after a kill."""
        self.sandbox = make_sandbox(
            self.folder,
            self.worker,
            keys=self.keys,
            settings=self.settings,
            clock=self.clock,
            dialects=self.dialects,
        )
        return self.sandbox

    async def close(self) -> None:
        await self.sandbox.close()

    async def ask(self, method: str, path: str, **options: Any) -> Got:
        got = await call(self.sandbox, method, path, **options)
        assert got is not None
        return got

    async def post(
        self, fields: dict[str, Any] | Sequence[tuple[str, Any]], path: str = "/v1/videos", **headers: str
    ) -> Got:
        """Send a form; a value is text or `(filename, media type, bytes)`."""
        pairs = fields.items() if isinstance(fields, dict) else fields
        body, content_type = multipart(*pairs)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", path, body=body, content_type=content_type, headers=names)

    async def send(self, method: str, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Got:
        """Send JSON, or nothing."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if fields is None:
            return await self.ask(method, path, headers=names)
        body = json.dumps(fields).encode()
        return await self.ask(method, path, body=body, content_type="application/json", headers=names)

    async def create(self, prompt: str, **fields: Any) -> dict[str, Any]:
        """Create a small video and return its first showing."""
        values = {"model": "veo3.1", "seconds": "1", "size": "320x180", **fields, "prompt": prompt}
        got = await self.post(values)
        assert got.status == 200, got.body
        created: dict[str, Any] = got.json
        return created

    async def read(self, video_id: str) -> dict[str, Any]:
        got = await self.ask("GET", f"/v1/videos/{video_id}")
        assert got.status == 200, got.body
        shown: dict[str, Any] = got.json
        return shown

    async def finish(self, video_id: str) -> dict[str, Any]:
        """Look until the video is final; rendering is real and takes a moment."""
        for _ in range(_LOOKS):
            shown = await self.read(video_id)
            if shown["status"] in ("completed", "failed"):
                return shown
            await asyncio.sleep(0.01)
        raise AssertionError(f"{video_id} does not end: {shown}")

    async def content(self, video_id: str, query: str = "", **options: Any) -> Got:
        return await self.ask("GET", f"/v1/videos/{video_id}/content{query}", **options)

    async def seen(self) -> list[dict[str, Any]]:
        """Return the creates the sandbox saw."""
        got = await self.ask("GET", "/sandbox/requests")
        found: list[dict[str, Any]] = got.json["data"]
        return found
