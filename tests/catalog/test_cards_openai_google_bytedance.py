"""What the Sora, Omni, Veo and Seedance cards have in common: their modes, their last route, and where retired ones lead."""

import pytest

from reelway.catalog.catalog import Catalog
from reelway.catalog.conditions import Facts, holds
from reelway.catalog.load import load_catalog
from reelway.core.videos import Mode

STILL = {Mode.T2V, Mode.I2V}
FRAMES = {Mode.I2V, Mode.FIRST_LAST}
TEXT_AND_FRAMES = {Mode.T2V, *FRAMES}
FROM_VIDEO = {Mode.EDIT, Mode.EXTEND, Mode.REMIX}

MODES: dict[str, set[Mode]] = {
    "sora-2": STILL | FROM_VIDEO,
    "sora-2-pro": STILL | FROM_VIDEO,
    "gemini-omni": set(Mode),
    "veo3": STILL,
    "veo3-fast": STILL,
    "veo3-pro": STILL,
    "veo3-frames": FRAMES,
    "veo3-fast-frames": FRAMES,
    "veo3-pro-frames": FRAMES,
    "veo3.1": TEXT_AND_FRAMES | {Mode.R2V, Mode.EXTEND},
    "veo3.1-fast": TEXT_AND_FRAMES | {Mode.R2V, Mode.EXTEND},
    "veo3.1-pro": TEXT_AND_FRAMES | {Mode.R2V, Mode.EXTEND},
    "veo3.1-components": {Mode.R2V},
    "veo3.1-4k": TEXT_AND_FRAMES | {Mode.R2V},
    "veo3.1-pro-4k": TEXT_AND_FRAMES | {Mode.R2V},
    "doubao-seedance-1-0-lite-i2v-250428": FRAMES | {Mode.R2V},
    "doubao-seedance-1-0-lite-t2v-250428": {Mode.T2V},
    "doubao-seedance-1-0-pro-250528": TEXT_AND_FRAMES,
    "doubao-seedance-1-0-pro-fast-251015": STILL,
    "doubao-seedance-1-5-pro-251215": TEXT_AND_FRAMES | {Mode.REMIX},
    "doubao-seedance-2-0-260128": TEXT_AND_FRAMES | {Mode.R2V},
    "doubao-seedance-2-0-fast-260128": TEXT_AND_FRAMES | {Mode.R2V},
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("name", MODES)
def test_every_card_ends_with_the_route_of_compatible_servers(catalog: Catalog, name: str) -> None:
    """Resellers, other gateways and the sandbox can make every model, for every request and without an end date."""
    last = catalog.card(name).routes[-1]

    assert (last.vendor, last.service, last.model) == ("openai_videos", "compatible", "{model}")
    assert last.retires is None
    assert all(holds(last.when, Facts(mode=mode)) for mode in Mode)


@pytest.mark.parametrize("name", MODES)
def test_a_route_that_ends_names_a_living_successor(catalog: Catalog, name: str) -> None:
    """A warning that sends callers to another retired model would help nobody."""
    for route in catalog.card(name).routes:
        if route.retires is None:
            continue
        assert route.successor is not None
        first = catalog.card(route.successor).routes[0]
        assert first.vendor != "openai_videos"
        assert first.retires is None


@pytest.mark.parametrize("name", MODES)
def test_remix_stands_wherever_edit_does(catalog: Catalog, name: str) -> None:
    """`POST /v1/videos/{id}/remix` is an edit of a finished video by words; only Seedance's drafts are remixed without any."""
    modes = catalog.card(name).modes
    if Mode.REMIX in modes and modes[Mode.REMIX].prompt == "ignored":
        assert "draft" in catalog.card(name).options
        return

    assert (Mode.EDIT in modes) == (Mode.REMIX in modes)
    if Mode.REMIX in modes:
        assert modes[Mode.REMIX].prompt == "required"
        assert modes[Mode.REMIX].seconds is None


@pytest.mark.parametrize("name", MODES)
def test_each_name_has_its_modes(catalog: Catalog, name: str) -> None:
    """What a name can make is what the vendor's matrix says of it, no more and no less."""
    assert set(catalog.card(name).modes) == MODES[name]
