"""The same life and end of a video whose files lie in a bucket: nothing of it stays on this machine, and nothing in the listing."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.store import S3Store
from tests.engine.scripted import VIDEO, DeletingAcme, Script, Stage
from tests.engine.test_parting import ACCOUNT, cleaned, made

from reelway.assets.objects import ObjectAssets
from reelway.core.lifecycle import State
from reelway.core.videos import Variant


@pytest.fixture
async def stage(s3_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    script = Script()
    stage = Stage(tmp_path, script, DeletingAcme(script), (ACCOUNT,))
    bucket = ObjectAssets(f"{s3_url}/reelway", tmp_path / "scratch")
    stage.assets = stage.tools.assets = bucket  # type: ignore[assignment]
    await stage.open()
    yield stage
    await stage.close()


def listed(s3_url: str) -> list[str]:
    """Return every object of the bucket as its server lists them."""
    bucket = S3Store.from_url(s3_url, virtual_hosted_style_request=False, client_options={"allow_http": True})
    return [found["path"] for found in bucket.list().collect()]


async def test_a_video_lives_and_ends_in_a_bucket(stage: Stage, s3_url: str, tmp_path: Path) -> None:
    """Decoded before it was visible, read back to the byte, and gone from the server's own listing after its deletion."""
    job = await made(stage)
    assert job.state is State.COMPLETED
    blob = job.outputs[0].files[Variant.VIDEO]
    kept = b"".join([piece async for piece in stage.assets.read(blob.key)])
    assert (kept, hashlib.sha256(kept).hexdigest()) == (VIDEO, blob.sha256)
    assert [path for path in (tmp_path / "scratch").rglob("*") if path.is_file() and path.stat().st_size] == []
    assert len(listed(s3_url)) == 5

    await stage.engine.part_with(job)
    await cleaned(stage)
    assert listed(s3_url) == []


async def test_what_never_decodes_is_never_in_the_bucket(stage: Stage, s3_url: str) -> None:
    """Not for a moment under its key, and not when the video has failed."""
    stage.script.downloads[0] = b"<html>sorry</html>"
    job = await made(stage)
    assert job.state is State.FAILED
    assert [key for key in listed(s3_url) if "/videos/" in key] == []


async def test_an_expired_video_leaves_the_bucket(stage: Stage, s3_url: str) -> None:
    """Its record stays."""
    stage.tools.limits = stage.tools.limits.evolve(retention_seconds=0.0)
    job = await made(stage)
    await cleaned(stage)
    assert [key for key in listed(s3_url) if "/videos/" in key] == []
    found = await stage.store.get(job.id)
    assert found is not None
    assert found.expired
