"""Which message a change of a video calls for, and when it is tried again."""

import itertools
import json
from typing import Any

import pytest

from reelway.core.ids import is_id
from reelway.core.jobs import Job
from reelway.core.lifecycle import State, Status
from reelway.core.messages import Message
from reelway.core.videos import Mode, ResolvedRequest
from reelway.webhooks.messages import LIFETIME_SECONDS, message_for, next_try_at

NOW = 1_790_000_000.75
ENTROPY = bytes(range(10))
URL = "https://hooks.example.test/done?token=1"


def ended(state: State, *, url: str | None = URL, **values: Any) -> Job:
    """Return a job in this state."""
    request = ResolvedRequest(
        operation="create", model="sora-2", card="sora-2", mode=Mode.T2V, prompt="a fox", callback_url=url
    )
    fields: dict[str, Any] = {"id": "video_1", "tenant": "acme", "key_id": "key", "request": request, "state": state}
    return Job(created_at=NOW, updated_at=NOW, deadline_at=NOW, due_at=NOW, **fields, **values)


def told(job: Job, *, before: Status | None = Status.IN_PROGRESS) -> Message | None:
    """Return what a caller is told who knew of that status before; a vendor's words are the video's id and state."""
    return message_for(job, NOW, ENTROPY, before=before, words=lambda job: {"task": job.id, "said": str(job.state)})


def abroad(job: Job) -> Job:
    """Return the job of a caller who came through a vendor's dialect."""
    return job.evolve(request=job.request.evolve(callback_dialect="kling"))


def test_the_event_has_the_shape_of_the_openai_videos_api() -> None:
    """Id, object, time in whole seconds, type, and of the video its id alone."""
    message = told(ended(State.COMPLETED))
    assert message is not None
    event = json.loads(message.body)
    assert is_id("evt", event.pop("id"))
    assert event == {
        "object": "event",
        "created_at": 1_790_000_000,
        "type": "video.completed",
        "data": {"id": "video_1"},
    }


def test_a_message_is_due_at_once_and_knows_its_video() -> None:
    """It goes to the address of the request, and its id is one of ours."""
    message = told(ended(State.COMPLETED))
    assert message is not None
    assert is_id("msg", message.id)
    assert (message.video_id, message.tenant, message.type) == ("video_1", "acme", "video.completed")
    assert (message.url, message.created_at, message.due_at, message.tries) == (URL, NOW, NOW, 0)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_what_a_caller_sees_as_failed_is_told_as_failed(state: State) -> None:
    """A cancelled video is a failed one; there is no fifth word."""
    message = told(ended(state))
    assert message is not None
    assert message.type == json.loads(message.body)["type"] == "video.failed"


@pytest.mark.parametrize("state", [state for state in State if not ended(state).is_final])
def test_an_unfinished_video_calls_for_nothing(state: State) -> None:
    """Only an end is told."""
    assert told(ended(state)) is None


def test_nobody_is_told_who_did_not_ask() -> None:
    """Without an address there is no message."""
    assert told(ended(State.COMPLETED, url=None)) is None


@pytest.mark.parametrize(
    ("state", "before", "kind"),
    [
        (State.QUEUED, None, "video.queued"),
        (State.RUNNING, Status.QUEUED, "video.in_progress"),
        (State.COMPLETED, Status.IN_PROGRESS, "video.completed"),
        (State.FAILED, Status.QUEUED, "video.failed"),
        (State.CANCELLED, Status.IN_PROGRESS, "video.failed"),
    ],
)
def test_who_came_through_a_dialect_hears_of_every_status_in_its_words(
    state: State, before: Status | None, kind: str
) -> None:
    """The body is the vendor's, the type is ours, and the number is that of the change."""
    message = told(abroad(ended(state, version=7)), before=before)
    assert message is not None
    assert (message.type, message.seq) == (kind, 7)
    assert json.loads(message.body) == {"task": "video_1", "said": state}


@pytest.mark.parametrize(
    ("state", "before"),
    [
        (State.SUBMITTING, Status.QUEUED),
        (State.QUEUED, Status.QUEUED),
        (State.COLLECTING, Status.IN_PROGRESS),
        (State.COMPLETED, Status.COMPLETED),
    ],
)
def test_what_the_caller_knows_is_not_told_again(state: State, before: Status) -> None:
    """Our inner states are nobody's business."""
    assert told(abroad(ended(state)), before=before) is None


def test_what_the_vendor_would_not_tell_is_not_told() -> None:
    """No words, no message."""
    job = abroad(ended(State.COMPLETED))
    assert message_for(job, NOW, ENTROPY, before=Status.IN_PROGRESS, words=lambda job: None) is None


def test_a_take_is_not_a_video() -> None:
    """Its video tells of all takes together."""
    assert told(ended(State.COMPLETED, parent="video_0", take=1)) is None


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_tries_spread_over_three_days_and_then_end(jitter: float) -> None:
    """Seconds apart at first, then hours; the last one is in the last third of a day, none is later."""
    message = told(ended(State.COMPLETED))
    assert message is not None
    tried: list[float] = []
    due_at: float | None = NOW
    while due_at is not None:
        tried.append(due_at - NOW)
        message = message.evolve(tries=len(tried))
        due_at = next_try_at(message, due_at, jitter)
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert pauses[0] <= 6.0
    assert pauses[:6] == sorted(pauses[:6])
    assert LIFETIME_SECONDS - 8 * 3600 < tried[-1] <= LIFETIME_SECONDS
    assert 14 <= len(tried) <= 20


def test_jitter_spreads_the_tries_of_many_messages() -> None:
    """A receiver that comes back is not hit by all of them in one moment."""
    message = told(ended(State.COMPLETED))
    assert message is not None
    failed = message.evolve(tries=1)
    assert [next_try_at(failed, NOW, jitter) for jitter in (0.0, 0.5, 1.0)] == [NOW + 4.0, NOW + 5.0, NOW + 6.0]
