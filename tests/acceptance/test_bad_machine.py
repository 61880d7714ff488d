"""When the machine is at fault: a full disk, a port in use, a data folder that cannot be used.

Nothing that was accepted is lost, and a line says what to do.
"""

import ctypes
import resource
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.films import picture, probe
from tests.acceptance.processes import PROGRAM, Gateway, Sandbox, free_port
from tests.acceptance.wire import File, as_multipart

pytestmark = pytest.mark.acceptance

MACHINE = 7
"""The exit code for everything that is about this machine."""

REQUEST = {"model": "sora-2", "prompt": "A fox", "seconds": 4, "size": "1280x720"}
DISK_BYTES = 4_000_000
LEFT_BYTES = 40_000
_DETACH = 2
_LIBC = ctypes.CDLL(None, use_errno=True)


class SmallDisk:
    """A disk of a few megabytes that can be filled up and freed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave a little less room than a video needs."""
        with self._ballast.open("wb") as file:
            file.write(bytes(max(0, DISK_BYTES - self._used() - LEFT_BYTES)))

    def free(self) -> None:
        self._ballast.unlink()

    def _used(self) -> int:
        return sum(path.stat().st_size + 4096 for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount one, where this user may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES}".encode()
    if _LIBC.mount(b"reelway-test", str(folder).encode(), b"tmpfs", 0, options) != 0:
        pytest.skip("this user may not mount a small disk; a limit on file sizes stands in for it in another test")
    yield SmallDisk(folder)
    assert _LIBC.umount2(str(folder).encode(), _DETACH) == 0


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


def test_a_video_waits_for_room_on_the_disk_of_the_files(
    tmp_path: Path, small_disk: SmallDisk, sandbox: Sandbox
) -> None:
    """What was rendered was paid for: while its file does not fit it is tried again, and completed when there is room."""
    before = len(sandbox.creates())
    assets = {"REELWAY_ASSETS_URL": (small_disk.folder / "assets").as_uri()}
    with Gateway(tmp_path / "data", sandbox=sandbox, environment=assets) as gateway:
        small_disk.fill()
        video = gateway.create(**REQUEST)
        assert "the disk is full: make room" in gateway.wait_for("storage_failed")
        gateway.wait_for("storage_failed")
        waiting = gateway.ask("GET", f"/v1/videos/{video['id']}").json
        assert (waiting["status"], waiting["error"]) == ("in_progress", None)
        assert waiting["progress"] < 100

        body, headers = as_multipart(
            [
                ("model", "sora-2"),
                ("prompt", "x"),
                ("input_reference", File(picture(1280, 720) * 40, "image/png", "a.png")),
            ]
        )
        refused = gateway.ask("POST", "/v1/videos", data=body, headers=headers)
        assert (refused.status, refused.json["error"]["code"]) == (503, "storage_failed")
        assert int(refused.headers["retry-after"]) > 0

        small_disk.free()
        assert_whole(gateway, video["id"])
        assert not [path for path in (small_disk.folder / "assets" / ".scratch").rglob("*") if path.is_file()]
        assert len(gateway.ask("GET", "/v1/videos").json["data"]) == 1
    assert len(sandbox.creates()) - before == 1


def test_a_video_waits_for_room_on_the_disk_of_everything(small_disk: SmallDisk, sandbox: Sandbox) -> None:
    """Records and files on one full disk: creates are refused with 503, what was accepted goes on when there is room."""
    before = len(sandbox.creates())
    with Gateway(small_disk.folder / "data", sandbox=sandbox) as gateway:
        video = gateway.create(**{**REQUEST, "prompt": "A fox [[delay:2]]"})
        gateway.wait_for_status(
            video["id"], "in_progress"
        )  # what is left of the disk is for its result, not for its submit
        small_disk.fill()
        gateway.wait_for("storage_failed")
        assert gateway.ask("GET", f"/v1/videos/{video['id']}").json["status"] in {"queued", "in_progress"}
        refused = None
        for number in range(200):  # until the last page is used up
            answer = gateway.ask("POST", "/v1/videos", body={**REQUEST, "prompt": f"{number} [[progress:stuck]]" * 500})
            if answer.status != 200:
                refused = answer
                break
        assert refused is not None
        assert (refused.status, refused.json["error"]["code"]) == (503, "storage_failed")
        small_disk.free()
        assert_whole(gateway, video["id"])
    assert len([seen for seen in sandbox.creates()[before:] if "delay" in seen["prompt"]]) == 1


def test_a_video_waits_while_its_file_may_not_grow(tmp_path: Path) -> None:
    """The same without a small disk: the process may write no large file, until its limit is raised again."""
    environment = {"REELWAY_SANDBOX_DRAFT": "false"}
    with Gateway(tmp_path, environment=environment) as gateway:
        gateway.finished(gateway.create(**{**REQUEST, "model": "viduq3-turbo", "seconds": 1, "size": None})["id"])
        number = gateway.process.pid
        _, most = resource.prlimit(number, resource.RLIMIT_FSIZE)
        resource.prlimit(number, resource.RLIMIT_FSIZE, (1_000_000, most))
        video = gateway.create(**{**REQUEST, "size": "1920x1080", "model": "veo3.1", "seconds": 8})
        assert "the file grew beyond the limit" in gateway.wait_for("storage_failed")
        assert gateway.ask("GET", f"/v1/videos/{video['id']}").json["status"] == "in_progress"
        resource.prlimit(number, resource.RLIMIT_FSIZE, (most, most))
        assert_whole(gateway, video["id"])


def assert_whole(gateway: Gateway, video_id: str) -> None:
    """The video is completed, its file plays, and it cost what was set aside."""
    video = gateway.finished(video_id)
    assert video["status"] == "completed", video["error"]
    content = gateway.ask("GET", f"/v1/videos/{video_id}/content").body
    assert len(content) == video["outputs"][0]["bytes"]
    assert probe(content).seconds == video["outputs"][0]["seconds"]
    assert video["cost"]["settled"] == video["cost"]["reserved"]


# --- starting


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that cannot start, to its end."""
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin"}
    )


def assert_one_line(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended for reasons of the machine, and one line says which and what to do."""
    assert ended.returncode == MACHINE, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize("command", ["serve", "sandbox"])
def test_a_port_in_use(command: str, tmp_path: Path) -> None:
    """Told at once, before anything is kept in a data folder."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        began = time.monotonic()
        ended = start(command, "--port", port, "--data-dir", str(tmp_path / "data"))
    assert_one_line(ended, f"127.0.0.1:{port}", "--port")
    assert not list((tmp_path / "data").glob("*"))
    assert time.monotonic() - began < 10


def test_a_file_where_the_data_folder_should_be(tmp_path: Path) -> None:
    """Named, and left as it is."""
    place = tmp_path / "data"
    place.write_text("my novel")
    assert_one_line(
        start("serve", "--port", str(free_port()), "--data-dir", str(place)), str(place), "REELWAY_DATA_DIR"
    )
    assert place.read_text() == "my novel"


@pytest.mark.parametrize("name", ["assets", "reelway.db", "reelway.lock"])
def test_something_else_in_the_data_folder(name: str, tmp_path: Path) -> None:
    """A file where the assets should be, or a folder where the database should be."""
    if name == "assets":
        (tmp_path / name).write_text("my novel")
    else:
        (tmp_path / name).mkdir()
    assert_one_line(start("serve", "--port", str(free_port()), "--data-dir", str(tmp_path)), str(tmp_path / name))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is never overwritten."""
    (tmp_path / "reelway.db").write_text("my novel" * 1000)
    ended = start("serve", "--port", str(free_port()), "--data-dir", str(tmp_path))
    assert_one_line(ended, "reelway.db")
    assert (tmp_path / "reelway.db").read_text() == "my novel" * 1000


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    """Refused with what to do, and nothing in it is changed."""
    Gateway(tmp_path).stop()
    with sqlite3.connect(tmp_path / "reelway.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0999'")
    database.close()
    ended = start("serve", "--port", str(free_port()), "--data-dir", str(tmp_path))
    assert_one_line(ended, "reelway.db", "newer version", "0999")


def test_another_server_on_the_same_data_folder(tmp_path: Path) -> None:
    """The second one is refused, the first one does not notice."""
    with Gateway(tmp_path) as gateway:
        ended = start("serve", "--port", str(free_port()), "--data-dir", str(tmp_path))
        assert_one_line(ended, str(tmp_path), "another server", "REELWAY_DATA_DIR")
        assert gateway.ask("GET", "/readyz", key=None).json["status"] == "ready"
        assert gateway.finished(gateway.create(**REQUEST)["id"])["status"] == "completed"
