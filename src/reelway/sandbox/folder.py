"""The sandbox's files: one JSON file a task, its inputs and videos beside it, and a bounded log of the creates it saw.

Whatever is written appears whole or not at all, so a sandbox that was killed starts again with what it knew.
"""

import hashlib
import os
import shutil
from collections import deque
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from reelway.core.errors import StorageFailed
from reelway.core.ids import ENTROPY_BYTES, make_id
from reelway.core.record import Record
from reelway.core.videos import Blob, RequestWarning
from reelway.sandbox.journal import Journal
from reelway.sandbox.tasks import Task

__all__ = ["SandboxFolder", "SeenRequest", "Upload", "measure"]

_MOST_REQUESTS = 10_000
_LOG = "requests.jsonl"
_PIECE = 1 << 20
_SECRET_BYTES = 32


class SeenRequest(Record, omit_defaults=False):
    """One create as it arrived, and how it was answered."""

    at: float
    operation: str
    model: str
    prompt: str | None
    outcome: str
    """`accepted`, `replayed`, `lost_answer`, `refused`, or `http_503` and the like."""
    task: str | None = None
    seconds: float | None = None
    size: str | None = None
    seed: int | None = None
    references: tuple[dict[str, str | int | None], ...] = ()
    """Role, kind, media type, bytes and SHA-256 of every input."""
    client_reference: str | None = None
    idempotency_key: str | None = None
    dialect: str = ""
    """Whose words it was in."""
    judged: bool = False
    """Whether it was held against a model card."""
    warnings: tuple[RequestWarning, ...] = ()
    """What the card would not honour; a vendor passes over it in silence."""


class Upload:
    """A file on its way in. Leaving the context without `keep` removes it."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._kept = False
        self.bytes = 0

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)

    def fits(self, piece: bytes) -> bool:
        """Tell whether there is room for the piece."""
        return self.bytes + len(piece) <= self._limit_bytes

    def write(self, piece: bytes) -> None:
        if self._file is None:
            raise ValueError("the upload is not open")
        self._file.write(piece)
        self._digest.update(piece)
        self.bytes += len(piece)

    def keep(self, media_type: str) -> Blob:
        """Return what was written."""
        if self._file is not None:
            self._file.flush()
        self._kept = True
        return Blob(key=self._path.name, sha256=self._digest.hexdigest(), bytes=self.bytes, media_type=media_type)


class SandboxFolder:
    """Everything on disk. Every method blocks for a moment: call it from a thread."""

    def __init__(self, folder: Path, *, log: Path | None = None, most_requests: int = _MOST_REQUESTS) -> None:
        self._folder = folder
        self.journal = Journal(log)
        self.requests: deque[SeenRequest] = deque(maxlen=most_requests)
        self.link_secret = b""
        """What links are signed with; the same after a restart."""
        self._lines = 0

    def open(self) -> dict[str, Task]:
        """Return the tasks of earlier runs, oldest first; files that were never claimed are thrown away."""
        try:
            for name in ("tasks", "files"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self._folder / "uploads", ignore_errors=True)
            (self._folder / "uploads").mkdir()
            tasks = [
                msgspec.json.decode(path.read_bytes(), type=Task) for path in (self._folder / "tasks").glob("*.json")
            ]
            self._read_log()
            self.link_secret = self._read_secret()
        except (OSError, msgspec.DecodeError) as error:
            raise StorageFailed(
                f"the sandbox cannot use its folder {self._folder}: {error}. Delete the folder or choose another one."
            ) from error
        return {task.id: task for task in sorted(tasks, key=lambda task: task.id)}

    def save(self, task: Task) -> None:
        _write_whole(self._folder / "tasks" / f"{task.id}.json", msgspec.json.encode(task))

    def remove(self, task_id: str) -> None:
        (self._folder / "tasks" / f"{task_id}.json").unlink(missing_ok=True)
        shutil.rmtree(self.files_of(task_id), ignore_errors=True)

    def files_of(self, task_id: str) -> Path:
        """Return the folder of a task's inputs and videos."""
        return self._folder / "files" / task_id

    def upload(self, now: float, limit_bytes: int) -> Upload:
        """Return a place for a file that no task has claimed yet."""
        name = make_id("upload", now, os.urandom(ENTROPY_BYTES))
        return Upload(self._folder / "uploads" / name, limit_bytes)

    def upload_path(self, blob: Blob) -> Path:
        return self._folder / "uploads" / Path(blob.key).name

    def claim(self, blob: Blob, task_id: str, name: str) -> Path:
        """Move an upload into a task's folder."""
        target = self.files_of(task_id) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        self.upload_path(blob).replace(target)
        return target

    def borrow(self, source: Path, task_id: str, name: str) -> Path:
        """Make another task's file this task's own; the other one may be deleted any time."""
        target = self.files_of(task_id) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, target)
        return target

    def note(self, seen: SeenRequest) -> None:
        """Remember a create; the oldest are forgotten."""
        self.requests.append(seen)
        self.journal.add("submit", seen)
        with (self._folder / _LOG).open("ab") as log:
            log.write(msgspec.json.encode(seen) + b"\n")
        self._lines += 1
        if self.requests.maxlen is not None and self._lines > 2 * self.requests.maxlen:
            self._rewrite_log()

    def forget_requests(self) -> None:
        """Begin the log anew."""
        self.requests.clear()
        self._rewrite_log()

    def _read_secret(self) -> bytes:
        path = self._folder / "link_secret"
        if not path.exists():
            _write_whole(path, os.urandom(_SECRET_BYTES))
        return path.read_bytes()

    def _read_log(self) -> None:
        path = self._folder / _LOG
        if not path.exists():
            return
        for line in path.read_bytes().splitlines():
            self._lines += 1
            try:
                self.requests.append(msgspec.json.decode(line, type=SeenRequest))
            except msgspec.DecodeError:
                continue  # half a line: the sandbox was killed while it wrote

    def _rewrite_log(self) -> None:
        _write_whole(self._folder / _LOG, b"".join(msgspec.json.encode(seen) + b"\n" for seen in self.requests))
        self._lines = len(self.requests)


def measure(path: Path) -> tuple[int, str]:
    """Return length and SHA-256 of a file."""
    digest, length = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            length += len(piece)
    return length, digest.hexdigest()


def _write_whole(path: Path, data: bytes) -> None:
    half_done = path.with_name(path.name + ".part")
    half_done.write_bytes(data)
    half_done.replace(path)
