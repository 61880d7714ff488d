"""The bytes that OpenAI's own Python client sends, read by the dialect; and its view of our answers."""

from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from tests.dialects.server import DialectServer

from reelway.core.errors import Conflict, InvalidRequest, NoRoute, NotFound, RateLimited
from reelway.core.failures import Failure, FailureKind
from reelway.core.lifecycle import Status
from reelway.core.videos import InputReference, MediaKind, Output, Role, Video
from reelway.dialects.spec import Answer, Call, Deleted, DeleteVideo, ListVideos, ReadVideo, VideoPage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
VIDEO = Video(id="video_1", model="sora-2", status=Status.QUEUED, progress=0, created_at=1790000000.0)
OUTPUT = Output(
    index=0, seconds=8.0, width=1280, height=720, fps=24.0, bytes=9, sha256="0", has_audio=True, url="https://x.test/v"
)

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def server(perform: Callable[[Call], Answer] | None = None) -> tuple[DialectServer, openai.OpenAI]:
    """Return a server and the official client in front of it, with its usual retries."""
    playing = DialectServer(perform or (lambda call: VIDEO))
    transport = httpx2.Client(transport=httpx2.MockTransport(playing))
    client = openai.OpenAI(api_key="sk-test", base_url="https://reelway.example.test/v1", http_client=transport)
    return playing, client


def test_text_alone_arrives_as_a_form() -> None:
    """Current clients send multipart even without a file."""
    playing, client = server()
    video = client.videos.create(prompt="a fox", model="sora-2-pro", seconds="8", size="1280x720")

    assert playing.sent[0].headers["content-type"].startswith("multipart/form-data")
    request = playing.request
    assert (request.model, request.prompt, request.seconds) == ("sora-2-pro", "a fox", 8)
    assert (request.width, request.height) == (1280, 720)
    assert (video.id, video.status, video.progress, video.size) == ("video_1", "queued", 0, "auto")


@pytest.mark.parametrize(
    ("given", "filename", "kind"),
    [
        (("stair.png", PNG, "image/png"), "stair.png", MediaKind.IMAGE),
        (("clip.mp4", b"....ftyp", "video/mp4"), "clip.mp4", MediaKind.VIDEO),
        (PNG, "upload", None),
    ],
)
def test_a_file_arrives_as_an_upload(given: Any, filename: str, kind: MediaKind | None) -> None:
    """A tuple keeps its name and type; raw bytes come as `upload` without a usable type."""
    playing, client = server()
    client.videos.create(prompt="p", model="sora-2", input_reference=given)

    (found,) = playing.request.inputs
    assert found.blob is not None
    assert (found.blob.key, found.kind) == (f"staged/{filename}", kind)


def test_extra_fields_arrive_in_brackets() -> None:
    """Lists, nesting, numbers and booleans of `extra_body` come out as they went in."""
    playing, client = server()
    client.videos.create(
        prompt="p",
        model="seedance",
        extra_body={
            "seconds": 8,
            "n": 2,
            "generate_audio": False,
            "nothing": None,
            "images": ["https://a.example.test/1.png", "https://a.example.test/2.png"],
            "metadata": {"a": {"b": 1}, "tags": ["x", "y"]},
            "content": [
                {"type": "text", "text": "in snow"},
                {"type": "image_url", "image_url": {"url": "https://a.example.test/3.png"}, "role": "last_frame"},
                {"type": "video_url", "video_url": {"url": "https://a.example.test/4.mp4"}, "role": "reference_video"},
            ],
        },
    )

    request = playing.request
    assert (request.seconds, request.n, request.audio, request.options) == (8, 2, False, {})
    assert request.prompt == "p\nin snow"
    assert request.metadata == {"a": {"b": "1"}, "tags": ["x", "y"]}
    assert [(given.url, given.role) for given in request.inputs] == [
        ("https://a.example.test/1.png", None),
        ("https://a.example.test/2.png", None),
        ("https://a.example.test/3.png", Role.LAST_FRAME),
        ("https://a.example.test/4.mp4", Role.REFERENCE),
    ]


def test_a_body_forced_to_json_means_the_same() -> None:
    """With a JSON content type the client keeps the object."""
    reference = {"image_url": "https://files.example.test/fox.webp"}
    playing, client = server()
    client.videos.create(
        prompt="p",
        model="sora-2",
        extra_body={"input_reference": reference},
        extra_headers={"Content-Type": "application/json"},
    )
    in_form, other = server()
    other.videos.create(prompt="p", model="sora-2", extra_body={"input_reference": reference})

    expected = InputReference(field="input_reference", kind=MediaKind.IMAGE, url="https://files.example.test/fox.webp")
    assert playing.request == in_form.request
    assert playing.request.inputs == (expected,)


def test_edit_extend_and_remix_name_their_source() -> None:
    """By file through the client's own arguments, by id through `extra_body`, by path for a remix."""
    playing, client = server()
    client.videos.edit(prompt="p", video=("s.mp4", b"x", "video/mp4"), extra_body={"model": "sora-2"})
    assert (playing.request.operation, playing.request.model) == ("edit", "sora-2")
    assert [given.role for given in playing.request.inputs] == [Role.SOURCE]

    playing, client = server()
    by_id: Any = {"video": {"id": "video_0"}, "seconds": "8"}
    client.post("/videos/extensions", body={"prompt": "p", **by_id}, cast_to=object)
    assert (playing.request.operation, playing.request.source_video_id) == ("extend", "video_0")
    assert playing.request.seconds == 8

    playing, client = server()
    client.videos.remix("video_0", prompt="at night")
    assert (playing.request.operation, playing.request.source_video_id) == ("remix", "video_0")
    assert playing.request.prompt == "at night"


def test_polling_ends_with_the_finished_video() -> None:
    """The client takes its pause from our header and stops at a final word."""
    looks = iter([VIDEO, VIDEO.evolve(status=Status.IN_PROGRESS, progress=41)])

    def perform(call: Call) -> Answer:
        done = VIDEO.evolve(status=Status.COMPLETED, progress=100, completed_at=1790000171.0, outputs=(OUTPUT,))
        return next(looks, done).evolve(poll_after_seconds=0.001)

    playing, client = server(perform)
    video = client.videos.create_and_poll(prompt="p", model="sora-2")

    assert (video.status, video.progress, video.completed_at, video.error) == ("completed", 100, 1790000171, None)
    assert isinstance(playing.calls[-1], ReadVideo)


def test_a_failed_video_is_a_value_to_the_client() -> None:
    """`error` has the code and message it expects."""
    failure = Failure(kind=FailureKind.CONTENT_POLICY, message="The prompt was refused.")
    _, client = server(lambda call: VIDEO.evolve(status=Status.FAILED, failure=failure))
    video = client.videos.retrieve("video_1")

    assert video.error is not None
    assert (video.status, video.error.code, video.error.message) == (
        "failed",
        "content_policy",
        "The prompt was refused.",
    )


def test_the_pager_follows_the_list_to_its_end() -> None:
    """`has_more` and `last_id` are what it goes by."""

    def perform(call: Call) -> Answer:
        assert isinstance(call, ListVideos)
        first = 0 if call.after is None else int(call.after.removeprefix("video_")) + 1
        videos = tuple(VIDEO.evolve(id=f"video_{number}") for number in range(first, min(first + call.limit, 5)))
        return VideoPage(videos=videos, has_more=first + call.limit < 5)

    playing, client = server(perform)

    assert [video.id for video in client.videos.list(limit=2, order="desc")] == [f"video_{n}" for n in range(5)]
    assert len(playing.calls) == 3


def test_a_deletion_is_confirmed() -> None:
    """In the words of OpenAI's API."""
    playing, client = server(lambda call: Deleted(id="video_1"))
    deleted = client.videos.delete("video_1")

    assert (deleted.id, deleted.deleted, deleted.object) == ("video_1", True, "video.deleted")
    assert playing.calls == [DeleteVideo(id="video_1")]


@pytest.mark.parametrize(
    ("error", "expected", "requests"),
    [
        (InvalidRequest("no", param="seconds"), openai.BadRequestError, 1),
        (NotFound("no"), openai.NotFoundError, 1),
        (Conflict("no"), openai.ConflictError, 1),
        (RateLimited("no", retry_after_seconds=0.001), openai.RateLimitError, 3),
        (NoRoute("no", retry_after_seconds=0.001), openai.InternalServerError, 3),
    ],
)
def test_errors_are_the_clients_own_exceptions(
    error: Exception, expected: type[openai.APIStatusError], requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot get better is sent once, although the client would repeat a conflict by itself."""
    monkeypatch.setattr(openai.OpenAI, "_sleep_for_retry", lambda *args, **kwargs: None)

    def perform(call: Call) -> Answer:
        raise error

    playing, client = server(perform)
    with pytest.raises(expected) as caught:
        client.videos.create(prompt="p", model="sora-2")

    assert len(playing.sent) == requests
    assert caught.value.request_id == "req_1"
    assert caught.value.code == getattr(error, "code", None)
