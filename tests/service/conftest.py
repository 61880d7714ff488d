"""The use cases in front of an engine whose vendor is a script."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.engine.dying import ACME
from tests.engine.scripted import Eyes, FindingAcme, Script, Stage

from reelway.accounts.keys import KeyRing
from reelway.catalog.load import load_catalog
from reelway.catalog.pricing import DEFAULT_RATES
from reelway.core.ids import make_id
from reelway.service import Service, ServiceLimits
from reelway.service.characters import CharacterKeeper
from reelway.service.contents import ContentKeeper
from reelway.service.files import FileKeeper
from reelway.service.inputs import InputKeeper


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """An engine whose vendor makes every video."""
    script = Script()
    stage = Stage(tmp_path, script, FindingAcme(script), (ACME,))
    await stage.open()
    yield stage
    await stage.close()


@pytest.fixture
def service(stage: Stage) -> Service:
    """The use cases in front of it."""
    return service_of(stage)


def service_of(stage: Stage, limits: ServiceLimits | None = None) -> Service:
    """Return the use cases in front of an engine; the operator allows two hosts of the private network."""
    tools, catalog = stage.tools, load_catalog()
    inputs = InputKeeper(
        store=stage.store,
        assets=stage.assets,
        media=Eyes(),
        new_key=lambda: f"inputs/{next(stage.ticks)}",
        limit_bytes=1000,
        allowed_hosts=frozenset({"hooks.internal", "10.0.0.7"}),
    )
    return Service(
        store=stage.store,
        assets=stage.assets,
        inputs=inputs,
        characters=CharacterKeeper(
            store=stage.store,
            assets=stage.assets,
            inputs=inputs,
            fetcher=tools.fetcher,
            media=Eyes(),
            catalog=catalog,
            clock=stage.clock,
            new_id=lambda: make_id("char", stage.clock(), next(stage.ticks).to_bytes(10, "big")),
            limit_bytes=1000,
        ),
        contents=ContentKeeper(stage.assets, b"secret", "https://video.example.test"),
        files=FileKeeper(stage.assets, b"secret", public_url=tools.public_url, link_seconds=3600.0, clock=stage.clock),
        engine=stage.engine,
        router=tools.router,
        catalog=catalog,
        keys=KeyRing(stage.store),
        rates=DEFAULT_RATES,
        limits=limits or ServiceLimits(),
        clock=stage.clock,
        new_id=lambda: make_id("video", stage.clock(), next(stage.ticks).to_bytes(10, "big")),
    )
