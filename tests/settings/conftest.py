"""An environment without any settings in it, in an empty folder."""

import os
from pathlib import Path

import pytest

from reelway.settings import ENVIRONMENT_VENDORS


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Forget every setting and vendor of this machine; return the folder we are in."""
    vendors = {variable for entry in ENVIRONMENT_VENDORS for variable in entry.variables}
    for name in list(os.environ):
        if name.startswith("REELWAY_") or name in vendors:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
