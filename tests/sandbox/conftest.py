"""Stages and pictures for the sandbox tests."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from tests.sandbox.stage import Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A sandbox that is as fast as it can be."""
    built = Stage(tmp_path / "sandbox")
    yield built
    await built.close()


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A PNG of 320 x 180, dark red."""
    buffer = io.BytesIO()
    Image.new("RGB", (320, 180), (160, 20, 20)).save(buffer, "PNG")
    return buffer.getvalue()
