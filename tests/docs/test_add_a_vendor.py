"""The guide for a new vendor, followed to the letter: its blocks are written to a copy of the checkout, its commands run there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts.docs import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

GUIDE = ROOT / "docs" / "howto" / "add-a-vendor.md"
BLOCK = re.compile(r'^```(\w+) (title|into)="([^"]+)"(?: list="(\w+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
COPIED = ("src", "tests", "scripts", "docs")
PATIENCE_SECONDS = 180


def blocks() -> Iterator[tuple[str, str, str, str]]:
    """Yield how a block is used (`title`, `into`), where, in which list, and its text."""
    for _, use, place, name, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        yield use, place, name, text


def checkout(folder: Path) -> Path:
    """Return a copy of what a newcomer has, with the guide's files in it."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, folder / path.name)
    for use, place, name, text in blocks():
        path = folder / place
        if use == "into":
            path.write_text(with_entry(path.read_text(encoding="utf-8"), name, text), encoding="utf-8")
        elif place != "run":
            assert not path.exists(), f"{place} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


def with_entry(source: str, name: str, entry: str) -> str:
    """Return a module with one more entry at the end of one of its tuples."""
    found = re.search(rf"^{name} = \(\n.*?(?=^\))", source, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no {name}"
    return source[: found.end()] + entry + source[found.end() :]


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the guide with the tools of this environment and the sources of the copy."""
    program, *arguments = command.split()
    tool = str(Path(sys.executable).with_name(program))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(folder / "src"), str(folder))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [tool, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )


def test_the_guide_leads_to_a_working_vendor(tmp_path: Path) -> None:
    """Style, types, every shared test, a real video over sockets and the docs page: with nothing written but its blocks."""
    folder = checkout(tmp_path)
    commands = [
        line for use, place, _, text in blocks() if (use, place) == ("title", "run") for line in text.split("\n")
    ]
    assert {command.split()[0] for command in commands if command} == {"ruff", "mypy", "pytest", "python"}

    for command in filter(None, commands):
        done = run(folder, command)
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
        if command.startswith("pytest"):
            passed = re.search(r"(\d+) passed", done.stdout)
            assert passed is not None, done.stdout
            assert int(passed[1]) >= (1 if "acceptance" in command else 100)

    assert "Acme One" in (folder / "docs" / "vendors" / "acme.md").read_text(encoding="utf-8")
    assert "ACME_API_KEY" in (folder / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_a_broken_block_is_noticed(tmp_path: Path) -> None:
    """A state the adapter no longer knows makes the shared tests fail: they run what the guide says, not what is installed."""
    folder = checkout(tmp_path)
    adapter = folder / "src" / "reelway" / "vendors" / "acme.py"
    adapter.write_text(adapter.read_text(encoding="utf-8").replace('case "done":', 'case "ready":'), encoding="utf-8")

    done = run(folder, "pytest -q tests/vendors/test_conformance.py -k acme")

    assert done.returncode == 1, done.stdout[-4000:]
    assert "unknown task state 'done'" in done.stdout
