"""What a task shows follows from its record and the time, nothing else."""

import msgspec
import pytest

from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import Mode, Variant
from reelway.sandbox.faults import Faults
from reelway.sandbox.tasks import Seen, Task, TaskOutput, look, passed, show

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


def test_tasks_of_earlier_versions_are_still_read() -> None:
    """A folder of before there were callbacks, links and model cards shows what it showed."""
    kept = (
        b'{"id":"video_sandbox_1","holder":"sandbox","model":"m","operation":"create","prompt":"x","created_at":1.0,'
        b'"render_seconds":2.0,"seconds":4.0,"width":64,"height":64,"fps":24,"seed":1,"inputs":[{"file":"input-0",'
        b'"kind":"image","role":"first_frame","media_type":"image/png","bytes":1,"sha256":"00"}],"expires_at":9e9}'
    )
    task = msgspec.json.decode(kept, type=Task)
    assert (show(task, 9.0).mode, show(task, 9.0).status) == (Mode.I2V, Status.IN_PROGRESS)


def test_success_can_come_without_a_file() -> None:
    """Completed at its time, with nothing to fetch."""
    missing = TASK.evolve(outputs=(), faults=Faults(result="missing"))
    assert (look(missing, 105).status, look(missing, 110).status) == (Status.IN_PROGRESS, Status.COMPLETED)
    assert show(missing, 110).outputs == ()


@pytest.mark.parametrize(
    ("now", "words"),
    [(100.5, ["queued"]), (105.0, ["queued", "in_progress"]), (110.0, ["queued", "in_progress", "completed"])],
)
def test_no_state_is_left_out_by_whoever_sees_all(now: float, words: list[str]) -> None:
    """What was shown before comes first, in order."""
    assert [step.status.value for step in passed(look(TASK, now))] == words


def test_change_has_its_time() -> None:
    """A video was changed when it was ordered, when it was begun, and when it ended."""
    assert [show(TASK, now).updated_at for now in (100.5, 105.0, 500.0)] == [100.0, 101.0, 110.0]
    waiting = show(TASK, 500.0, seen=Seen(status=Status.QUEUED))
    assert (waiting.updated_at, waiting.outputs) == (100.0, ())


def test_files_get_the_links_they_are_given() -> None:
    """Every output has an address for itself and one for its last frame; without a maker of links, none."""
    (output,) = show(TASK, 110, link=lambda variant, index: f"{variant}/{index}").outputs
    assert (output.url, output.last_frame_url) == (f"{Variant.VIDEO}/0", f"{Variant.LAST_FRAME}/0")
    assert show(TASK, 110).outputs[0].url is None
