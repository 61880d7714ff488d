"""Files that came with a request, and what becomes of them when nothing comes of the request."""

from pathlib import Path

import pytest
from tests.engine.scripted import Eyes, Stage

from reelway.core.errors import CallerError
from reelway.core.keys import Caller
from reelway.core.videos import InputReference, MediaKind, VideoRequest
from reelway.media.spec import ImageFacts
from reelway.service import Service

CALLER = Caller(tenant="default", key_id="key")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)
REQUEST = VideoRequest(
    model="sora-2",
    prompt="a fox",
    seconds=4,
    width=1280,
    height=720,
    inputs=(InputReference(field="image", kind=MediaKind.IMAGE, data=PICTURE),),
)


@pytest.fixture(autouse=True)
def every_picture_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures have the size that is asked for."""

    async def image_facts(self: Eyes, path: Path) -> ImageFacts:
        return ImageFacts(media_type="image/png", width=1280, height=720)

    monkeypatch.setattr(Eyes, "image_facts", image_facts)


def kept(stage: Stage) -> list[Path]:
    return [path for path in (stage.folder / "assets" / "inputs").rglob("*") if path.is_file()]


async def test_a_created_video_keeps_its_picture(service: Service, stage: Stage) -> None:
    """The file stays until retention takes it."""
    await service.create(REQUEST, CALLER)
    assert len(kept(stage)) == 1


async def test_a_quote_leaves_no_file(service: Service, stage: Stage) -> None:
    """A dry run measures the picture and lets go of it."""
    answer = await service.quote(REQUEST, CALLER)
    assert answer["request"]["inputs"][0]["media_type"] == "image/png"
    assert kept(stage) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": 7},
        {"source_video_id": "video_00000000000000000000000000"},
        {"inputs": (*REQUEST.inputs, InputReference(field="images[1]", data=b"no picture at all"))},
    ],
)
async def test_a_refused_request_leaves_no_file(service: Service, stage: Stage, changes: dict[str, object]) -> None:
    """Whatever is wrong with it, and however late that is found."""
    with pytest.raises(CallerError):
        await service.create(REQUEST.evolve(**changes), CALLER)
    assert kept(stage) == []
