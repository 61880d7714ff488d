"""Real processes: a server for the length of a command, and what is left when it ends."""

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.cli.fake_server import FakeServer, Reply, video

from reelway.cli.client import Client
from reelway.cli.embedded import connect, embedded_server
from reelway.cli.exits import CommandFailed, Exit
from reelway.cli.running import running_server

pytestmark = pytest.mark.acceptance

COMMAND = [sys.executable, "-m", "reelway.cli.main"]


@pytest.fixture(autouse=True)
def _quick_sandbox(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("REELWAY_SANDBOX", "on")
    monkeypatch.setenv("REELWAY_SANDBOX_RENDER_SECONDS", "0")
    monkeypatch.setenv("REELWAY_POLL_SHORTEST_SECONDS", "0.1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


def test_a_command_needs_no_server(run: Run, home: Path) -> None:
    """`create` starts one, uses it, and ends it; the next command finds what the last one made."""
    made = run("create", "a fox", "-s", "4", "--size", "1280x720", "-o", "fox.mp4")

    assert made.code == 0, made.err
    assert Path("fox.mp4").read_bytes()[4:8] == b"ftyp"
    assert running_server(home) is None
    listed = json.loads(run("videos", "list", "--json").out)["data"]
    assert [one["id"] for one in listed] == [made.out.strip()]
    assert listed[0]["metadata"]["sandbox"] is True


def test_the_server_ends_with_the_command(home: Path) -> None:
    """Gracefully, and its notice is taken away."""
    with embedded_server(home) as server:
        assert Client(server.address, server.key).models()["object"] == "list"
        found = running_server(home)
        assert found is not None
        assert (found.address, found.process_id, found.embedded) == (server.address, server.process_id, True)
        assert (home / "server.json").stat().st_mode & 0o077 == 0

    assert running_server(home) is None
    with pytest.raises(ProcessLookupError):
        os.kill(server.process_id, 0)


def test_the_server_ends_when_the_command_is_killed(home: Path) -> None:
    """The end of its standard input closes, however its parent died."""
    with _serve(home, "--stop-with-parent") as server:
        server.stdin.close()

        assert server.wait(20) == 0
    assert running_server(home) is None


def test_a_running_server_is_used(home: Path) -> None:
    """With one of its keys; without any, the message says how to get one."""
    with _serve(home):
        running = running_server(home)
        assert running is not None
        with connect(None, "sk-mine", home, quiet=True) as client:
            assert client.address == running.address
            assert client.list({})["data"] == []
        without_key = connect(None, None, home, quiet=True)
        with pytest.raises(CommandFailed, match="reelway keys create"):
            without_key.__enter__()


def test_two_commands_do_not_share_an_embedded_server(home: Path) -> None:
    """It could end under the second one's feet."""
    with embedded_server(home):
        second = connect(None, "sk-mine", home, quiet=True)
        with pytest.raises(CommandFailed, match="wait until it is done") as failed:
            second.__enter__()

    assert failed.value.exit_code is Exit.MACHINE


def test_a_server_that_cannot_start_says_why(run: Run, home: Path) -> None:
    """Its last words reach the person, with its exit code and without a traceback."""
    home.mkdir()
    (home / "reelway.db").write_bytes(b"this is not a database" * 1000)

    result = run("videos", "list")

    assert result.code == 7
    assert "reelway.db" in result.err
    assert "Traceback" not in result.err


def test_a_data_folder_that_cannot_be_made_is_told(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a file is in its place."""
    home.write_bytes(b"")

    result = run("videos", "list")

    assert result.code == 7
    assert str(home) in result.err


def test_ctrl_c_ends_with_130(server: FakeServer) -> None:
    """And leaves nothing behind but the message how to go on."""
    server.on("GET", "/v1/videos/video_01", Reply(body=video("queued")))
    arguments = ["videos", "wait", "video_01", "--url", server.address, "--key", "k"]
    # A gate that runs in the background hands an ignored Ctrl-C down to everything it starts.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed,
    ) as waiting:
        try:
            assert waiting.stderr is not None
            assert "waiting" in waiting.stderr.readline()
            waiting.send_signal(signal.SIGINT)

            assert waiting.wait(20) == 130
        finally:
            waiting.kill()


def test_the_demo_leaves_a_video(run: Run, home: Path) -> None:
    """Whatever is configured on this machine, it is the sandbox that makes it."""
    result = run("demo", "--seconds", "4", "--size", "1280x720")

    assert result.code == 0, result.err
    assert "Saved demo.mp4: 1280x720, 4.0 s" in result.err
    assert Path("demo.mp4").read_bytes()[4:8] == b"ftyp"
    assert not home.exists(), "the demo has a data folder of its own"
    assert run("demo").code == 2


class _Serving:
    """`reelway serve` in a child process, ready."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self._command = [*COMMAND, "serve", "--port", str(_free_port()), "--data-dir", str(home), *arguments]

    def __enter__(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "REELWAY_API_KEY": "sk-mine"}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._process.stdout is not None
        assert "listens on" in self._process.stdout.readline()
        return self._process

    def __exit__(self, *reason: object) -> None:
        with self._process:  # closes the pipes and waits
            self._process.terminate()


def _serve(home: Path, *arguments: str) -> _Serving:
    return _Serving(home, *arguments)


def _free_port() -> int:
    from reelway.cli.embedded import free_port

    return free_port()
