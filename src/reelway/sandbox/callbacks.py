"""Calls the address that a create gave, on every change of its video, in the words of the dialect it came through.

At least once and in order: what an address was told last is kept with the task, so a killed sandbox goes on from there. Whether
an address answers changes nothing about the video.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec

from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.record import Record
from reelway.core.videos import Output, Video
from reelway.network.guard import AddressRefused, PublicResolver, check_url
from reelway.sandbox.studio import Studio
from reelway.sandbox.tasks import Seen, Task, look, passed
from reelway.telemetry import logger

__all__ = ["Callbacks", "Poster", "SentCallback"]

_LOG = logger("sandbox")
_TRIES = 3
_PAUSES_SECONDS = (0.5, 2.0)
_LIMIT_SECONDS = 5.0
_CHALLENGE_SECONDS = 3.0
_ANSWER_BYTES = 4096
_AT_ONCE = 16
_REMEMBERED = 1_000
_LOOK_SECONDS = 5.0
"""A video is looked at so often while nothing is heard of it."""
_NOBODYS_ID = "video_sandbox_nobody"
_NOBODYS_FILE = Output(
    index=0,
    seconds=5.0,
    width=1280,
    height=720,
    fps=24.0,
    bytes=1,
    sha256="00",
    has_audio=False,
    url="https://forged.invalid/video.mp4",
)


class SentCallback(Record, omit_defaults=False):
    """One callback, and what became of it."""

    at: float
    task: str
    status: str
    url: str
    outcome: str
    """`http_200` and the like, `refused` for an address that may not be called, `unreachable`, `not_repeated` of a challenge."""
    tries: int
    forged: bool = False


class Poster:
    """Posts JSON to addresses that may be called, a few times at most. One event loop."""

    def __init__(self, allowed_hosts: frozenset[str], pace: float) -> None:
        """`allowed_hosts` may have private addresses; `pace` scales the pauses between tries."""
        self._allowed_hosts = allowed_hosts
        self._pace = pace
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: Any, headers: Mapping[str, str]) -> tuple[str, int]:
        """Return what became of it, and after how many tries."""
        data = msgspec.json.encode(body)
        outcome = ""
        for tries in range(1, _TRIES + 1):
            async with self._places:
                outcome, _ = await self._try(url, data, headers)
            if outcome == "refused" or outcome.startswith("http_2"):
                return outcome, tries
            if tries < _TRIES:
                await asyncio.sleep(_PAUSES_SECONDS[tries - 1] * self._pace)
        return outcome, _TRIES

    async def challenge(self, url: str) -> str:
        """Return what became of a challenge: `http_200` only where the address repeated it in time."""
        body = {"challenge": secrets.token_hex(16)}
        async with self._places:
            outcome, answer = await self._try(url, msgspec.json.encode(body), {}, _CHALLENGE_SECONDS, _ANSWER_BYTES)
        return "not_repeated" if outcome == "http_200" and not _repeats(answer, body) else outcome

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _try(
        self,
        url: str,
        data: bytes,
        headers: Mapping[str, str],
        limit_seconds: float = _LIMIT_SECONDS,
        read_bytes: int = 0,
    ) -> tuple[str, bytes]:
        """Return what became of one try, and so many bytes of the answer."""
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=PublicResolver(self._allowed_hosts))
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        limit = aiohttp.ClientTimeout(total=limit_seconds)
        try:
            address = check_url(url, allowed_hosts=self._allowed_hosts)
            said = {"content-type": "application/json", **headers}
            async with self._session.post(
                address, data=data, headers=said, allow_redirects=False, timeout=limit
            ) as answer:
                return f"http_{answer.status}", await _beginning(answer, read_bytes)
        except AddressRefused:
            return "refused", b""
        except (aiohttp.ClientError, TimeoutError, OSError):
            return "unreachable", b""


class Callbacks:
    """Follows the videos whose creates gave an address."""

    def __init__(
        self,
        studio: Studio,
        poster: Poster,
        body_of: Callable[[Task, Video], Any],
        show: Callable[[Task, Seen], Video],
        challenges: Callable[[Task], bool],
        headers_of: Callable[[Task, str], Mapping[str, str]],
        clock: Callable[[], float],
    ) -> None:
        """`body_of` says what the address hears in the words of the task's dialect, None for nothing; `headers_of` how a
        call is signed; `challenges` whether it is challenged before."""
        self.sent: deque[SentCallback] = deque(maxlen=_REMEMBERED)
        self._studio = studio
        self._poster = poster
        self._body_of = body_of
        self._show = show
        self._challenges = challenges
        self._headers_of = headers_of
        self._clock = clock
        self._following: dict[str, asyncio.Task[None]] = {}

    def follow(self, task: Task) -> None:
        """Begin to tell about a video, or go on; nothing to do where everything was told."""
        told_all = task.told in (Status.COMPLETED, Status.FAILED)
        if task.callback_url is None or task.faults.callback_none or told_all or task.id in self._following:
            return
        self._following[task.id] = asyncio.create_task(self._follow(task.id, task.callback_url))

    async def close(self) -> None:
        """Stop telling; what is left is told after the next start."""
        following = list(self._following.values())
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await self._poster.close()

    async def _follow(self, task_id: str, url: str) -> None:
        try:
            if not await self._may_be_told(task_id, url):
                return
            while (task := self._studio.tasks.get(task_id)) is not None:
                self._studio.ensure_rendered(task)
                seen = look(task, self._clock())
                for step in _untold(task, seen):
                    await self._tell(task, step, url)
                    await self._studio.change(task_id, told=step.status)
                if seen.is_final:
                    return
                await self._studio.wait_for_change(_pause(task, seen, self._clock()))
        except Exception:
            _LOG.exception("callback_failed", task_id=task_id)
        finally:
            self._following.pop(task_id, None)

    async def _may_be_told(self, task_id: str, url: str) -> bool:
        """Tell whether the address may hear of its video: where the vendor challenges, once it has repeated the challenge."""
        task = self._studio.tasks.get(task_id)
        if task is None or task.told is not None or not self._challenges(task):
            return task is not None
        at, outcome = self._clock(), await self._poster.challenge(url)
        self.sent.append(SentCallback(at=at, task=task_id, status="challenge", url=url, outcome=outcome, tries=1))
        return outcome == "http_200"

    async def _tell(self, task: Task, step: Seen, url: str) -> None:
        if task.faults.callback_forged and task.told is None and step.status is Status.QUEUED:
            for lie in _lies(self._show(task, step)):
                await self._send(task, lie, url, forged=True)
        await asyncio.sleep(task.faults.callback_seconds)
        for _ in range(2 if task.faults.callback_twice else 1):
            await self._send(task, self._show(task, step), url)

    async def _send(self, task: Task, video: Video, url: str, *, forged: bool = False) -> None:
        body = self._body_of(task, video)
        if body is None:
            return
        at = self._clock()
        headers = {} if forged else self._headers_of(task, url)
        outcome, tries = await self._poster.post(url, body, headers)
        self.sent.append(
            SentCallback(
                at=at, task=video.id, status=video.status, url=url, outcome=outcome, tries=tries, forged=forged
            )
        )


def _untold(task: Task, seen: Seen) -> tuple[Seen, ...]:
    """Return what the address has not heard yet, in order."""
    steps = passed(seen)
    told = [place for place, step in enumerate(steps) if step.status is task.told]
    return steps[told[0] + 1 :] if told else steps


async def _beginning(answer: aiohttp.ClientResponse, count: int) -> bytes:
    try:
        return await answer.content.readexactly(count)
    except asyncio.IncompleteReadError as error:
        return error.partial


def _repeats(answer: bytes, body: dict[str, str]) -> bool:
    try:
        return bool(msgspec.json.decode(answer, type=dict[str, Any]).get("challenge") == body["challenge"])
    except msgspec.DecodeError:
        return False


def _pause(task: Task, seen: Seen, now: float) -> float:
    """Return how long until the next change, where the clock will tell; else until somebody should look again."""
    next_at = task.begins_at if seen.status is Status.QUEUED else task.due_at
    return min(next_at - now, _LOOK_SECONDS) if next_at > now else _LOOK_SECONDS


def _lies(video: Video) -> tuple[Video, Video]:
    """Return what a forger who knew the address would say: this one failed, and another one is ready."""
    failure = Failure(kind=FailureKind.VENDOR_ERROR, message="This callback is forged by the sandbox.")
    failed = video.evolve(status=Status.FAILED, failure=failure, completed_at=video.created_at)
    nobodys = video.evolve(
        id=_NOBODYS_ID,
        client_reference=None,
        status=Status.COMPLETED,
        progress=100,
        completed_at=video.created_at,
        outputs=(_NOBODYS_FILE,),
    )
    return failed, nobodys
