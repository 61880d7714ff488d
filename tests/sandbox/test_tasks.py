"""What a task shows follows from its record and the time, nothing else."""

import pytest

from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.sandbox.faults import Faults
from reelway.sandbox.tasks import Task, TaskOutput, look, show

MADE = (TaskOutput(file="video-0.mp4", bytes=10, sha256="00"),)
TASK = Task(
    id="video_sandbox_1",
    holder="sandbox",
    model="veo3.1",
    operation="create",
    prompt="a fox",
    created_at=100.0,
    render_seconds=10.0,
    seconds=8,
    width=1280,
    height=720,
    fps=24,
    seed=1,
    outputs=MADE,
    rendered_at=103.0,
    expires_at=1000.0,
)


@pytest.mark.parametrize(
    ("now", "status", "progress"),
    [
        (99.0, Status.QUEUED, 0),
        (100.0, Status.QUEUED, 0),
        (100.9, Status.QUEUED, 0),
        (101.1, Status.IN_PROGRESS, 10),
        (105.0, Status.IN_PROGRESS, 49),
        (109.99, Status.IN_PROGRESS, 98),
        (110.0, Status.COMPLETED, 100),
        (9e9, Status.COMPLETED, 100),
    ],
)
def test_states_follow_the_time(now: float, status: Status, progress: int) -> None:
    """Queued, then in progress, then completed, whoever looks and however often."""
    seen = look(TASK, now)
    assert (seen.status, seen.progress) == (status, progress)


def test_nothing_is_completed_before_its_file_is_there() -> None:
    """A slow machine shows 99 percent, never a video that cannot be opened."""
    assert look(TASK.evolve(outputs=()), 500).status is Status.IN_PROGRESS
    assert look(TASK.evolve(outputs=()), 500).progress == 99


def test_stuck_video_never_ends() -> None:
    """It stays at 42 percent."""
    stuck = TASK.evolve(faults=Faults(stuck=True))
    assert look(stuck, 101.1).progress == 10
    assert {look(stuck, now).progress for now in (104.3, 110.0, 9e9)} == {42}


def test_failure_comes_after_its_time() -> None:
    """A video that is to fail looks like any other until then."""
    failing = TASK.evolve(faults=Faults(fail=FailureKind.CONTENT_POLICY))
    assert look(failing, 105).status is Status.IN_PROGRESS
    seen = look(failing, 110)
    assert seen.status is Status.FAILED
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.CONTENT_POLICY


def test_cancelled_stays_cancelled() -> None:
    """A cancelled video is failed with that kind, from then on."""
    seen = look(TASK.evolve(cancelled_at=103.0), 9e9)
    assert seen.failure is not None
    assert (seen.status, seen.failure.kind, seen.completed_at) == (Status.FAILED, FailureKind.CANCELLED, 103.0)


def test_mishap_is_shown() -> None:
    """When rendering itself failed, the reason is the video's failure."""
    mishap = Failure(kind=FailureKind.INVALID_REQUEST, message="broken")
    assert look(TASK.evolve(outputs=(), mishap=mishap), 101).failure == mishap


def test_shown_video_says_that_it_is_make_believe() -> None:
    """Every video of the sandbox is marked, finished or not."""
    assert show(TASK, 101).sandbox
    shown = show(TASK, 110)
    assert shown.sandbox
    assert (shown.seconds, shown.size, shown.completed_at, len(shown.outputs)) == ("8", "1280x720", 110.0, 1)


@pytest.mark.parametrize("now", [100.0, 105.0, 109.9])
def test_poll_hint_never_lies_beyond_the_end(now: float) -> None:
    """Whoever follows the hint is not late by more than a moment."""
    hint = show(TASK, now).poll_after_seconds
    assert hint is not None
    assert 0 < hint <= max(0.1, 110 - now)


def test_poll_hint_grows_while_a_video_waits_to_be_rendered() -> None:
    """A hundred videos in a queue are not asked about ten times a second each."""
    waiting = TASK.evolve(outputs=())
    hints = [show(waiting, 110.0 + late).poll_after_seconds for late in (0.0, 2.0, 4.0, 60.0)]
    assert hints == [0.1, 0.5, 1.0, 2.0]
