"""From our adapter through our dialect and back: two gateways in a row understand each other."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dialects.server import route
from tests.vendors.openai_cases import CLIP, IMAGE, REQUEST, SOUND, STARTED, first_request, play, submission

from reelway.core.errors import (
    BudgetExceeded,
    InvalidRequest,
    NoRoute,
    NotFound,
    RateLimited,
    ReelwayError,
    VendorRefused,
)
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status as VideoStatus
from reelway.core.videos import (
    Cost,
    Input,
    InputReference,
    MediaKind,
    Mode,
    Output,
    ResolvedRequest,
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


URLS = st.integers(0, 99).map(lambda number: f"https://files.example.test/{number}")
SOURCES = st.one_of(URLS.map(lambda url: {"url": url}), st.just({"blob": IMAGE}), st.just({"file_id": "file-1"}))
IMAGES = st.builds(
    lambda role, source, name: Input(kind=MediaKind.IMAGE, role=role, name=name, **source),
    st.just(Role.REFERENCE),
    SOURCES,
    st.sampled_from([None, "ann", "bob"]),
)
REFERENCES = st.lists(IMAGES, min_size=1, max_size=4).map(tuple)
FRAMES = st.tuples(SOURCES, SOURCES).map(
    lambda both: tuple(
        Input(kind=MediaKind.IMAGE, role=role, **source)
        for role, source in zip((Role.FIRST_FRAME, Role.LAST_FRAME), both, strict=True)
    )
)
FIRST = SOURCES.map(lambda source: (Input(kind=MediaKind.IMAGE, role=Role.FIRST_FRAME, **source),))
MIXED = st.just(
    (
        Input(kind=MediaKind.IMAGE, role=Role.REFERENCE, blob=IMAGE),
        Input(kind=MediaKind.VIDEO, role=Role.REFERENCE, blob=CLIP),
        Input(kind=MediaKind.AUDIO, role=Role.REFERENCE, blob=SOUND),
    )
)
WORDS = st.text("abc -äあ🎬\"'&=%+\n", min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
REQUESTS = st.builds(
    lambda inputs, **rest: ResolvedRequest(
        operation="create", model="veo3.1", card="veo3.1", mode=Mode.R2V if inputs else Mode.T2V, inputs=inputs, **rest
    ),
    inputs=st.one_of(st.just(()), FIRST, FRAMES, REFERENCES, MIXED),
    prompt=WORDS,
    seconds=st.sampled_from([None, -1, 4, 8]),
    fps=st.sampled_from([None, 24]),
    seed=st.sampled_from([None, 0, 7]),
    n=st.integers(1, 4),
    audio=st.sampled_from([None, True, False]),
    ratio=st.sampled_from([None, "9:16"]),
    tier=st.sampled_from([None, "720p"]),
    options=st.dictionaries(
        st.sampled_from(["negative_prompt", "cfg_scale"]), st.one_of(WORDS, st.floats(0, 1)), max_size=2
    ),
    tags=st.dictionaries(st.sampled_from(["shot", "scene"]), WORDS, max_size=2),
)


@settings(max_examples=200)
@given(REQUESTS, st.booleans())
def test_another_reelway_reads_what_we_meant(request: ResolvedRequest, sized: bool) -> None:
    """Everything in the request arrives with the same meaning, and nothing is in doubt."""
    if sized:
        request = request.evolve(width=720, height=1280)
    read = read_back(submission(request, "reelway"))

    for name in ("model", "prompt", "seconds", "fps", "seed", "n", "audio", "width", "height"):
        assert getattr(read, name) == getattr(request, name), name
    assert (read.ratio, read.tier) == ((None, None) if sized else (request.ratio, request.tier))
    assert read.metadata == {**request.tags, **request.options}
    assert (read.options, read.parameters, read.warnings) == ({}, {}, ())
    assert read.client_reference == "job_1-1"
    assert [_meaning(given) for given in read.inputs] == [_meaning(given) for given in request.inputs]


def _meaning(given: Input | InputReference) -> tuple[Any, ...]:
    """Return what an input is, as far as both sides say it.

    A lone first frame goes without a role, a vendor's file id says no kind, and the bytes of a named input come as data.
    """
    has_bytes = given.blob is not None or getattr(given, "data", None) is not None
    role = None if given.role is Role.FIRST_FRAME else given.role
    kind = None if given.file_id else given.kind
    return (kind, role, has_bytes, given.url, given.file_id, given.name)


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


def test_errors_of_another_reelway_have_the_right_kind() -> None:
    """Rendered by the dialect, understood by the adapter."""
    cases: list[tuple[Any, FailureKind]] = [
        (InvalidRequest("no"), FailureKind.INVALID_REQUEST),
        (BudgetExceeded("no"), FailureKind.INSUFFICIENT_QUOTA),
        (NotFound("no", code="model_not_found"), FailureKind.MODEL_NOT_FOUND),
        (RateLimited("no", retry_after_seconds=3), FailureKind.RATE_LIMITED),
        (NoRoute("no", retry_after_seconds=3), FailureKind.VENDOR_UNAVAILABLE),
    ]
    for raised, kind in cases:
        with pytest.raises(ReelwayError) as caught:
            play(ADAPTER.submit(submission()), response_of(make_dialect().render_error(raised, "req_1")))
        assert isinstance(caught.value, VendorRefused)
        assert caught.value.failure.kind is kind
