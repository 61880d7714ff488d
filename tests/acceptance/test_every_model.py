"""Every model of the catalogue, made: in every mode of its card, through a real gateway and a real sandbox, and the file probed.

All videos are asked for first and looked at afterwards, so that both processes always have work.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.acceptance.every_mode import (
    CATALOG,
    MODES,
    SOURCE_SECONDS,
    SOURCE_SIZE,
    Asked,
    ask_for,
    assert_pixels,
    seconds_of,
)
from tests.acceptance.films import probe, still_frames
from tests.acceptance.processes import Gateway, Sandbox
from tests.acceptance.wire import Line, as_fields

from reelway.catalog.examples import outside
from reelway.catalog.spec import ModelCard
from reelway.core.videos import Mode

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

each_mode = pytest.mark.parametrize(("card", "mode"), MODES, ids=[f"{card.name}-{mode}" for card, mode in MODES])
each_card = pytest.mark.parametrize("card", CATALOG.cards, ids=lambda card: card.name)


class Stage(NamedTuple):
    """A gateway whose only vendor is a sandbox, and everything that was asked of it."""

    gateway: Gateway
    sandbox: Sandbox
    source: dict[str, Any]
    asked: dict[tuple[str, Mode], Asked]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start both, make the video that others are made from, and ask for all the rest at once."""
    with (
        Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox,
        Gateway(tmp_path_factory.mktemp("gateway"), sandbox=sandbox, service="reelway") as gateway,
    ):
        width, height = SOURCE_SIZE
        made = gateway.create(model="sora-2", prompt="A harbour", seconds=SOURCE_SECONDS, size=f"{width}x{height}")
        source = gateway.finished(made["id"])
        assert source["status"] == "completed", source
        asked = {(card.name, mode): ask_for(gateway, card, mode, source["id"]) for card, mode in MODES}
        yield Stage(gateway, sandbox, source, asked)


def test_the_page_and_the_server_offer_the_same_33_models(stage: Stage) -> None:
    """`/v1/models` lists every name of the catalogue."""
    listed = [model["id"] for model in stage.gateway.ask("GET", "/v1/models").json["data"]]
    assert sorted(listed) == sorted(CATALOG.names)
    assert len(listed) == 33


@each_mode
def test_a_quote_and_its_create_are_the_same_request(card: ModelCard, mode: Mode, stage: Stage) -> None:
    """What was quoted is what was accepted: mode, length, size, resolution, sound and price, as the card resolves them."""
    resolved, quote, create = stage.asked[card.name, mode]
    assert quote.status == 200, quote.body
    assert create.status == 200, create.body
    quoted, video = quote.json["request"], create.json
    assert (quoted["mode"], quoted["card"], quoted.get("tier")) == (mode, card.name, resolved.tier)
    assert (quoted.get("seconds"), quoted["size"]) == (resolved.seconds, resolved.size)
    assert quoted["audio"] is resolved.audio
    assert quote.json["available"] is True
    assert quote.json["warnings"] == video["warnings"]
    assert video["cost"] == {"currency": "USD", "reserved": quote.json["price"]["amount"], "settled": None}
    assert float(video["cost"]["reserved"]) > 0
    assert video["status"] in {"queued", "in_progress"}
    assert video["model"] == card.name
    assert video["seconds"] == (str(resolved.seconds) if resolved.seconds else "auto")
    assert video["size"] == (resolved.size or "auto")


@each_mode
def test_every_mode_of_every_card_is_made(card: ModelCard, mode: Mode, stage: Stage) -> None:
    """The file that is delivered has the length, the pixels, the rate and the sound that were resolved."""
    resolved, _, create = stage.asked[card.name, mode]
    assert create.status == 200, create.body
    video = stage.gateway.finished(create.json["id"])
    assert video["status"] == "completed", video["error"]
    content = stage.gateway.ask("GET", f"/v1/videos/{video['id']}/content")
    assert content.status == 200
    film, (output,) = probe(content.body), video["outputs"]

    assert film.codec == "h264"
    assert film.seconds == pytest.approx(seconds_of(resolved), abs=0.05)
    assert film.frames == round(seconds_of(resolved) * film.fps)
    assert film.fps == (resolved.fps or card.fps_made)
    assert film.has_audio is resolved.audio
    if film.has_audio:
        assert film.audio_seconds == pytest.approx(film.seconds, abs=0.1)
    assert_pixels(card, resolved, film)

    assert output["sha256"] == hashlib.sha256(content.body).hexdigest()
    assert output["bytes"] == len(content.body)
    assert (output["width"], output["height"]) == (film.width, film.height)
    assert (output["seconds"], output["fps"]) == (film.seconds, film.fps)
    assert output["has_audio"] is film.has_audio
    assert (video["seconds"], video["size"]) == (f"{film.seconds:g}", f"{film.width}x{film.height}")
    assert video["cost"]["settled"] == video["cost"]["reserved"]
    assert video["progress"] == 100


@each_card
def test_every_value_outside_a_card_is_refused_over_the_wire(card: ModelCard, stage: Stage) -> None:
    """Length, size, resolution, ratio, number, inputs, options, prompt and mode: 400, the field, and what is allowed."""
    wrongs = [wrong for mode in card.modes for wrong in outside(card, mode)]
    assert len(wrongs) > 8
    with Line(stage.gateway.url) as line:
        for wrong in wrongs:
            answer = line.ask("POST", "/v1/videos/quote", as_fields(wrong.request))
            assert answer.status == 400, (wrong.what, answer.body)
            error = answer.json["error"]
            assert wrong.allowed in error["message"], (wrong.what, wrong.allowed, error)
            assert error["code"] == wrong.code, (wrong.what, error)
            assert error["type"] == "invalid_request_error"
            assert error["param"], (wrong.what, error)
            assert answer.headers["x-should-retry"] == "false"


def test_nothing_was_made_but_what_was_accepted(stage: Stage) -> None:
    """The vendor saw one create for each accepted video, and the list holds exactly these."""
    accepted = [asked.create.json["id"] for asked in stage.asked.values() if asked.create.status == 200]
    listed: list[str] = []
    after = ""
    while True:
        page = stage.gateway.ask("GET", f"/v1/videos?limit=50{after}").json
        listed += [video["id"] for video in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert sorted(listed) == sorted([stage.source["id"], *accepted])
    for video_id in accepted:
        stage.gateway.finished(video_id)
    seen = [create for create in stage.sandbox.creates() if re.match("accepted|lost", create["outcome"])]
    assert len(seen) == len(accepted) + 1


def test_several_takes_are_one_video_with_several_files(tmp_path: Path) -> None:
    """`n=3` at full quality, by the sandbox inside the server: three different films that move, for three times the price."""
    with Gateway(tmp_path, environment={"REELWAY_SANDBOX_DRAFT": "false"}) as gateway:
        request = {
            "model": "viduq3-turbo",
            "prompt": "A kite over dunes",
            "seconds": 2,
            "resolution": "540p",
            "seed": 7,
        }
        single = gateway.ask("POST", "/v1/videos/quote", body=request).json["price"]["amount"]
        video = gateway.finished(gateway.create(**request, n=3)["id"])
        assert video["status"] == "completed", video["error"]
        assert [output["index"] for output in video["outputs"]] == [0, 1, 2]
        assert float(video["cost"]["settled"]) == pytest.approx(3 * float(single))

        path = f"/v1/videos/{video['id']}/content"
        files = [gateway.ask("GET", f"{path}?index={index}").body for index in range(3)]
        assert len({hashlib.sha256(file).digest() for file in files}) == 3
        for file, output in zip(files, video["outputs"], strict=True):
            assert hashlib.sha256(file).hexdigest() == output["sha256"]
            assert gateway.ask("GET", output["url"].removeprefix(gateway.url), key=None).body == file
            film = probe(file)
            assert (film.seconds, film.width, film.height, film.has_audio) == (2.0, 960, 540, True)
            assert still_frames(file) == 0
        assert gateway.ask("GET", path).body == files[0]

        beyond = gateway.ask("GET", f"{path}?index=3")
        assert (beyond.status, beyond.json["error"]["code"]) == (404, "output_not_found")
        assert "from 0 to 2" in beyond.json["error"]["message"]
        assert [listed["id"] for listed in gateway.ask("GET", "/v1/videos").json["data"]] == [video["id"]]
