"""What a newcomer pastes first is run as it stands: the examples of README and quick start, in order, against a real server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.processes import KEY, Gateway

from reelway.media.sniff import sniff

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = ("make demo", "reelway serve", "pip install")
"""Set-up, and servers that stay: proven by the gate and by the server these run against."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The server the pages speak to."""
    gateway = Gateway(tmp_path_factory.mktemp("data"))
    yield gateway
    gateway.stop()


def examples(page: str) -> list[tuple[str, str]]:
    """Return the language and text of each block that is to be run."""
    blocks: list[tuple[str, str]] = BLOCK.findall((ROOT / page).read_text())
    return [(language, text) for language, text in blocks if not any(word in text for word in NOT_RUN)]


@pytest.mark.parametrize(
    ("page", "count", "files"),
    [("README.md", 3, ("fox.mp4",)), ("docs/quickstart.md", 4, ("fox.mp4", "fox.webp", "turns.mp4"))],
)
def test_the_examples_work_when_pasted(
    page: str, count: int, files: tuple[str, ...], gateway: Gateway, tmp_path: Path
) -> None:
    """Each block ends well, and the files it promises are what their names say."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed; the examples of the pages need it")
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    environment = {**os.environ, "REELWAY_API_KEY": KEY, "REELWAY_URL": gateway.url}
    found = examples(page)
    assert len(found) == count
    for language, text in found:
        text = text.replace("http://127.0.0.1:8080", gateway.url)
        if "-o fox.mp4" in text and "reelway create" in text:
            (tmp_path / "fox.mp4").unlink(missing_ok=True)
        command = ["sh", "-eu", "-c", text] if language == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    for name in files:
        media_type = sniff((tmp_path / name).read_bytes()[:64])
        assert media_type == {"mp4": "video/mp4", "webp": "image/webp"}[name.rpartition(".")[2]]
