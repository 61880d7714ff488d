"""Which account gets a video that only some of them can be given the files of."""

import pytest
from tests.engine.scripted import Acme, Script

from reelway.catalog.load import load_catalog
from reelway.core.videos import Blob, Input, MediaKind, Mode, ResolvedRequest, Role
from reelway.engine.account import Account
from reelway.engine.router import Router

NOW = 1_795_000_000.0
KLING = Account(name="kling", vendor="kling", service="current", base_url="https://kling.example")
CLONE = Account(
    name="clone", vendor="openai_videos", service="compatible", base_url="https://clone.example/v1", priority=1
)
FILE = Input(
    kind=MediaKind.VIDEO,
    role=Role.SOURCE,
    blob=Blob(key="inputs/a", sha256="0" * 64, bytes=1, media_type="video/mp4"),
)


class TakesAddresses(Acme):
    """Of videos, addresses alone."""

    vendor = "kling"
    link_kinds = frozenset({MediaKind.VIDEO})


def router(*accounts: Account, can_link: bool) -> Router:
    adapters = {"kling": TakesAddresses(Script()), "openai_videos": Acme(Script())}
    return Router(load_catalog(), accounts, adapters, can_link=can_link)


def edit(given: Input) -> ResolvedRequest:
    """Return the request to edit this video."""
    return ResolvedRequest(
        operation="edit",
        model="kling-video",
        card="kling-video",
        mode=Mode.EDIT,
        prompt="make it snow",
        inputs=(given,),
    )


@pytest.mark.parametrize(("can_link", "chosen"), [(True, "kling"), (False, "clone")])
def test_an_account_that_can_be_given_the_file_is_preferred(can_link: bool, chosen: str) -> None:
    """The first in rank where vendors can fetch from us, else the first that takes bytes."""
    routes = router(KLING, CLONE, can_link=can_link)
    pick = routes.pick(routes.group(edit(FILE), NOW), NOW)
    assert pick is not None
    assert pick.route.account == chosen


def test_what_keeps_an_account_from_it_is_said() -> None:
    """In words an operator can act on; without another account the choice is hopeless, so nobody waits."""
    lonely = router(KLING, can_link=False)
    assert lonely.group(edit(FILE), NOW).accounts == ()
    [obstacle] = lonely.obstacles(edit(FILE), NOW)
    assert obstacle.account == "kling"
    assert obstacle.reason == "kling fetches video inputs itself and needs an address for this one"


@pytest.mark.parametrize(
    "given",
    [FILE.evolve(blob=None, url="https://cdn.example/fox.mp4"), FILE.evolve(blob=None, file_id="file_1")],
    ids=["address", "file id"],
)
def test_what_the_vendor_finds_by_itself_needs_no_address_of_ours(given: Input) -> None:
    """An address of the caller's, or the vendor's own file."""
    assert router(KLING, can_link=False).obstacles(edit(given), NOW) == ()


def test_an_address_the_vendor_does_not_fetch_becomes_bytes_and_needs_ours() -> None:
    """We fetch it, and then it has to be given on as ours."""
    adapter = TakesAddresses(Script())
    adapter.url_kinds = frozenset()
    lonely = Router(load_catalog(), (KLING,), {"kling": adapter}, can_link=False)
    assert lonely.candidates(edit(FILE.evolve(blob=None, url="https://cdn.example/fox.mp4")), NOW) == ()
