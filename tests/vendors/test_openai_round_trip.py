"""What two gateways in a row tell each other beyond what holds for every vendor (`test_round_trip`, `test_states_round_trip`)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dialects.server import route
from tests.vendors.openai_cases import CLIP, IMAGE, REQUEST, STARTED, first_request, play, submission

from reelway.core.errors import (
    NoRoute,
    VendorRefused,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status as VideoStatus
from reelway.core.videos import (
    Cost,
    Input,
    MediaKind,
    Mode,
    Output,
    Role,
    Video,
    VideoRequest,
)
from reelway.dialects.openai_videos import make_dialect
from reelway.dialects.spec import CreateVideo, FormField, Incoming, Outgoing, Upload, VideoPage
from reelway.vendors.openai_videos import ADAPTER
from reelway.vendors.spec import (
    DataUri,
    FilePart,
    HttpRequest,
    HttpResponse,
    Running,
    Status,
    Submission,
    Succeeded,
    VendorFailed,
)


def incoming(request: HttpRequest) -> Incoming:
    """Return an adapter's request as the mounted dialect would see it, below `/v1`."""
    form = tuple(FormField(name=name, value=_value(value)) for name, value in request.form) or None
    return Incoming(
        method=request.method,
        path=f"/v1{request.path}",
        query=request.query,
        headers={name.lower(): value for name, value in request.headers},
        json=request.json,
        form=form,
    )


def _value(value: Any) -> str | Upload:
    if isinstance(value, FilePart):
        return Upload(filename=value.filename, media_type=value.blob.media_type, blob=value.blob)
    if isinstance(value, DataUri):
        return f"data:{value.blob.media_type};base64,AAAA"
    assert isinstance(value, str)
    return value


def read_back(given: Submission) -> VideoRequest:
    arrived = incoming(first_request(ADAPTER.submit(given)))
    endpoint, parameters = route(arrived.method, arrived.path)
    call = endpoint.read(arrived.evolve(path_parameters=parameters))
    assert isinstance(call, CreateVideo)
    return call.request


def response_of(outgoing: Outgoing) -> HttpResponse:
    return HttpResponse(status=outgoing.status, headers=outgoing.headers, body=msgspec.json.encode(outgoing.body))


def test_names_and_tags_and_marks_arrive() -> None:
    """What the other side does not resolve but keeps: whose tags they are, our mark, and the names a prompt speaks of."""
    named = Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, blob=IMAGE, name="ann")
    request = REQUEST.evolve(
        model="veo3.1", card="veo3.1", mode=Mode.R2V, inputs=(named,), options={"seed_hint": 1}, tags={"shot": "3"}
    )
    read = read_back(submission(request, "reelway"))

    assert read.metadata == {"shot": "3", "seed_hint": 1}
    assert read.client_reference == "job_1-1"
    assert [given.name for given in read.inputs] == ["ann"]
    assert (read.options, read.parameters, read.warnings) == ({}, {}, ())


@pytest.mark.parametrize("mode", [Mode.EDIT, Mode.EXTEND, Mode.REMIX])
def test_another_reelway_reads_which_video_to_work_on(mode: Mode) -> None:
    """By its own id where it made the source, else by the bytes."""
    request = REQUEST.evolve(mode=mode, operation=mode.value, options={"cfg_scale": 0.5}, width=None, height=None)
    by_id = read_back(submission(request, "reelway", source={"id": "video_0"}))
    source = Input(kind=MediaKind.VIDEO, role=Role.SOURCE, blob=CLIP)
    by_file = read_back(submission(request.evolve(inputs=(source,)), "reelway"))

    assert (by_id.operation, by_id.source_video_id, by_id.inputs) == (mode.value, "video_0", ())
    assert by_id.metadata == {"cfg_scale": 0.5}
    assert by_id.client_reference == "job_1-1"
    assert by_file.operation == ("edit" if mode is Mode.REMIX else mode.value)
    assert [(given.role, given.blob) for given in by_file.inputs] == [(Role.SOURCE, CLIP)]


OUTPUT = Output(index=0, seconds=8.0, width=1280, height=720, fps=24.0, bytes=1, sha256="0", has_audio=True)
VIDEO = Video(id="video_9", model="veo3.1", status=VideoStatus.QUEUED, progress=0, created_at=STARTED, prompt="a fox")


def _checked(video: Video, timestamps: Any = "s") -> Status:
    endpoint = next(
        e for e in make_dialect(timestamps=timestamps).endpoints if e.path == "/v1/videos/{id}" and e.method == "GET"
    )
    status: Status = play(ADAPTER.check({"id": "video_9", "service": "reelway"}), response_of(endpoint.render(video)))
    return status


@settings(max_examples=100)
@given(
    st.sampled_from([VideoStatus.QUEUED, VideoStatus.IN_PROGRESS]),
    st.integers(0, 99),
    st.floats(0.001, 600),
)
def test_we_understand_another_reelway_while_it_works(status: VideoStatus, progress: int, pause: float) -> None:
    """Progress and pause come through."""
    found = _checked(VIDEO.evolve(status=status, progress=progress, poll_after_seconds=pause))

    assert isinstance(found, Running)
    assert found.progress == (None if status is VideoStatus.QUEUED else progress)
    assert found.poll_after_seconds == pytest.approx(pause, abs=0.001)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_we_fetch_every_output_of_another_reelway(count: int) -> None:
    """One file each, and what it cost."""
    done = VIDEO.evolve(
        status=VideoStatus.COMPLETED,
        outputs=tuple(OUTPUT.evolve(index=index, url="https://x.test/v") for index in range(count)),
        cost=Cost(reserved="0.80", settled="0.40"),
    )
    found = _checked(done)

    assert isinstance(found, Succeeded)
    assert len(found.outputs) == count
    assert all(output.video.authorize for output in found.outputs)
    assert found.usage == {"cost": {"currency": "USD", "settled": "0.40"}}


@pytest.mark.parametrize("kind", list(FailureKind))
def test_failures_of_another_reelway_are_the_same_or_its_own(kind: FailureKind) -> None:
    """What concerns the request means the same here; what concerns its keys and routes is the vendor's failure."""
    found = _checked(VIDEO.evolve(status=VideoStatus.FAILED, failure=Failure(kind=kind, message="It broke.")))
    its_own = {
        FailureKind.AUTHENTICATION,
        FailureKind.PERMISSION,
        FailureKind.MODEL_NOT_FOUND,
        FailureKind.VENDOR_ERROR,
        FailureKind.UNEXPECTED_RESPONSE,
        FailureKind.SUBMISSION_UNKNOWN,
    }
    expected = FailureKind.VENDOR_ERROR if kind in its_own else kind

    assert isinstance(found, VendorFailed)
    assert found.failure.kind is (FailureKind.INSUFFICIENT_QUOTA if kind is FailureKind.BUDGET_EXCEEDED else expected)
    assert found.failure.vendor_code == kind.value


def test_we_find_a_lost_create_at_another_reelway_in_either_unit_of_time() -> None:
    """Its list shows the mark that came with the create."""
    for timestamps in ("s", "ms"):
        listing = next(
            e for e in make_dialect(timestamps=timestamps).endpoints if (e.method, e.path) == ("GET", "/v1/videos")
        )
        page = VideoPage(videos=(VIDEO.evolve(client_reference="job_1-1"),), has_more=False)
        request = REQUEST.evolve(model="veo3.1", card="veo3.1")
        candidates = play(ADAPTER.find(submission(request, "reelway")), response_of(listing.render(page)))

        assert [(candidate.key, candidate.certain) for candidate in candidates] == [("video_9", True)]


def test_a_server_that_has_no_route_made_nothing() -> None:
    """It says so with a 503 of ours, which may be sent again; any other 503 may not."""
    refusal = make_dialect().render_error(NoRoute("no", retry_after_seconds=3), "req_1")
    with pytest.raises(VendorRefused) as caught:
        play(ADAPTER.submit(submission(service="reelway")), response_of(refusal))

    assert caught.value.failure.kind is FailureKind.VENDOR_UNAVAILABLE
    assert caught.value.retry_after_seconds == 3
