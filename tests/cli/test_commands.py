"""`reelway create`, `videos` and `models` against a scripted server: what is sent, printed, written, and returned."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run
from tests.cli.fake_server import FakeServer, Reply, events, parts_of, video

CONTENT = b"an mp4, let us say" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()
READ, CONTENT_PATH = "/v1/videos/video_01", "/v1/videos/video_01/content"


def _output(index: int) -> dict[str, Any]:
    facts = {"seconds": 8.0, "width": 1280, "height": 720, "fps": 24.0, "has_audio": True}
    return {"index": index, "bytes": len(CONTENT), "sha256": SHA256, **facts}


def _makes_a_video(server: FakeServer, takes: int = 1, **more: Any) -> None:
    done = video("completed", 100, outputs=[_output(index) for index in range(takes)], **more)
    server.on("POST", "/v1/videos", Reply(body=video("queued")))
    server.on("GET", READ, Reply(body=video("queued")))
    server.on("GET", "/v1/videos/video_01/events", events(video("in_progress", 50), done))
    server.on("GET", CONTENT_PATH, Reply(body=CONTENT))


@pytest.fixture(autouse=True)
def _use_the_server(server: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELWAY_URL", server.address)
    monkeypatch.setenv("REELWAY_API_KEY", "sk-test")


def test_create_prints_the_id_and_writes_the_file(server: FakeServer, run: Run) -> None:
    """Standard output is the id alone, the story goes to standard error."""
    _makes_a_video(server, warnings=[{"field": "fps", "message": "fps is not used by veo3.1"}])

    result = run("create", "a fox", "-o", "fox.mp4")

    assert (result.code, result.out) == (0, "video_01\n")
    assert Path("fox.mp4").read_bytes() == CONTENT
    assert "rendering (50%)" in result.err
    assert "Saved fox.mp4: 1280x720, 8.0 s" in result.err
    assert "Note: fps is not used by veo3.1" in result.err


def test_create_sends_what_was_asked_for_and_nothing_else(server: FakeServer, run: Run) -> None:
    """Options get types, tags stay text, and what was not given is not sent."""
    _makes_a_video(server)

    words = "create fox -m sora-2 -s 8 --ratio 16:9 --tier 1080p --no-audio --seed 0 --mode t2v --strict"
    run(*words.split(), "--option", "cfg=0.5", "--option", "style=fun", "--meta", "shot=12", "-i", "https://a/b.png")

    [request] = server.seen("POST", "/v1/videos")
    assert json.loads(request.body) == {
        "model": "sora-2",
        "prompt": "fox",
        "seconds": "8",
        "ratio": "16:9",
        "resolution": "1080p",
        "generate_audio": False,
        "seed": 0,
        "mode": "t2v",
        "parameters": {"cfg": 0.5, "style": "fun"},
        "metadata": {"shot": "12"},
        "images": ["https://a/b.png"],
    }
    assert request.headers["reelway-strict"] == "true"
    assert request.headers["idempotency-key"].startswith("cli-")


def test_create_sends_files(server: FakeServer, run: Run) -> None:
    """A picture to begin with and one to end on have names that say so."""
    _makes_a_video(server)
    Path("a.png").write_bytes(b"A")
    Path("b.png").write_bytes(b"B")

    run("create", "fox", "-i", "a.png", "--last-frame", "b.png")

    parts = parts_of(server.seen("POST", "/v1/videos")[0])
    assert [part for part in parts if part[1]] == [("first_frame", "a.png", b"A"), ("last_frame", "b.png", b"B")]


def test_create_without_a_name_uses_the_id(server: FakeServer, run: Run) -> None:
    """Nobody has to think of a name."""
    _makes_a_video(server)

    run("create", "fox")

    assert Path("video_01.mp4").read_bytes() == CONTENT


def test_takes_are_numbered(server: FakeServer, run: Run) -> None:
    """Every take is a file of its own, asked for by its index."""
    _makes_a_video(server, takes=2)

    assert run("create", "fox", "-n", "2", "-o", "fox.mp4").code == 0

    assert sorted(path.name for path in Path().glob("*.mp4")) == ["fox-1.mp4", "fox-2.mp4"]
    assert [request.query["index"] for request in server.seen("GET", CONTENT_PATH)] == ["0", "1"]


def test_create_for_scripts_is_one_object(server: FakeServer, run: Run) -> None:
    """The finished video with its files, and nothing on standard error."""
    _makes_a_video(server)

    result = run("create", "fox", "-o", "fox.mp4", "--json")

    printed = json.loads(result.out)
    assert (printed["id"], printed["status"], printed["files"]) == ("video_01", "completed", ["fox.mp4"])
    assert result.err == ""


def test_a_failed_video_ends_with_one(server: FakeServer, run: Run) -> None:
    """The vendor's reason reaches the person, the code reaches the script."""
    error = {"code": "content_policy", "message": "the prompt was refused"}
    _makes_a_video(server)
    server.on("GET", READ, Reply(body=video("failed", error=error)))

    plain, scripted = run("create", "fox"), run("create", "fox", "--json")

    assert (plain.code, scripted.code) == (1, 1)
    assert "the prompt was refused" in plain.err
    assert json.loads(scripted.out)["error"]["code"] == "content_policy"


def test_a_refused_request_ends_with_two(server: FakeServer, run: Run) -> None:
    """The server's words are passed on."""
    server.on("POST", "/v1/videos", Reply(400, {"error": {"message": "seconds must be one of 4, 6, 8 (got 7)"}}))

    result = run("create", "fox", "-s", "7")

    assert (result.code, result.err) == (2, "Error: seconds must be one of 4, 6, 8 (got 7)\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-o", "there.mp4"], "--force"),
        (["-n", "2", "-o", "take.mp4"], "take-2.mp4"),
        (["-o", "gone/fox.mp4"], "no such folder"),
        (["-i", "gone.png"], "gone.png"),
        (["--option", "cfg"], "name=value"),
        (["--meta", "=1"], "name=value"),
        (["-n", "5"], "--count"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_sent(
    server: FakeServer, run: Run, arguments: list[str], expected: str
) -> None:
    """Nothing is created or charged for a wrong option or a file in the way."""
    Path("there.mp4").write_bytes(b"")
    Path("take-2.mp4").write_bytes(b"")

    result = run("create", "fox", *arguments)

    assert result.code == 2
    assert expected in result.err
    assert server.requests == []


def test_no_wait_leaves_at_once(server: FakeServer, run: Run) -> None:
    """The id is printed and the server does the rest."""
    server.on("POST", "/v1/videos", Reply(body=video("queued")))

    assert run("create", "fox", "--no-wait").out == "video_01\n"
    assert len(server.requests) == 1


def test_no_wait_needs_a_server_that_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server started for the command would take the video with it."""
    monkeypatch.delenv("REELWAY_URL")

    result = run("create", "fox", "--no-wait")

    assert result.code == 2
    assert "REELWAY_URL" in result.err


def test_a_time_limit_ends_with_five(server: FakeServer, run: Run) -> None:
    """And the message says how to go on."""
    _makes_a_video(server)
    server.on("GET", "/v1/videos/video_01/events", Reply(404, {}))

    result = run("create", "fox", "--timeout", "0.1")

    assert result.code == 5
    assert "reelway videos wait video_01" in result.err


def test_without_a_key_nothing_is_tried(run: Run, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where keys come from."""
    monkeypatch.delenv("REELWAY_API_KEY")

    result = run("videos", "list")

    assert result.code == 3
    assert "reelway keys create" in result.err
    assert server.requests == []


def test_list_turns_pages(server: FakeServer, run: Run) -> None:
    """More than a page is fetched by the last id."""
    pages = [
        {
            "data": [video("queued", created_at=1764347090, seconds="8", size="1280x720")],
            "has_more": True,
            "last_id": "a",
        },
        {"data": [video("completed", 100, created_at=1764347090922)], "has_more": False, "last_id": "b"},
    ]
    server.on("GET", "/v1/videos", *[Reply(body=page) for page in pages])

    result = run("videos", "list", "--limit", "150", "--status", "queued")

    assert [line.split()[1] for line in result.out.splitlines()] == ["STATUS", "queued", "completed"]
    assert result.out.count("2025-11-28") == 2, "seconds and milliseconds are told apart"
    assert [request.query for request in server.requests] == [
        {"status": "queued", "limit": "100"},
        {"status": "queued", "limit": "100", "after": "a"},
    ]


def test_get_shows_one_video(server: FakeServer, run: Run) -> None:
    """As lines for people, as an object for scripts."""
    server.on("GET", READ, Reply(body=video("in_progress", 7, error=None)))

    assert "in_progress" in run("videos", "get", "video_01").out
    assert json.loads(run("videos", "get", "video_01", "--json").out)["progress"] == 7


def test_wait_saves_when_a_file_is_named(server: FakeServer, run: Run) -> None:
    """What an interrupted `create` left behind can be picked up."""
    _makes_a_video(server)

    assert run("videos", "wait", "video_01", "-o", "fox.mp4").code == 0
    assert Path("fox.mp4").read_bytes() == CONTENT


def test_download_takes_any_variant(server: FakeServer, run: Run) -> None:
    """Each gets the ending it deserves."""
    server.on("GET", READ, Reply(body=video("completed", 100)))
    server.on("GET", CONTENT_PATH, Reply(body=b"picture"))

    result = run("videos", "download", "video_01", "--variant", "thumbnail", "--index", "1")

    assert result.out == "video_01-1.webp\n"
    assert Path("video_01-1.webp").read_bytes() == b"picture"
    assert run("videos", "download", "video_01", "--variant", "poster").code == 2


def test_cancel_and_delete_say_what_became_of_it(server: FakeServer, run: Run) -> None:
    """Cancelling passes on the server's words."""
    error = {"code": "cancelled", "message": "cancelled; the vendor's cost stands"}
    server.on("POST", "/v1/videos/video_01/cancel", Reply(body=video("failed", error=error)))
    server.on("DELETE", READ, Reply(body={"id": "video_01", "deleted": True}))

    assert "the vendor's cost stands" in run("videos", "cancel", "video_01").out
    assert run("videos", "delete", "video_01").out == "video_01: deleted\n"


def test_models_are_a_table_and_one_model_a_page(server: FakeServer, run: Run) -> None:
    """Lengths are shown short, and everything else comes from the card."""
    mode = {
        "inputs": [{"role": "first_frame", "kind": "image", "min": 1, "max": 1}],
        "seconds": {"values": [3, 4, 5]},
        "resolutions": ["720p"],
        "aspect_ratios": ["16:9"],
    }
    card = {"title": "Veo 3.1", "modes": {"i2v": mode, "edit": {}}, "limits": ["4k: 8 seconds"], "notes": ["Slow."]}
    model = {"id": "veo3.1", "video": card}
    server.on("GET", "/v1/models", Reply(body={"data": [model]}))
    server.on("GET", "/v1/models/veo3.1", Reply(body=model))

    assert run("models").out.splitlines()[1].split() == ["veo3.1", "Veo", "3.1", "i2v,", "edit", "3-5"]
    page = run("models", "veo3.1").out
    assert "1 image (first frame)" in page
    assert "- 4k: 8 seconds" in page
