"""A vendor's own last frame takes the place of the one we make; one that cannot be had costs nobody the video."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.scripted import VIDEO, Eyes, FindingAcme, Script, Stage

from reelway.core.lifecycle import State
from reelway.core.videos import Variant
from reelway.engine.account import Account
from reelway.media.spec import ImageFacts, MediaUnreadableError
from reelway.vendors.spec import Download, HttpRequest, Succeeded, VendorOutput

FRAME = b"the vendor's own frame"
ACCOUNT = Account(name="acme", vendor="openai_videos", service="openai", base_url="http://127.0.0.1:1")


class FrameEyes(Eyes):
    """Believes exactly the bytes of the vendor's frame."""

    async def image_facts(self, path: Path) -> ImageFacts:
        if path.read_bytes() != FRAME:
            raise MediaUnreadableError("not a frame")
        return ImageFacts(media_type="image/png", width=1280, height=720)


def rendered() -> Succeeded:
    fetch = [Download(request=HttpRequest(method="GET", path=path)) for path in ("/v", "/f")]
    return Succeeded(outputs=(VendorOutput(video=fetch[0], last_frame=fetch[1]),))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    script = Script()
    script.checks[0] = rendered()
    stage = Stage(tmp_path, script, FindingAcme(script), (ACCOUNT,))
    stage.tools.media = FrameEyes()
    await stage.open()
    yield stage
    await stage.close()


async def kept_last_frame(stage: Stage, *frame: Any) -> bytes:
    """Make one video whose frame is downloaded like this, and return the last frame that was kept."""
    stage.script.downloads.clear()
    stage.script.downloads.extend([VIDEO, *frame])
    asked = stage.job()
    await stage.create(asked)
    job = await stage.finished(asked.id)
    assert job.state is State.COMPLETED
    blob = job.outputs[0].files[Variant.LAST_FRAME]
    return b"".join([piece async for piece in stage.assets.read(blob.key)])


async def test_the_vendors_own_last_frame_is_kept(stage: Stage) -> None:
    """Without the losses of the video's encoding, and without its watermark."""
    assert await kept_last_frame(stage, FRAME) == FRAME


@pytest.mark.parametrize("frame", [b"<html>expired</html>", 404, 500], ids=str)
async def test_a_last_frame_that_cannot_be_had_is_made_by_us(stage: Stage, frame: Any) -> None:
    """The video was paid for, and is there."""
    assert await kept_last_frame(stage, frame) == b"picture"
