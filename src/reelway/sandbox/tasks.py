"""What the sandbox keeps of a video, and what a caller sees of it: a pure function of that record and the time.

So nothing is lost when the sandbox is killed, and no clock has to tick while it waits.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.record import Record
from reelway.core.videos import Blob, MediaKind, Mode, Operation, Output, RequestWarning, Role, Variant, Video
from reelway.sandbox.faults import Faults

__all__ = ["LinkTo", "Seen", "Task", "TaskInput", "TaskOutput", "look", "mode_of", "needs_no_file", "passed", "show"]

LinkTo: TypeAlias = Callable[[Variant, int], str]
"""From a file of a video to an address that opens it."""

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
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fps: int | None = None

    @property
    def blob(self) -> Blob:
        """The file as a model card judges it; its key is the file's name."""
        return Blob(
            key=self.file,
            sha256=self.sha256,
            bytes=self.bytes,
            media_type=self.media_type,
            width=self.width,
            height=self.height,
            seconds=self.seconds,
        )


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
    audio: bool | None = True
    """None where the model leaves no choice; it then has sound."""
    inputs: tuple[TaskInput, ...] = ()
    source: str | None = None
    """The sandbox's own video it was made from; a copy lies among the inputs."""
    faults: Faults = Faults()
    tags: dict[str, str] = {}
    user: str | None = None
    client_reference: str | None = None
    idempotency_key: str | None = None
    mode: Mode | None = None
    """None where no model card said it."""
    warnings: tuple[RequestWarning, ...] = ()
    ratio: str | None = None
    tier: str | None = None
    options: dict[str, Any] = {}
    response_format: Literal["url", "b64_json"] = "url"
    callback_url: str | None = None
    callback_dialect: str = ""
    key_mark: str = ""
    """Which key ordered it, as `SandboxBackend` marks keys; for vendors that sign their calls with it."""
    origin: str = ""
    """Where the sandbox was reached when the video was ordered; links in callbacks are built from it."""
    told: Status | None = None
    """What the callback address was told last."""
    expires_at: float = 0.0
    outputs: tuple[TaskOutput, ...] = ()
    """Filled in when the files are there."""
    rendered_at: float | None = None
    cancelled_at: float | None = None
    mishap: Failure | None = None
    """Why rendering failed, when it did."""

    @property
    def begins_at(self) -> float:
        """When the make-believe model begins."""
        return self.created_at + self.render_seconds * _QUEUED_SHARE

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


def needs_no_file(task: Task) -> bool:
    """Tell whether no file will ever be needed."""
    return task.faults.fail is not None or task.faults.stuck or task.faults.result == "missing"


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
    if not task.outputs and not needs_no_file(task):
        return Seen(status=Status.IN_PROGRESS, progress=_ALMOST_DONE)
    return Seen(status=Status.COMPLETED, progress=100, completed_at=max(task.due_at, task.rendered_at or 0.0))


def passed(seen: Seen) -> tuple[Seen, ...]:
    """Return what was shown before, and this: whoever looks at every change sees no state left out."""
    if seen.status is Status.QUEUED:
        return (seen,)
    before = (Seen(status=Status.QUEUED), Seen(status=Status.IN_PROGRESS))
    return (before[0], seen) if seen.status is Status.IN_PROGRESS else (*before, seen)


def show(
    task: Task, now: float, *, seen: Seen | None = None, link: LinkTo | None = None, replayed: bool = False
) -> Video:
    """Return the video as a caller may see it: now, or in the state that is given. `link` gives its files addresses."""
    seen = seen or look(task, now)
    finished = seen.status is Status.COMPLETED
    return Video(
        id=task.id,
        model=task.model,
        status=seen.status,
        progress=seen.progress,
        created_at=task.created_at,
        updated_at=_updated_at(task, seen),
        completed_at=seen.completed_at,
        expires_at=task.expires_at if finished else None,
        prompt=task.prompt,
        mode=mode_of(task),
        seconds=f"{task.seconds:g}",
        width=task.width,
        height=task.height,
        ratio=task.ratio,
        tier=task.tier,
        seed=task.seed,
        fps=task.fps,
        audio=task.audio,
        options=task.options,
        remixed_from_video_id=task.source if task.operation == "remix" else None,
        failure=seen.failure,
        tags=task.tags,
        outputs=tuple(_output(task, index, link) for index in range(len(task.outputs))) if finished else (),
        eta_seconds=None if seen.is_final else max(0.0, task.due_at - now),
        sandbox=True,
        user=task.user,
        client_reference=task.client_reference,
        poll_after_seconds=None if seen.is_final else _pause(task, now),
        replayed=replayed,
    )


def _updated_at(task: Task, seen: Seen) -> float:
    if seen.completed_at is not None:
        return seen.completed_at
    return task.created_at if seen.status is Status.QUEUED else task.begins_at


def _output(task: Task, index: int, link: LinkTo | None) -> Output:
    made = task.outputs[index]
    return Output(
        index=index,
        seconds=task.seconds,
        width=task.width,
        height=task.height,
        fps=float(task.fps),
        bytes=made.bytes,
        sha256=made.sha256,
        has_audio=task.audio is not False,
        url=None if link is None else link(Variant.VIDEO, index),
        last_frame_url=None if link is None else link(Variant.LAST_FRAME, index),
    )


def _pause(task: Task, now: float) -> float:
    """Return when it is worth looking again: soon before its time, and ever later the longer it waits to be rendered."""
    left = task.due_at - now
    if left > 0:
        return min(max(left, _POLL_SECONDS / 5), _POLL_SECONDS)
    return min(max(-left * _LATE_SHARE, _POLL_SECONDS / 5), _POLL_SECONDS * 4)


def mode_of(task: Task) -> Mode:
    """Return what was made from what: as the model card said, else by what was given."""
    if task.mode is not None:
        return task.mode
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
