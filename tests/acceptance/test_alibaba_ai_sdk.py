"""Vercel's AI SDK against a real gateway: `tests/node/alibaba.test.mjs` calls, this file looks at what arrived at DashScope."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.films import picture
from tests.acceptance.processes import KEY, Gateway, Sandbox
from tests.acceptance.proxy import LossyProxy

pytestmark = pytest.mark.acceptance

FOLDER = Path(__file__).parents[1] / "node"
LIMIT_SECONDS = 120


class World(NamedTuple):
    """A gateway with an account at DashScope, which the sandbox plays, and what the client's tests said."""

    vendor: Sandbox
    said: subprocess.CompletedProcess[str]
    sent: list[str]
    frame: str

    def seen(self, prompt: str) -> list[dict[str, Any]]:
        """Return what reached the vendor with this prompt."""
        return [create for create in self.vendor.creates() if create["prompt"] == prompt]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run the client's tests once."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "@ai-sdk" / "alibaba" / "package.json").is_file():
        pytest.skip("the AI SDK is not installed; run scripts/setup-node")
    frame = tmp_path_factory.mktemp("frame") / "frame.png"
    frame.write_bytes(picture(848, 480))
    here = {"REELWAY_PRIVATE_HOSTS": "127.0.0.1"}
    with Sandbox(
        tmp_path_factory.mktemp("vendor"), environment={**here, "REELWAY_SANDBOX_FETCH_URLS": "true"}
    ) as vendor:
        account = (
            f'[[account]]\nname = "dashscope"\nvendor = "alibaba"\n'
            f'base_url = "{vendor.url}/api/v1"\nkey = "{KEY}"\nprivate_network = true\n'
        )
        with (
            Gateway(tmp_path_factory.mktemp("gateway"), settings=account, environment=here) as gateway,
            LossyProxy(gateway.port) as line,
        ):
            environment = {
                "PATH": os.environ["PATH"],
                "REELWAY_URL": gateway.url,
                "REELWAY_LOSSY": line.url,
                "REELWAY_API_KEY": KEY,
                "REELWAY_PICTURE": str(frame),
            }
            command = [node, "--test", "--test-reporter=tap", "alibaba.test.mjs"]
            said = subprocess.run(
                command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
            )
            yield World(vendor, said, line.creates, hashlib.sha256(frame.read_bytes()).hexdigest())


@pytest.mark.proves("alibaba", "submit", "check", client="@ai-sdk/alibaba 1.0.61")
def test_the_ai_sdk_is_served(world: World) -> None:
    """Text, frame and references in both of its forms, failures and refusals."""
    said = world.said.stdout

    assert world.said.returncode == 0, said + world.said.stderr
    counts = dict(re.findall(r"^# (tests|pass|fail|skipped|todo) (\d+)$", said, re.MULTILINE))
    assert counts["pass"] == counts["tests"], said
    assert int(counts["tests"]) >= 10, said


def test_a_lost_answer_is_one_video(world: World) -> None:
    """The client sends again by itself, without any sign of it, and the vendor has heard once."""
    assert world.sent == ["-", "-"]
    assert len(world.seen("alibaba lost [[fail:vendor_error]]")) == 1


def test_pictures_arrive_as_they_were_sent(world: World) -> None:
    """Byte for byte, in their roles: a frame as bare base64, which this client makes of it, references by their addresses."""
    (frame,), (references,) = world.seen("alibaba frame"), world.seen("alibaba references")

    assert [(given["role"], given["sha256"]) for given in frame["references"]] == [("first_frame", world.frame)]
    assert [(given["role"], given["sha256"]) for given in references["references"]] == [("reference", world.frame)] * 2
