"""Objects in a bucket of a real S3-compatible server run the suite of all asset stores."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.assets.conformance import AssetStoreConformance

from reelway.assets.objects import ObjectAssets
from reelway.assets.spec import AssetStore


class TestS3(AssetStoreConformance):
    @pytest.fixture
    async def assets(self, s3_url: str, tmp_path: Path) -> AsyncIterator[AssetStore]:
        assets = ObjectAssets(f"{s3_url}/some/folder", tmp_path / "scratch")
        await assets.open()
        yield assets
        await assets.close()
