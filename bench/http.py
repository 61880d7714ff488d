"""Our server against the bare yardstick, in one run on one machine: read the ratios, not the digits.

`python -m bench.http [--seconds 5] [--rounds 3]`. Each server has processor 0 to itself, the load processor 1. Rounds alternate
between the servers, and the medians are compared. Nginx joins for content where it is installed.
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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.bare import REQUEST
from bench.load import form_script, json_script, range_script, requests_per_second

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
        ours, started_seconds, memory = stack.enter_context(_our_server(folder, hole))
        bare = stack.enter_context(_bare_server(folder))
        nginx = stack.enter_context(_nginx(folder)) if shutil.which("nginx") else None
        print(f"server ready after {started_seconds:.2f} s; resident memory {memory() / 1e6:.0f} MB after start\n")
        print(f"{'':24}{'ours/s':>10}{'bare/s':>10}{'ratio':>8}   goal")
        form, body = form_script(folder, FIELDS), json_script(folder, json.dumps({**FIELDS, "n": 1}))
        pieces = range_script(folder, FILE_BYTES, PIECE_BYTES)
        rows: list[tuple[str, str, str, Path | None, str]] = [
            ("create, form", f"{ours}/v1/videos", f"{bare}/v1/videos", form, "0.60"),
            ("create, JSON", f"{ours}/v1/videos", f"{bare}/v1/videos", body, "0.60"),
            ("read", f"{ours}/v1/videos/{video}", f"{bare}/v1/videos/{_first_video(bare)}", None, "0.50"),
            ("list of 20", f"{ours}/v1/videos", f"{bare}/v1/videos", None, ""),
        ]
        other, name = (nginx, "nginx") if nginx else (bare, "bare")
        content = f"{ours}/v1/videos/{video}/content"
        rows += [
            (f"content 20 MB ({name})", content, f"{other}/video.mp4" if nginx else f"{bare}/content", None, "0.80"),
        ]
        if nginx:
            rows.append((f"content, 1 MB ranges ({name})", content, f"{nginx}/video.mp4", pieces, "0.80"))
        for label, mine, theirs, script, goal in rows:
            connections = 8 if "content" in label else options.connections
            _compare(label, mine, theirs, script, goal, options.seconds, options.rounds, connections)
        print(f"\nresident memory {memory() / 1e6:.0f} MB after the run; help in {_help_seconds():.2f} s")


def _compare(
    label: str, mine: str, theirs: str, script: Path | None, goal: str, seconds: int, rounds: int, connections: int
) -> None:
    ours: list[float] = []
    other: list[float] = []
    for _ in range(rounds):
        for url, figures in ((mine, ours), (theirs, other)):
            figures.append(requests_per_second(url, key=KEY, seconds=seconds, connections=connections, script=script))
    a, b = statistics.median(ours), statistics.median(other)
    print(f"{label:28}{a:>6,.0f}{b:>10,.0f}{a / b:>8.2f}   {goal}", flush=True)


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
def _our_server(folder: Path, hole: int) -> Iterator[tuple[str, float, Callable[[], int]]]:
    """Our server, with one account that never answers and takes one video at a time: creates are measured, not renders."""
    data_dir = folder / "data"
    (data_dir / "reelway.toml").write_text(
        f'[[account]]\nname = "hole"\nvendor = "openai_videos"\nservice = "compatible"\nbase_url = "http://127.0.0.1:{hole}/v1"\n'
        "max_in_flight = 1\n"
    )
    port = _free_port()
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
        yield f"http://127.0.0.1:{port}", took, lambda: _resident_bytes(process.pid)


@contextmanager
def _bare_server(folder: Path) -> Iterator[str]:
    port = _free_port()
    command = ["taskset", "-c", "0", sys.executable, "-m", "bench.bare", str(port), str(folder)]
    with _process(command, dict(os.environ)):
        _wait_for(f"http://127.0.0.1:{port}/v1/videos")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _nginx(folder: Path) -> Iterator[str]:
    port = _free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; user root;\n"
        f"events {{}}\nhttp {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    with _process(["taskset", "-c", "0", "nginx", "-c", str(config)], dict(os.environ)):
        _wait_for(f"http://127.0.0.1:{port}/nginx.conf")
        yield f"http://127.0.0.1:{port}"


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


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
