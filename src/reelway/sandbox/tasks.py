"""What the sandbox keeps of a video, and what a caller sees of it: a pure function of that record and the time.

So nothing is lost when the sandbox is killed, and no clock has to tick while it waits.
"""

from typing import Any

from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.record import Record
from reelway.core.videos import MediaKind, Mode, Operation, Output, Role, Video
from reelway.sandbox.faults import Faults

__all__ = ["Seen", "Task", "TaskInput", "TaskOutput", "fails_by_itself", "look", "show"]

_QUEUED_SHARE = 0.1
_STUCK_AT = 42
_ALMOST_DONE = 99
_POLL_SECONDS = 0.5
_LATE_SHARE = 0.25


class TaskInput(Record):
    """One file that came with the request; `file` lies in the task's folder."""

    file: str
    kind: MediaKind
    role: Role
    media_type: str
    bytes: int
    sha256: str
    name: str | None = None


class TaskOutput(Record):
    """One rendered file."""

    file: str
    bytes: int
    sha256: str


class Task(Record):
    """One video. Times are Unix seconds."""

    id: str
    holder: str
    """Who may see it."""
    model: str
    operation: Operation
    prompt: str
    """As it came, with its directives: whoever looks for a lost create compares it."""
    created_at: float
    render_seconds: float
    """How long the make-believe model takes."""
    seconds: float
    width: int
    height: int
    fps: int
    seed: int
    n: int = 1
    audio: bool = True
    inputs: tuple[TaskInput, ...] = ()
    source: str | None = None
    """The sandbox's own video it was made from; a copy lies among the inputs."""
    faults: Faults = Faults()
    tags: dict[str, str] = {}
    user: str | None = None
    client_reference: str | None = None
    idempotency_key: str | None = None
    expires_at: float = 0.0
    outputs: tuple[TaskOutput, ...] = ()
    """Filled in when the files are there."""
    rendered_at: float | None = None
    cancelled_at: float | None = None
    mishap: Failure | None = None
    """Why rendering failed, when it did."""

    @property
    def due_at(self) -> float:
        """When the make-believe model is done."""
        return self.created_at + self.render_seconds


class Seen(Record):
    """What a look shows."""

    status: Status
    progress: int = 0
    failure: Failure | None = None
    completed_at: float | None = None

    @property
    def is_final(self) -> bool:
        return self.status in (Status.COMPLETED, Status.FAILED)


def fails_by_itself(task: Task) -> bool:
    """Tell whether no file will ever be needed."""
    return task.faults.fail is not None or task.faults.stuck


def look(task: Task, now: float) -> Seen:
    """Return what this task shows at this time."""
    if task.cancelled_at is not None:
        return _failed(FailureKind.CANCELLED, "The video was cancelled.", task.cancelled_at)
    if task.mishap is not None:
        return Seen(status=Status.FAILED, failure=task.mishap, completed_at=max(task.due_at, task.created_at))
    elapsed = now - task.created_at
    if task.faults.stuck and elapsed >= task.render_seconds * _STUCK_AT / 100:
        return Seen(status=Status.IN_PROGRESS, progress=_STUCK_AT)
    if now < task.due_at:
        share = max(0.0, elapsed / task.render_seconds)
        if share < _QUEUED_SHARE:
            return Seen(status=Status.QUEUED)
        return Seen(status=Status.IN_PROGRESS, progress=int(share * _ALMOST_DONE))
    if task.faults.fail is not None:
        return _failed(task.faults.fail, f"The sandbox was asked to fail with {task.faults.fail}.", task.due_at)
    if not task.outputs:
        return Seen(status=Status.IN_PROGRESS, progress=_ALMOST_DONE)
    return Seen(status=Status.COMPLETED, progress=100, completed_at=max(task.due_at, task.rendered_at or 0.0))


def show(task: Task, now: float, *, replayed: bool = False) -> Video:
    """Return the video as a caller may see it."""
    seen = look(task, now)
    finished = seen.status is Status.COMPLETED
    return Video(
        id=task.id,
        model=task.model,
        status=seen.status,
        progress=seen.progress,
        created_at=task.created_at,
        completed_at=seen.completed_at,
        expires_at=task.expires_at if finished else None,
        prompt=task.prompt,
        mode=_mode(task),
        seconds=f"{task.seconds:g}",
        width=task.width,
        height=task.height,
        seed=task.seed,
        fps=task.fps,
        remixed_from_video_id=task.source if task.operation == "remix" else None,
        failure=seen.failure,
        tags=task.tags,
        outputs=tuple(_output(task, index) for index in range(len(task.outputs))) if finished else (),
        eta_seconds=None if seen.is_final else max(0.0, task.due_at - now),
        sandbox=True,
        user=task.user,
        client_reference=task.client_reference,
        poll_after_seconds=None if seen.is_final else _pause(task, now),
        replayed=replayed,
    )


def _output(task: Task, index: int) -> Output:
    made = task.outputs[index]
    facts: dict[str, Any] = {"seconds": task.seconds, "width": task.width, "height": task.height}
    return Output(index=index, fps=float(task.fps), bytes=made.bytes, sha256=made.sha256, has_audio=task.audio, **facts)


def _pause(task: Task, now: float) -> float:
    """Return when it is worth looking again: soon before its time, and ever later the longer it waits to be rendered."""
    left = task.due_at - now
    if left > 0:
        return min(max(left, _POLL_SECONDS / 5), _POLL_SECONDS)
    return min(max(-left * _LATE_SHARE, _POLL_SECONDS / 5), _POLL_SECONDS * 4)


def _mode(task: Task) -> Mode:
    """Return what was made from what."""
    if task.operation != "create":
        return Mode(task.operation)
    roles = {given.role for given in task.inputs}
    if Role.LAST_FRAME in roles:
        return Mode.FIRST_LAST
    if Role.FIRST_FRAME in roles:
        return Mode.I2V
    return Mode.R2V if Role.REFERENCE in roles else Mode.T2V


def _failed(kind: FailureKind, message: str, at: float) -> Seen:
    return Seen(status=Status.FAILED, failure=Failure(kind=kind, message=message), completed_at=at)
