"""What only another process can show: that an acknowledged write survives a kill, a full disk costs nothing that was
acknowledged, and an ordinary start imports nothing heavy."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from reelway.store.admin import check
from reelway.store.sqlite import SqliteStore

_SETTING_OUT = """
import asyncio, os, resource, sys
from pathlib import Path
from reelway.core.errors import StorageFailed
from reelway.store.sqlite import SqliteStore
from tests.store.records import creation, make_job

async def create_for_ever(store):
    while True:
        job = make_job()
        await store.create(creation(job))
        sys.stdout.write(job.id + "\\n")
        sys.stdout.flush()
"""

_KILLED = """
async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    await asyncio.gather(*(create_for_ever(store) for _ in range(16)))

asyncio.run(main())
"""

_FULL_DISK = """
async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    writers = [asyncio.ensure_future(create_for_ever(store)) for _ in range(16)]
    refusals = await asyncio.gather(*writers, return_exceptions=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert all(type(refusal) is StorageFailed for refusal in refusals), refusals
    sys.stderr.write(str(refusals[0]))
    job = make_job()
    await store.create(creation(job))
    sys.stdout.write(job.id + "\\n")
    sys.stdout.flush()
    os._exit(0)

asyncio.run(main())
"""

_IMPORTS = """
async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    await store.close()

asyncio.run(main())
heavy = {"sqlalchemy", "alembic"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def _start(program: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _SETTING_OUT + program, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(("src", "."))},
    )


async def _ids(path: Path) -> set[str]:
    store = SqliteStore(path)
    await store.open()
    epoch = await store.join("reader", 0.0, 10.0)
    jobs = await store.claim("reader", epoch, 0.0, 1_000_000)
    await store.close()
    return {job.id for job in jobs}


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """A process is killed while sixteen writers write: every id it had printed is on disk, and the file is sound."""
    path = tmp_path / "reelway.db"
    process = _start(_KILLED, path)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(200)]
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    acknowledged += rest.split("\n")[:-1]
    assert process.returncode == -signal.SIGKILL
    assert set(acknowledged) <= asyncio.run(_ids(path))
    assert check(path).problems == ()


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Every writer hears what to do; when there is room again, the same store goes on."""
    path = tmp_path / "reelway.db"
    out, errors = _start(_FULL_DISK, path).communicate()
    assert "reelway.db: the disk" in errors
    acknowledged = set(out.split())
    assert len(acknowledged) > 100
    assert acknowledged == asyncio.run(_ids(path))
    assert check(path).problems == ()


def test_neither_the_first_nor_a_later_start_imports_sqlalchemy(tmp_path: Path) -> None:
    """It would take most of a second."""
    for _ in range(2):
        process = _start(_IMPORTS, tmp_path / "reelway.db")
        _, errors = process.communicate()
        assert process.returncode == 0, errors
