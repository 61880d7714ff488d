"""Records are values, and survive the way to the disk and back."""

import msgspec
import pytest

from reelway.core.failures import Failure, FailureKind
from reelway.core.jobs import Attempt, Job, JobRoute
from reelway.core.lifecycle import State
from reelway.core.record import Record
from reelway.core.videos import (
    Blob,
    Input,
    MediaKind,
    Mode,
    Output,
    RequestWarning,
    ResolvedRequest,
    Role,
    Variant,
)


class _Pair(Record):
    left: int
    right: dict[str, int] = {}


def _job() -> Job:
    """Return a job with something in every corner."""
    blob = Blob(key="inputs/a", sha256="0" * 64, bytes=3, media_type="image/png", width=1, height=2)
    output = Output(
        index=0, seconds=8.0, width=1280, height=720, fps=24.0, bytes=9, sha256="1" * 64, has_audio=True,
        files={Variant.VIDEO: blob, Variant.THUMBNAIL: blob},
    )  # fmt: skip
    request = ResolvedRequest(
        operation="create",
        model="veo3.1",
        card="veo3.1",
        mode=Mode.I2V,
        prompt="ein Fuchs im Schnee 🦊",
        inputs=(Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, blob=blob),),
        options={"nested": {"list": [1, 2.5, None, "x", True]}},
        tags={"a": "1"},
        warnings=(RequestWarning(field="fps", message="not used"),),
    )
    return Job(
        id="video_1",
        tenant="default",
        key_id="key_1",
        request=request,
        created_at=1.25,
        updated_at=2.5,
        deadline_at=3.75,
        due_at=4.125,
        state=State.COLLECTING,
        version=7,
        owner="node",
        epoch=3,
        route=JobRoute(account="acme", vendor="openai_videos", model="sora-2", sandbox=True),
        operation={"id": "op", "deep": {"a": [1]}},
        attempts=(Attempt(number=1, account="acme", reference="r", callback_secret="s", started_at=1.0, outcome="refused",
                          failure=Failure(kind=FailureKind.RATE_LIMITED, message="later")),),
        outputs=(output,),
        takes=("video_2",),
        tried_accounts=("other",),
    )  # fmt: skip


def test_a_job_survives_the_disk() -> None:
    """Every enum, tuple and nested record comes back as what it was."""
    job = _job()
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


def test_a_record_of_a_newer_version_is_read() -> None:
    """A field nobody here knows is passed over, so that two versions may run side by side during an upgrade."""
    record = msgspec.json.decode(msgspec.json.encode(_job()))
    assert msgspec.json.decode(msgspec.json.encode({**record, "invented_later": 1}), type=Job) == _job()


def test_evolving_makes_another_value() -> None:
    """The first one stays as it was; a name that does not exist is refused."""
    pair = _Pair(left=1)
    assert pair.evolve(left=2) == _Pair(left=2)
    assert pair == _Pair(left=1)
    with pytest.raises(TypeError):
        pair.evolve(middle=3)
    with pytest.raises(AttributeError):
        pair.left = 5


def test_empty_defaults_are_not_shared() -> None:
    """Each record has its own dictionary."""
    one, other = _Pair(left=1), _Pair(left=1)
    one.right["x"] = 1
    assert other.right == {}


def test_records_take_names_not_positions() -> None:
    """A field that is inserted later moves no other."""
    with pytest.raises(TypeError):
        _Pair(1)


def test_a_job_knows_whether_it_is_final_and_its_newest_attempt() -> None:
    """Both follow from what it holds."""
    job = _job()
    assert job.attempt is job.attempts[-1]
    assert job.evolve(attempts=()).attempt is None
    finals = {state for state in State if job.evolve(state=state).is_final}
    assert finals == {State.COMPLETED, State.FAILED, State.CANCELLED}
