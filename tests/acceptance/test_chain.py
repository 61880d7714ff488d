"""One gateway behind another, through every vendor's own wire: real sockets, real adapters, and both killed in the middle.

The front one has an account for each vendor that points at the back one, which speaks that vendor's API and has the videos
made by its sandbox. Every video is made once, whichever process died while it was being asked for; where the kill cut a submit in
two and the vendor has no way to look it up, the video ends as `submission_unknown` instead of being made twice.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.every_mode import CATALOG, MODES, SOURCE_SIZE, Asked, ask_for, assert_pixels, seconds_of
from tests.acceptance.films import probe
from tests.acceptance.processes import KEY, Gateway, free_port

from reelway.catalog.routes import living_routes
from reelway.catalog.spec import ModelCard
from reelway.core.videos import Mode
from reelway.vendors.registry import adapters
from reelway.vendors.spec import CanFind

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


class Road(NamedTuple):
    """How one vendor's API is reached on the other side."""

    vendor: str
    service: str
    base: str
    secrets: str = f'api_key = "{KEY}"'
    settings: str = ""
    cards: str = ""
    """Which of the vendor's cards take this road; all unless it says."""


ROADS = {
    "newest": (
        Road("alibaba", "", "/api/v1"),
        Road("bytedance", "ark", "/api/v3"),
        Road("google", "gemini-api", "", cards="gemini-omni"),
        Road("kling", "current", "/kling"),
        Road("minimax", "", "/minimax"),
        Road(
            "vertex",
            "vertex",
            "",
            secrets=f'access_token = "{KEY}"',
            settings='project = "acme", location = "us-central1"',
            cards="veo.*",
        ),
        Road("openai_videos", "reelway", "/v1", cards="sora.*"),
        Road("vidu", "", ""),
        Road("xai", "", "/xai"),
    ),
    "other": (
        Road("bytedance", "byteplus", "/api/v3"),
        Road("kling", "legacy", "/kling", secrets=f'access_key = "{KEY}", secret_key = "{KEY}"'),
        Road(
            "vertex",
            "vertex",
            "",
            secrets=f'access_token = "{KEY}"',
            settings='project = "acme", location = "global"',
            cards="gemini-omni",
        ),
        Road("openai_videos", "reelway", "/v1", cards="sora-2"),
    ),
}


WITHOUT_A_LIST = ("minimax",)
"""Vendors that show a list of some of their work only."""


def cards_of(road: Road) -> list[ModelCard]:
    """Return the cards that take this road, as far as it is open today."""
    return [card for card in CATALOG.cards if re.fullmatch(road.cards or ".*", card.name) and _is_open(road, card)]


def _is_open(road: Road, card: ModelCard) -> bool:
    service = "compatible" if road.service == "reelway" else road.service
    today = datetime.now(tz=UTC).date()
    ways = [route for route in living_routes(card, today) if route.vendor == road.vendor]
    return any(route.service in ("", service) for route in ways)


def account(road: Road, back: str) -> str:
    """Return the front gateway's account: the public names are sent as they are."""
    models = ", ".join(f'"{card.name}"' for card in cards_of(road))
    return (
        f'[[account]]\nname = "{road.vendor.replace("_", "-")}"\nvendor = "{road.vendor}"\nservice = "{road.service}"\n'
        f'base_url = "{back}{road.base}"\nprivate_network = true\nsecrets = {{ {road.secrets} }}\n'
        f"settings = {{ {road.settings} }}\nmodels = [{models}]\n"
    )


class Chain:
    """Both gateways; each can be killed and comes back at its address."""

    def __init__(self, folder: Path, roads: tuple[Road, ...]) -> None:
        self._folder = folder
        self._ports = free_port(), free_port()
        self._settings = "".join(account(road, f"http://127.0.0.1:{self._ports[1]}") for road in roads)
        self.back = self._start_back()
        self.front = self._start_front()

    def kill_both(self) -> None:
        """A power cut, and everything starts again."""
        self.front.kill()
        self.back.kill()
        self.back = self._start_back()
        self.front = self._start_front()

    def stop(self) -> None:
        """End both."""
        self.front.stop()
        self.back.stop()

    def _start_back(self) -> Gateway:
        return Gateway(
            self._folder / "back",
            port=self._ports[1],
            environment={"REELWAY_PRIVATE_HOSTS": "127.0.0.1", "REELWAY_SANDBOX_FETCH_URLS": "true"},
        )

    def _start_front(self) -> Gateway:
        return Gateway(
            self._folder / "front",
            port=self._ports[0],
            settings=self._settings,
            environment={"REELWAY_PUBLIC_URL": f"http://127.0.0.1:{self._ports[0]}"},
        )


class Stage(NamedTuple):
    roads: tuple[Road, ...]
    chain: Chain
    asked: dict[tuple[str, Mode], Asked]
    videos: dict[tuple[str, Mode], dict[str, Any]]

    def may_be_unknown(self, name: str, video: dict[str, Any]) -> bool:
        """Tell whether nobody can know what became of this submit: its answer was lost where nothing can be looked up."""
        road = next(road for road in self.roads if any(card.name == name for card in cards_of(road)))
        finds = isinstance(adapters()[road.vendor], CanFind) and road.vendor not in WITHOUT_A_LIST
        return video["error"]["code"] == "submission_unknown" and not finds


@pytest.fixture(scope="module", params=list(ROADS))
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Ask for every model in every mode, kill both gateways while they work, and wait until all is made."""
    roads = ROADS[request.param]
    chain = Chain(tmp_path_factory.mktemp("chain"), roads)
    try:
        width, height = SOURCE_SIZE
        made = chain.front.create(model="sora-2", prompt="A harbour", seconds=4, size=f"{width}x{height}")
        source = chain.front.finished(made["id"])
        assert source["status"] == "completed", source
        names = {card.name for road in roads for card in cards_of(road)}
        asked = {
            (card.name, mode): ask_for(
                chain.front, card, mode, source["id"], prompt=f"A kite, {card.name} {mode} again"
            )
            for card, mode in MODES
            if card.name in names
        }
        chain.kill_both()
        videos = {
            key: chain.front.finished(one.create.json["id"]) for key, one in asked.items() if one.create.status == 200
        }
        yield Stage(roads, chain, asked, videos)
    finally:
        chain.stop()


def test_everything_is_made_as_it_was_asked_for(stage: Stage) -> None:
    """Each file has the length, the pixels and the sound that the front gateway resolved, whatever wire it went over."""
    problems = []
    for (name, mode), one in stage.asked.items():
        if one.create.status != 200:
            problems.append(f"{name} {mode}: {one.create.body!r}")
            continue
        video = stage.videos[name, mode]
        if video["status"] != "completed":
            if not stage.may_be_unknown(name, video):
                problems.append(f"{name} {mode}: {video['error']}")
            continue
        content = stage.chain.front.ask("GET", f"/v1/videos/{video['id']}/content")
        film = probe(content.body)
        try:
            assert film.seconds == pytest.approx(seconds_of(one.resolved), abs=0.05)
            assert film.has_audio is one.resolved.audio
            assert_pixels(CATALOG.card(name), one.resolved, film)
        except AssertionError as error:
            problems.append(f"{name} {mode}: {error}")

    assert not problems, "\n".join(problems)


def test_nothing_was_made_twice(stage: Stage) -> None:
    """The back gateway has exactly one video for each, also for those whose submit the kill cut in two."""
    seen: Counter[str] = Counter()
    after = ""
    while True:
        page = stage.chain.back.ask("GET", f"/v1/videos?limit=100{after}").json
        seen.update(word for video in page["data"] for word in re.findall(r"A kite, (\S+ \S+) again", video["prompt"]))
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"

    certain = {f"{name} {mode}" for (name, mode), video in stage.videos.items() if video["status"] == "completed"}
    assert set(seen.values()) == {1}
    assert certain <= set(seen) <= {f"{name} {mode}" for name, mode in stage.asked}
