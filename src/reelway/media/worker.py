"""Media work in bounded processes of its own, so that a hostile file can hurt neither the event loop nor the server.

A process that dies or hangs costs the chore it was doing and nothing else: the next chore gets a new process.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from reelway.core.errors import GatewayError, StorageFailed
from reelway.core.record import Record
from reelway.media.chores import (
    LENGTH_BYTES,
    RECEIVED,
    Chore,
    Done,
    MakePictures,
    MakeVideo,
    Mishap,
    NoRoom,
    ReadImage,
    ReadVideo,
    Unreadable,
    WarmUp,
    decode_answer,
    decode_value,
    frame,
)
from reelway.media.render import RenderSpec
from reelway.media.spec import ImageFacts, MediaUnreadableError, Pictures, VideoFacts

__all__ = ["MediaProcessFailed", "ProcessMediaWorker", "TimeLimits"]

T = TypeVar("T")

_GRACE_SECONDS = 2.0
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class MediaProcessFailed(GatewayError):
    """The media process could not do its work, and the file is not to blame."""


class TimeLimits(Record):
    """After this many seconds of work a chore is stopped."""

    image: float = 15.0
    video: float = 120.0
    pictures: float = 180.0
    render: float = 900.0
    warm_up: float = 120.0


class ProcessMediaWorker:
    """The media worker. Processes start when they are first needed and end with this server, however it ends.

    `renderers` are processes for the sandbox's videos alone, so that nobody's upload waits for a long render.
    """

    def __init__(
        self,
        processes: int = 1,
        *,
        renderers: int = 1,
        limits: TimeLimits = TimeLimits(),  # noqa: B008 - a frozen value
    ) -> None:
        self._limits = limits
        self._readers = _Crew(processes)
        self._renderers = _Crew(renderers)
        self._closed = False

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The media processes that run now."""
        return (*self._readers.process_ids, *self._renderers.process_ids)

    async def warm_up(self) -> None:
        """Start one process and load its libraries; worth doing in the background while the server starts."""
        await self._do(WarmUp(), type(None), self._limits.warm_up, "its libraries")

    async def image_facts(self, path: Path) -> ImageFacts:
        """Raise `MediaUnreadableError`."""
        return await self._do(ReadImage(path=path), ImageFacts, self._limits.image, path.name)

    async def video_facts(self, path: Path) -> VideoFacts:
        """Probe and decode a video (and only look at the container of audio files). Raise `MediaUnreadableError`."""
        return await self._do(ReadVideo(path=path), VideoFacts, self._limits.video, path.name)

    async def pictures(self, path: Path, folder: Path) -> Pictures:
        """Make thumbnail, sprite sheet and last frame in the folder. Raise `MediaUnreadableError`."""
        return await self._do(MakePictures(path=path, folder=folder), Pictures, self._limits.pictures, path.name)

    async def render(self, spec: RenderSpec, target: Path) -> None:
        """Write the video a spec describes, whole or not at all. Raise `MediaUnreadableError` for a bad input."""
        await self._do(MakeVideo(spec=spec, target=target), type(None), self._limits.render, target.name)

    async def close(self) -> None:
        """End the processes; chores under way fail."""
        self._closed = True
        await asyncio.gather(self._readers.end(), self._renderers.end())

    async def _do(self, chore: Chore, kind: type[T], limit_seconds: float, subject: str) -> T:
        crew = self._renderers if isinstance(chore, MakeVideo) else self._readers
        async with crew.seat() as seat:
            if self._closed:
                raise MediaProcessFailed("the media worker is closed; start a new one")
            body = await seat.do(frame(chore), limit_seconds, subject)
        match decode_answer(body):
            case Done(value=value):
                return decode_value(value, kind)
            case Unreadable(message=message):
                raise MediaUnreadableError(message)
            case NoRoom(message=message):
                raise StorageFailed(f"the media process could not write a file: {message}; make room, then try again")
            case Mishap(message=message):
                raise MediaProcessFailed(f"the media process failed on {subject}: {message}")


class _Crew:
    """A bounded number of processes that do the same kind of work."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a media worker needs at least one process of each kind (got {size})")
        self._seats = [_Seat() for _ in range(size)]
        self._free = list(self._seats)
        self._turn = asyncio.Semaphore(size)

    @property
    def process_ids(self) -> tuple[int, ...]:
        return tuple(seat.process_id for seat in self._seats if seat.process_id is not None)

    @contextlib.asynccontextmanager
    async def seat(self) -> AsyncIterator["_Seat"]:
        """Lend the seat that was used last, so that few processes serve when few are needed."""
        async with self._turn:
            seat = self._free.pop()
            try:
                yield seat
            finally:
                self._free.append(seat)

    async def end(self) -> None:
        await asyncio.gather(*(seat.end() for seat in self._seats))


class _Seat:
    """A place for one process, empty until it is needed."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process_id(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def do(self, chore: bytes, limit_seconds: float, subject: str) -> bytes:
        """Return the body of the answer; kill the process when it takes too long or nobody waits any more."""
        try:
            async with asyncio.timeout(limit_seconds):
                process = await self._begin(chore)
                length = await _out(process).readexactly(LENGTH_BYTES)
                return await _out(process).readexactly(int.from_bytes(length, "big"))
        except TimeoutError:
            await self._kill()
            raise MediaUnreadableError(
                f"work on {subject} took longer than {limit_seconds:g} s and was stopped"
            ) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            ending = await self._kill(grace_seconds=_GRACE_SECONDS)
            raise MediaUnreadableError(f"the media process {ending} while working on {subject}") from None
        except asyncio.CancelledError:
            await self._kill()
            raise

    async def end(self) -> None:
        """Let the process end by itself, and end it when it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
        except TimeoutError:
            await self._kill()

    async def _begin(self, chore: bytes) -> asyncio.subprocess.Process:
        """Hand over the chore; a process that died while it was idle is replaced once."""
        if self.process_id is not None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                return await self._hand_over(chore)
            await self._kill()
        self._process = await _start_process()
        return await self._hand_over(chore)

    async def _hand_over(self, chore: bytes) -> asyncio.subprocess.Process:
        process = self._process
        if process is None or process.stdin is None:
            raise ConnectionError("no media process")
        process.stdin.write(chore)
        await process.stdin.drain()
        received = await _out(process).readexactly(len(RECEIVED))
        if received != RECEIVED:
            raise ConnectionError("the media process answered out of turn")
        return process

    async def _kill(self, *, grace_seconds: float = 0.0) -> str:
        """End the process, which may have this long to end by itself; return how it ended, for messages."""
        process, self._process = self._process, None
        if process is None:
            return "did not start"
        if grace_seconds:
            # Killing one that is just dying takes its exit code away from asyncio, which then reports 255 (CPython 3.11).
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        code = await process.wait()
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _out(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise ConnectionError("the media process has no output")
    return process.stdout


async def _start_process() -> asyncio.subprocess.Process:
    """Start a media process with the import path of this one, away from the terminal's Ctrl-C."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        "from reelway.media.child import main; main()",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        start_new_session=True,
    )
