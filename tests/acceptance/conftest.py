"""A gateway and its vendor, started once for the tests with official clients."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.processes import Gateway, Process, Sandbox

UPLOAD_BYTES = 3_000_000


class Official(NamedTuple):
    """Two real processes, and a finished video to make others from."""

    folder: Path
    gateway: Gateway
    sandbox: Sandbox
    source_id: str

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.sandbox.creates() if create["prompt"] == prompt]


@pytest.fixture(autouse=True, scope="session")
def nothing_is_left_running() -> Iterator[None]:
    """End what tests that failed have started."""
    yield
    for process in tuple(Process.running):
        process.kill()


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    """Files of 3 MB and more are too large here, so that tests need not send a hundred."""
    folder = tmp_path_factory.mktemp("official")
    limits = {"REELWAY_MAX_UPLOAD_BYTES": str(UPLOAD_BYTES)}
    with (
        Sandbox(tmp_path_factory.mktemp("vendor")) as sandbox,
        Gateway(folder, sandbox=sandbox, service="reelway", environment=limits) as gateway,
    ):
        source = gateway.finished(
            gateway.create(model="sora-2", prompt="a harbour", seconds="4", size="1280x720")["id"]
        )
        assert source["status"] == "completed", source
        yield Official(folder, gateway, sandbox, source["id"])
