"""Stock footage: one small clip, made once, of which every video is a copy with a mark of its own at its end.

For tests with thousands of videos. The mark lies in a `free` box, which every player passes over, so each copy plays alike and
hashes differently: whoever compares hashes knows whose bytes they are.
"""

import asyncio
import hashlib
from pathlib import Path

from reelway.media.render import RenderingWorker, RenderSpec
from reelway.sandbox.tasks import TaskOutput

__all__ = ["Stock"]

_CLIP = RenderSpec(prompt="", model="stock", seconds=1.0, width=128, height=72, fps=8, audio=False, draft=True)
_BOX_HEAD_BYTES = 8


class Stock:
    """Makes the clip when it is first needed."""

    def __init__(self, folder: Path, worker: RenderingWorker) -> None:
        self._path = folder / "stock.mp4"
        self._worker = worker
        self._clip = b""
        self._making = asyncio.Lock()

    async def copy(self, mark: str, target: Path) -> TaskOutput:
        """Write a copy that no other mark gives."""
        async with self._making:
            if not self._clip:
                await self._worker.render(_CLIP, self._path)
                self._clip = await asyncio.to_thread(self._path.read_bytes)
        data = self._clip + _free_box(mark.encode())
        await asyncio.to_thread(_write, target, data)
        return TaskOutput(file=target.name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _free_box(content: bytes) -> bytes:
    return (_BOX_HEAD_BYTES + len(content)).to_bytes(4, "big") + b"free" + content


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
