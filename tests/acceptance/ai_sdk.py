"""Vercel's AI SDK against a real gateway: its own tests are run once by Node, then looked at from here."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture
from tests.acceptance.processes import KEY, Gateway, Sandbox
from tests.acceptance.proxy import LossyProxy

FOLDER = Path(__file__).parents[1] / "node"
LIMIT_SECONDS = 120


class World(NamedTuple):
    """What the client's tests said, and what reached the vendor, which the sandbox plays."""

    vendor: Sandbox
    said: subprocess.CompletedProcess[str]
    sent: list[str]
    frame: str

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]

    def assert_served(self, *, tests: int) -> None:
        """So many of the client's own tests ran at least, and all of them passed."""
        said = self.said.stdout
        assert self.said.returncode == 0, said + self.said.stderr
        counts = dict(re.findall(r"^# (tests|pass|fail|skipped|todo) (\d+)$", said, re.MULTILINE))
        assert counts["pass"] == counts["tests"], said
        assert int(counts["tests"]) >= tests, said

    def assert_lost_answer_is_one_video(self, prompt: str) -> None:
        """The client sent twice by itself, without any sign of it, and the vendor has heard once."""
        assert self.sent == ["-", "-"]
        assert len(self.seen(prompt)) == 1


@contextmanager
def run_client(
    provider: str, account: str, folders: pytest.TempPathFactory, *, fetches_inputs: bool = False
) -> Iterator[World]:
    """Run `tests/node/PROVIDER.test.mjs` at a gateway with this account; `{vendor}` in it stands for the sandbox's address."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "@ai-sdk" / provider / "package.json").is_file():
        pytest.skip("the AI SDK is not installed; run scripts/setup-node")
    frame = folders.mktemp("frame") / "frame.png"
    frame.write_bytes(picture(848, 480))
    here = {"REELWAY_PRIVATE_HOSTS": "127.0.0.1"} if fetches_inputs else {}
    fetching = {"REELWAY_SANDBOX_FETCH_URLS": "true"} if fetches_inputs else {}
    with (
        Sandbox(folders.mktemp("vendor"), environment={**here, **fetching}) as vendor,
        Gateway(
            folders.mktemp("gateway"), settings=account.replace("{vendor}", vendor.url), environment=here
        ) as gateway,
        LossyProxy(gateway.port) as line,
    ):
        environment = {
            "PATH": os.environ["PATH"],
            "REELWAY_URL": gateway.url,
            "REELWAY_LOSSY": line.url,
            "REELWAY_API_KEY": KEY,
            "REELWAY_PICTURE": str(frame),
        }
        command = [node, "--test", "--test-reporter=tap", f"{provider}.test.mjs"]
        said = subprocess.run(
            command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )
        yield World(vendor, said, line.creates, hashlib.sha256(frame.read_bytes()).hexdigest())
