"""A whole server that counts for `bench.in_flight`. Run as `python -m bench.node FOLDER PORT VENDOR_PORT PAUSE`.

For each SIGUSR1 it prints one line of JSON: what was counted since the one before.
"""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

from pydantic import SecretStr

from reelway.bootstrap import server as bootstrap
from reelway.engine.checking import Checker
from reelway.engine.tools import Watch
from reelway.settings import Settings
from reelway.settings.accounts import AccountSettings
from reelway.store.spec import JobStore
from reelway.store.sqlite import SqliteStore
from reelway.telemetry import configure_logging

KEY = "sk-bench"


class Counts:
    """Stands beside the engine and the store, and changes nothing."""

    def __init__(self) -> None:
        self._lateness: list[float] = []
        self._store: SqliteStore | None = None
        self._commits = 0
        self._since = 0.0
        self._cpu = 0.0

    def begin(self) -> None:
        """Have every look noted, and the store that is made."""
        check, make_store = Checker.check, bootstrap.make_store

        async def noted(checker: Checker, watch: Watch) -> float | None:
            self._lateness.append(time.time() - watch.due)
            return await check(checker, watch)

        def made(settings: Settings) -> JobStore:
            store = make_store(settings)
            assert isinstance(store, SqliteStore)
            self._store = store
            return store

        Checker.check = noted  # type: ignore[method-assign]
        bootstrap.make_store = made

    def tell(self) -> None:
        """Print what was counted, and count anew."""
        now, cpu = time.monotonic(), time.process_time()
        commits = 0 if self._store is None else self._store.commits
        late = sorted(self._lateness) or [0.0]
        told = {
            "seconds": now - self._since,
            "looks": len(self._lateness),
            "late_p50": late[len(late) // 2],
            "late_p99": late[int(len(late) * 0.99)],
            "late_max": late[-1],
            "commits": commits - self._commits,
            "cpu": (cpu - self._cpu) / (now - self._since),
        }
        print(json.dumps(told), flush=True)
        self._lateness.clear()
        self._commits, self._since, self._cpu = commits, now, cpu


async def _run(folder: Path, port: int, vendor: int, pause: float) -> None:
    account = AccountSettings(
        name="endless",
        vendor="openai_videos",
        service="compatible",
        base_url=f"http://127.0.0.1:{vendor}/v1",
        key=SecretStr("any"),
    )
    settings = Settings(
        data_dir=folder,
        port=port,
        api_key=SecretStr(KEY),
        log_level="error",
        poll_longest_seconds=pause,
        poll_shortest_seconds=pause,
        accounts=(account,),
    )
    configure_logging(level=settings.log_level, as_json=False)
    counts = Counts()
    counts.begin()
    server = bootstrap.Server(settings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, counts.tell)
    try:
        await server.open()
        await server.run(counts.tell)
    finally:
        await server.close()


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
