"""Very many videos in flight on one node: memory, lateness of looks, database writes for each look, time to take them up again.

`python -m bench.in_flight [--jobs 100000] [--pause 100] [--seconds 120]`. The node has processor 0 to itself, the vendor, which is
never done, and the callers processor 1. The node is the whole server on a database in which the videos run already; every look is
a request over a real socket. A video waits `--pause` seconds between two looks: jobs / pause is the scheduled rate.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.bare import REQUEST
from bench.load import free_port
from bench.node import KEY

from reelway.core.ids import make_id
from reelway.core.jobs import Attempt, Job, JobEvent, JobRoute
from reelway.core.lifecycle import State
from reelway.store.spec import Creation
from reelway.store.sqlite import SqliteStore

_AT_ONCE = 1000
_PROMPT = "A red fox trots through fresh snow at dawn, its breath in the cold air, long shadows"
_LEASE_COMMITS_A_SECOND = 0.3
"""A node renews its lease three times in ten seconds, however many videos it holds."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--pause", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=200.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelway-bench-") as name:
        folder = Path(name)
        began = time.perf_counter()
        ids = asyncio.run(_seed(folder, options.jobs))
        print(f"{options.jobs:,} running videos written in {time.perf_counter() - began:.1f} s", flush=True)
        with _process("bench.vendor", str(vendor := free_port()), processor=1):
            for run in ("started", "started again"):
                _measure(run, folder, vendor, ids, options.pause, options.seconds)


async def _seed(folder: Path, jobs: int) -> list[str]:
    """Write videos that a vendor works on and no node holds."""
    store = SqliteStore(folder / "reelway.db")
    await store.open()
    now, ids = time.time(), list[str]()
    event = JobEvent(seq=1, at=now, state=State.RUNNING, name="accepted")
    for start in range(0, jobs, _AT_ONCE):
        made = [_running(number, now) for number in range(start, min(start + _AT_ONCE, jobs))]
        await asyncio.gather(*(store.create(Creation(job=job, event=event)) for job in made))
        ids.extend(job.id for job in made)
    await store.close()
    return ids


def _running(number: int, now: float) -> Job:
    task = f"task_{number:07}"
    attempt = Attempt(
        number=1, account="endless", reference=f"{task}-1", callback_secret="0" * 32, started_at=now, outcome="accepted"
    )
    return Job(
        id=make_id("video", now, number.to_bytes(10, "big")),
        tenant="default",
        key_id="bench",
        request=REQUEST.evolve(prompt=_PROMPT, user=f"user-{number % 1000}"),
        state=State.RUNNING,
        created_at=now,
        updated_at=now,
        deadline_at=now + 86_400,
        due_at=now,
        route=JobRoute(account="endless", vendor="openai_videos", model="sora-2"),
        operation={"service": "compatible", "id": task},
        operation_key=task,
        submitted_at=now,
        attempts=(attempt,),
        reserved=400_000,
    )


def _measure(run: str, folder: Path, vendor: int, ids: list[str], pause: float, seconds: float) -> None:
    """Start a node on the database, let it find its pace, then watch it while callers read."""
    port, began = free_port(), time.perf_counter()
    arguments = (str(folder), str(port), str(vendor), str(pause))
    with _process("bench.node", *arguments, processor=0) as node:
        _next_line(node)
        started = time.perf_counter() - began
        time.sleep(pause * 1.5)  # the first looks are spread over a pause; after that the pace is the scheduled one
        _figures(node)
        reads = _read_for(seconds, f"http://127.0.0.1:{port}/v1/videos/", ids)
        found = _figures(node)
        print(
            f"{run}: all taken up and ready after {started:.1f} s\n"
            f"  memory        {_kilobytes(node.pid, 'VmRSS') / 1e6:.2f} GB, at most {_kilobytes(node.pid, 'VmHWM') / 1e6:.2f} GB\n"
            f"  looks         {found['looks'] / found['seconds']:,.0f} a second ({len(ids) / pause:,.0f} scheduled)\n"
            f"  lateness      {found['late_p50']:.3f} s median, {found['late_p99']:.3f} s p99, {found['late_max']:.3f} s at most\n"
            f"  commits       {found['commits']} in {found['seconds']:.0f} s: "
            f"{found['commits'] / found['seconds']:.2f} a second, renewals of the lease are {_LEASE_COMMITS_A_SECOND}\n"
            f"  reads         {reads[len(reads) // 2] * 1000:.1f} ms median, {reads[int(len(reads) * 0.99)] * 1000:.1f} ms p99\n"
            f"  processor     {found['cpu']:.2f} of one",
            flush=True,
        )


def _read_for(seconds: float, base: str, ids: list[str]) -> list[float]:
    """Read one video after another; return how long each took, the quickest first."""
    took: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        request = urllib.request.Request(base + random.choice(ids), headers={"authorization": f"Bearer {KEY}"})  # noqa: S310 - ours
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - see above
            assert json.load(answer)["status"] == "in_progress"
        took.append(time.perf_counter() - began)
        time.sleep(0.05)
    return sorted(took)


@contextmanager
def _process(module: str, *arguments: str, processor: int) -> Iterator[subprocess.Popen[str]]:
    """Run a module on one processor until the context is left."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {processor})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _figures(node: subprocess.Popen[str]) -> dict[str, Any]:
    node.send_signal(signal.SIGUSR1)
    return _next_line(node)


def _next_line(node: subprocess.Popen[str]) -> dict[str, Any]:
    assert node.stdout is not None
    found: dict[str, Any] = json.loads(node.stdout.readline())
    return found


def _kilobytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
