"""Clips and pictures the media tests share; each is made once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from reelway.media.render import RenderSpec, render
from reelway.media.worker import ProcessMediaWorker


def make_spec(**changes: object) -> RenderSpec:
    """A small, quick video."""
    values: dict[str, object] = {
        "prompt": "a fox in snow",
        "model": "veo3.1",
        "seconds": 2,
        "width": 320,
        "height": 180,
        "seed": 7,
    }
    return RenderSpec(**{**values, **changes})  # type: ignore[arg-type] # the fields are checked by the record


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 320 x 180 at 24 frames per second, with sound."""
    target = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render(make_spec(), target)
    return target


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that is green on the left and blue on the right."""
    target = tmp_path_factory.mktemp("photo") / "photo.png"
    image = Image.new("RGB", (640, 360), (30, 160, 60))
    image.paste((30, 60, 200), (320, 0, 640, 360))
    image.save(target)
    return target


@pytest.fixture
async def worker() -> AsyncIterator[ProcessMediaWorker]:
    """A media worker with one process, ended after the test."""
    started = ProcessMediaWorker()
    try:
        yield started
    finally:
        await started.close()
