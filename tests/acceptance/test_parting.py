"""Deletion and expiry on real processes: what is left on the disk, in the database and at the vendor is nothing."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.films import picture
from tests.acceptance.processes import KEY, Gateway, Sandbox, ask
from tests.acceptance.wire import File, as_multipart

pytestmark = pytest.mark.acceptance

WORD = "quixotically"
"""In the prompt, and nowhere else in the world."""
FIELDS = [("model", "sora-2"), ("prompt", f"A fox jumps {WORD}"), ("seconds", "4"), ("size", "1280x720")]
FAST = {"REELWAY_LEASE_SECONDS": "1"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


def gateway(folder: Path, sandbox: Sandbox, **environment: str) -> Gateway:
    """Start a gateway whose vendor is to delete its copies."""
    settings = (
        f'[[account]]\nname = "vendor"\nvendor = "openai_videos"\nservice = "compatible"\n'
        f'base_url = "{sandbox.url}/v1"\nkey = "{KEY}"\ndelete_after_collect = true\n'
    )
    return Gateway(folder, settings=settings, environment={**FAST, **environment})


def made(server: Gateway) -> dict[str, Any]:
    """Make a video from an uploaded image."""
    body, headers = as_multipart([*FIELDS, ("input_reference", File(picture(1280, 720), "image/png", "a.png"))])
    answer = server.ask("POST", "/v1/videos", data=body, headers=headers)
    assert answer.status == 200, answer.body
    video = server.finished(answer.json["id"])
    assert video["status"] == "completed"
    return video


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "assets").rglob("*") if path.is_file()]


def at_vendor(sandbox: Sandbox) -> int:
    listed = ask("GET", f"{sandbox.url}/v1/videos").json["data"]
    return sum(WORD in (video.get("prompt") or "") for video in listed)


def test_a_deleted_video_leaves_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    """Not a file, not a word of the prompt in the database, no copy at the vendor; a tombstone answers for it."""
    with gateway(tmp_path, sandbox) as server:
        video = made(server)
        server.wait_for("vendor_copy_deleted")
        assert at_vendor(sandbox) == 0
        assert len(files(tmp_path)) == 5
        assert server.ask("GET", f"/v1/videos/{video['id']}/content").status == 200

        answer = server.ask("DELETE", f"/v1/videos/{video['id']}")
        assert answer.json == {"id": video["id"], "object": "video.deleted", "deleted": True}
        assert files(tmp_path) == []
        assert server.ask("GET", f"/v1/videos/{video['id']}").status == 404
        assert server.ask("GET", f"/v1/videos/{video['id']}/content").json["error"]["code"] == "video_deleted"
        assert server.ask("GET", "/v1/videos").json["data"] == []
    for file in tmp_path.glob("reelway.db*"):
        assert WORD.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("point", ["deleted", "delete_run"])
def test_killed_while_it_deletes(point: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """The caller heard nothing; at the next start there is no video, and soon no file."""
    dying = gateway(tmp_path, sandbox, REELWAY_DIE_AT=point)
    video = made(dying)
    with pytest.raises(ConnectionError):
        dying.ask("DELETE", f"/v1/videos/{video['id']}")
    assert dying.wait() == -9
    with gateway(tmp_path, sandbox) as again:
        assert again.ask("GET", f"/v1/videos/{video['id']}").status == 404
        gone(tmp_path)


@pytest.mark.parametrize("point", ["expired", "expire_run"])
def test_killed_while_it_expires(point: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """The record stays, and says that the files have gone; and they have."""
    dying = gateway(tmp_path, sandbox, REELWAY_DIE_AT=point, REELWAY_RETENTION_DAYS="0.000001")
    video = dying.create(**dict(FIELDS))
    assert dying.wait() == -9
    with gateway(tmp_path, sandbox) as again:
        gone(tmp_path / "assets" / "videos", "*.mp4")
        assert again.ask("GET", f"/v1/videos/{video['id']}/content").json["error"]["code"] == "video_expired"


@pytest.mark.parametrize("point", ["forgotten", "forget_run"])
def test_killed_while_the_vendor_deletes(point: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Asked a second time the vendor has nothing, which is as good."""
    dying = gateway(tmp_path, sandbox, REELWAY_DIE_AT=point)
    dying.create(**dict(FIELDS))
    assert dying.wait() == -9
    with gateway(tmp_path, sandbox) as again:
        again.wait_for("vendor_copy_deleted")
        assert at_vendor(sandbox) == 0
        [video] = again.ask("GET", "/v1/videos").json["data"]
        assert video["status"] == "completed"


def gone(folder: Path, pattern: str = "*.mp4") -> None:
    """Wait until there are no such files."""
    deadline = time.monotonic() + 30
    while list(folder.rglob(pattern)):
        assert time.monotonic() < deadline, list(folder.rglob(pattern))
        time.sleep(0.05)
