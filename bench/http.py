"""Our server against the bare yardstick, in one run on one machine: read the ratios, not the digits.

`python -m bench.http [--seconds 5] [--rounds 3]`. Each server has processor 0 to itself, the load processor 1. Rounds alternate
between the servers, and the medians are compared: requests a second, and the server's processor time for one request, which
says nearly the same and bears other work on the machine. Nginx joins for content where it is installed.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.bare import REQUEST
from bench.load import Figures, form_script, free_port, json_script, measure, range_script

from reelway.assets.folder import FolderAssets
from reelway.core.ids import make_id
from reelway.core.jobs import Job, JobEvent
from reelway.core.lifecycle import State
from reelway.core.videos import Blob, Output, Variant
from reelway.store.spec import Creation
from reelway.store.sqlite import SqliteStore

KEY = "sk-bench"
VIDEO_ID = make_id("video", 1_790_000_000.0, bytes(10))
CONTENT_KEY = f"videos/{VIDEO_ID}/0/video.mp4"
FILE_BYTES = 20_000_000
PIECE_BYTES = 1_000_000
_PLAYERS = 8
"""Connections that load content."""
FIELDS = {
    "model": "sora-2",
    "prompt": "A red fox trots through fresh snow at dawn, its breath in the cold air, long shadows",
    "seconds": "4",
    "size": "1280x720",
    "user": "user-1234",
    "n": "1",
    "response_format": "url",
    "metadata": '{"take":"7","scene":"opening"}',
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reelway-bench-")))
        hole = stack.enter_context(_black_hole())
        video = asyncio.run(seed(folder / "data"))
        shutil.copyfile(folder / "data" / "assets" / CONTENT_KEY, folder / "video.mp4")
        ours, started_seconds = stack.enter_context(_our_server(folder, hole))
        bare = stack.enter_context(_bare_server(folder))
        nginx = stack.enter_context(_nginx(folder)) if shutil.which("nginx") else None
        print(
            f"server ready after {started_seconds:.2f} s; resident memory {ours.resident_bytes() / 1e6:.0f} MB after start\n"
        )
        print(f"{'':28}{'requests/s':^24}{'CPU µs/request':^24}{'goal':>8}")
        print(f"{'':28}{'ours':>8}{'bare':>8}{'ratio':>8}{'ours':>8}{'bare':>8}{'ratio':>8}")
        form, body = form_script(folder, FIELDS), json_script(folder, json.dumps({**FIELDS, "n": 1}))
        pieces = range_script(folder, FILE_BYTES, PIECE_BYTES)
        own, other = f"/v1/videos/{video}", f"/v1/videos/{_first_video(bare.url)}"
        run = _Run(options.seconds, options.rounds, options.connections)
        run.compare("create, form", ours.at("/v1/videos"), bare.at("/v1/videos"), "0.60", form)
        run.compare("create, JSON", ours.at("/v1/videos"), bare.at("/v1/videos"), "0.60", body)
        run.compare("read", ours.at(own), bare.at(other), "0.50")
        run.compare("list of 20", ours.at("/v1/videos"), bare.at("/v1/videos"))
        run = run._replace(connections=_PLAYERS)
        content, name = ours.at(f"{own}/content"), "bare" if nginx is None else "nginx"
        run.compare(f"content 20 MB ({name})", content, (nginx or bare).at(f"{own}/content"), "0.80")
        if nginx is not None:
            run.compare("ranges of 1 MB (nginx)", content, nginx.at(f"{own}/content"), "0.80", pieces)
        print(f"\nresident memory {ours.resident_bytes() / 1e6:.0f} MB after the run; help in {_help_seconds():.2f} s")


class _Target(NamedTuple):
    """A server process, and an address at it."""

    url: str
    pid: int

    def at(self, path: str) -> "_Target":
        """Return another address at the same server."""
        return self._replace(url=self.url + path)

    def resident_bytes(self) -> int:
        """Return the memory the process holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class _Run(NamedTuple):
    """How long and how hard each row is measured."""

    seconds: int
    rounds: int
    connections: int

    def compare(self, label: str, mine: _Target, theirs: _Target, goal: str = "", script: Path | None = None) -> None:
        """Measure both in turn and print a row; ratios above 1 mean that ours is the better."""
        ours: list[Figures] = []
        other: list[Figures] = []
        for _ in range(self.rounds):
            for target, figures in ((mine, ours), (theirs, other)):
                figures.append(
                    measure(
                        target.url,
                        pid=target.pid,
                        key=KEY,
                        seconds=self.seconds,
                        connections=self.connections,
                        script=script,
                    )
                )
        rates = [statistics.median(one.per_second for one in figures) for figures in (ours, other)]
        costs = [statistics.median(one.cpu_microseconds for one in figures) for figures in (ours, other)]
        print(
            f"{label:28}{rates[0]:>8,.0f}{rates[1]:>8,.0f}{rates[0] / rates[1]:>8.2f}"
            f"{costs[0]:>8,.0f}{costs[1]:>8,.0f}{costs[1] / costs[0]:>8.2f}{goal:>8}",
            flush=True,
        )


async def seed(data_dir: Path) -> str:
    """Keep one finished video of 20 MB, and return its id. Random bytes: nothing here decodes them."""
    data_dir.mkdir()
    store, assets = SqliteStore(data_dir / "reelway.db"), FolderAssets(data_dir / "assets")
    await store.open()
    await assets.open()
    async with assets.writer(CONTENT_KEY, limit_bytes=FILE_BYTES) as writer:
        await writer.write(random.randbytes(FILE_BYTES))
        stored = await writer.commit()
    now = time.time()
    blob = Blob(key=stored.key, sha256=stored.sha256, bytes=stored.bytes, media_type="video/mp4")
    output = Output(
        index=0,
        seconds=4.0,
        width=1280,
        height=720,
        fps=24.0,
        bytes=stored.bytes,
        sha256=stored.sha256,
        has_audio=True,
        files={Variant.VIDEO: blob},
    )
    job = Job(
        id=VIDEO_ID,
        tenant="default",
        key_id="bench",
        request=REQUEST.evolve(prompt=FIELDS["prompt"]),
        state=State.COMPLETED,
        created_at=now,
        updated_at=now,
        deadline_at=now,
        due_at=now,
        outputs=(output,),
        progress=100,
        completed_at=now,
        expires_at=now + 86_400,
        settled=400_000,
    )
    await store.create(Creation(job=job, event=JobEvent(seq=1, at=now, state=State.COMPLETED, name="created")))
    await assets.close()
    await store.close()
    return job.id


@contextmanager
def _our_server(folder: Path, hole: int) -> Iterator[tuple[_Target, float]]:
    """Our server, with one account that never answers and takes one video at a time: creates are measured, not renders."""
    data_dir = folder / "data"
    (data_dir / "reelway.toml").write_text(
        f'[[account]]\nname = "hole"\nvendor = "openai_videos"\nservice = "compatible"\nbase_url = "http://127.0.0.1:{hole}/v1"\n'
        "max_in_flight = 1\n"
    )
    port = free_port()
    environment = {**os.environ, "REELWAY_API_KEY": KEY, "REELWAY_LOG_LEVEL": "error"}
    command = [
        str(Path(sys.executable).with_name("reelway")),
        "serve",
        "--port",
        str(port),
        "--data-dir",
        str(data_dir),
    ]
    begun = time.perf_counter()
    with _process(["taskset", "-c", "0", *command], environment) as process:
        _wait_for(f"http://127.0.0.1:{port}/readyz")
        took = time.perf_counter() - begun
        yield _Target(f"http://127.0.0.1:{port}", process.pid), took


@contextmanager
def _bare_server(folder: Path) -> Iterator[_Target]:
    port = free_port()
    command = ["taskset", "-c", "0", sys.executable, "-m", "bench.bare", str(port), str(folder)]
    with _process(command, dict(os.environ)) as process:
        _wait_for(f"http://127.0.0.1:{port}/v1/videos")
        yield _Target(f"http://127.0.0.1:{port}", process.pid)


@contextmanager
def _nginx(folder: Path) -> Iterator[_Target]:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; user root;\n"
        f"events {{}}\nhttp {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; "
        f"location ~ /content$ {{ alias {folder}/video.mp4; }} }} }}\n"
    )
    with _process(["taskset", "-c", "0", "nginx", "-c", str(config)], dict(os.environ)) as process:
        _wait_for(f"http://127.0.0.1:{port}/content")
        yield _Target(f"http://127.0.0.1:{port}", process.pid)


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _black_hole() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield listener.getsockname()[1]


def _wait_for(url: str) -> None:
    for _ in range(1000):
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"nothing answered at {url}")


def _first_video(server: str) -> str:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{server}/v1/videos",
        data=json.dumps({**FIELDS, "n": 1}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        made: dict[str, Any] = json.load(answer)
        return str(made["id"])


def _help_seconds() -> float:
    """Return how long `reelway --help` takes, the best of five."""
    program = str(Path(sys.executable).with_name("reelway"))
    figures = []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL)
        figures.append(time.perf_counter() - begun)
    return min(figures)


if __name__ == "__main__":
    main()
