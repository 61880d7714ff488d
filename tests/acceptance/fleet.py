"""A fleet of real processes on one real PostgreSQL, and a caller that retries as a good client does: same key, another node."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from tests.acceptance.processes import KEY, Gateway, Sandbox, free_port

__all__ = ["Caller", "Fleet"]

_TRIES = 40
_PAUSE_SECONDS = 0.25


class Fleet:
    """Nodes that share records, bytes and a vendor. Each has a data folder of its own."""

    def __init__(
        self, folder: Path, database_url: str, sandbox: Sandbox, environment: Mapping[str, str] | None = None
    ) -> None:
        self.nodes: dict[str, Gateway] = {}
        self.sandbox = sandbox
        self._folder = folder
        self._ports: dict[str, int] = {}
        self._environment = {
            "REELWAY_DATABASE_URL": database_url,
            "REELWAY_ASSETS_URL": (folder / "assets").as_uri(),
            "REELWAY_LOG_JSON": "true",
            **(environment or {}),
        }

    def start(self, name: str, *, environment: Mapping[str, str] | None = None) -> Gateway:
        """Start a node, at the address it had before."""
        port = self._ports.setdefault(name, free_port())
        gateway = Gateway(
            self._folder / name,
            sandbox=self.sandbox,
            environment={**self._environment, **(environment or {})},
            port=port,
        )
        self.nodes[name] = gateway
        return gateway

    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self._ports.values()]

    def close(self) -> None:
        for gateway in self.nodes.values():
            if gateway.process.poll() is None:
                gateway.stop()

    def logged(self, name: str, event: str) -> list[dict[str, Any]]:
        """Return what a node has logged under this name."""
        lines = [json.loads(line) for line in self.nodes[name].lines if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def submits(self) -> Counter[str]:
        """Return how often the vendor took a submit, by prompt."""
        return Counter(
            seen["prompt"] for seen in self.sandbox.creates() if seen["outcome"] in {"accepted", "lost_answer"}
        )


class Caller:
    """Calls any node. What is refused for the moment, or breaks, is tried again elsewhere under the same idempotency key."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self.trouble: Counter[str] = Counter()
        """What was met on the way, by kind; none of it is a failed call."""
        self.failed: list[str] = []

    async def __aenter__(self) -> "Caller":
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {KEY}"}, timeout=aiohttp.ClientTimeout(total=60)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def create(self, prompt: str) -> str:
        """Create a video; return its id."""
        body = {"model": "sora-2", "prompt": prompt, "seconds": "4", "size": "1280x720"}
        made = await self._call("POST", "/v1/videos", json=body, headers={"Idempotency-Key": prompt})
        return str(made["id"])

    async def finished(self, video_id: str, *, patience_seconds: float = 300.0) -> dict[str, Any]:
        """Return the video when it has ended, by long polls at whichever node comes next."""
        async with asyncio.timeout(patience_seconds):
            while True:
                video = await self._call("GET", f"/v1/videos/{video_id}?wait=10")
                if video["status"] in {"completed", "failed"}:
                    return video

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        first = int.from_bytes(os.urandom(2))
        for number in range(_TRIES):
            url = self._urls[(first + number) % len(self._urls)]
            try:
                async with self._session.request(method, url + path, **options) as answer:
                    if answer.status == 200:
                        found: dict[str, Any] = await answer.json()
                        return found
                    trouble = str(answer.status)
                    if answer.status != 503:
                        self.failed.append(f"{method} {path}: {answer.status} {await answer.text()}")
                        raise AssertionError(self.failed[-1])
            except aiohttp.ClientError as error:
                trouble = type(error).__name__
            self.trouble[f"{method} {trouble}"] += 1
            await asyncio.sleep(_PAUSE_SECONDS)
        self.failed.append(f"{method} {path}: in vain")
        raise AssertionError(self.failed[-1])
