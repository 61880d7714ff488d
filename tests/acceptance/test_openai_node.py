"""OpenAI's own Node client against a real gateway: `tests/node/openai.test.mjs` calls, this file looks at what arrived."""

import hashlib
import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.acceptance.conftest import Official
from tests.acceptance.films import picture
from tests.acceptance.processes import KEY
from tests.acceptance.proxy import Loss, LossyProxy

pytestmark = pytest.mark.acceptance

FOLDER = Path(__file__).parents[1] / "node"
LOSSES: tuple[Loss, ...] = ("reset", "close", "silence")
FRAMES = ("toFile", "stream", "File", "reference")
PAINTS_NOTHING = "[[fail:vendor_error]]"
LIMIT_SECONDS = 120


@pytest.mark.proves("openai_videos", "submit", "check", "delete", "find", client="openai (Node)")
def test_the_node_client_is_served(official: Official, tmp_path: Path) -> None:
    """Every call it has; and of each create whose answer was lost, the vendor has heard once."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "openai-6" / "package.json").is_file():
        pytest.skip("the official Node client is not installed; run scripts/setup-node")
    frame = tmp_path / "frame.png"
    frame.write_bytes(picture(1280, 720))
    environment = {
        "PATH": os.environ["PATH"],
        "REELWAY_URL": official.gateway.url,
        "REELWAY_API_KEY": KEY,
        "REELWAY_SOURCE": official.source_id,
        "REELWAY_PICTURE": str(frame),
    }
    command = [node, "--test", "--test-reporter=tap", "openai.test.mjs"]
    with ExitStack() as stack:
        lines = {loss: stack.enter_context(LossyProxy(official.gateway.port, loss=loss)) for loss in LOSSES}
        environment |= {f"REELWAY_LOSSY_{loss.upper()}": line.url for loss, line in lines.items()}
        said = subprocess.run(
            command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )
        sent = {loss: line.creates for loss, line in lines.items()}

    assert said.returncode == 0, said.stdout + said.stderr
    counts = dict(re.findall(r"^# (tests|pass|fail|skipped|todo) (\d+)$", said.stdout, re.MULTILINE))
    assert counts["pass"] == counts["tests"], said.stdout
    assert int(counts["tests"]) >= 18, said.stdout
    assert sent == {loss: ["0", "1"] for loss in LOSSES}
    for loss in LOSSES:
        assert len(official.seen(f"node lost by {loss} {PAINTS_NOTHING}")) == 1
    assert len(official.seen(f"node twice {PAINTS_NOTHING}")) == 2
    digest = hashlib.sha256(frame.read_bytes()).hexdigest()
    for way in FRAMES:
        (seen,) = official.seen(f"node frame as {way} {PAINTS_NOTHING}")
        assert [(given["role"], given["sha256"]) for given in seen["references"]] == [("first_frame", digest)], way
