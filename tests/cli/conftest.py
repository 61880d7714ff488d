"""What the command-line tests share: a scripted server, and the command run in this process."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cli.fake_server import FakeServer, fake_server

from reelway.cli.main import main


class Result(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A scripted server on loopback."""
    with fake_server() as running:
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `reelway …` in an empty folder, with no settings around, and return how it ended."""
    monkeypatch.chdir(tmp_path)
    for name in ("REELWAY_URL", "REELWAY_API_KEY", "REELWAY_CONFIG", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REELWAY_DATA_DIR", str(tmp_path / "data"))

    def run_command(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["reelway", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run_command
