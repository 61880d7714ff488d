"""A vendor that follows a script, and an engine around it with a real store and real assets. Time is real, pauses are nought."""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from reelway.assets.folder import FolderAssets
from reelway.catalog.load import load_catalog
from reelway.core.errors import UnexpectedResponse
from reelway.core.ids import make_id
from reelway.core.jobs import Entry, Job, JobEvent
from reelway.core.lifecycle import State
from reelway.core.nodes import NodeFacts
from reelway.core.videos import Blob, Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.engine.account import Account
from reelway.engine.driver import Driver
from reelway.engine.fetcher import Fetcher
from reelway.engine.router import Router
from reelway.engine.runtime import Engine
from reelway.engine.tools import EngineLimits, Tools
from reelway.engine.transport import Stream, TimeLimits, Transport
from reelway.media.spec import ImageFacts, MediaUnreadableError, Pictures, VideoFacts
from reelway.store.spec import Creation
from reelway.store.sqlite import SqliteStore
from reelway.vendors.spec import (
    Accepted,
    Adapter,
    Callback,
    CancelAnswer,
    Candidate,
    Credential,
    Download,
    Flow,
    Heard,
    HttpRequest,
    Status,
    Submission,
    Succeeded,
    VendorOutput,
)

MODEL = "sora-2"
VIDEO = b"a film of a fox" * 100
LIMITS = EngineLimits(
    shortest_poll_seconds=0.001,
    longest_poll_seconds=0.002,
    lookup_pause_seconds=0.001,
    arrival_seconds=0.0,
    callback_answer_seconds=0.2,
    retry_seconds=0.0,
    submit_tries=4,
    collect_tries=3,
    stop_seconds=2.0,
)


class Script:
    """What the vendor will do, in order; the last line of each list is repeated."""

    def __init__(self) -> None:
        self.submits: deque[Any] = deque([Accepted(operation={"id": "op1"}, key="op1", poll_after_seconds=0.0)])
        self.checks: deque[Any] = deque([done()])
        self.finds: deque[Any] = deque([()])
        self.cancels: deque[Any] = deque(["cancelled"])
        self.downloads: deque[Any] = deque([VIDEO])
        self.deletes: deque[Any] = deque([None])
        self.deleted: list[str] = []
        """Ids of the operations the vendor has deleted."""
        self.submitted: list[Submission] = []
        self.ranges: list[int] = []
        self.gate: asyncio.Event | None = None
        """Held shut, a submit waits here."""
        self.held = 0
        """How many flows have come to the gate."""
        self.looked: list[str] = []
        """Ids of the operations that were looked at."""
        self.unheard_of: set[str] = set()
        """Ids of operations that the vendor does not show."""

    def take(self, name: str) -> Any:
        lines: deque[Any] = getattr(self, name)
        line = lines.popleft() if len(lines) > 1 else lines[0]
        if isinstance(line, BaseException):
            raise line
        return line


def done() -> Succeeded:
    return Succeeded(outputs=(VendorOutput(video=Download(request=HttpRequest(method="GET", path="/v"))),))


class Acme:
    """Follows the script; cannot look anything up or cancel."""

    vendor = "openai_videos"
    url_kinds = frozenset(MediaKind)
    link_kinds: frozenset[MediaKind] = frozenset()

    def __init__(self, script: Script) -> None:
        self.script = script

    def submit(self, submission: Submission) -> Flow[Accepted]:
        self.script.submitted.append(submission)
        answer: Accepted = self.script.take("submits")
        return answer
        yield HttpRequest(method="POST", path="/")

    def check(self, operation: Mapping[str, Any]) -> Flow[Status]:
        self.script.looked.append(operation["id"])
        if operation["id"] in self.script.unheard_of:
            raise UnexpectedResponse("no such task")
        answer: Status = self.script.take("checks")
        return answer
        yield HttpRequest(method="GET", path="/")

    def authorize(self, request: HttpRequest, credential: Credential, now: float) -> HttpRequest:
        return request


class FindingAcme(Acme):
    """Can also look up and cancel."""

    def find(self, submission: Submission) -> Flow[tuple[Candidate, ...]]:
        answer: tuple[Candidate, ...] = self.script.take("finds")
        return answer
        yield HttpRequest(method="GET", path="/")

    def cancel(self, operation: Mapping[str, Any]) -> Flow[CancelAnswer]:
        answer: CancelAnswer = self.script.take("cancels")
        return answer
        yield HttpRequest(method="POST", path="/")


class DeletingAcme(FindingAcme):
    """Can also delete what it made."""

    def delete(self, operation: Mapping[str, Any]) -> Flow[None]:
        self.script.take("deletes")
        self.script.deleted.append(operation["id"])
        return
        yield HttpRequest(method="DELETE", path="/")


class NamingAcme(FindingAcme):
    """Reaches its work by the id alone."""

    def named(self, key: str, submission: Submission) -> Candidate:
        return Candidate(operation={"id": key}, key=key)


class CallingAcme(Acme):
    """Cannot look anything up, but calls back: with `{"id": …}` it names its work, with `{"challenge": …}` it wants an echo."""

    def read_callback(self, callback: Callback, submission: Submission) -> Heard:
        try:
            body = json.loads(callback.body)
        except ValueError as error:
            raise UnexpectedResponse("not JSON") from error
        named = body.get("id")
        return Heard(
            operation=Candidate(operation={"id": named}, key=named) if named else None,
            answer={"challenge": body["challenge"]} if "challenge" in body else None,
        )


class CallingFindingAcme(FindingAcme, CallingAcme):
    """Can do everything."""


class ScriptedDriver(Driver):
    """Runs flows for real; downloads come from the script."""

    def __init__(self, transport: Transport, clock: Any, script: Script) -> None:
        super().__init__(transport, clock)
        self._script = script

    async def run(self, flow: Any, adapter: Adapter, account: Account, **leave: Any) -> Any:
        if self._script.gate is not None:
            self._script.held += 1
            await self._script.gate.wait()
        return await super().run(flow, adapter, account, **leave)

    def open(
        self, download: Download, adapter: Adapter, account: Account, *, start: int = 0, validator: str = ""
    ) -> AbstractAsyncContextManager[Stream]:
        return self._open(start)

    @asynccontextmanager
    async def _open(self, start: int) -> AsyncIterator[Stream]:
        self._script.ranges.append(start)
        line = self._script.take("downloads")
        if isinstance(line, int):
            yield Stream(status=line, headers={}, pieces=_pieces(b""))
            return
        body, broken = line if isinstance(line, tuple) else (line, None)
        rest = body[start:]
        total = len(body) if broken is None else len(VIDEO)
        headers = {"content-length": str(total - start), "etag": '"fox"'}
        if start:
            headers["content-range"] = f"bytes {start}-{total - 1}/{total}"
        yield Stream(status=206 if start else 200, headers=headers, pieces=_pieces(rest, broken))


async def _pieces(body: bytes, broken: Exception | None = None) -> AsyncIterator[bytes]:
    yield body
    if broken is not None:
        raise broken


class Eyes:
    """A media worker that believes exactly the bytes of the script's video."""

    async def image_facts(self, path: Path) -> ImageFacts:
        raise MediaUnreadableError("no images here")

    async def video_facts(self, path: Path) -> VideoFacts:
        if path.read_bytes() != VIDEO:
            raise MediaUnreadableError("not a film of a fox")
        return VideoFacts(
            media_type="video/mp4", seconds=4.0, width=1280, height=720, fps=24.0, has_audio=True, codec="h264"
        )

    async def pictures(self, path: Path, folder: Path) -> Pictures:
        made = [folder / name for name in ("thumbnail.webp", "spritesheet.jpg", "last_frame.png")]
        for file in made:
            file.write_bytes(b"picture")
        return Pictures(thumbnail=made[0], spritesheet=made[1], last_frame=made[2])

    async def close(self) -> None:
        return


class Stage:
    """An engine and everything around it."""

    def __init__(
        self,
        folder: Path,
        script: Script,
        adapter: Acme,
        accounts: tuple[Account, ...],
        *,
        public_url: str | None = None,
        store: SqliteStore | None = None,
        node: str = "local",
        facts: NodeFacts | None = None,
    ) -> None:
        self.folder = folder
        self.script = script
        self.now = 1_790_000_000.0
        self.ticks = itertools.count(1)
        self.store = store or SqliteStore(folder / "reelway.db")
        self.assets = FolderAssets(folder / "assets")
        self.transport = Transport(self.assets, TimeLimits(), lambda blob: "")
        catalog = load_catalog()
        self.tools = Tools(
            store=self.store,
            assets=self.assets,
            media=Eyes(),
            driver=ScriptedDriver(self.transport, self.clock, script),
            router=Router(catalog, accounts, {"openai_videos": adapter}, can_link=public_url is not None),
            fetcher=Fetcher(self.assets, lambda: "inputs/x"),
            adapters={"openai_videos": adapter},
            cards=catalog.card,
            limits=LIMITS,
            clock=self.clock,
            monotonic=time.monotonic,
            random=lambda: 0.0,
            token=lambda: f"token{next(self.ticks)}",
            checkpoint=lambda point: None,
            public_url=public_url,
        )
        self.engine = Engine(self.tools, node, facts or NodeFacts())

    def clock(self) -> float:
        """Every look at the clock is a millisecond later, so that due times come without waiting."""
        self.now += 0.001
        return self.now

    async def open(self, *, start: bool = True) -> None:
        await self.store.open()
        await self.assets.open()
        if start:
            await self.engine.start()

    async def close(self) -> None:
        await self.engine.stop()
        await self.transport.close()
        await self.assets.close()
        await self.store.close()

    def job(self, **changes: Any) -> Job:
        """Return a new queued job for this node."""
        now = self.clock()
        request = ResolvedRequest(
            operation="create",
            model=MODEL,
            card=MODEL,
            mode=Mode.T2V,
            prompt="a fox",
            seconds=4,
            width=1280,
            height=720,
        )
        job = Job(
            id=make_id("video", now, next(self.ticks).to_bytes(10, "big")),
            tenant="default",
            key_id="key",
            request=request,
            created_at=now,
            updated_at=now,
            deadline_at=now + 1000,
            due_at=now,
            owner=self.tools.node or None,
            epoch=self.tools.epoch,
            reserved=400_000,
        )
        return job.evolve(**changes)

    async def with_input(self, job: Job) -> Job:
        """Return the job with an image that was uploaded for it."""
        async with self.assets.writer(f"inputs/given{next(self.ticks)}", limit_bytes=1000) as writer:
            await writer.write(b"a fox, still")
            stored = await writer.commit()
        blob = Blob(key=stored.key, sha256=stored.sha256, bytes=stored.bytes, media_type="image/png")
        given = Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, blob=blob)
        return job.evolve(request=job.request.evolve(inputs=(given,)))

    async def files(self) -> list[str]:
        """Return the keys of everything that is kept."""
        return sorted([one.key for prefix in ("inputs", "videos") async for one in self.assets.listed(prefix)])

    async def record(self, job: Job, takes: tuple[Job, ...] = ()) -> None:
        """Write a video with its takes, all at once, and leave it at that."""
        await self.store.create(
            Creation(
                job=job,
                takes=takes,
                event=JobEvent(seq=1, at=job.created_at, state=State.QUEUED, name="created"),
                entry=Entry(kind="reserve", amount=job.reserved, at=job.created_at),
            )
        )

    async def create(self, job: Job, takes: tuple[Job, ...] = ()) -> None:
        """Write a video with its takes, and begin to work on them."""
        await self.record(job, takes)
        if job.owner is not None:
            self.engine.adopt((*takes, job))

    async def finished(self, job_id: str) -> Job:
        """Return the job when it is final."""
        async with asyncio.timeout(10):
            while True:
                waiter = self.engine.board.watch(job_id)
                job = await self.store.get(job_id)
                assert job is not None
                if job.is_final:
                    self.engine.board.unwatch(job_id, waiter)
                    return job
                await waiter

    async def reaches(self, job_id: str, event: str) -> Job:
        """Return the job when its story has come to this event."""
        async with asyncio.timeout(10):
            while True:
                waiter = self.engine.board.watch(job_id)
                if event in await self.story(job_id):
                    self.engine.board.unwatch(job_id, waiter)
                    job = await self.store.get(job_id)
                    assert job is not None
                    return job
                await waiter

    async def story(self, job_id: str) -> list[str]:
        return [event.name for event in await self.store.events(job_id)]

    async def ledger(self, job_id: str) -> list[str]:
        return [entry.kind for entry in await self.store.entries(job_id)]
