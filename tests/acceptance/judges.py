"""Vendors' own clients, unmodified, each in an environment of its own: run as programs that say in JSON what they saw."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["program_of", "run_judge"]

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "judges"
LIMIT_SECONDS = 240


def program_of(name: str, program: str) -> Path:
    """Return where a program of a judge's environment lies, installed or not."""
    return ROOT / ".cache" / "judges" / name / "bin" / program


def run_judge(name: str, script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Any:
    """Run `tests/judges/SCRIPT` with the client NAME; return what it printed last, decoded.

    Nothing of our environment reaches it but PATH and HOME: no key, no proxy, no address of a real vendor.
    """
    python = program_of(name, "python")
    if not python.is_file():
        pytest.skip(f"the official client {name} is not installed; run scripts/setup-judges")
    kept = {variable: os.environ[variable] for variable in ("PATH", "HOME") if variable in os.environ}
    said = subprocess.run(
        [str(python), "-W", "ignore", str(SCRIPTS / script), *arguments],
        env={**kept, **(environment or {})},
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert said.returncode == 0, f"{script} ended with {said.returncode}:\n{said.stdout}\n{said.stderr}"
    return json.loads(said.stdout.strip().splitlines()[-1])
