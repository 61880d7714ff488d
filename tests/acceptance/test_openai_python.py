"""OpenAI's own Python client, unmodified, against a real gateway: every call it has, and what really reached the vendor."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.acceptance.conftest import Official
from tests.acceptance.films import picture, probe
from tests.acceptance.processes import KEY

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")]

PICTURE = picture(1280, 720)
DATA_URI = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
SHORT: dict[str, Any] = {"model": "sora-2", "seconds": "4", "size": "1280x720"}
SOON_MS = 100
PAINTS_NOTHING = "[[fail:vendor_error]]"
"""For videos that nobody will look at."""
OMITTED: Any = openai.omit
"""In place of an argument that the client insists on as a file; `extra_body` has it by id."""
STARTS = {
    "video": (b"ftyp", 4, "video/mp4"),
    "thumbnail": (b"WEBP", 8, "image/webp"),
    "spritesheet": (b"\xff\xd8\xff", 0, "image/jpeg"),
    "last_frame": (b"\x89PNG\r\n", 0, "image/png"),
}
"""How the bytes of each variant begin, where, and what they are called."""


@pytest.fixture(scope="module")
def client(official: Official) -> Iterator[openai.OpenAI]:
    """The client as anybody makes it."""
    with openai.OpenAI(base_url=f"{official.gateway.url}/v1", api_key=KEY) as client:
        yield client


@pytest.fixture
async def async_client(official: Official) -> AsyncIterator[openai.AsyncOpenAI]:
    """The same for asyncio."""
    async with openai.AsyncOpenAI(base_url=f"{official.gateway.url}/v1", api_key=KEY) as client:
        yield client


def extra(video: Any) -> dict[str, Any]:
    """Return the fields that OpenAI's API has not."""
    found: dict[str, Any] = video.model_extra
    return found


# --- create


@pytest.mark.proves("openai_videos", "submit", "check", client="openai (Python)")
def test_text_alone_becomes_a_video(client: openai.OpenAI, official: Official) -> None:
    """`create_and_poll` returns it finished, with every field of OpenAI's own object, and one create reached the vendor."""
    video = client.videos.create_and_poll(prompt="a copper fox on a tin roof", **SHORT)

    assert video.id.startswith("video_")
    assert (video.object, video.model, video.status, video.progress) == ("video", "sora-2", "completed", 100)
    assert (video.seconds, video.size, video.prompt) == ("4", "1280x720", "a copper fox on a tin roof")
    assert video.completed_at is not None
    assert video.expires_at is not None
    assert video.created_at <= video.completed_at < video.expires_at
    assert (video.error, video.remixed_from_video_id) == (None, None)
    assert extra(video)["task_id"] == video.id
    (seen,) = official.seen("a copper fox on a tin roof")
    assert (seen["outcome"], seen["seconds"], seen["size"]) == ("accepted", 4, "1280x720")


def test_the_server_says_when_to_ask_again(client: openai.OpenAI) -> None:
    """The header `poll` goes by is on the answer of the create and of every look, until there is nothing to ask for."""
    created = client.videos.with_raw_response.create(prompt="when [[delay:1]]", **SHORT)
    looked = client.videos.with_raw_response.retrieve(created.parse().id)
    for answer in (created, looked):
        assert 0 < int(answer.headers["openai-poll-after-ms"]) <= 5000
        assert answer.headers["x-request-id"].startswith("req_")
    assert created.headers["x-request-id"] != looked.headers["x-request-id"]
    assert looked.parse().status in ("queued", "in_progress")

    assert client.videos.poll(created.parse().id).status == "completed"
    finished = client.videos.with_raw_response.retrieve(created.parse().id)
    assert "openai-poll-after-ms" not in finished.headers
    assert finished.parse()._request_id == finished.headers["x-request-id"]


def test_a_first_frame_arrives_in_every_way_the_client_has(
    client: openai.OpenAI, official: Official, tmp_path: Path
) -> None:
    """Named, from disk, as bare bytes, as an open file, and by reference in a form and in JSON: the vendor gets these bytes."""
    path = tmp_path / "first.png"
    path.write_bytes(PICTURE)
    reference: dict[str, Any] = {"input_reference": {"image_url": DATA_URI}}
    as_json = {"extra_body": reference, "extra_headers": {"Content-Type": "application/json"}}
    with path.open("rb") as opened:
        ways: dict[str, dict[str, Any]] = {
            "tuple": {"input_reference": ("frame.png", PICTURE, "image/png")},
            "path": {"input_reference": path},
            "bytes": {"input_reference": PICTURE},
            "file": {"input_reference": opened},
            "form": {"extra_body": reference},
            "json": as_json,
        }
        made = {
            way: client.videos.create(prompt=f"a frame as {way} {PAINTS_NOTHING}", **SHORT, **given)
            for way, given in ways.items()
        }
    digest = hashlib.sha256(PICTURE).hexdigest()
    for way, video in made.items():
        assert client.videos.poll(video.id, poll_interval_ms=SOON_MS).status == "failed"
        (seen,) = official.seen(f"a frame as {way} {PAINTS_NOTHING}")
        assert [(given["role"], given["sha256"]) for given in seen["references"]] == [("first_frame", digest)], way


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}], ids=["form", "json"])
def test_every_extra_field_gets_through(client: openai.OpenAI, official: Official, headers: dict[str, str]) -> None:
    """Lists, nesting, numbers and booleans in `extra_body`, as form or as JSON: strictly read, so nothing was left over."""
    prompt = f"two takes, {headers.get('Content-Type', 'form')}"
    video = client.videos.create(
        prompt=prompt,
        model="doubao-seedance-1-5-pro-251215",
        extra_body={
            "duration": 5,
            "resolution": "480p",
            "aspect_ratio": "16:9",
            "seed": 7,
            "n": 2,
            "generate_audio": False,
            "camera_fixed": True,
            "images": [DATA_URI, DATA_URI],
            "parameters": {"watermark": True},
            "metadata": {"order": "17", "tags": ["a", "b"]},
            "user": "ada",
            "response_format": "url",
            "nothing": None,
        },
        extra_headers={"Reelway-Strict": "true", **headers},
    )
    assert extra(video)["warnings"] == []
    finished = client.videos.poll(video.id, poll_interval_ms=SOON_MS)

    assert (finished.status, finished.seconds, finished.size) == ("completed", "5", "864x496")
    assert (extra(finished)["metadata"]["order"], extra(finished)["metadata"]["tags"]) == ("17", '["a", "b"]')
    assert [(output["index"], output["has_audio"]) for output in extra(finished)["outputs"]] == [(0, False), (1, False)]
    takes = official.seen(prompt)
    assert sorted(take["seed"] for take in takes) == [7, 8]
    assert [[given["role"] for given in take["references"]] for take in takes] == [["first_frame", "last_frame"]] * 2
    assert video.id in [listed.id for listed in client.videos.list(extra_query={"user": "ada"})]


# --- list


@pytest.mark.proves("openai_videos", "find", client="openai (Python)")
def test_the_pager_walks_over_all_pages(client: openai.OpenAI) -> None:
    """Five videos in pages of two: each once, in either order; `has_next_page` is honest."""
    mine = {"user": "pages"}
    prompts = [f"page {number} {PAINTS_NOTHING}" for number in range(5)]
    made = [client.videos.create(prompt=prompt, **SHORT, extra_body=mine).id for prompt in prompts]

    assert [video.id for video in client.videos.list(limit=2, extra_query=mine)] == made[::-1]
    assert [video.id for video in client.videos.list(limit=2, order="asc", extra_query=mine)] == made
    page, sizes = client.videos.list(limit=2, extra_query=mine), []
    while page.has_next_page():
        sizes.append(len(page.data))
        page = page.get_next_page()
    assert [*sizes, len(page.data)] == [2, 2, 1]
    assert (page.has_more, page.last_id) == (False, made[0])
    assert [video.id for video in client.videos.list(after=made[1], extra_query=mine).data] == [made[0]]


# --- content


@pytest.mark.parametrize("variant", list(STARTS))
def test_every_variant_is_what_it_is_called(client: openai.OpenAI, official: Official, variant: Any) -> None:
    """The type in the header is the type of the bytes."""
    content = client.videos.download_content(official.source_id, variant=variant)
    start, offset, media_type = STARTS[variant]
    assert content.read()[offset:].startswith(start)
    assert content.response.headers["content-type"] == media_type
    assert int(content.response.headers["content-length"]) == len(content.content)


def test_a_video_is_streamed_to_a_file(client: openai.OpenAI, official: Official, tmp_path: Path) -> None:
    """In pieces, whole, and from the middle; the file plays."""
    streamed, written = tmp_path / "streamed.mp4", tmp_path / "written.mp4"
    with client.videos.with_streaming_response.download_content(official.source_id) as answer:
        answer.stream_to_file(streamed)
    client.videos.download_content(official.source_id).write_to_file(written)
    data = streamed.read_bytes()
    assert data == written.read_bytes()
    film = probe(data)
    assert (film.codec, film.seconds, film.width, film.height) == ("h264", 4.0, 1280, 720)

    half = client.videos.download_content(official.source_id, extra_headers={"Range": f"bytes={len(data) // 2}-"})
    assert half.response.status_code == 206
    assert half.read() == data[len(data) // 2 :]


# --- made from another video


def test_remix_edit_and_extend_make_new_videos(client: openai.OpenAI, official: Official) -> None:
    """By id and from a file; each names its source where it is one of ours, and an extension is as long as both."""
    source = official.source_id
    by_id: Any = {"video": {"id": source}}
    file = ("harbour.mp4", client.videos.download_content(source).read(), "video/mp4")
    made = {
        "remix": client.videos.remix(source, prompt="the same at night"),
        "edit": client.videos.edit(prompt="in watercolour", video=OMITTED, extra_body=by_id),
        "edit of a file": client.videos.edit(prompt="in oil", video=file, extra_body={"model": "sora-2"}),
        "extend": client.videos.extend(prompt="a ship comes in", seconds="4", video=OMITTED, extra_body=by_id),
    }
    finished = {name: client.videos.poll(video.id, poll_interval_ms=SOON_MS) for name, video in made.items()}

    assert {name: video.status for name, video in finished.items()} == dict.fromkeys(made, "completed")
    sources = {name: video.remixed_from_video_id for name, video in finished.items()}
    assert sources == {"remix": source, "edit": source, "edit of a file": None, "extend": source}
    assert {name: video.seconds for name, video in finished.items()} == {
        "remix": "4",
        "edit": "4",
        "edit of a file": "4",
        "extend": "8",
    }
    assert len({video.id for video in made.values()} | {source}) == 5
    operations = {seen["prompt"]: seen["operation"] for seen in official.sandbox.creates()}
    assert [operations[video.prompt] for video in finished.values()] == ["remix", "edit", "edit", "extend"]


# --- end


@pytest.mark.proves("openai_videos", "delete", client="openai (Python)")
def test_a_deleted_video_is_gone(client: openai.OpenAI) -> None:
    """The confirmation is OpenAI's; afterwards there is nothing to read, list or download."""
    video = client.videos.create_and_poll(prompt="soon gone", **SHORT, poll_interval_ms=SOON_MS)
    deleted = client.videos.delete(video.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (video.id, True, "video.deleted")
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(video.id)
    with pytest.raises(openai.APIStatusError) as gone:
        client.videos.download_content(video.id)
    assert (gone.value.status_code, gone.value.code) == (410, "video_deleted")
    assert video.id not in [listed.id for listed in client.videos.list()]


def test_a_failed_video_is_an_answer_and_no_exception(client: openai.OpenAI) -> None:
    """The client gets the reason as a value; its content is a conflict."""
    video = client.videos.create_and_poll(prompt="[[fail:content_policy]]", **SHORT, poll_interval_ms=SOON_MS)
    assert video.status == "failed"
    assert video.error is not None
    assert video.error.code == "content_policy"
    assert len(video.error.message) > 20
    with pytest.raises(openai.ConflictError) as refused:
        client.videos.download_content(video.id)
    assert refused.value.code == "video_failed"


async def test_the_asynchronous_client_does_the_same(async_client: openai.AsyncOpenAI, official: Official) -> None:
    """Several at once: created, polled, listed, downloaded, deleted."""
    body = {"user": "async"}
    videos = await asyncio.gather(
        async_client.videos.create_and_poll(prompt="async text", **SHORT, extra_body=body, poll_interval_ms=SOON_MS),
        async_client.videos.create_and_poll(
            prompt="async file",
            **SHORT,
            input_reference=("frame.png", PICTURE, "image/png"),
            extra_body=body,
            poll_interval_ms=SOON_MS,
        ),
    )
    assert [video.status for video in videos] == ["completed", "completed"]
    listed = [video.id async for video in async_client.videos.list(limit=1, extra_query={"user": "async"})]
    assert sorted(listed) == sorted(video.id for video in videos)
    contents = await asyncio.gather(*(async_client.videos.download_content(video_id) for video_id in listed))
    assert [probe(await content.aread()).seconds for content in contents] == [4.0, 4.0]
    remixed = await async_client.videos.remix(listed[0], prompt="async remix")
    assert (await async_client.videos.retrieve(remixed.id)).remixed_from_video_id == listed[0]
    assert (await async_client.videos.delete(listed[1])).deleted
    with pytest.raises(openai.NotFoundError):
        await async_client.videos.retrieve(listed[1])
