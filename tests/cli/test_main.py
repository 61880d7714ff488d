"""The command as a whole: quick to start, and honest about how it ended."""

import json
import subprocess
import sys

import pytest
from tests.cli.conftest import Run

from reelway.cli.exits import EXIT_MEANINGS, Exit

HEAVY = (
    "aiohttp",
    "alembic",
    "av",
    "granian",
    "msgspec",
    "numpy",
    "pydantic",
    "rich",
    "sqlalchemy",
    "starlette",
    "asyncio",
)


def test_help_imports_nothing_heavy() -> None:
    """`reelway --help` answers at once because commands import what they need when they run."""
    code = f"import sys, reelway.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout == "[]\n"


def test_every_command_has_help(run: Run) -> None:
    """Each says in a line what it does."""
    text = run("--help").out

    for name in ("serve", "demo", "create", "videos", "models", "keys", "sandbox", "doctor", "db"):
        assert f"\n  {name} " in text


def test_the_version_is_printed(run: Run) -> None:
    """For bug reports."""
    assert run("--version").out.startswith("reelway ")


def test_wrong_usage_ends_with_two(run: Run) -> None:
    """As everywhere."""
    assert run("fly").code == 2
    assert run("create").code == 2


def test_wrong_settings_end_with_two(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the place they came from, and without a traceback."""
    monkeypatch.setenv("REELWAY_PORT", "http")

    result = run("serve")

    assert result.code == 2
    assert result.err.startswith("Error: REELWAY_PORT: ")


def test_errors_for_scripts_are_objects(run: Run) -> None:
    """`--json` holds for the bad end, too."""
    result = run("videos", "get", "video_01", "--url", "nonsense", "--key", "x", "--json")

    assert result.code == 2
    assert "not the address of a server" in json.loads(result.out)["error"]["message"]


def test_every_exit_code_has_a_meaning() -> None:
    """The table in the docs is drawn from this."""
    assert set(EXIT_MEANINGS) == set(Exit)
