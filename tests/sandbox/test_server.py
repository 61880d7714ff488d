"""The sandbox as a process of its own, with the official client in front of it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from reelway.core.errors import GatewayError
from reelway.media.probe import read_video_facts
from reelway.sandbox.server import run_sandbox

pytestmark = pytest.mark.acceptance

_PROGRAM = """
import sys
from pathlib import Path
from reelway.sandbox.server import run_sandbox
from reelway.sandbox.app import SandboxSettings

run_sandbox(
    "127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]),
    keys=frozenset({"sk-test"}),
    settings=SandboxSettings(pace=float(sys.argv[3]), draft=True),
    ready=lambda: print("ready", flush=True),
)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def sandbox(folder: Path, port: int, pace: float = 0.0) -> Iterator[subprocess.Popen[str]]:
    """Run a sandbox until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(port), str(folder), str(pace)], stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.terminate()
            process.wait(20)


def client(port: int, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", base_url=f"http://127.0.0.1:{port}/v1", **options)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_official_client_gets_a_video(tmp_path: Path) -> None:
    """Create, poll, download and delete work unmodified; the process ends cleanly when told to."""
    port = free_port()
    with sandbox(tmp_path / "sandbox", port) as process, client(port) as videos:
        video = videos.videos.create_and_poll(
            model="sora-2", prompt="a fox in snow", seconds="4", size="1280x720", poll_interval_ms=50
        )
        assert video.status == "completed"
        path = tmp_path / "fox.mp4"
        videos.videos.download_content(video.id).write_to_file(path)
        facts = read_video_facts(path)
        assert (facts.seconds, facts.width, facts.height) == (4.0, 1280, 720)
        assert videos.videos.delete(video.id).deleted
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_killed_sandbox_goes_on(tmp_path: Path) -> None:
    """SIGKILL in the middle of the work: the next process shows the same video and finishes it."""
    port, folder = free_port(), tmp_path / "sandbox"
    with sandbox(folder, port, pace=0.5) as process, client(port) as videos:
        video = videos.videos.create(model="sora-2", prompt="a fox", seconds="4", size="1280x720")
        os.kill(process.pid, signal.SIGKILL)
    with sandbox(folder, port, pace=0.5), client(port) as videos:
        shown = videos.videos.poll(video.id, poll_interval_ms=50)
        assert (shown.id, shown.status, shown.prompt) == (video.id, "completed", "a fox")


async def test_lost_answer_is_a_broken_connection(tmp_path: Path) -> None:
    """On the wire a lost answer is an answer that never ends well, and the video is there all the same."""
    port = free_port()
    headers = {"Authorization": "Bearer sk-test"}
    address = f"http://127.0.0.1:{port}/v1/videos"
    with sandbox(tmp_path / "sandbox", port):
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as session:
            body = {"model": "m", "prompt": "x [[submit:lost_answer]] [[progress:stuck]]"}
            with pytest.raises(aiohttp.ClientError):
                async with session.post(address, json=body) as answer:
                    await answer.read()
            async with session.get(address) as answer:
                assert len((await answer.json())["data"]) == 1


async def test_cut_download_is_a_broken_connection(tmp_path: Path) -> None:
    """On the wire a cut download ends before its announced length."""
    port = free_port()
    headers = {"Authorization": "Bearer sk-test"}
    address = f"http://127.0.0.1:{port}/v1/videos"
    with sandbox(tmp_path / "sandbox", port):
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=20)) as session:
            body = {"model": "m", "prompt": "x [[result:cut]]", "seconds": 1, "size": "320x180"}
            async with session.post(address, json=body) as answer:
                video = f"{address}/{(await answer.json())['id']}"
            async with session.get(f"{video}?wait=20") as answer:
                assert (await answer.json())["status"] == "completed"
            with pytest.raises(aiohttp.ClientPayloadError):
                async with session.get(f"{video}/content") as answer:
                    await answer.read()
            async with session.get(f"{video}/content") as answer:
                assert len(await answer.read()) == int(answer.headers["Content-Length"])


def test_taken_port_is_named(tmp_path: Path) -> None:
    """A port in use is refused before anything starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(GatewayError, match="Choose another port"):
            run_sandbox("127.0.0.1", taken.getsockname()[1], tmp_path)
