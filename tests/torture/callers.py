"""Callers as they should be: each create has an idempotency key and is repeated until it is answered, at whichever node answers.

They write down what they were told, so that it can be held against everybody's books afterwards.
"""

import asyncio
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from tests.torture.plan import Order

__all__ = ["Callers", "Tale"]

FINAL = ("completed", "failed")
_RANKS = {"queued": 0, "in_progress": 1, "completed": 2, "failed": 2}
_CREATE_SECONDS, _READ_SECONDS, _WAIT_SECONDS = 6.0, 5.0, 10
_PATIENT = (408, 425, 429, 500, 502, 503, 504)
_UNREACHED = (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError)
_AT_ONCE = 24


@dataclass
class Tale:
    """What one caller knows."""

    order: Order
    video_id: str | None = None
    refused: str | None = None
    status: str = "queued"
    error: str | None = None
    creates: int = 0
    delete_sent: bool = False
    deleted: bool = False
    cancel_sent: bool = False
    content_sha256: str | None = None
    in_time: bool = False
    """Whether its caller saw the end of it before the time was over."""
    took: float = 0.0
    """Seconds from the first create until then."""
    oddities: list[str] = field(default_factory=list)
    """Answers that no caller should get."""

    def saw(self, video: dict[str, Any]) -> None:
        """Take note of an answer; a status never goes back, and a final one never changes."""
        status = video["status"]
        if status not in _RANKS:
            self.oddities.append(f"a status {status!r}")
        elif self.status in FINAL and status != self.status:
            self.oddities.append(f"{self.status}, and then {status}")
        self.status = status
        self.error = (video.get("error") or {}).get("code")

    @property
    def ended(self) -> bool:
        return self.refused is not None or self.deleted or self.status in FINAL


class Callers:
    """All of them. `urls` are the nodes'; whoever gets no answer from one asks another."""

    def __init__(self, urls: list[str], key: str, told_at: str) -> None:
        self.tales: dict[str, Tale] = {}
        self.calls: Counter[str] = Counter()
        """By outcome: how the fleet looked from outside."""
        self._urls = urls
        self._told_at = told_at
        self._headers = {"Authorization": f"Bearer {key}"}
        self._chance = random.Random(0)
        self._session: aiohttp.ClientSession | None = None
        self._over = asyncio.Event()

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(headers=self._headers, connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # --- one video

    async def follow(self, order: Order) -> None:
        """Ask for a video, and do with it what this caller does, to the end of it."""
        tale = self.tales[order.tag] = Tale(order)
        began = time.monotonic()
        await self._create(tale)
        interfering = asyncio.create_task(self._interfere(tale))
        try:
            while not tale.ended:
                await self._look(tale)
            await interfering
        finally:
            interfering.cancel()
        tale.in_time, tale.took = True, time.monotonic() - began

    async def _create(self, tale: Tale) -> None:
        order, account = tale.order, tale.order.account
        path, body = "/v1/videos", _body(order)
        if order.told:
            body["callback_url"] = self._told_at
            if account.vendor == "kling":
                path = "/kling/v1/videos/text2video"
                body = {"model_name": account.model, "prompt": order.prompt, "duration": str(account.seconds)}
                body["callback_url"] = self._told_at
        headers = {"Idempotency-Key": order.tag}
        while True:
            tale.creates += 1
            status, answer = await self._ask("POST", path, _CREATE_SECONDS, json=body, headers=headers)
            if status == 200:
                tale.video_id = answer.get("task_id") or answer["id"]
                return
            if status not in _PATIENT and status != 0:
                tale.refused = f"{status} {json.dumps(answer)[:200]}"
                return
            await self._pause()

    async def _look(self, tale: Tale) -> None:
        match tale.order.following:
            case "wait":
                query = {"wait": str(_WAIT_SECONDS)}
                await self._read(tale, seconds=_WAIT_SECONDS + _READ_SECONDS, params=query)
            case "poll":
                await self._read(tale)
                await asyncio.sleep(0.5 + self._chance.random())
            case "events":
                await self._stream(tale)

    async def _read(self, tale: Tale, seconds: float = _READ_SECONDS, **options: Any) -> None:
        status, answer = await self._ask("GET", f"/v1/videos/{tale.video_id}", seconds, **options)
        if status == 200:
            tale.saw(answer)
        elif status in (404, 410) and tale.delete_sent:
            tale.deleted = True
        elif status != 0 and status not in _PATIENT:
            tale.oddities.append(f"a look answered {status} {answer}")
            await self._pause()
        else:
            await self._pause()

    async def _stream(self, tale: Tale) -> None:
        """Read events until the stream ends; whoever is cut off looks once and begins again."""
        assert self._session is not None
        url = f"{self._chance.choice(self._urls)}/v1/videos/{tale.video_id}/events"
        try:
            async with (
                asyncio.timeout(_WAIT_SECONDS * 2),
                self._session.get(url, timeout=aiohttp.ClientTimeout(sock_read=_WAIT_SECONDS * 2)) as answer,
            ):
                if answer.status == 200:
                    async for video in _events(answer.content):
                        tale.saw(video)
        except _UNREACHED:
            self.calls["events cut off"] += 1
        if not tale.ended:
            await self._read(tale)

    async def _interfere(self, tale: Tale) -> None:
        order = tale.order
        if tale.refused is not None:
            return
        if order.cancel_after is not None:
            await asyncio.sleep(order.cancel_after)
            await self._cancel(tale)
        if order.delete_after is not None:
            await asyncio.sleep(order.delete_after)
            await self.delete(tale)

    async def _cancel(self, tale: Tale) -> None:
        tale.cancel_sent = True
        while not tale.ended and not self._over.is_set():
            status, _ = await self._ask("POST", f"/v1/videos/{tale.video_id}/cancel", _WAIT_SECONDS * 2)
            if status in (200, 409):
                return
            await self._pause()

    async def delete(self, tale: Tale) -> None:
        """Delete a video, ended or not, until it is gone."""
        tale.delete_sent = True
        while not tale.deleted and not self._over.is_set():
            status, answer = await self._ask("DELETE", f"/v1/videos/{tale.video_id}", _WAIT_SECONDS * 2)
            if status in (200, 404, 410):
                tale.deleted = True
            elif status not in _PATIENT and status not in (0, 409):
                tale.oddities.append(f"a delete answered {status} {answer}")
                return
            else:
                await self._pause()

    # --- in the end

    def give_up(self) -> None:
        """Time is over: who still interferes stops."""
        self._over.set()

    async def settle(self) -> None:
        """When all is quiet: delete what was to be deleted in the end, look at everything once more, fetch every video."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def look_again(tale: Tale) -> None:
            async with places:
                if tale.video_id is None:
                    return
                if tale.order.deleted_in_the_end and tale.status in FINAL:
                    await self.delete(tale)
                await self._verify(tale)

        await asyncio.gather(*(look_again(tale) for tale in self.tales.values()))

    async def _verify(self, tale: Tale) -> None:
        path = f"/v1/videos/{tale.video_id}"
        status, answer = await self._ask("GET", path, _READ_SECONDS)
        if tale.deleted:
            if status not in (404, 410):
                tale.oddities.append(f"deleted, and a look answered {status}")
            return
        if status != 200:
            tale.oddities.append(f"a last look answered {status} {answer}")
            return
        tale.saw(answer)
        if tale.status == "completed":
            assert self._session is not None
            async with self._session.get(f"{self._urls[0]}{path}/content") as content:
                data = await content.read()
                tale.content_sha256 = hashlib.sha256(data).hexdigest() if content.status == 200 else str(content.status)

    # --- calls

    async def _ask(self, method: str, path: str, seconds: float, **options: Any) -> tuple[int, Any]:
        """Return status and answer of one call to some node, 0 where there was none."""
        assert self._session is not None
        url = self._chance.choice(self._urls) + path
        try:
            limit = aiohttp.ClientTimeout(total=seconds)
            async with self._session.request(method, url, timeout=limit, **options) as answer:
                body = await answer.json(content_type=None)
                self.calls[str(answer.status)] += 1
                return answer.status, body
        except _UNREACHED:
            self.calls["no answer"] += 1
            return 0, None
        except json.JSONDecodeError:
            self.calls["no JSON"] += 1
            return 503, None

    async def _pause(self) -> None:
        await asyncio.sleep(0.2 + self._chance.random())


def _body(order: Order) -> dict[str, Any]:
    account = order.account
    return {"model": account.model, "prompt": order.prompt, "seconds": account.seconds, "size": account.size}


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[dict[str, Any]]:
    async for line in content:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))
