"""Files on their way to disk: whole or not at all, and resumed where they broke off."""

import hashlib
from pathlib import Path

import pytest
from tests.cli.fake_server import FakeServer, Reply

from reelway.cli.client import Client, ConnectionBroke
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.saving import check_target, save

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/v1/videos/video_01/content"


def _tail(start: int) -> Reply:
    return Reply(206, CONTENT[start:], {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"})


def _save(server: FakeServer, target: Path, sha256: str | None = SHA256) -> int:
    client = Client(server.address, "sk-test", sleep=lambda seconds: None)
    return save(client, "video_01", target, sha256=sha256, sleep=lambda seconds: None)


def test_a_file_appears_whole(server: FakeServer, tmp_path: Path) -> None:
    """Nothing but the finished file is left."""
    server.on("GET", PATH, Reply(body=CONTENT))

    assert _save(server, tmp_path / "fox.mp4") == len(CONTENT)

    assert (tmp_path / "fox.mp4").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["fox.mp4"]
    assert server.requests[0].query == {"variant": "video", "index": "0"}


def test_a_break_is_resumed_by_range(server: FakeServer, tmp_path: Path) -> None:
    """What arrived is kept and only the rest is asked for."""
    server.on("GET", PATH, Reply(body=CONTENT, cut=1000), _tail(1000))

    _save(server, tmp_path / "fox.mp4")

    assert (tmp_path / "fox.mp4").read_bytes() == CONTENT
    assert server.requests[1].headers["range"] == "bytes=1000-"


def test_a_later_run_goes_on_with_the_part(server: FakeServer, tmp_path: Path) -> None:
    """Bytes of an interrupted command are not fetched twice."""
    (tmp_path / ".fox.mp4.video_01-video-0.part").write_bytes(CONTENT[:4000])
    server.on("GET", PATH, _tail(4000))

    _save(server, tmp_path / "fox.mp4")

    assert (tmp_path / "fox.mp4").read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_server_without_ranges_begins_anew(server: FakeServer, tmp_path: Path) -> None:
    """A full answer to a range request replaces the part."""
    (tmp_path / ".fox.mp4.video_01-video-0.part").write_bytes(b"old")
    server.on("GET", PATH, Reply(body=CONTENT))

    _save(server, tmp_path / "fox.mp4")

    assert (tmp_path / "fox.mp4").read_bytes() == CONTENT


def test_a_part_the_server_refuses_is_thrown_away(server: FakeServer, tmp_path: Path) -> None:
    """A part longer than the file cannot be its beginning."""
    (tmp_path / ".fox.mp4.video_01-video-0.part").write_bytes(CONTENT * 2)
    server.on("GET", PATH, Reply(416, {"error": {"message": "beyond the end"}}), Reply(body=CONTENT))

    _save(server, tmp_path / "fox.mp4")

    assert (tmp_path / "fox.mp4").read_bytes() == CONTENT


def test_wrong_bytes_never_get_the_name(server: FakeServer, tmp_path: Path) -> None:
    """The checksum the server measured decides."""
    server.on("GET", PATH, Reply(body=CONTENT[::-1]))

    with pytest.raises(CommandFailed, match="differs") as failed:
        _save(server, tmp_path / "fox.mp4")

    assert failed.value.exit_code is Exit.FAILED
    assert list(tmp_path.iterdir()) == []


def test_endless_breaks_end(server: FakeServer, tmp_path: Path) -> None:
    """Breaks that bring nothing are given up after a few, and the part is kept for later."""
    server.on(
        "GET",
        PATH,
        Reply(body=CONTENT, cut=500),
        *[Reply(206, b"", {"Content-Range": f"bytes 500-{len(CONTENT) - 1}/{len(CONTENT)}", "Content-Length": "9"})],
    )

    with pytest.raises(ConnectionBroke):
        _save(server, tmp_path / "fox.mp4")

    assert (tmp_path / ".fox.mp4.video_01-video-0.part").read_bytes() == CONTENT[:500]


def test_a_disk_that_cannot_be_written_says_the_video_is_safe(server: FakeServer, tmp_path: Path) -> None:
    """The message says how to fetch it again."""
    server.on("GET", PATH, Reply(body=CONTENT))

    with pytest.raises(CommandFailed, match="reelway videos download video_01") as failed:
        _save(server, tmp_path / "gone" / "fox.mp4")

    assert failed.value.exit_code is Exit.MACHINE


def test_a_target_is_checked_before_anything_is_asked_for(tmp_path: Path) -> None:
    """A file in the way, a folder in its place and a missing folder are told beforehand."""
    (tmp_path / "fox.mp4").write_bytes(b"")

    with pytest.raises(CommandFailed, match="--force"):
        check_target(tmp_path / "fox.mp4", overwrite=False)
    with pytest.raises(CommandFailed, match="is a folder"):
        check_target(tmp_path, overwrite=True)
    with pytest.raises(CommandFailed, match="no such folder"):
        check_target(tmp_path / "gone" / "fox.mp4", overwrite=False)
    check_target(tmp_path / "fox.mp4", overwrite=True)
